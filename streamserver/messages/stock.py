"""Holds: units set aside for one buyer until a deadline, at a price frozen then."""

from typing import Literal

from streamserver.messages.base import Amount, Currency, Id, Key, Message, Quantity, Time

HoldStatus = Literal["held", "sold", "released", "expired", "returned"]


class Source(Message):
    """Where a tap came from, since creators are paid by it. Ids; each is null where it does not apply."""

    kind: Literal["room", "product", "clip", "showcase"]
    room: str | None = None
    anchor: str | None = None
    creator: str | None = None
    device: str | None = None


class HoldRequest(Message):
    """`key` is the buyer's own idempotency key: the same key, variant and quantity always answers the same hold.
    `retry` marks another try after a lost answer."""

    key: Key
    variant: Id
    quantity: Quantity = 1
    retry: bool = False


class ReleaseRequest(Message):
    hold: Id


class Hold(Message):
    """`left` is what remains for others. `replayed`: this answer repeats an earlier one, with the hold's state now."""

    id: Id
    pool: str
    variant: Id
    quantity: Quantity
    price: Amount
    currency: Currency
    deadline: Time
    status: HoldStatus
    left: int
    replayed: bool
