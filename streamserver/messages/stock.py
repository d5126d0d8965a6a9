"""Holds: units set aside for one buyer until a deadline, at a price frozen then."""

from typing import Literal

from streamserver.messages.base import Amount, Currency, Id, Key, Message, Quantity, Time

Mode = Literal["hold", "first_paid"]
HoldStatus = Literal["held", "wanted", "sold", "released", "expired", "returned"]


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
    """`left` is what remains for others. `replayed`: this answer repeats an earlier one, with the hold's state now. `wanted`:
    nothing is set aside, whoever pays first is served; the price stands until the deadline. `token` proves the hold: should the
    server lose it, checkout takes its units again by the token."""

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
    token: str


class WaitRequest(Message):
    """Take a place in line for one unit, or keep it: a page that waits repeats this every ten seconds or so."""

    variant: Id


class LeaveRequest(Message):
    variant: Id


class Place(Message):
    """`place` 1 is the head of the line. 0: it is your turn, and `hold` is the offer, which stands until its deadline."""

    variant: Id
    place: int
    hold: Hold | None


class Turn(Message):
    """Said to one viewer: a unit is set aside for them now. Asking again for the place brings the hold."""

    variant: Id
    hold: Id
