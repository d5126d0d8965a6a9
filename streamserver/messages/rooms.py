"""Rooms: their life, line-up and pins; what a viewer is given on joining, and the events that follow."""

from typing import Annotated, Any, Literal

import orjson
from pydantic import Field, StringConstraints

from streamserver.messages.accounts import Person
from streamserver.messages.base import (
    Amount,
    Currency,
    Handle,
    Id,
    Key,
    Message,
    Printable,
    Quantity,
    ShortText,
    Time,
    Units,
)
from streamserver.messages.stock import Mode

Permission = Literal["pin", "lineup", "chat", "ban"]
Right = Permission | Literal["host"]
Status = Literal["scheduled", "live", "ending", "ended"]
Description = Annotated[str, StringConstraints(max_length=2_000), Printable]


class NewRoom(Message):
    """`scheduled_at` may lie in the past or be left out: then the room can simply be started."""

    title: ShortText
    description: Description = ""
    scheduled_at: Time | None = None


class RoomChange(Message):
    title: ShortText | None = None
    description: Description | None = None
    scheduled_at: Time | None = None


class About(Message):
    id: Id
    title: ShortText
    description: str
    creator: Person
    scheduled_at: Time | None


class Life(Message):
    """`ending` lasts until `ending_at` and can be undone until then; holds are taken up to that moment."""

    status: Status
    started_at: Time | None = None
    ending_at: Time | None = None
    ended_at: Time | None = None


class AnchorVariantTerms(Message):
    """Selling terms of one variant in one room. `price` null: the variant's own. `allotment` is how many units the room shall
    have been given in all; the difference moves from or to the shop's store stock. Null: as many as it has."""

    variant: Id
    price: Amount | None = None
    limit: Quantity = 5
    allotment: Units | None = None


class NewAnchor(Message):
    """Variants left out are sold with their own price, the default limit and no units. `mode`: a tap sets units aside (`hold`),
    or nothing is set aside and whoever pays first is served (`first_paid`)."""

    product: Id
    mode: Mode = "hold"
    variants: Annotated[list[AnchorVariantTerms], Field(max_length=100)] = []


class AnchorChange(Message):
    """What is left out stays as it is."""

    mode: Mode | None = None
    variants: Annotated[list[AnchorVariantTerms], Field(max_length=100)] = []


class AnchorVariant(Message):
    id: Id
    sku: str
    title: str
    options: list[str]
    price: Amount
    compare_at: Amount | None
    limit: Quantity
    allotment: Units


class AnchorShop(Message):
    id: Id
    handle: Handle
    name: ShortText


class Anchor(Message):
    """A product placed in a room. `image` is the path of a medium-sized picture."""

    id: Id
    product: Id
    title: ShortText
    image: str | None
    currency: Currency
    options: list[str]
    mode: Mode
    shop: AnchorShop
    variants: list[AnchorVariant]


class LineUp(Message):
    """Anchors in the order they are shown."""

    version: int
    anchors: list[Anchor]


class LineUpOrder(Message):
    """Every anchor of the line-up once, in the new order, with the version that was seen."""

    version: int
    order: Annotated[list[Id], Field(max_length=100)]


class Pin(Message):
    anchor: Id
    by: Person
    at: Time


class Pins(Message):
    """Oldest pin first."""

    version: int
    pins: list[Pin]


class PinChange(Message):
    """Pin or unpin one anchor, seen at `version`. A fourth pin needs `replace`. Repeating an `operation` is *done*."""

    operation: Key
    version: int
    action: Literal["pin", "unpin"]
    anchor: Id
    replace: Id | None = None


class StockState(Message):
    """State lane, key `stock:<variant>`. Units left in this room; `epoch` rises on every change from 0 to more. `waiting` stand
    in line for what comes back."""

    variant: Id
    available: Units
    epoch: int
    waiting: int


class ViewersState(Message):
    """State lane, key `viewers`."""

    viewers: int


class State(Message):
    """One versioned value: the highest `version` of a `key` is the truth, whatever order they arrive in."""

    key: str
    version: int
    value: StockState | ViewersState


class RoomCard(Message):
    """A room in a list. `cover` is the picture of its first anchor."""

    about: About
    life: Life
    cover: str | None
    products: int
    viewers: int


class RoomList(Message):
    rooms: list[RoomCard]


class Snapshot(Message):
    """All a viewer needs, true at `seq`. `at` is Redis's clock. `rights` are the caller's own (creator: all of them)."""

    epoch: str
    seq: int
    at: Time
    about: About
    life: Life
    lineup: LineUp
    pins: Pins
    states: list[State]
    rights: list[Right]


class LineUpPatch(Message):
    """Anchors added or changed, anchors gone, and the whole new order."""

    version: int
    put: list[Anchor]
    removed: list[Id]
    order: list[Id]


class Event(Message):
    """Event lane. `data` is the whole new About, Life or Pins, or a LineUpPatch, by `type`. `media_time` is seconds into the
    video, null while there is none."""

    epoch: str
    seq: int
    at: Time
    media_time: float | None
    type: Literal["about", "life", "lineup", "pins"]
    data: About | Life | LineUpPatch | Pins


class EventList(Message):
    """Missing events, or `resync`: then take a new snapshot."""

    resync: bool
    events: list[dict[str, Any]]

    @classmethod
    def of(cls, found: list[bytes] | None) -> "EventList":
        """Finished events as the log keeps them; None means that it does not reach back far enough."""
        return cls(resync=found is None, events=[orjson.loads(event) for event in found or []])


class Moderator(Message):
    person: Person
    permissions: list[Permission]


class ModeratorGrant(Message):
    permissions: Annotated[list[Permission], Field(min_length=1)]


class ModeratorList(Message):
    moderators: list[Moderator]


class Tap(Message):
    """A viewer opened an anchor."""

    anchor: Id


class VariantSales(Message):
    variant: Id
    sku: str
    title: str
    allotted: int
    available: int
    held: int
    sold: int


class Sales(Message):
    """A host's figures of one room. `revenue` counts confirmed orders without shipping, by currency. `peak_viewers` is the most
    pages that were open at once, `unique_viewers` people (give or take 0.8 %), both up to the end of the show."""

    viewers: int
    peak_viewers: int
    unique_viewers: int
    taps: int
    holds: int
    orders: int
    revenue: dict[str, int]
    variants: list[VariantSales]
