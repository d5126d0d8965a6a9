"""The built-in payment page's data. A payment's id cannot be guessed: whoever has its address may pay."""

from typing import Protocol

from streamserver.http.api import Call, Routes
from streamserver.kit.errors import NotFound
from streamserver.messages.orders import SandboxChoice, SandboxOutcome, SandboxPayment
from streamserver.orders.errors import WrongState


class PaymentDesk(Protocol):
    """What the page asks of the sandbox."""

    async def view(self, payment: str) -> SandboxPayment:
        """Raises NotFound."""
        ...

    async def choose(self, payment: str, outcome: SandboxOutcome, delay: int) -> SandboxPayment:
        """`delay`: seconds, for a *late* one. Raises WrongState, NotFound."""
        ...


def sandbox_routes(sandbox: PaymentDesk) -> Routes:
    api = Routes("payments")

    @api.get("/payments/{payment}", answer=SandboxPayment, failures=(NotFound,))
    async def view(call: Call) -> SandboxPayment:
        """Show a payment of the built-in sandbox."""
        return await sandbox.view(call.path["payment"])

    @api.post(
        "/payments/{payment}", body=SandboxChoice, answer=SandboxPayment, scope="buy", failures=(NotFound, WrongState)
    )
    async def choose(call: Call, body: SandboxChoice) -> SandboxPayment:
        """Decide what the sandbox does with a payment, and how it tells the shop: at once, late, twice or out of order."""
        return await sandbox.choose(call.path["payment"], body.outcome, body.delay)

    _ = view, choose
    return api
