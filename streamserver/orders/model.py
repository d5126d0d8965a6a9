"""The rules of orders and payments, without any I/O; and the two protocols between orders and a payment provider."""

from dataclasses import dataclass
from typing import Literal, Protocol

from streamserver.messages.orders import OrderStatus
from streamserver.orders.errors import WrongState

PaymentStatus = Literal["open", "authorised", "captured", "declined", "voided", "refunded"]
Step = Literal["settle", "capture", "void", "refund"]

TRANSITIONS: dict[OrderStatus, frozenset[OrderStatus]] = {
    "pending": frozenset({"authorised", "cancelled"}),
    "authorised": frozenset({"pending", "confirmed", "cancelled"}),
    "confirmed": frozenset({"paid", "cancelled"}),
    "paid": frozenset({"shipped", "cancelled", "refunded"}),
    "shipped": frozenset({"delivered", "refunded"}),
    "delivered": frozenset({"refunded"}),
    "cancelled": frozenset(),
    "refunded": frozenset(),
}
OVER: frozenset[OrderStatus] = frozenset({"cancelled", "refunded"})
EARNED: frozenset[OrderStatus] = frozenset({"confirmed", "paid", "shipped", "delivered"})

# Notices come late, twice and out of order: a payment only ever moves forward.
FORWARD: dict[PaymentStatus, frozenset[PaymentStatus]] = {
    "open": frozenset({"authorised", "captured", "declined", "voided", "refunded"}),
    "declined": frozenset({"authorised", "captured", "voided", "refunded"}),
    "authorised": frozenset({"captured", "voided", "refunded"}),
    "captured": frozenset({"refunded"}),
    "voided": frozenset(),
    "refunded": frozenset(),
}

STANDING: dict[OrderStatus, str] = {
    "pending": "This order is not paid yet.",
    "authorised": "The payment is being settled right now. Try again in a few seconds.",
    "confirmed": "The payment is being collected right now. Try again in a few seconds.",
    "paid": "This order is paid; it has not been shipped yet.",
    "shipped": "This order is already on its way.",
    "delivered": "This order was already delivered.",
    "cancelled": "This order was cancelled.",
    "refunded": "This order was refunded.",
}


def advance(status: OrderStatus, to: OrderStatus) -> OrderStatus:
    """Return `to` if an order may go there from `status`. Raises WrongState, saying where the order stands."""
    if to not in TRANSITIONS[status]:
        raise WrongState(STANDING[status], state=status)
    return to


def next_step(order: OrderStatus, *, current: bool, payment: PaymentStatus) -> Step | None:
    """What must happen to a payment now. `current`: it is the one that its order waits for."""
    if not current or order in OVER:
        if payment == "captured":
            return "refund"
        return "void" if payment in {"open", "authorised"} else None
    if order == "pending":
        return "settle" if payment in {"authorised", "captured"} else None
    if order == "authorised":  # even if the money went back meanwhile: what was begun is ended, and capturing finds out
        return "settle"
    return "capture" if order == "confirmed" else None


@dataclass(frozen=True, slots=True)
class Charge:
    """A payment to open: `return_url` is the path on this server that leads the buyer back."""

    payment: str
    order: str
    number: str
    amount: int
    currency: str
    return_url: str


class Payments(Protocol):
    """A payment provider. Every call may be repeated; a repeat changes nothing."""

    async def open(self, charge: Charge) -> str:
        """Return the URL at which the buyer pays."""
        ...

    async def capture(self, payment: str) -> None:
        """Take the authorised money. Raises PaymentRefused when the authorisation is gone."""
        ...

    async def void(self, payment: str) -> None:
        """Let go of money that was not captured; harmless for an unknown payment. Raises PaymentRefused once captured."""
        ...

    async def refund(self, payment: str) -> None:
        """Send captured money back in full. Raises PaymentRefused when there is none."""
        ...


class PaymentListener(Protocol):
    """What a provider calls back: at least once each, in any order."""

    async def payment_authorised(self, payment: str) -> None: ...

    async def payment_declined(self, payment: str) -> None: ...

    async def payment_captured(self, payment: str) -> None: ...

    async def payment_refunded(self, payment: str) -> None: ...
