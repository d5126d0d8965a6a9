"""From what was decided (SQL) to what viewers share (Redis): the one place that writes room documents.

Every change is committed in SQL first and then projected. A crash in between is healed by `jobs`, which projects again what
was changed and not projected; projecting twice changes nothing. The document is read *before* the facts and written only if
nobody else wrote it meanwhile, so newer facts are never replaced by older ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, cast

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from streamserver.accounts.service import AccountService
from streamserver.catalog.service import CatalogService
from streamserver.kit.errors import Conflict, NotFound
from streamserver.kit.sql import Database
from streamserver.messages.catalog import Product
from streamserver.messages.rooms import About, Anchor, AnchorShop, AnchorVariant, Life, LineUp, Pins
from streamserver.messages.stock import Source
from streamserver.rooms.documents import Documents
from streamserver.rooms.model import Document, changes, without_pins_of
from streamserver.rooms.tables import AnchorRow, AnchorVariantRow, RoomRow
from streamserver.stock.model import Terms, Units, room_pool, shop_pool
from streamserver.stock.service import StockService

DEFAULT_LIMIT = 5
TRIES = 20  # each is lost only to somebody else's success


@dataclass(frozen=True, slots=True)
class Facts:
    """What SQL and the catalog say about one room."""

    room: RoomRow
    document: Document
    terms: list[Terms]


class RoomBook:
    def __init__(
        self,
        database: Database,
        documents: Documents,
        catalog: CatalogService,
        people: AccountService,
        stock: StockService,
    ) -> None:
        self._database = database
        self._documents = documents
        self._catalog = catalog
        self._people = people
        self._stock = stock

    async def document(self, room: str) -> Document:
        """The room as its viewers see it; written again from SQL when Redis does not have it. Raises NotFound."""
        return await self._documents.read(room) or await self.project(room)

    async def project(self, room: str) -> Document:
        """Bring document, pool and terms in line with SQL; tell viewers what changed. Raises NotFound."""
        for _ in range(TRIES):
            old = await self._documents.read(room)
            facts = await self._facts(room, old.pins if old else Pins(version=0, pins=[]))
            await self._set_up_pool(facts.room)
            found = changes(old, facts.document)
            if await self._documents.write(room, old, facts.document, found, facts.terms):
                await self._projected(facts.room)
                return await self._documents.read(room) or facts.document
        raise Conflict

    async def restore_terms(self, name: str) -> None:
        """Write the terms of a room's pool again; the pool that is being rebuilt is left as it is."""
        await self.project(name)

    async def _set_up_pool(self, room: RoomRow) -> None:
        if room.status == "scheduled":
            await self._stock.create(room_pool(room.id))
        elif room.status == "live":
            await self._stock.open(room_pool(room.id))

    async def _projected(self, room: RoomRow) -> None:
        """Strike the room off the list of those that `jobs` must project again."""
        if room.projected < room.revision:
            done = update(RoomRow).where(RoomRow.id == room.id, RoomRow.projected < room.revision)
            async with self._database.write() as session:
                await session.execute(done.values(projected=room.revision))

    async def _facts(self, room: str, pins: Pins) -> Facts:
        async with self._database.read() as session:
            row = await session.get(RoomRow, room)
            if row is None:
                raise NotFound("There is no such show.")
            anchors = list(await session.scalars(select(AnchorRow).where(AnchorRow.room == room)))
            terms = await _terms_rows(session, [anchor.id for anchor in anchors])
        creator = (await self._people.by_ids([row.creator]))[row.creator]
        products = await self._catalog.products_by_ids([anchor.product for anchor in anchors])
        present = sorted((a for a in anchors if a.removed_at is None), key=lambda a: (a.position, a.id))
        variants = [v.id for a in anchors for v in products[a.product].variants]
        units = await self._stock.units(room_pool(room), variants)
        lineup = LineUp(
            version=row.lineup_version,
            anchors=[
                anchor_message(a, products[a.product], terms, units, ended=row.status == "ended") for a in present
            ],
        )
        about = About(
            id=row.id,
            title=row.title,
            description=row.description,
            creator=creator.person,
            scheduled_at=row.scheduled_at,
        )
        life = Life(
            status=cast("Literal['scheduled', 'live', 'ending', 'ended']", row.status),
            started_at=row.started_at,
            ending_at=row.ending_at,
            ended_at=row.ended_at,
        )
        document = Document(about=about, life=life, lineup=lineup, pins=without_pins_of(pins, lineup.anchors))
        return Facts(row, document, list(_pool_terms(row, anchors, products, terms).values()))


async def _terms_rows(session: AsyncSession, anchors: Sequence[str]) -> dict[tuple[str, str], AnchorVariantRow]:
    rows = await session.scalars(select(AnchorVariantRow).where(AnchorVariantRow.anchor.in_(anchors)))
    return {(row.anchor, row.variant): row for row in rows}


def anchor_message(
    row: AnchorRow,
    product: Product,
    terms: dict[tuple[str, str], AnchorVariantRow],
    units: dict[str, Units],
    *,
    ended: bool,
) -> Anchor:
    def variant(v: str, own_price: int) -> tuple[int, int, int]:
        found = terms.get((row.id, v))
        u = units.get(v, Units())
        price = found.price if found and found.price is not None else own_price
        return price, found.limit if found else DEFAULT_LIMIT, u.moved_in if ended else u.moved_in - u.moved_out

    variants: list[AnchorVariant] = []
    for v in product.variants:
        price, limit, allotment = variant(v.id, v.price)
        earlier = v.compare_at if v.compare_at and v.compare_at > price else v.price if v.price > price else None
        variants.append(
            AnchorVariant(
                id=v.id,
                sku=v.sku,
                title=v.title,
                options=v.options,
                price=price,
                compare_at=earlier,
                limit=limit,
                allotment=allotment,
            )
        )
    return Anchor(
        id=row.id,
        product=product.id,
        title=product.title,
        image=product.images[0].medium if product.images else None,
        currency=product.shop.currency,
        options=product.options,
        mode=row.mode,
        shop=AnchorShop(id=product.shop.id, handle=product.shop.handle, name=product.shop.name),
        variants=variants,
    )


def _pool_terms(
    room: RoomRow,
    anchors: Sequence[AnchorRow],
    products: dict[str, Product],
    terms: dict[tuple[str, str], AnchorVariantRow],
) -> dict[str, Terms]:
    """Terms by variant. A product that was removed and added again has one anchor that sells: it wins."""
    found: dict[str, Terms] = {}
    for anchor in sorted(anchors, key=lambda a: a.removed_at is None):
        product = products[anchor.product]
        source = Source(kind="room", room=room.id, anchor=anchor.id, creator=room.creator)
        for v in product.variants:
            own = terms.get((anchor.id, v.id))
            found[v.id] = Terms(
                variant=v.id,
                price=own.price if own and own.price is not None else v.price,
                currency=product.shop.currency,
                limit=own.limit if own else DEFAULT_LIMIT,
                source=source,
                home=shop_pool(product.shop.id),
                selling=anchor.removed_at is None and product.status == "active",
                mode=anchor.mode,
            )
    return found
