"""Changes to a shop's products, made in the caller's transaction, which has locked the shop.

Price and opening units reach the stock before the transaction commits: when stock does not answer, nothing has changed;
when the process dies in between, stock knows a variant that nobody can name, never the other way round.
"""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from streamserver.accounts.errors import HandleTaken
from streamserver.catalog.images import StoredImage
from streamserver.catalog.model import (
    MAX_IMAGES,
    MAX_VARIANTS,
    SkuTaken,
    StoreStock,
    TooManyImages,
    clean_description,
    product_problems,
    repeated,
    variant_problems,
    variant_title,
)
from streamserver.catalog.queries import free_handle, handle_free, taken_sku
from streamserver.catalog.tables import ImageRow, ProductRow, ShopRow, VariantRow
from streamserver.kit.clock import now_ms
from streamserver.kit.errors import Invalid
from streamserver.kit.ids import new_id
from streamserver.messages.catalog import NewProduct, NewVariant
from streamserver.messages.problems import FieldProblem


async def add_product(
    session: AsyncSession, stock: StoreStock, shop: ShopRow, new: NewProduct, units: Sequence[int] = ()
) -> ProductRow:
    """Create a product; `units` are what its variants start with, in their order, nothing when left out.
    Raises `Invalid`, `HandleTaken`, `SkuTaken`."""
    refuse(product_problems(new))
    if new.handle and not await handle_free(session, shop.id, new.handle):
        raise HandleTaken(f"Another product of this shop has the handle '{new.handle}'.")
    product = ProductRow(
        id=new_id("prod"),
        shop=shop,
        handle=new.handle or await free_handle(session, shop.id, new.title),
        title=new.title,
        description=clean_description(new.description),
        vendor=new.vendor,
        status="active",
        options=new.options,
        created_at=now_ms(),
        variants=[],
        images=[],
    )
    session.add(product)
    await add_variants(session, stock, product, new.variants, units)
    return product


async def add_variants(
    session: AsyncSession,
    stock: StoreStock,
    product: ProductRow,
    variants: Sequence[NewVariant],
    units: Sequence[int] = (),
) -> None:
    """Append checked variants to `product` and put all it has on sale. Raises `SkuTaken`."""
    if sku := await taken_sku(session, product.shop.id, [variant.sku for variant in variants]):
        raise SkuTaken(f"Another variant of this shop has the SKU '{sku}' already.", sku=sku)
    position = 1 + max((row.position for row in product.variants), default=-1)
    added = [_variant_row(product, variant, position + index) for index, variant in enumerate(variants)]
    product.variants.extend(added)
    await session.flush()
    await put_on_sale(stock, product)
    for row, count in zip(added, units, strict=False):
        if count:
            await stock.restock_store(product.shop.id, f"opening-{row.id}", row.id, count)


async def put_on_sale(stock: StoreStock, product: ProductRow) -> None:
    """Tell stock what every variant costs now; all of them, so that a repeat mends what an accident left behind."""
    terms = [(row.id, row.price, product.shop.currency) for row in product.variants]
    await stock.set_store_terms(product.shop.id, terms)


def check_new_variant(product: ProductRow, new: NewVariant) -> None:
    """Raises `Invalid` when `new` does not fit beside the variants that `product` has."""
    titles = [variant_title(row.options) for row in product.variants] + [variant_title(new.options)]
    if len(titles) > MAX_VARIANTS:
        raise Invalid(f"A product can have {MAX_VARIANTS} variants at most.")
    problems = variant_problems(new, product.options, "variant")
    refuse(problems or repeated(titles, "variant.options", "'{}' is a variant already: one of the options must differ"))


def refuse(problems: Sequence[FieldProblem]) -> None:
    """Raise `Invalid` with all `problems`, if there are any."""
    if problems:
        raise Invalid(errors=[problem.model_dump() for problem in problems])


def add_image(product: ProductRow, image: StoredImage, alt: str) -> None:
    """Append a picture unless the product shows the same file already. Raises `TooManyImages`."""
    if any(row.source == image.source for row in product.images):
        return
    if len(product.images) >= MAX_IMAGES:
        raise TooManyImages(limit=MAX_IMAGES)
    row = ImageRow(
        id=new_id("img"),
        name=image.name,
        source=image.source,
        alt=alt or product.title,
        width=image.width,
        height=image.height,
        position=1 + max((other.position for other in product.images), default=-1),
    )
    product.images.append(row)


def _variant_row(product: ProductRow, new: NewVariant, position: int) -> VariantRow:
    return VariantRow(
        id=new_id("var"),
        shop=product.shop.id,
        sku=new.sku,
        options=new.options,
        price=new.price,
        compare_at=new.compare_at,
        position=position,
    )
