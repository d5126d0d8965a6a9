"""Reading Shopify's product CSV, without any shop."""

import contextlib
import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamserver.catalog.shopify_csv import ParsedFile, parse
from streamserver.catalog.shopify_rows import UnreadableFileError
from tests.catalog.conftest import FILES

HEADER = "Title,URL handle,SKU,Option1 name,Option1 value,Price,Inventory quantity,Product image URL,Description,Status"


def parse_file(name: str) -> ParsedFile:
    return parse((FILES / name).read_bytes(), "EUR")


def test_the_new_headers() -> None:
    """Rows of one handle make one product; a quoted cell may hold lines and quotes; prices are minor units."""
    parsed = parse_file("new_headers.csv")
    apron, vase = parsed.products
    assert not parsed.errors
    assert (apron.new.title, apron.new.vendor, apron.new.options) == ("Linen apron", "Kiln & Loom", ["Size", "Colour"])
    assert apron.new.description == '<p>Washed linen.\nTwo pockets, "deep" ones.</p>'
    assert [(v.sku, v.options, v.price, v.compare_at) for v in apron.new.variants] == [
        ("APR-S-SAND", ["S", "Sand"], 4900, 5900),
        ("APR-L-SAND", ["L", "Sand"], 4900, None),
        ("APR-L-INK", ["L", "Ink"], 5250, None),  # an earlier price that is no higher says nothing
    ]
    assert apron.units == (12, 3, 0)
    assert (apron.pictures[0].source, apron.pictures[0].alt) == ("apron.png", "An apron on a hook")
    assert (vase.status, vase.new.options, vase.units) == ("archived", [], (0,))
    assert [(v.sku, v.options, v.price) for v in vase.new.variants] == [("0042", [], 12000)]
    assert [(note.row, note.column) for note in parsed.notes] == [(5, "Inventory quantity"), (5, "Status")]


def test_the_old_headers() -> None:
    """Three options; a row with nothing but a picture adds a picture; a missing SKU is made and told."""
    throw, dish = parse_file("old_headers.csv").products
    assert throw.new.options == ["Colour", "Size", "Edge"]
    assert [variant.options for variant in throw.new.variants] == [
        ["Moss", "Single", "Fringe"],
        ["Moss", "Double", "Fringe"],
    ]
    assert [(picture.row, picture.source) for picture in throw.pictures] == [(2, "apron.png"), (4, "stripes.png")]
    assert throw.rows == (2, 3, 4)
    assert dish.new.variants[0].sku == "soap-dish"
    assert [(note.row, note.column) for note in parse_file("old_headers.csv").notes] == [(5, "Variant SKU")]


def test_a_bad_row_costs_its_own_product_only() -> None:
    """Each error names row and column; everything else is read."""
    parsed = parse_file("broken_rows.csv")
    assert [product.handle for product in parsed.products] == ["good-bowl", "last-good"]
    assert [(error.row, error.column) for error in sorted(parsed.errors, key=lambda error: error.row)] == [
        (3, "Price"),
        (4, "Price"),
        (5, "Price"),
        (6, "Inventory quantity"),
        (7, "Title"),
        (8, "SKU"),
        (10, "Option1 value"),
        (12, "Option1 value"),
        (13, "URL handle"),
        (15, ""),
    ]
    assert "write it like 19.90" in next(error.message for error in parsed.errors if error.row == 4)
    assert "row 2" in next(error.message for error in parsed.errors if error.row == 8)


def test_a_spreadsheet_s_habits_do_not_hurt() -> None:
    """A byte order mark, Windows line ends, blank rows, spaces and another case in the header are all fine."""
    content = f'\ufeff{HEADER.upper()}\r\n\r\n,,,,,,,,,\r\nBowl , bowl,B-1,,, 20.00 ,1,,"a\r\nb",\r\n'.encode()
    [product] = parse(content, "EUR").products
    assert (product.new.title, product.rows, product.new.description) == ("Bowl", (4,), "a\nb")


@pytest.mark.parametrize(("currency", "amount"), [("EUR", 150000), ("JPY", 1500), ("KWD", 1500000)])
def test_a_price_is_of_the_shop_s_currency(currency: str, amount: int) -> None:
    """1500 yen have no cents."""
    [product] = parse(f"{HEADER}\nBowl,bowl,B-1,,,1500,,,,\n".encode(), currency).products
    assert product.new.variants[0].price == amount


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("Title,URL handle,Price\nCafé,cafe,1\n".encode("latin-1"), "line 2 has the byte 0xE9"),
        (f"{HEADER}\n".encode("utf-16"), "not UTF-8"),
        (b"", "lacks title, url handle, price"),
        (HEADER.replace(",", ";").encode(), "separated by commas"),
        (b"Title,Handle,URL handle,Price\n", "mean the same: Handle and URL handle"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(content: bytes, sentence: str) -> None:
    """Wrong encoding, wrong separator, wrong kind of file: one sentence that tells what to do."""
    with pytest.raises(UnreadableFileError, match=sentence):
        parse(content, "EUR")


def test_text_that_cannot_be_shown_is_an_error() -> None:
    """A control character in a title is named with its row."""
    parsed = parse(f"{HEADER}\nBo\x07wl,bowl,B-1,,,1,,,,\nFine,fine,F-1,,,1,,,,\n".encode(), "EUR")
    assert [product.handle for product in parsed.products] == ["fine"]
    assert [(error.row, error.column) for error in parsed.errors] == [(2, "Title")]
    assert "U+0007" in parsed.errors[0].message


def test_a_description_of_any_length_does_not_derail_the_rest() -> None:
    """Longer than the csv module's own bound: the product has an error, the next one is read."""
    parsed = parse(f'{HEADER}\nBowl,bowl,B-1,,,1,,,"{"x," * 100_000}",\nFine,fine,F-1,,,1,,,,\n'.encode(), "EUR")
    assert [product.handle for product in parsed.products] == ["fine"]
    assert [(error.row, error.column) for error in parsed.errors] == [(2, "Description")]


CELL = st.one_of(
    st.sampled_from(["", "a", "b", "Title", "Default Title", "1", "1.50", "-1", "x.png", "Active", "Größe", "'1"]),
    st.text(max_size=8),
)


@given(st.lists(st.lists(CELL, max_size=12), max_size=12))
def test_every_row_is_in_a_product_or_has_an_error(records: list[list[str]]) -> None:
    """Whatever is in the cells: nothing is raised, and no row disappears without a word."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(HEADER.split(","))
    writer.writerows(records)
    content = buffer.getvalue().encode("utf-8", "replace")
    parsed = parse(content, "EUR")
    read = csv.reader(io.StringIO(content.decode(), newline=""))
    wanted = {number for number, record in enumerate(read, 1) if number > 1 and any(cell.strip() for cell in record)}
    assert wanted <= {row for product in parsed.products for row in product.rows} | explained(parsed)
    assert len({product.handle for product in parsed.products}) == len(parsed.products)


def explained(parsed: ParsedFile) -> set[int]:
    """Rows that have an error, or belong to a product that was skipped because of one."""
    with_error = {error.row for error in parsed.errors}
    return {row for rows in parsed.skipped for row in rows if with_error & set(rows)} | with_error


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    """Only `UnreadableFileError` is ever raised."""
    with contextlib.suppress(UnreadableFileError):
        parse(HEADER.encode() + b"\n" + content, "EUR")
