"""Use cases of products, variants, pictures and store stock. Whoever changes something must work for the shop."""

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from streamserver.accounts.model import Identity
from streamserver.accounts.service import AccountService
from streamserver.catalog import changes, queries
from streamserver.catalog.images import ImageStore
from streamserver.catalog.model import (
    MAX_IMAGES,
    SkuTaken,
    StoreStock,
    TooManyImages,
    VariantFacts,
    clean_description,
    variant_problems,
)
from streamserver.catalog.shops import Shops
from streamserver.catalog.tables import ProductRow, VariantRow
from streamserver.config import AccountsConfig
from streamserver.kit.errors import NotFound
from streamserver.kit.sql import Database
from streamserver.messages.catalog import (
    NewProduct,
    NewVariant,
    Product,
    ProductChange,
    Restock,
    Stock,
    VariantChange,
)
from streamserver.messages.live import Publisher


class CatalogService(Shops):
    """`database`, `stock` and `images` are public for the importer, which does the same work for many products."""

    def __init__(
        self,
        database: Database,
        stock: StoreStock,
        images: ImageStore,
        people: AccountService,
        publisher: Publisher,
        config: AccountsConfig,
    ) -> None:
        super().__init__(database, people, publisher, config)
        self.stock = stock
        self.images = images

    # Looking

    async def product(self, product: str) -> Product:
        """One product with the units its shop's store has now, also when it is archived. Raises `NotFound`."""
        async with self.database.read() as session:
            row = await queries.get_product(session, product)
        return await self._with_units(row)

    async def products_of(self, identity: Identity, shop: str) -> list[Product]:
        """A shop's products, oldest first, with store stock; the archived ones only for those who work there."""
        async with self.database.read() as session:
            shop_row = await queries.get_shop(session, shop)
            wanted = select(ProductRow).where(ProductRow.shop_id == shop).order_by(ProductRow.id)
            if not identity.account or await queries.role_in(session, shop_row, identity.account.id) is None:
                wanted = wanted.where(ProductRow.status == "active")
            rows = (await session.scalars(wanted)).all()
        units = await self.stock.store_units(shop, [variant.id for row in rows for variant in row.variants])
        return [queries.product_message(row, units) for row in rows]

    async def products_by_ids(self, products: Iterable[str]) -> dict[str, Product]:
        """Products by id, `available` null, for domains that sell from other pools; unknown ids are left out."""
        async with self.database.read() as session:
            rows = await session.scalars(select(ProductRow).where(ProductRow.id.in_(set(products))))
            return {row.id: queries.product_message(row, None) for row in rows}

    async def variants(self, variants: Iterable[str]) -> dict[str, VariantFacts]:
        """Facts of variants by id; unknown ids are left out."""
        wanted = set(variants)
        holding = select(VariantRow.product).where(VariantRow.id.in_(wanted))
        async with self.database.read() as session:
            rows = await session.scalars(select(ProductRow).where(ProductRow.id.in_(holding)))
            pairs = [(variant, row) for row in rows for variant in row.variants if variant.id in wanted]
        return {variant.id: queries.variant_facts(variant, row) for variant, row in pairs}

    # Changing

    async def create_product(self, identity: Identity, shop: str, new: NewProduct) -> Product:
        """Raises `Invalid`, `HandleTaken`, `SkuTaken`."""
        await self.require_staff(identity, shop)
        async with self.database.write() as session:
            shop_row = await queries.lock_shop(session, shop)
            row = await changes.add_product(session, self.stock, shop_row, new)
        return await self._with_units(row)

    async def change_product(self, identity: Identity, product: str, change: ProductChange) -> Product:
        """What is left out or null stays as it is."""
        await self.require_staff_of(identity, product)
        values = change.model_dump(exclude_none=True)
        if change.description is not None:
            values["description"] = clean_description(change.description)
        async with self.database.write() as session:
            row = await self._locked(session, product)
            for name, value in values.items():
                setattr(row, name, value)
        return await self._with_units(row)

    async def add_variant(self, identity: Identity, product: str, new: NewVariant) -> Product:
        """Raises `Invalid`, `SkuTaken`."""
        await self.require_staff_of(identity, product)
        async with self.database.write() as session:
            row = await self._locked(session, product)
            changes.check_new_variant(row, new)
            await changes.add_variants(session, self.stock, row, [new])
        return await self._with_units(row)

    async def change_variant(self, identity: Identity, product: str, variant: str, change: VariantChange) -> Product:
        """What is left out stays; `compare_at: null` takes the earlier price away. Raises `Invalid`, `SkuTaken`."""
        await self.require_staff_of(identity, product)
        async with self.database.write() as session:
            row = await self._locked(session, product)
            changed = queries.variant_of(row, variant)
            if (
                change.sku
                and change.sku != changed.sku
                and await queries.taken_sku(session, changed.shop, [change.sku])
            ):
                raise SkuTaken(sku=change.sku)
            changed.sku = change.sku or changed.sku
            changed.price = changed.price if change.price is None else change.price
            if "compare_at" in change.model_fields_set:
                changed.compare_at = change.compare_at
            new = NewVariant(
                sku=changed.sku, options=changed.options, price=changed.price, compare_at=changed.compare_at
            )
            changes.refuse(variant_problems(new, row.options, "variant"))
        # Not before the commit: a price that failed to be written must not be sold at. `hold_in_store` mends a crash here.
        await changes.put_on_sale(self.stock, row)
        return await self._with_units(row)

    async def add_image(self, identity: Identity, product: str, data: bytes, alt: str) -> Product:
        """Append a picture; the same file twice is kept once. `alt` empty: the product's title.
        Raises `ImageUnreadable`, `ImageTooLarge`, `TooManyImages`."""
        await self.require_staff_of(identity, product)
        async with self.database.read() as session:
            if len((await queries.get_product(session, product)).images) >= MAX_IMAGES:
                raise TooManyImages(limit=MAX_IMAGES)
        image = await self.images.keep(data)
        async with self.database.write() as session:
            row = await self._locked(session, product)
            changes.add_image(row, image, alt)
        return await self._with_units(row)

    async def remove_image(self, identity: Identity, product: str, image: str) -> Product:
        """Take a picture off the product; removing it twice is fine."""
        await self.require_staff_of(identity, product)
        async with self.database.write() as session:
            row = await self._locked(session, product)
            for shown in [shown for shown in row.images if shown.id == image]:
                row.images.remove(shown)
        return await self._with_units(row)

    async def restock(self, identity: Identity, shop: str, restock: Restock) -> Stock:
        """Raises `NotFound` when the variant is not one of the shop's."""
        await self.require_staff(identity, shop)
        async with self.database.read() as session:
            row = await session.get(VariantRow, restock.variant)
        if row is None or row.shop != shop:
            raise NotFound("This shop has no such variant.")
        applied, available = await self.stock.restock_store(shop, restock.operation, row.id, restock.delta)
        return Stock(variant=row.id, applied=applied, available=available)

    async def require_staff_of(self, identity: Identity, product: str) -> None:
        """Refuse whoever does not work for the product's shop. Raises `SignInNeeded`, `NotFound`, `Forbidden`."""
        identity.require_account()
        async with self.database.read() as session:
            shop = (await queries.get_product(session, product)).shop_id
        await self.require_staff(identity, shop)

    async def restore_terms(self, name: str) -> None:
        """Tell the store's pool again what everything of this shop costs."""
        async with self.database.read() as session:
            rows = list(await session.scalars(select(ProductRow).where(ProductRow.shop_id == name)))
        for row in rows:
            await changes.put_on_sale(self.stock, row)

    async def _locked(self, session: AsyncSession, product: str) -> ProductRow:
        """The product as nobody else can change it now: its shop is locked first, then it is read."""
        shop = await session.scalar(select(ProductRow.shop_id).where(ProductRow.id == product))
        await queries.lock_shop(session, shop or "")
        return await queries.get_product(session, product)

    async def _with_units(self, row: ProductRow) -> Product:
        units = await self.stock.store_units(row.shop_id, [variant.id for variant in row.variants])
        return queries.product_message(row, units)
