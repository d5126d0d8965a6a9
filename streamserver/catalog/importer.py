"""Importing a product file into a shop: the same file twice changes nothing, and a bad row costs its own product only.

Variants are known again by their SKU. Inventory quantities are what a *new* variant starts with; units of one that exists
are never touched, since they were sold from in the meantime.
"""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from streamserver.catalog import changes, queries
from streamserver.catalog.images import StoredImage, source_of
from streamserver.catalog.model import MAX_VARIANTS, StoreStock, clean_description, variant_title
from streamserver.catalog.service import CatalogService
from streamserver.catalog.shopify_csv import ParsedFile, ParsedProduct, parse
from streamserver.catalog.shopify_rows import Remark
from streamserver.catalog.tables import ImageRow, ProductRow, ShopRow
from streamserver.kit.errors import Failure, Invalid
from streamserver.messages.catalog import NewVariant, Shop

Outcome = Literal["created", "changed", "unchanged"]
NewPicture = tuple[StoredImage, str]  # and its alternative text
IMAGE_COLUMN = "Product image URL"
MAX_PICTURE_BYTES = 20_000_000


@dataclass(slots=True)
class Report:
    """What an import did, or with `dry_run` would do: handles of products, how many were left out because of an error,
    and what to tell about rows."""

    dry_run: bool
    created: list[str] = field(default_factory=list[str])
    changed: list[str] = field(default_factory=list[str])
    unchanged: list[str] = field(default_factory=list[str])
    skipped: int = 0
    errors: list[Remark] = field(default_factory=list[Remark])
    notes: list[Remark] = field(default_factory=list[Remark])

    def __str__(self) -> str:
        counts = f"{len(self.created)} created, {len(self.changed)} changed, {len(self.unchanged)} unchanged"
        lines = [f"{'Dry run, nothing was written: ' if self.dry_run else ''}{counts}, {self.skipped} skipped"]
        lines += [f"  error: {_located(remark)}" for remark in sorted(self.errors, key=lambda remark: remark.row)]
        lines += [f"  note: {_located(remark)}" for remark in sorted(self.notes, key=lambda remark: remark.row)]
        return "\n".join(lines)


async def import_file(catalog: CatalogService, shop_handle: str, path: Path, dry_run: bool) -> Report:
    """Import the file at `path`; pictures are looked for relative to it. The caller runs this server, so nobody is asked
    for rights. Raises `NotFound` (shop), `OSError`, `UnreadableFileError`."""
    shop = await catalog.shop_by_handle(shop_handle)
    content = await asyncio.to_thread(path.read_bytes)
    return await import_products(catalog, shop, parse(content, shop.currency), path.parent, dry_run)


async def import_products(
    catalog: CatalogService, shop: Shop, parsed: ParsedFile, folder: Path, dry_run: bool
) -> Report:
    """Create and change what `parsed` asks for, one transaction a product, pictures from below `folder`."""
    report = Report(dry_run, skipped=len(parsed.skipped), errors=[*parsed.errors], notes=[*parsed.notes])
    stock = _NoStock() if dry_run else catalog.stock
    outcomes: dict[Outcome, list[str]] = {
        "created": report.created, "changed": report.changed, "unchanged": report.unchanged
    }  # fmt: skip
    for product in parsed.products:
        pictures = await _read_pictures(catalog, shop, product, folder, report)
        if pictures is None:
            report.skipped += 1
            continue
        try:
            async with catalog.database.write() as session:
                outcome = await _put(session, stock, await queries.lock_shop(session, shop.id), product, pictures)
                if dry_run:
                    await session.rollback()
        except Failure as failure:
            report.skipped += 1
            report.errors.append(Remark(product.rows[0], "", failure.message))
        else:
            outcomes[outcome].append(product.handle)
    return report


class _NoStock:
    """Stock for a rehearsal: takes everything, keeps nothing."""

    async def store_units(self, shop: str, variants: Sequence[str]) -> dict[str, int]:
        return {}

    async def restock_store(self, shop: str, operation: str, variant: str, delta: int) -> tuple[int, int]:
        return delta, delta

    async def set_store_terms(self, shop: str, variants: Sequence[tuple[str, int, str]]) -> None:
        pass


