"""Reading rows of the catalog and turning them into messages. Every function works in the caller's transaction."""

from collections.abc import Mapping, Sequence

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from streamserver.catalog.images import path_of
from streamserver.catalog.model import Role, VariantFacts, numbered, slug, variant_title
from streamserver.catalog.tables import ImageRow, ProductRow, ShopRow, StaffRow, VariantRow
from streamserver.kit.errors import NotFound
from streamserver.messages.catalog import Image, Product, Shop, Variant


async def get_shop(session: AsyncSession, shop: str) -> ShopRow:
    """Raises `NotFound`."""
    if row := await session.get(ShopRow, shop):
        return row
    raise NotFound("There is no such shop.")


async def lock_shop(session: AsyncSession, shop: str) -> ShopRow:
    """The shop, for whoever changes its products: one at a time, so that what was looked at stays true until the end.
    (SQLite has one writer anyway.) Raises `NotFound`."""
    if row := await session.scalar(select(ShopRow).where(ShopRow.id == shop).with_for_update()):
        return row
    raise NotFound("There is no such shop.")


async def get_product(session: AsyncSession, product: str) -> ProductRow:
    """Raises `NotFound`."""
    if row := await session.get(ProductRow, product):
        return row
    raise NotFound("There is no such product.")


def variant_of(product: ProductRow, variant: str) -> VariantRow:
    """Raises `NotFound`."""
    for row in product.variants:
        if row.id == variant:
            return row
    raise NotFound("This product has no such variant.")


async def role_in(session: AsyncSession, shop: ShopRow, account: str) -> Role | None:
    if shop.owner == account:
        return "owner"
    return "staff" if await session.get(StaffRow, (shop.id, account)) else None


async def handle_free(session: AsyncSession, shop: str, handle: str) -> bool:
    taken = exists().where(ProductRow.shop_id == shop, ProductRow.handle == handle)
    return not await session.scalar(select(taken))


async def free_handle(session: AsyncSession, shop: str, title: str) -> str:
    """Make a handle of `title` that no product of the shop has yet."""
    wanted, number = slug(title) or "product", 1
    while not await handle_free(session, shop, numbered(wanted, number)):
        number += 1
    return numbered(wanted, number)


async def taken_sku(session: AsyncSession, shop: str, skus: Sequence[str]) -> str | None:
    """One of `skus` that a variant of the shop has already, or None."""
    return await session.scalar(
        select(VariantRow.sku).where(VariantRow.shop == shop, VariantRow.sku.in_(skus)).limit(1)
    )


def shop_message(row: ShopRow) -> Shop:
    return Shop(id=row.id, handle=row.handle, name=row.name, currency=row.currency, shipping=row.shipping)


def product_message(row: ProductRow, units: Mapping[str, int] | None) -> Product:
    """`units`: what the store has of each variant; None leaves `available` null."""
    return Product(
        id=row.id,
        shop=shop_message(row.shop),
        handle=row.handle,
        title=row.title,
        description=row.description,
        vendor=row.vendor,
        status="active" if row.status == "active" else "archived",
        options=row.options,
        variants=[_variant_message(variant, units) for variant in row.variants],
        images=[_image_message(image) for image in row.images],
    )


def variant_facts(row: VariantRow, product: ProductRow) -> VariantFacts:
    return VariantFacts(
        id=row.id,
        product=product.id,
        product_title=product.title,
        shop=row.shop,
        title=variant_title(row.options),
        sku=row.sku,
        price=row.price,
        compare_at=row.compare_at,
        currency=product.shop.currency,
        image=path_of(product.images[0].name, "medium") if product.images else None,
        active=product.status == "active",
    )


def _variant_message(row: VariantRow, units: Mapping[str, int] | None) -> Variant:
    return Variant(
        id=row.id,
        sku=row.sku,
        options=row.options,
        title=variant_title(row.options),
        price=row.price,
        compare_at=row.compare_at,
        available=None if units is None else units.get(row.id, 0),
    )


def _image_message(row: ImageRow) -> Image:
    return Image(
        id=row.id,
        alt=row.alt,
        width=row.width,
        height=row.height,
        small=path_of(row.name, "small"),
        medium=path_of(row.name, "medium"),
        large=path_of(row.name, "large"),
    )
