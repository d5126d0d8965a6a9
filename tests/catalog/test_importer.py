"""Importing a product file into a shop."""

import shutil
from pathlib import Path

import pytest

from streamserver.accounts.model import Identity
from streamserver.catalog.importer import Report, import_file
from streamserver.catalog.service import CatalogService
from streamserver.config import Config
from streamserver.kit.errors import NotFound
from streamserver.messages.catalog import NewVariant, Product, Restock, Shop, VariantChange
from tests.catalog.conftest import FILES, picture


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The sample files beside the pictures that they name."""
    for file in FILES.glob("*.csv"):
        shutil.copy(file, tmp_path)
    for name, colour in (("apron.png", "teal"), ("stripes.png", "plum"), ("bowl.png", "tan")):
        (tmp_path / name).write_bytes(picture(colour=colour))
    return tmp_path


async def products(catalog: CatalogService, owner: Identity, shop: Shop) -> dict[str, Product]:
    return {product.handle: product for product in await catalog.products_of(owner, shop.id)}


async def test_a_file_fills_a_shop(catalog: CatalogService, owner: Identity, shop: Shop, folder: Path) -> None:
    """Products, units and pictures arrive; an address on the web is not fetched but told."""
    report = await import_file(catalog, "kiln", folder / "new_headers.csv", dry_run=False)
    assert (report.created, report.changed, report.unchanged, report.errors) == (
        ["linen-apron", "moon-vase"],
        [],
        [],
        [],
    )
    assert [note.row for note in report.notes if "web" in note.message] == [3]
    found = await products(catalog, owner, shop)
    assert [variant.available for variant in found["linen-apron"].variants] == [12, 3, 0]
    assert [image.alt for image in found["linen-apron"].images] == ["An apron on a hook"]
    assert found["moon-vase"].status == "archived"


@pytest.mark.parametrize("name", ["new_headers.csv", "old_headers.csv", "broken_rows.csv"])
async def test_the_same_file_again_changes_nothing(
    catalog: CatalogService, owner: Identity, shop: Shop, folder: Path, name: str
) -> None:
    """Neither products nor pictures nor units, also after some were taken from the store."""
    first = await import_file(catalog, "kiln", folder / name, dry_run=False)
    variant = (await products(catalog, owner, shop))[first.created[0]].variants[0].id
    await catalog.restock(owner, shop.id, Restock(operation="breakage-1", variant=variant, delta=-1))
    before = await products(catalog, owner, shop)
    second = await import_file(catalog, "kiln", folder / name, dry_run=False)
    assert (second.created, second.changed, second.unchanged) == ([], [], first.created)
    assert (second.errors, second.skipped) == (first.errors, first.skipped)
    assert await products(catalog, owner, shop) == before


async def test_a_dry_run_tells_the_same_and_writes_nothing(
    catalog: CatalogService, owner: Identity, shop: Shop, folder: Path, config: Config
) -> None:
    """What is created, changed and wrong is told as the real run does; no product, unit or picture is there after it."""
    rehearsal = await import_file(catalog, "kiln", folder / "broken_rows.csv", dry_run=True)
    assert await products(catalog, owner, shop) == {}
    assert not config.media_folder.exists()
    real = await import_file(catalog, "kiln", folder / "broken_rows.csv", dry_run=False)
    assert (rehearsal.created, rehearsal.errors) == (real.created, real.errors)
    assert str(rehearsal) == f"Dry run, nothing was written: {real}"


async def test_an_edited_file_changes_what_differs(
    catalog: CatalogService, owner: Identity, shop: Shop, folder: Path
) -> None:
    """A new price, a new picture and a new variant arrive; units of variants that exist are left alone."""
    path = folder / "new_headers.csv"
    await import_file(catalog, "kiln", path, dry_run=False)
    edited = path.read_text().replace("52.5,50.00,0,,", "55.00,,40,stripes.png,")
    path.write_text(edited + ",linen-apron,,,,,,APR-M-INK,,M,,Ink,49.00,,7,,,\n")
    report = await import_file(catalog, "kiln", path, dry_run=False)
    assert (report.changed, report.unchanged) == (["linen-apron"], ["moon-vase"])
    apron = (await products(catalog, owner, shop))["linen-apron"]
    assert [(variant.sku, variant.price, variant.available) for variant in apron.variants[2:]] == [
        ("APR-L-INK", 5500, 0),
        ("APR-M-INK", 4900, 7),
    ]
    assert len(apron.images) == 2


async def test_a_sku_of_another_product_is_reported(
    catalog: CatalogService, owner: Identity, shop: Shop, folder: Path, mug: Product
) -> None:
    """The product with it is skipped whole, the others are imported."""
    await catalog.change_variant(owner, mug.id, mug.variants[0].id, VariantChange(sku="APR-L-INK"))
    report = await import_file(catalog, "kiln", folder / "new_headers.csv", dry_run=False)
    assert (report.created, report.skipped) == (["moon-vase"], 1)
    assert [(error.row, "APR-L-INK" in error.message) for error in report.errors] == [(2, True)]
    assert "linen-apron" not in await products(catalog, owner, shop)


async def test_options_cannot_change_under_a_variant_that_stays_behind(
    catalog: CatalogService, owner: Identity, shop: Shop, folder: Path
) -> None:
    """A file that drops an option must name every variant of the product."""
    path = folder / "old_headers.csv"
    await import_file(catalog, "kiln", path, dry_run=False)
    dish = (await products(catalog, owner, shop))["soap-dish"]
    path.write_text("Title,Handle,Variant SKU,Option1 Name,Option1 Value,Variant Price\nDish,soap-dish,D-2,Size,L,1\n")
    report = await import_file(catalog, "kiln", path, dry_run=False)
    assert [error.message for error in report.errors] == [
        "The file changes the product's options but lacks the variant with the SKU 'soap-dish'."
    ]
    assert (await products(catalog, owner, shop))["soap-dish"] == dish


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("missing.png", "cannot be read"),
        ("../outside.png", "outside"),
        ("text.png", "Use a complete"),
        ("\x00.png", ""),
    ],
)
async def test_a_wrong_picture_is_a_bad_row(
    catalog: CatalogService, owner: Identity, shop: Shop, folder: Path, source: str, sentence: str
) -> None:
    """A file that is missing, no picture, or outside the folder of the product file costs its product only."""
    (folder / "text.png").write_text("no picture")
    path = folder / "in" / "products.csv"
    path.parent.mkdir()
    shutil.copy(folder / "text.png", path.parent)
    (folder / "outside.png").write_bytes(picture())
    path.write_text(f"Title,Handle,Price,Image Src\nBowl,bowl,1,{source}\nDish,dish,1,\n")
    report = await import_file(catalog, "kiln", path, dry_run=False)
    assert (report.created, report.skipped) == (["dish"], 1)
    assert [error.row for error in report.errors] == [2]
    assert sentence in report.errors[0].message


async def test_a_report_can_be_read(catalog: CatalogService, shop: Shop, folder: Path) -> None:
    """Counts first, then each error with its row and column."""
    report = await import_file(catalog, "kiln", folder / "broken_rows.csv", dry_run=False)
    lines = str(report).splitlines()
    assert lines[0] == "2 created, 0 changed, 0 unchanged, 9 skipped"
    assert "  error: row 3, Price: is missing" in lines


async def test_an_unknown_shop_is_named(catalog: CatalogService, folder: Path) -> None:
    """Importing into a shop that does not exist is refused."""
    with pytest.raises(NotFound, match="loom"):
        await import_file(catalog, "loom", folder / "new_headers.csv", dry_run=False)
    assert str(Report(dry_run=False)) == "0 created, 0 changed, 0 unchanged, 0 skipped"


async def test_a_variant_added_by_hand_survives_an_import(
    catalog: CatalogService, owner: Identity, shop: Shop, folder: Path
) -> None:
    """The file says nothing about it, so it stays."""
    await import_file(catalog, "kiln", folder / "new_headers.csv", dry_run=False)
    apron = (await products(catalog, owner, shop))["linen-apron"]
    await catalog.add_variant(owner, apron.id, NewVariant(sku="APR-XL", options=["XL", "Ink"], price=1))
    report = await import_file(catalog, "kiln", folder / "new_headers.csv", dry_run=False)
    assert report.unchanged == ["linen-apron", "moon-vase"]
    assert len((await products(catalog, owner, shop))["linen-apron"].variants) == 4
