"""Products, variants and store stock."""

import asyncio

import pytest
from pydantic import ValidationError

from streamserver.accounts.errors import HandleTaken
from streamserver.accounts.model import Identity
from streamserver.catalog.model import SkuTaken
from streamserver.catalog.service import CatalogService
from streamserver.kit.errors import Failure, Forbidden, Invalid, NotFound
from streamserver.kit.ids import new_id
from streamserver.messages.catalog import (
    NewProduct,
    NewShop,
    NewVariant,
    Product,
    ProductChange,
    Restock,
    Shop,
    VariantChange,
)
from streamserver.stock.model import ReserveRequest, shop_pool
from streamserver.stock.service import StockService
from tests.catalog.conftest import new_mug


async def test_a_new_product_has_no_units(catalog: CatalogService, mug: Product) -> None:
    """A product is created with its variants in order, a handle from its title, and nothing in store."""
    assert mug.handle == "breakfast-mug"
    assert [(variant.title, variant.price, variant.available) for variant in mug.variants] == [
        ("Small", 1800, 0),
        ("Large", 2400, 0),
    ]
    assert await catalog.product(mug.id) == mug


async def test_the_store_can_be_filled_and_emptied(
    catalog: CatalogService, owner: Identity, shop: Shop, mug: Product
) -> None:
    """A repeated operation counts once; a removal stops at what is there and says so."""
    small = mug.variants[0].id
    for _ in range(2):
        added = await catalog.restock(owner, shop.id, Restock(operation="delivery-1", variant=small, delta=5))
        assert (added.applied, added.available) == (5, 5)
    removed = await catalog.restock(owner, shop.id, Restock(operation="breakage-1", variant=small, delta=-9))
    assert (removed.applied, removed.available) == (-5, 0)


async def test_a_variant_of_another_shop_cannot_be_restocked(
    catalog: CatalogService, stranger: Identity, mug: Product
) -> None:
    """Staff of one shop have no power over another's units."""
    other = await catalog.create_shop(stranger, NewShop(handle="loom", name="Loom", currency="EUR"))
    restock = Restock(operation="theft-001", variant=mug.variants[0].id, delta=5)
    with pytest.raises(NotFound):
        await catalog.restock(stranger, other.id, restock)


async def test_the_store_sells_at_the_price_of_the_moment(
    catalog: CatalogService, stock: StockService, owner: Identity, shop: Shop, mug: Product
) -> None:
    """A changed price counts for the next hold."""
    small = mug.variants[0].id
    await catalog.restock(owner, shop.id, Restock(operation="delivery-1", variant=small, delta=5))
    await catalog.change_variant(owner, mug.id, small, VariantChange(price=1500))
    request = ReserveRequest("key-00001", "acc_x", small, 1, new_id("hold"), "dev_1")
    reserved = await stock.reserve(shop_pool(shop.id), request)
    assert (reserved.hold.price, reserved.hold.currency) == (1500, "EUR")
    assert (await catalog.product(mug.id)).variants[0].available == 4


async def test_handles_are_made_free(catalog: CatalogService, owner: Identity, shop: Shop, mug: Product) -> None:
    """A title may repeat: its handle is counted on. A handle that was asked for must be free."""
    second = await catalog.create_product(owner, shop.id, new_mug(prefix="MUG2"))
    assert second.handle == "breakfast-mug-2"
    with pytest.raises(HandleTaken):
        await catalog.create_product(owner, shop.id, new_mug("breakfast-mug", prefix="MUG3"))


async def test_a_sku_exists_once_in_a_shop(
    catalog: CatalogService, owner: Identity, shop: Shop, mug: Product, stranger: Identity
) -> None:
    """Another product of the shop cannot use a SKU; another shop can."""
    with pytest.raises(SkuTaken, match="MUG-"):
        await catalog.create_product(owner, shop.id, new_mug())
    with pytest.raises(SkuTaken):
        await catalog.change_variant(owner, mug.id, mug.variants[0].id, VariantChange(sku="MUG-L"))
    other = await catalog.create_shop(stranger, NewShop(handle="loom", name="Loom", currency="EUR"))
    assert await catalog.create_product(stranger, other.id, new_mug())


async def test_two_people_create_the_same_product_at_once(catalog: CatalogService, owner: Identity, shop: Shop) -> None:
    """One of them wins, the other is told which SKU is taken."""
    tries = (catalog.create_product(owner, shop.id, new_mug()) for _ in range(2))
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["Product", "SkuTaken"]


@pytest.mark.parametrize(
    ("product", "field"),
    [
        (NewProduct(title="A", options=["Size"], variants=[NewVariant(sku="A", price=1)]), "variants.0.options"),
        (NewProduct(title="A", variants=[NewVariant(sku="A", options=["L"], price=1)]), "variants.0.options"),
        (NewProduct(title="A", variants=[NewVariant(sku=s, price=1) for s in "AB"]), "variants.1.options"),
        (
            NewProduct(title="A", options=["Size"], variants=[NewVariant(sku="A", options=[o], price=1) for o in "XY"]),
            "variants.1.sku",
        ),
        (NewProduct(title="A", variants=[NewVariant(sku="A", price=5, compare_at=5)]), "variants.0.compare_at"),
    ],
)
async def test_a_product_must_make_sense(
    catalog: CatalogService, owner: Identity, shop: Shop, product: NewProduct, field: str
) -> None:
    """Options fit each variant, variants and SKUs differ, an earlier price is higher; the answer names the field."""
    with pytest.raises(Invalid) as refused:
        await catalog.create_product(owner, shop.id, product)
    assert [error["field"] for error in refused.value.details["errors"]] == [field]
    assert await catalog.products_of(owner, shop.id) == []


