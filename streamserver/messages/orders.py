"""Bag, checkout, orders, payments."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from streamserver.messages.base import Amount, Currency, Id, Key, Message, Printable, Quantity, Time
from streamserver.messages.catalog import Shop
from streamserver.messages.stock import HoldStatus, Source

OrderStatus = Literal["pending", "authorised", "confirmed", "paid", "shipped", "delivered", "cancelled", "refunded"]
Line = Annotated[str, StringConstraints(min_length=1, max_length=120, strip_whitespace=True), Printable]
Tokens = Annotated[list[Annotated[str, StringConstraints(max_length=1_000)]], Field(max_length=50)]
OptionalLine = Annotated[str, StringConstraints(max_length=120, strip_whitespace=True), Printable]
Email = Annotated[str, StringConstraints(pattern=r"^[^@\s]{1,64}@[^@\s]{1,190}\.[^@\s.]{2,}$", max_length=254)]


class BagItem(Message):
    """One hold with what a page shows of it. `status` other than *held* or *wanted* means that it is gone from this bag."""

    hold: Id
    pool: str
    product: Id
    variant: Id
    title: str
    variant_title: str
    image: str | None
    quantity: Quantity
    price: Amount
    deadline: Time
    status: HoldStatus
    source: Source
    token: str


class BagPart(Message):
    """What one checkout can take: one shop, one currency. `order` is the pending order already begun with it, if any."""

    shop: Shop
    currency: Currency
    items: list[BagItem]
    subtotal: Amount
    order: Id | None


class Bag(Message):
    """`at` is Redis's clock, to count down by."""

    at: Time
    parts: list[BagPart]


class LostHolds(Message):
    """Tokens of holds that a page remembers and the bag does not show."""

    tokens: Tokens


class Address(Message):
    name: Line
    street: Line
    extra: OptionalLine = ""
    postcode: Annotated[str, StringConstraints(min_length=2, max_length=16, strip_whitespace=True), Printable]
    city: Line
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]


class NewOrder(Message):
    """Check out holds of one shop and currency. The same `key` answers the same order. `tokens` of these holds let the server
    take units again for what it lost."""

    key: Key
    holds: Annotated[list[Id], Field(min_length=1, max_length=50)]
    tokens: Tokens = []
    email: Email
    address: Address


class OrderLine(Message):
    """`status`: *open* while unpaid, *sold*, *gone* (its hold was lost before payment), *returned* (back on sale)."""

    id: Id
    product: Id
    variant: Id
    sku: str
    title: str
    variant_title: str
    image: str | None
    quantity: Quantity
    price: Amount
    deadline: Time | None
    status: Literal["open", "sold", "gone", "returned"]
    source: Source


class Order(Message):
    """`revision` rises whenever a line or the total changes; paying needs the revision that the buyer saw. `payment_url` is
    where to pay while a payment is open. `link` is the signed address that shows this order to whoever holds it."""

    id: Id
    number: str
    revision: int
    status: OrderStatus
    shop: Shop
    lines: list[OrderLine]
    email: str
    address: Address
    currency: Currency
    subtotal: Amount
    shipping: Amount
    total: Amount
    placed_at: Time
    payment_url: str | None
    tracking: str | None
    link: str


class OrderList(Message):
    orders: list[Order]


class Pay(Message):
    """Start paying the order as seen at `revision`."""

    revision: int


class Shipment(Message):
    tracking: OptionalLine = ""


class Refund(Message):
    """Money goes back in full; `return_units` puts the units on sale again (the seller's separate choice)."""

    operation: Key
    return_units: bool


LATE_SECONDS = 360  # longer than a hold and its grace last by default
SandboxOutcome = Literal["success", "decline", "slow", "late", "twice", "reordered"]


class SandboxChoice(Message):
    """What the built-in payment page shall do. *slow*: the bank agrees after a while. The others concern how the shop is
    told: *late* (`delay` seconds after the bank agreed), *twice*, or *reordered* (old news after newer)."""

    outcome: SandboxOutcome
    delay: Annotated[int, Field(ge=0, le=86_400)] = LATE_SECONDS


class SandboxPayment(Message):
    """What the built-in payment page shows. `return_url` leads back to the order."""

    id: Id
    order: Id
    number: str
    amount: Amount
    currency: Currency
    status: Literal["open", "authorised", "captured", "declined", "voided", "refunded"]
    return_url: str
