"""Shops, products, variants, images, store stock."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from streamserver.messages.accounts import Person
from streamserver.messages.base import Amount, Currency, Handle, Id, Key, LongText, Message, Printable, ShortText, Units

Sku = Annotated[str, StringConstraints(min_length=1, max_length=64, strip_whitespace=True), Printable]
OptionText = Annotated[str, StringConstraints(min_length=1, max_length=80, strip_whitespace=True), Printable]
Path = Annotated[str, StringConstraints(pattern=r"^/")]


class NewShop(Message):
    handle: Handle
    name: ShortText
    currency: Currency
    shipping: Amount = 0


class ShopChange(Message):
    name: ShortText | None = None
    shipping: Amount | None = None


class Shop(Message):
    """`shipping` is the flat price per order."""

    id: Id
    handle: Handle
    name: ShortText
    currency: Currency
    shipping: Amount


class ShopList(Message):
    shops: list[Shop]


class Staff(Message):
    staff: list[Person]


class Image(Message):
    """One picture in three sizes (paths on this server): `small` 160, `medium` 640, `large` 1600 pixels at most."""

    id: Id
    alt: str
    width: int
    height: int
    small: Path
    medium: Path
    large: Path


class NewVariant(Message):
    """`options` are the chosen values in the order of the product's `options`, e.g. `["Clay", "L"]`."""

    sku: Sku
    options: list[OptionText] = []
    price: Amount
    compare_at: Amount | None = None


class VariantChange(Message):
    sku: Sku | None = None
    price: Amount | None = None
    compare_at: Amount | None = None


class Variant(NewVariant):
    """`available` is the shop's store stock now; null where the caller does not sell from the store."""

    id: Id
    title: str
    available: int | None = None


class NewProduct(Message):
    """`description` is HTML; it is sanitised before it is kept. `handle` is made from the title when left out."""

    title: ShortText
    handle: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(?:-[a-z0-9]+)*$", max_length=120)] | None = None
    description: LongText = ""
    vendor: Annotated[str, StringConstraints(max_length=120), Printable] = ""
    options: Annotated[list[OptionText], Field(max_length=3)] = []
    variants: Annotated[list[NewVariant], Field(min_length=1, max_length=100)]


class ProductChange(Message):
    title: ShortText | None = None
    description: LongText | None = None
    vendor: Annotated[str, StringConstraints(max_length=120), Printable] | None = None
    status: Literal["active", "archived"] | None = None


class Product(Message):
    id: Id
    shop: Shop
    handle: str
    title: ShortText
    description: str
    vendor: str
    status: Literal["active", "archived"]
    options: list[str]
    variants: list[Variant]
    images: list[Image]


class ProductList(Message):
    products: list[Product]


class Restock(Message):
    """Change a variant's store stock by `delta`. A negative delta removes at most what is available. `operation` makes a
    repeat harmless."""

    operation: Key
    variant: Id
    delta: Annotated[int, Field(ge=-1_000_000, le=1_000_000)]


class Stock(Message):
    """`applied` is what really moved (a removal stops at zero)."""

    variant: Id
    applied: int
    available: Units
