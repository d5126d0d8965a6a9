"""The records of a Shopify product CSV, by our own field names, with the headers of before and after 2025."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

OPTIONS = (1, 2, 3)
COLUMNS: dict[str, tuple[str, ...]] = {  # ours → theirs, new then old, in lower case
    "title": ("title",),
    "handle": ("url handle", "handle"),
    "description": ("description", "body (html)"),
    "vendor": ("vendor",),
    "status": ("status",),
    "sku": ("sku", "variant sku"),
    "price": ("price", "variant price"),
    "compare_at": ("compare-at price", "variant compare at price"),
    "quantity": ("inventory quantity", "variant inventory qty"),
    "image": ("product image url", "image src"),
    "alt": ("image alt text",),
    **{f"name{n}": (f"option{n} name",) for n in (1, 2, 3)},
    **{f"value{n}": (f"option{n} value",) for n in (1, 2, 3)},
}
REQUIRED = ("title", "handle", "price")
VARIANT_FIELDS = ("sku", "price", "compare_at", "value1", "value2", "value3")


class UnreadableFileError(Exception):
    """Nothing in the file can be used; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Remark:
    """Something to tell about one row (the first row, the header, is 1) and column of the file."""

    row: int
    column: str
    message: str


@dataclass(frozen=True, slots=True)
class Row:
    """One record: our field names → text without surrounding space. `columns` are the headers for messages."""

    number: int
    cells: dict[str, str]
    columns: dict[str, str]
    surplus: bool

    def __getitem__(self, name: str) -> str:
        return self.cells.get(name, "")

    def remark(self, name: str, message: str) -> Remark:
        return Remark(self.number, self.columns.get(name, name), message)

    @property
    def is_variant(self) -> bool:
        return any(self[name] for name in VARIANT_FIELDS)


def read_rows(content: bytes) -> Iterator[Row]:
    """Yield every record that is not empty. Raises `UnreadableFileError`."""
    text = _decode(content)
    csv.field_size_limit(max(csv.field_size_limit(), len(text)))  # else a long description would derail what follows it
    records = csv.reader(io.StringIO(text, newline=""))
    header = next(records, list[str]())
    places = _places(header)
    columns = {name: header[place].strip() for name, place in places.items()}
    for number, record in enumerate(records, 2):
        if any(cell.strip() for cell in record):
            cells = {name: record[place].strip() for name, place in places.items() if place < len(record)}
            yield Row(number, cells, columns, surplus=any(cell.strip() for cell in record[len(header) :]))


def _decode(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = content.count(b"\n", 0, error.start) + 1
        raise UnreadableFileError(
            f"The file is not UTF-8: line {row} has the byte 0x{content[error.start]:02X}. "
            "Save it again as 'CSV UTF-8', as Shopify exports it."
        ) from error


def _places(header: Sequence[str]) -> dict[str, int]:
    """Where each of our fields stands in a record."""
    titles = [" ".join(title.casefold().split()) for title in header]
    places: dict[str, int] = {}
    for name, known in COLUMNS.items():
        found = [place for place, title in enumerate(titles) if title in known]
        if len(found) > 1:
            raise UnreadableFileError(f"Two columns mean the same: {' and '.join(header[place] for place in found)}.")
        if found:
            places[name] = found[0]
    if missing := [COLUMNS[name][0] for name in REQUIRED if name not in places]:
        raise UnreadableFileError(
            f"This is not a Shopify product file: its first row lacks {', '.join(missing)}. "
            "Columns must be separated by commas."
        )
    return places
