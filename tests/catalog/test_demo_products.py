"""The products that `make demo` shows."""

from pathlib import Path

import streamserver
from streamserver.accounts.model import Identity
from streamserver.catalog.importer import import_file
from streamserver.catalog.service import CatalogService
from streamserver.messages.catalog import Shop

DEMO = Path(streamserver.__path__[0]) / "cli" / "demo" / "products.csv"


async def test_the_demo_file_is_imported_whole(catalog: CatalogService, owner: Identity, shop: Shop) -> None:
    """Every row is good, every product has a picture with a text; one product has three units, one variant has none."""
    report = await import_file(catalog, "kiln", DEMO, dry_run=False)
    assert (len(report.created), report.errors, report.notes) == (8, [], [])
    found = await catalog.products_of(owner, shop.id)
    assert all(product.images[0].alt != product.title for product in found)
    totals = {product.handle: sum(variant.available or 0 for variant in product.variants) for product in found}
    assert totals["wood-fired-teapot"] == 3
    assert [v.sku for product in found for v in product.variants if v.available == 0] == ["MOON-L"]