def test_nothing_strange_is_a_price() -> None:
    """Money is whole minor units that are not negative."""
    for price in (-1, 1.5, "1", True, 10**12):
        with pytest.raises(ValidationError):
            NewVariant.model_validate({"sku": "A", "price": price})


async def test_descriptions_cannot_act(catalog: CatalogService, owner: Identity, shop: Shop, mug: Product) -> None:
    """Formatting stays; scripts, handlers, styles, frames and foreign pictures go."""
    html = (
        '<p onclick="x()">Hand<b>made</b></p><script>alert(1)</script><img src=x onerror=y><a href="javascript:z">a</a>'
    )
    changed = await catalog.change_product(owner, mug.id, ProductChange(description=html))
    assert changed.description == '<p>Hand<b>made</b></p><a rel="noopener noreferrer">a</a>'
    assert "<script" not in (await catalog.product(mug.id)).description


async def test_an_archived_product_is_kept_but_not_shown(
    catalog: CatalogService, owner: Identity, stranger: Identity, shop: Shop, mug: Product
) -> None:
    """Its own page says that it is archived; lists show it to staff only."""
    await catalog.change_product(owner, mug.id, ProductChange(status="archived"))
    assert (await catalog.product(mug.id)).status == "archived"
    assert await catalog.products_of(stranger, shop.id) == []
    assert await catalog.products_of(Identity(device="dev_2"), shop.id) == []
    assert [product.id for product in await catalog.products_of(owner, shop.id)] == [mug.id]
    assert not (await catalog.variants([mug.variants[0].id]))[mug.variants[0].id].active


async def test_a_variant_is_added_at_the_end(catalog: CatalogService, owner: Identity, mug: Product) -> None:
    """It must differ from those that exist."""
    extra = NewVariant(sku="MUG-XL", options=["Huge"], price=3000)
    changed = await catalog.add_variant(owner, mug.id, extra)
    assert [variant.title for variant in changed.variants] == ["Small", "Large", "Huge"]
    with pytest.raises(Invalid):
        await catalog.add_variant(owner, mug.id, extra.model_copy(update={"sku": "MUG-XXL"}))


async def test_an_earlier_price_can_be_taken_away(catalog: CatalogService, owner: Identity, mug: Product) -> None:
    """`compare_at` left out stays, null removes it, and one that is no higher than the price is refused."""
    large = mug.variants[1].id
    assert (await catalog.change_variant(owner, mug.id, large, VariantChange(price=2500))).variants[
        1
    ].compare_at == 2900
    with pytest.raises(Invalid):
        await catalog.change_variant(owner, mug.id, large, VariantChange(price=3000))
    assert (await catalog.product(mug.id)).variants[1].price == 2500
    change = VariantChange.model_validate({"compare_at": None})
    assert (await catalog.change_variant(owner, mug.id, large, change)).variants[1].compare_at is None


async def test_only_staff_change_products(
    catalog: CatalogService, stranger: Identity, mug: Product, shop: Shop
) -> None:
    """A stranger is refused whatever they try, and nothing changes."""
    variant = mug.variants[0].id
    tries = [
        catalog.change_product(stranger, mug.id, ProductChange(title="Stolen")),
        catalog.add_variant(stranger, mug.id, NewVariant(sku="X", options=["X"], price=0)),
        catalog.change_variant(stranger, mug.id, variant, VariantChange(price=0)),
        catalog.add_image(stranger, mug.id, b"", ""),
        catalog.remove_image(stranger, mug.id, "img_1"),
        catalog.restock(stranger, shop.id, Restock(operation="free-0001", variant=variant, delta=1)),
    ]
    for attempt in tries:
        with pytest.raises(Forbidden):
            await attempt
    assert await catalog.product(mug.id) == mug


async def test_other_domains_get_facts(catalog: CatalogService, mug: Product, shop: Shop) -> None:
    """Facts of variants and products come by id, unknown ids are left out, and nothing asks the store."""
    facts = await catalog.variants([mug.variants[1].id, "var_unknown"])
    assert list(facts) == [mug.variants[1].id]
    large = facts[mug.variants[1].id]
    assert (large.product, large.product_title, large.shop, large.title) == (mug.id, mug.title, shop.id, "Large")
    assert (large.sku, large.price, large.compare_at, large.currency, large.image) == ("MUG-L", 2400, 2900, "EUR", None)
    products = await catalog.products_by_ids([mug.id, "prod_unknown"])
    assert [variant.available for variant in products[mug.id].variants] == [None, None]


async def test_what_stock_does_not_know_is_not_in_the_catalog(
    catalog: CatalogService, owner: Identity, shop: Shop
) -> None:
    """When stock does not answer, the product was not created: a later try starts from nothing."""

    class Away:
        async def store_units(self, shop: str, variants: object) -> dict[str, int]:
            return {}

        async def restock_store(self, shop: str, operation: str, variant: str, delta: int) -> tuple[int, int]:
            raise Failure

        async def set_store_terms(self, shop: str, variants: object) -> None:
            raise Failure

    working, catalog.stock = catalog.stock, Away()
    with pytest.raises(Failure):
        await catalog.create_product(owner, shop.id, new_mug())
    catalog.stock = working
    assert (await catalog.create_product(owner, shop.id, new_mug())).handle == "breakfast-mug"
