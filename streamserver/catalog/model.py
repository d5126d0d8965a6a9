"""What a catalog knows and demands, without I/O: facts of a variant, the rules of a product, what can go wrong."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import nh3

from streamserver.kit.errors import Failure
from streamserver.messages.catalog import NewProduct, NewVariant
from streamserver.messages.problems import FieldProblem

Role = Literal["owner", "staff"]
MAX_VARIANTS = 100
MAX_IMAGES = 20
HANDLE_LENGTH = 120
PLAIN = str.maketrans({"\u0131": "i", "\u00df": "ss", "\u00f8": "o", "\u0142": "l"})  # letters that NFKD leaves whole
DESCRIPTION_TAGS = {
    "a", "b", "blockquote", "br", "em", "h2", "h3", "h4", "hr", "i", "li", "ol", "p", "strong", "sub", "sup", "table",
    "tbody", "td", "th", "thead", "tr", "u", "ul",
}  # fmt: skip
DESCRIPTION_ATTRIBUTES = {"a": {"href"}, "td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}}


class SkuTaken(Failure):
    """`sku` is the one that exists already."""

    code, status = "sku_taken", 409
    sentence = "Another variant of this shop has this SKU already. Every SKU can exist once in a shop."


class TooManyImages(Failure):
    """`limit` is how many pictures a product may have."""

    code, status = "too_many_images", 409
    sentence = f"A product can have {MAX_IMAGES} pictures at most. Remove one first."


class ImageUnreadable(Failure):
    code, status = "image_unreadable", 422
    sentence = "This picture cannot be read. Use a complete JPEG, PNG, WebP or GIF file."


class ImageTooLarge(Failure):
    """`max_pixels` is width times height at most."""

    code, status = "image_too_large", 413
    sentence = "This picture has too many pixels. Make it smaller and try again."


class StoreStock(Protocol):
    """What a catalog asks of stock: the units that a shop sells outside of shows."""

    async def store_units(self, shop: str, variants: Sequence[str]) -> dict[str, int]:
        """Units of each variant that are available now; a variant that never had any may be missing."""
        ...

    async def restock_store(self, shop: str, operation: str, variant: str, delta: int) -> tuple[int, int]:
        """Add or remove units once per `operation`; what really moved, and what is available after it."""
        ...

    async def set_store_terms(self, shop: str, variants: Sequence[tuple[str, int, str]]) -> None:
        """Sell each `(variant, price, currency)` at that price from now on."""
        ...


@dataclass(frozen=True, slots=True)
class VariantFacts:
    """One variant as a bag, an order or a room shows it. `shop` and `product` are ids; `image` is a medium picture's path;
    `active` is false once its product was archived."""

    id: str
    product: str
    product_title: str
    shop: str
    title: str
    sku: str
    price: int
    compare_at: int | None
    currency: str
    image: str | None
    active: bool


def slug(text: str) -> str:
    """Make a handle of `text`: `Thé à la menthe (L)` → `the-a-la-menthe-l`; empty when no Latin letter or digit is in it."""
    plain = unicodedata.normalize("NFKD", text.translate(PLAIN)).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:HANDLE_LENGTH].strip("-")


def numbered(handle: str, number: int) -> str:
    """Return `handle`, or `handle-2`, `handle-3` …, never longer than a handle may be."""
    ending = f"-{number}" if number > 1 else ""
    return handle[: HANDLE_LENGTH - len(ending)].rstrip("-") + ending


def variant_title(options: Sequence[str]) -> str:
    """Name a variant by its choices: `Clay / L`; empty for the only variant of a product without options."""
    return " / ".join(options)


def clean_description(html: str) -> str:
    """Keep plain formatting and links; drop scripts, styles, pictures and everything that could act on a page."""
    return nh3.clean(
        html, tags=DESCRIPTION_TAGS, attributes=DESCRIPTION_ATTRIBUTES, url_schemes={"http", "https", "mailto"}
    ).strip()


def product_problems(product: NewProduct) -> list[FieldProblem]:
    """What keeps `product` from being sold as described; fields are written like `variants.2.options`."""
    problems = repeated(product.options, "options", "'{}' is an option already")
    for index, variant in enumerate(product.variants):
        problems += variant_problems(variant, product.options, f"variants.{index}")
    titles = {index: variant_title(variant.options) for index, variant in enumerate(product.variants)}
    if not problems:
        problems += repeated(titles, "variants.{}.options", "'{}' is a variant already: one of the options must differ")
    skus = {index: variant.sku for index, variant in enumerate(product.variants)}
    return problems + repeated(skus, "variants.{}.sku", "the SKU '{}' appears twice")


def variant_problems(variant: NewVariant, options: Sequence[str], where: str) -> list[FieldProblem]:
    """What is wrong with one variant of a product with these `options`."""
    problems: list[FieldProblem] = []
    if len(variant.options) != len(options):
        expected = (
            f"one value for each of: {', '.join(options)}" if options else "none, since the product has no options"
        )
        problems.append(FieldProblem(field=f"{where}.options", message=f"must have {expected}"))
    if variant.compare_at is not None and variant.compare_at <= variant.price:
        message = "the earlier price must be higher than the price; leave it out when there is none"
        problems.append(FieldProblem(field=f"{where}.compare_at", message=message))
    return problems


def repeated(values: Sequence[str] | Mapping[int, str], field: str, message: str) -> list[FieldProblem]:
    """One problem for each value that an earlier one equals, without regard to case."""
    seen: set[str] = set()
    problems: list[FieldProblem] = []
    pairs = values.items() if isinstance(values, Mapping) else enumerate(values)
    for index, value in pairs:
        if value.casefold() in seen:
            problems.append(FieldProblem(field=field.format(index), message=message.format(value)))
        seen.add(value.casefold())
    return problems
