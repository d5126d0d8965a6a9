"""The sandbox as a payment provider: no money moves, but it is late, declines and repeats itself like a real one."""

import asyncio
from typing import Literal

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from streamserver.config import OrdersConfig
from streamserver.integrations.sandbox.tables import SandboxPaymentRow
from streamserver.kit.clock import now_ms
from streamserver.kit.errors import NotFound
from streamserver.kit.log import log
from streamserver.kit.sql import Database
from streamserver.kit.tasks import Tasks
from streamserver.messages.orders import SandboxPayment
from streamserver.orders.errors import PaymentRefused, WrongState
from streamserver.orders.model import Charge, PaymentListener, PaymentStatus

Outcome = Literal["success", "decline", "slow"]
BATCH = 100
RETRY_MS = 5_000  # until a notice that the shop did not take is delivered again


class SandboxPayments:
    """Implements `orders.model.Payments`. Notices wait in the table until the listener took them: at least once each."""

    def __init__(self, database: Database, config: OrdersConfig, tasks: Tasks) -> None:
        self._database = database
        self._slow_ms = int(config.sandbox_slow_seconds * 1000)
        self._tasks = tasks
        self._listener: PaymentListener | None = None

    def listen(self, listener: PaymentListener) -> None:
        """Tell `listener` from now on; what happened before waits for it."""
        self._listener = listener

    # What a shop asks

    async def open(self, charge: Charge) -> str:
        """Return the path of the page on which the buyer pays."""
        row = SandboxPaymentRow(
            id=charge.payment,
            order=charge.order,
            number=charge.number,
            amount=charge.amount,
            currency=charge.currency,
            return_url=charge.return_url,
            status="open",
        )
        try:
            async with self._database.write() as session:
                if await session.get(SandboxPaymentRow, charge.payment) is None:
                    session.add(row)
        except IntegrityError:
            log.info("payment was opened twice at once", payment=charge.payment)
        return f"/pay/sandbox/{charge.payment}"

    async def capture(self, payment: str) -> None:
        """Raises PaymentRefused unless it is authorised."""
        await self._change(payment, {"authorised"}, "captured", notice="captured")

    async def void(self, payment: str) -> None:
        """Raises PaymentRefused once captured."""
        try:
            await self._change(payment, {"open", "authorised", "declined"}, "voided", notice=None)
        except NotFound:
            log.info("void of a payment that was never opened", payment=payment)

    async def refund(self, payment: str) -> None:
        """Raises PaymentRefused unless it is captured."""
        await self._change(payment, {"captured"}, "refunded", notice="refunded")

    async def _change(
        self, payment: str, allowed: set[PaymentStatus], to: PaymentStatus, notice: PaymentStatus | None
    ) -> None:
        async with self._database.write() as session:
            row = await _locked(session, payment)
            if row.status == to:
                return
            if row.status not in allowed:
                raise PaymentRefused(f"The payment is {row.status}: it cannot be {to}.", state=row.status)
            row.status = to
            row.notice, row.due_at = notice, now_ms() if notice else None
        if notice:
            self._tasks.start(self._tell(payment), f"sandbox notice {payment}")

    # What a buyer does

    async def view(self, payment: str) -> SandboxPayment:
        """Raises NotFound."""
        async with self._database.read() as session:
            row = await session.get(SandboxPaymentRow, payment)
        if row is None:
            raise NotFound
        return _message(row)

    async def choose(self, payment: str, outcome: Outcome) -> SandboxPayment:
        """Once a payment; the same choice again changes nothing. Raises WrongState, NotFound."""
        delay_ms = self._slow_ms if outcome == "slow" else 0
        async with self._database.write() as session:
            row = await _locked(session, payment)
            if row.outcome is None and row.status == "open":
                row.outcome = outcome
                row.notice = "declined" if outcome == "decline" else "authorised"
                row.due_at = now_ms() + delay_ms
            elif row.outcome != outcome:
                raise WrongState("This payment was already decided. Go back to your order.", state=row.status)
        if delay_ms:
            self._tasks.start(self._tell_later(payment, delay_ms / 1000), f"slow sandbox payment {payment}")
        else:
            await self._tell(payment)
        return await self.view(payment)

    # Telling the shop

    async def deliver_due(self) -> None:
        """Deliver every notice that is due. `jobs` calls it often: a crash loses none."""
        due = select(SandboxPaymentRow.id).where(SandboxPaymentRow.due_at <= now_ms())
        async with self._database.read() as session:
            payments = (await session.scalars(due.order_by(SandboxPaymentRow.due_at).limit(BATCH))).all()
        for payment in payments:
            await self._tell(payment)

    async def _tell_later(self, payment: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self._tell(payment)

    async def _tell(self, payment: str) -> None:
        """Deliver the payment's notice if it is due; one that the shop does not take stays for later."""
        notice = await self._due_notice(payment)
        if notice is None or self._listener is None:
            return
        tell = {
            "authorised": self._listener.payment_authorised,
            "declined": self._listener.payment_declined,
            "captured": self._listener.payment_captured,
            "refunded": self._listener.payment_refunded,
        }[notice]
        try:
            await tell(payment)
        except Exception:
            log.exception("payment notice was not taken", payment=payment, notice=notice)
            await self._mark(payment, notice, due_at=now_ms() + RETRY_MS, still=notice)
        else:
            await self._mark(payment, notice, due_at=None, still=None)

    async def _due_notice(self, payment: str) -> PaymentStatus | None:
        """What to tell now. The buyer's choice comes true at this moment, not before it is due."""
        async with self._database.write() as session:
            row = await _locked(session, payment)
            if row.notice is None or row.due_at is None or row.due_at > now_ms():
                return None
            if row.status == "open":
                row.status = row.notice
            return row.notice

    async def _mark(self, payment: str, told: PaymentStatus, due_at: int | None, still: PaymentStatus | None) -> None:
        """Only while `told` is the newest notice: another may have come up while the shop was being told."""
        row = SandboxPaymentRow
        newest = (row.id == payment, row.notice == told)
        async with self._database.write() as session:
            await session.execute(update(row).where(*newest).values(notice=still, due_at=due_at))


async def _locked(session: AsyncSession, payment: str) -> SandboxPaymentRow:
    row = await session.get(SandboxPaymentRow, payment, with_for_update=True)
    if row is None:
        raise NotFound
    return row


def _message(row: SandboxPaymentRow) -> SandboxPayment:
    return SandboxPayment(
        id=row.id,
        order=row.order,
        number=row.number,
        amount=row.amount,
        currency=row.currency,
        status=row.status,
        return_url=row.return_url,
    )
