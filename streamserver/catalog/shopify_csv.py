"""Shopify's product CSV, with the headers of before and after 2025: bytes in, products and errors out, no I/O.

Rows belong together by handle. The first row of a product describes it; each row with a SKU, an option value or a price is
a variant; each row with a picture's address adds a picture. A row that cannot be understood costs its own product only.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import ValidationError

from streamserver.catalog.model import product_problems, slug, variant_title
from streamserver.catalog.shopify_rows import OPTIONS, Remark, Row, read_rows
from streamserver.kit.money import parse_amount
from streamserver.messages.catalog import NewProduct

STATUSES: dict[str, Literal["active", "archived"]] = {
    "": "active",
    "active": "active",
    "draft": "archived",
    "archived": "archived",
    "unlisted": "archived",
}
MAX_UNITS = 1_000_000
SKU_LENGTH = 64


@dataclass(frozen=True, slots=True)
class Picture:
    row: int
    source: str
    alt: str


@dataclass(frozen=True, slots=True)
class ParsedProduct:
    """A product as the file has it. `units` are the inventory quantities of its variants, in their order."""

    rows: tuple[int, ...]
    variant_rows: tuple[int, ...]
    new: NewProduct
    handle: str
    status: Literal["active", "archived"]
    units: tuple[int, ...]
    pictures: tuple[Picture, ...]


@dataclass(slots=True)
class ParsedFile:
    """`skipped` has the rows of each product that was left out because one of them has an error."""

    products: list[ParsedProduct] = field(default_factory=list[ParsedProduct])
    skipped: list[tuple[int, ...]] = field(default_factory=list[tuple[int, ...]])
    errors: list[Remark] = field(default_factory=list[Remark])
    notes: list[Remark] = field(default_factory=list[Remark])


def parse(content: bytes, currency: str) -> ParsedFile:
    """Read a whole file; prices are amounts of `currency`. Every row that is not empty ends up in a product or has an
    error. Raises `UnreadableFileError` when no row can be read at all."""
    parsed = ParsedFile()
    groups: dict[str, list[Row]] = {}
    for row in read_rows(content):
        if name := row["handle"] or row["title"]:
            groups.setdefault(slug(name) or name, []).append(row)
        else:
            parsed.errors.append(row.remark("handle", "is missing, so the row belongs to no product"))
    for handle, rows in groups.items():
        reading = _Reading(handle, rows, currency)
        product = reading.product()
        parsed.notes += reading.notes
        parsed.errors += reading.errors
        if product and not reading.errors:
            parsed.products.append(product)
        else:
            parsed.skipped.append(tuple(row.number for row in rows))
    _refuse_repeated_skus(parsed)
    return parsed


class _Reading:
    """One product's rows on their way to a `ParsedProduct`; collects everything that is wrong, not just the first."""

    def __init__(self, handle: str, rows: Sequence[Row], currency: str) -> None:
        self.errors: list[Remark] = []
        self.notes: list[Remark] = []
        self._handle = handle
        self._first = rows[0]
        self._rows = rows
        self._variants = [row for row in rows if row is rows[0] or row.is_variant]
        self._currency = currency
        self._options = {n: name for n in OPTIONS if (name := _line(self._first[f"name{n}"]))}
        if set(self._options.values()) == {"Title"} and self._first["value1"] == "Default Title":
            self._options = {}  # Shopify's way to write that there is nothing to choose

    def product(self) -> ParsedProduct | None:
        """The product, or None with errors."""
        self._check_rows()
        fields = {
            "title": _line(self._first["title"]),
            "handle": self._handle,
            "description": _text(self._first["description"]),
            "vendor": _line(self._first["vendor"]),
            "options": list(self._options.values()),
            "variants": [self._variant(row) for row in self._variants],
        }
        units = tuple(self._units(row) for row in self._variants)
        status = self._status()
        if self.errors:
            return None
        try:
            new = NewProduct.model_validate(fields)
        except ValidationError as error:
            self.errors += [self._remark(problem["loc"], problem["msg"]) for problem in error.errors()]
            return None
        self.errors += [self._remark(problem.field.split("."), problem.message) for problem in product_problems(new)]
        rows = tuple(row.number for row in self._rows)
        variant_rows = tuple(row.number for row in self._variants)
        return ParsedProduct(rows, variant_rows, new, self._handle, status, units, self._pictures())

    def _check_rows(self) -> None:
        if not slug(self._handle):
            self._wrong(self._first, "handle", "has no Latin letter or digit, so no address can be made of it")
        for row in self._rows:
            if row["handle"].casefold() != self._first["handle"].casefold():
                self._wrong(row, "handle", f"makes the same address as that of row {self._first.number}")
            if row.surplus:
                self._wrong(row, "", "has more cells than the header has columns")
            if row is not self._first and not row.is_variant and not row["image"]:
                self._wrong(row, "", "has neither a variant nor a picture")

    def _variant(self, row: Row) -> dict[str, Any]:
        options = [] if self._is_default(row) else self._values(row)
        price = self._amount(row, "price")
        compare_at = self._amount(row, "compare_at") if row["compare_at"] else 0
        return {
            "sku": self._sku(row, options),
            "options": options,
            "price": price,
            "compare_at": compare_at if compare_at > price else None,
        }

    def _is_default(self, row: Row) -> bool:
        return not self._options and row["value1"] == "Default Title"

    def _values(self, row: Row) -> list[str]:
        for n in OPTIONS:
            if self._options.get(n) and not row[f"value{n}"]:
                self._wrong(row, f"value{n}", f"is missing: every variant needs its '{self._options[n]}'")
            if row[f"value{n}"] and not self._options.get(n):
                self._wrong(row, f"value{n}", f"has no name: the product's first row lacks 'Option{n} name'")
        return [_line(row[f"value{n}"]) for n in self._options]

    def _amount(self, row: Row, name: str) -> int:
        if not row[name]:
            self._wrong(row, name, "is missing")
            return 0
        try:
            return parse_amount(row[name], self._currency)
        except ValueError as error:
            self._wrong(row, name, str(error))
            return 0

    def _sku(self, row: Row, options: Sequence[str]) -> str:
        if sku := _line(row["sku"]).removeprefix("'"):  # Shopify's exports protect digits from spreadsheets with it
            return sku
        made = slug(f"{self._handle} {variant_title(options)}")[:SKU_LENGTH]
        self.notes.append(row.remark("sku", f"is empty; the variant gets the SKU '{made}'"))
        return made

    def _units(self, row: Row) -> int:
        written = row["quantity"] or "0"
        if not re.fullmatch(r"-?[0-9]{1,7}", written) or int(written) > MAX_UNITS:
            self._wrong(row, "quantity", f"'{written[:20]}' is not a number of units: write it like 12")
            return 0
        if int(written) < 0:
            self.notes.append(row.remark("quantity", f"is {written}; the variant starts with 0 units"))
        return max(int(written), 0)

    def _status(self) -> Literal["active", "archived"]:
        written = self._first["status"].casefold()
        if written not in STATUSES:
            self._wrong(self._first, "status", f"'{written[:20]}' is not active, draft or archived")
        elif written in {"draft", "unlisted"}:
            self.notes.append(self._first.remark("status", f"is {written}; the product is imported as archived"))
        return STATUSES.get(written, "active")

    def _pictures(self) -> tuple[Picture, ...]:
        return tuple(Picture(row.number, row["image"], _line(row["alt"])) for row in self._rows if row["image"])

    def _wrong(self, row: Row, name: str, message: str) -> None:
        self.errors.append(row.remark(name, message))

    def _remark(self, place: Sequence[int | str], message: str) -> Remark:
        """Turn `variants.2.options.0` into the row and column where a person finds it."""
        row, path = self._first, list(place)
        if path[0] == "variants" and len(path) > 2:
            row, path = self._variants[int(path[1])], path[2:]
        name = str(path[0])
        if name == "options":
            n = list(self._options)[int(path[1])] if len(path) > 1 else 1
            name = f"value{n}" if row is not self._first or place[0] == "variants" else f"name{n}"
        return row.remark(name, message)


def _refuse_repeated_skus(parsed: ParsedFile) -> None:
    """Drop every product with a SKU that an earlier product has."""
    owners: dict[str, int] = {}
    good: list[ParsedProduct] = []
    for product in parsed.products:
        skus = [(variant.sku, row) for variant, row in zip(product.new.variants, product.variant_rows, strict=True)]
        repeats = [Remark(row, "SKU", f"'{sku}' is in row {owners[sku]} already") for sku, row in skus if sku in owners]
        owners = dict(skus) | owners
        parsed.errors += repeats
        if repeats:
            parsed.skipped.append(product.rows)
        else:
            good.append(product)
    parsed.products = good


def _line(text: str) -> str:
    return " ".join(text.split())


def _text(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