async def _put(
    session: AsyncSession, stock: StoreStock, shop: ShopRow, product: ParsedProduct, pictures: Sequence[NewPicture]
) -> Outcome:
    wanted = ProductRow.shop_id == shop.id, ProductRow.handle == product.handle
    row = await session.scalar(select(ProductRow).where(*wanted))
    if row is None:
        row = await changes.add_product(session, stock, shop, product.new, product.units)
        row.status = product.status
        outcome: Outcome = "created"
    else:
        outcome = "changed" if await _update(session, stock, row, product) else "unchanged"
    for image, alt in pictures:
        changes.add_image(row, image, alt)
    return "changed" if outcome == "unchanged" and pictures else outcome


async def _update(session: AsyncSession, stock: StoreStock, row: ProductRow, product: ParsedProduct) -> bool:
    """Bring what exists in line with the file; whether anything had to change."""
    new = product.new
    row.title, row.vendor, row.status, row.options = new.title, new.vendor, product.status, new.options
    row.description = clean_description(new.description)
    existing = {variant.sku: variant for variant in row.variants}
    for variant in new.variants:
        if found := existing.get(variant.sku):
            found.options, found.price, found.compare_at = variant.options, variant.price, variant.compare_at
    added = [(v, units) for v, units in zip(new.variants, product.units, strict=True) if v.sku not in existing]
    _check_together(row, [variant for variant, _ in added])
    changed = any(session.is_modified(item) for item in (row, *row.variants))
    await changes.add_variants(session, stock, row, [variant for variant, _ in added], [units for _, units in added])
    return changed or bool(added)


def _check_together(row: ProductRow, added: Sequence[NewVariant]) -> None:
    """Refuse a file that leaves variants behind which no longer fit their product."""
    every = [*row.variants, *added]
    odd = [variant.sku for variant in every if len(variant.options) != len(row.options)]
    titles = [variant_title(variant.options) for variant in every]
    if odd:
        raise Invalid(f"The file changes the product's options but lacks the variant with the SKU '{odd[0]}'.")
    if len({title.casefold() for title in titles}) < len(titles):
        raise Invalid("A variant in the file has the same options as one that exists with another SKU.")
    if len(titles) > MAX_VARIANTS:
        raise Invalid(f"A product can have {MAX_VARIANTS} variants at most.")


async def _read_pictures(
    catalog: CatalogService, shop: Shop, product: ParsedProduct, folder: Path, report: Report
) -> list[NewPicture] | None:
    """The product's pictures that it does not show yet; None when one of them is wrong, which is then reported."""
    known = await _known_sources(catalog, shop, product.handle)
    errors: list[Remark] = []
    pictures: list[NewPicture] = []
    for picture in product.pictures:
        if re.match(r"(?i)[a-z][a-z0-9+.-]+://|//", picture.source):
            note = "is an address on the web, which is not fetched; upload the picture in the studio"
            report.notes.append(Remark(picture.row, IMAGE_COLUMN, note))
            continue
        try:
            data = await asyncio.to_thread(_read_below, folder, picture.source)
            if source_of(data) not in known:
                pictures.append((await catalog.images.keep(data, write=not report.dry_run), picture.alt))
        except (Failure, OSError, ValueError) as error:
            message = error.message if isinstance(error, Failure) else f"'{picture.source}' cannot be read: {error}"
            errors.append(Remark(picture.row, IMAGE_COLUMN, message))
    report.errors += errors
    return None if errors else pictures


async def _known_sources(catalog: CatalogService, shop: Shop, handle: str) -> set[str]:
    of_product = select(ProductRow.id).where(ProductRow.shop_id == shop.id, ProductRow.handle == handle)
    async with catalog.database.read() as session:
        return set(await session.scalars(select(ImageRow.source).where(ImageRow.product.in_(of_product))))


def _read_below(folder: Path, source: str) -> bytes:
    """Read a file that lies below `folder`: a product file from elsewhere must not publish what else is on this disk."""
    path = (folder / source).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise ValueError("it lies outside the folder of the product file")
    if path.stat().st_size > MAX_PICTURE_BYTES:
        raise ValueError(f"it is larger than {MAX_PICTURE_BYTES // 1_000_000} MB")
    return path.read_bytes()


def _located(remark: Remark) -> str:
    return f"row {remark.row}{f', {remark.column}' if remark.column else ''}: {remark.message}"
