"""The line-up: which products a room shows, in which order, and on which terms."""

from collections.abc import Sequence

from redis.asyncio import Redis
from redis.asyncio.lock import Lock
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from streamserver.accounts.model import Identity
from streamserver.catalog.service import CatalogService
from streamserver.config import RoomsConfig
from streamserver.kit.clock import now_ms
from streamserver.kit.errors import Invalid, NotFound
from streamserver.kit.ids import new_id
from streamserver.kit.sql import Database
from streamserver.messages.catalog import Product
from streamserver.messages.rooms import AnchorChange, AnchorVariantTerms, LineUp, LineUpOrder, NewAnchor
from streamserver.rooms.book import RoomBook
from streamserver.rooms.errors import AlreadyInLineUp, LineUpConflict, LineUpFull, WrongState
from streamserver.rooms.rights import Rights
from streamserver.rooms.tables import AnchorRow, AnchorVariantRow, RoomRow
from streamserver.stock.errors import NotEnoughStock
from streamserver.stock.model import room_pool, shop_pool
from streamserver.stock.service import StockService

MAX_VARIANTS = 500  # of all products of a line-up: it travels whole to everyone who joins
LOCK_SECONDS = 10  # an allotment is two script calls; a holder that takes longer has died


class LineUps:
    def __init__(
        self,
        database: Database,
        redis: Redis,
        book: RoomBook,
        rights: Rights,
        catalog: CatalogService,
        stock: StockService,
        config: RoomsConfig,
    ) -> None:
        self._database = database
        self._redis = redis
        self._book = book
        self._rights = rights
        self._catalog = catalog
        self._stock = stock
        self._config = config

    async def add(self, room: str, identity: Identity, wanted: NewAnchor) -> LineUp:
        """Append a product. Raises Forbidden, NotFound, AlreadyInLineUp, LineUpFull, NotEnoughStock, Invalid."""
        await self._rights.require(room, identity, "lineup")
        product = await self._product(wanted.product)
        if product.status != "active":
            raise NotFound("This product is archived. Make it active again first.")
        _check_variants(product, wanted.variants)
        await self._require_seller(identity, product)
        await self._check_store(product, wanted.variants)
        await self._check_size(room, product)
        anchor = new_id("anchor")
        async with self._database.write() as session:
            row = await _open_room(session, room)
            present = await _present(session, room)
            if any(other.product == product.id for other in present):
                raise AlreadyInLineUp
            if len(present) >= self._config.lineup_size:
                raise LineUpFull(limit=self._config.lineup_size)
            position = max((other.position for other in present), default=0) + 1
            new = AnchorRow(id=anchor, room=room, product=product.id, position=position, mode=wanted.mode)
            session.add(new)
            await session.flush()
            await _write_terms(session, anchor, wanted.variants)
            row.lineup_version += 1
        await self._book.project(room)
        return await self._allot(room, product, wanted.variants)

    async def change(self, room: str, identity: Identity, anchor: str, wanted: AnchorChange) -> LineUp:
        """Set an anchor's mode, and price, limit and allotment of its variants: all of it, or nothing when there are too few
        units. Raises Forbidden, NotFound, NotEnoughStock, Invalid."""
        product = await self._anchored(room, anchor)
        _check_variants(product, wanted.variants)
        await self._require_seller(identity, product)
        await self._allot(room, product, wanted.variants)
        async with self._database.write() as session:
            row = await _open_room(session, room)
            await _write_terms(session, anchor, wanted.variants)
            if wanted.mode:
                (await session.get_one(AnchorRow, anchor)).mode = wanted.mode
            row.lineup_version += 1
        return (await self._book.project(room)).lineup

    async def remove(self, room: str, identity: Identity, anchor: str) -> LineUp:
        """Take a product out; what is left of it goes home, living holds keep their deadlines."""
        await self._rights.require(room, identity, "lineup")
        product = await self._anchored(room, anchor)
        async with self._database.write() as session:
            room_row = await _open_room(session, room)
            row = await session.get(AnchorRow, anchor)
            if row is None or row.removed_at is not None:
                raise NotFound("This product is not in the line-up any more.")
            row.removed_at = now_ms()
            room_row.lineup_version += 1
        await self._book.project(room)
        leaving = [AnchorVariantTerms(variant=v.id, allotment=0) for v in product.variants]
        return await self._allot(room, product, leaving, strict=False)

    async def sort(self, room: str, identity: Identity, wanted: LineUpOrder) -> LineUp:
        """Put the line-up in a new order, seen at a version. Raises Forbidden, LineUpConflict."""
        await self._rights.require(room, identity, "lineup")
        async with self._database.write() as session:
            row = await _open_room(session, room)
            present = {anchor.id: anchor for anchor in await _present(session, room)}
            current = row.lineup_version == wanted.version
            if current and sorted(present) == sorted(wanted.order):
                for position, anchor in enumerate(wanted.order, 1):
                    present[anchor].position = position
                row.lineup_version += 1
        if not current:
            raise LineUpConflict(lineup=(await self._book.document(room)).lineup.model_dump())
        if sorted(present) != sorted(wanted.order):
            raise Invalid("The order must name every product of the line-up once.")
        return (await self._book.project(room)).lineup

    async def _allot(
        self, room: str, product: Product, wanted: Sequence[AnchorVariantTerms], *, strict: bool = True
    ) -> LineUp:
        """Move units until the room has been given as many as wanted; when not `strict`, as many as can move."""
        pool, home = room_pool(room), shop_pool(product.shop.id)
        async with Lock(self._redis, f"{{{pool}}}:allotting", timeout=LOCK_SECONDS, blocking_timeout=LOCK_SECONDS):
            await self._stock.deliver(home)  # what an interrupted attempt left on its way counts as given
            await self._stock.deliver(pool)
            units = await self._stock.units(pool, [terms.variant for terms in wanted])
            for terms in wanted:
                if terms.allotment is None:
                    continue
                u = units[terms.variant]
                more = terms.allotment - (u.moved_in - u.moved_out)
                less = -more if strict else min(-more, u.available)
                # The id follows from what was there: a retry after a crash repeats the same transfer.
                transfer = f"allot:{room}:{terms.variant}:{u.moved_in}:{u.moved_out}:{more}"
                if more > 0:
                    await self._stock.transfer(transfer, terms.variant, more, home, pool)
                elif less > 0:
                    await self._stock.transfer(transfer, terms.variant, less, pool, home)
        return (await self._book.project(room)).lineup

    async def _check_store(self, product: Product, wanted: Sequence[AnchorVariantTerms]) -> None:
        """Refuse before anything is written; a burst in the store may still make the transfer itself refuse."""
        store = await self._stock.store_units(product.shop.id, [terms.variant for terms in wanted])
        for terms in wanted:
            if (terms.allotment or 0) > store[terms.variant]:
                raise NotEnoughStock(available=store[terms.variant])

    async def _check_size(self, room: str, product: Product) -> None:
        anchors = (await self._book.document(room)).lineup.anchors
        if sum(len(anchor.variants) for anchor in anchors) + len(product.variants) > MAX_VARIANTS:
            raise LineUpFull(f"A line-up has room for {MAX_VARIANTS} variants in all.", limit=MAX_VARIANTS)

    async def _anchored(self, room: str, anchor: str) -> Product:
        async with self._database.read() as session:
            row = await session.get(AnchorRow, anchor)
            if row is None or row.room != room or row.removed_at is not None:
                raise NotFound("This product is not in the line-up.")
        return await self._product(row.product)

    async def _product(self, product: str) -> Product:
        found = (await self._catalog.products_by_ids([product])).get(product)
        if found is None:
            raise NotFound("There is no such product.")
        return found

    async def _require_seller(self, identity: Identity, product: Product) -> None:
        """Price and allotment belong to the shop, whoever moderates."""
        identity.require_scope("rooms")
        await self._catalog.require_staff(identity, product.shop.id)


async def _open_room(session: AsyncSession, room: str) -> RoomRow:
    """The room, locked for this transaction. Raises NotFound, WrongState."""
    row = await session.scalar(select(RoomRow).where(RoomRow.id == room).with_for_update())
    if row is None:
        raise NotFound("There is no such show.")
    if row.status == "ended":
        raise WrongState("The show is over: its line-up stays as it was.")
    return row


async def _present(session: AsyncSession, room: str) -> list[AnchorRow]:
    rows = select(AnchorRow).where(AnchorRow.room == room, AnchorRow.removed_at.is_(None))
    return list(await session.scalars(rows))


async def _write_terms(session: AsyncSession, anchor: str, wanted: Sequence[AnchorVariantTerms]) -> None:
    for terms in wanted:
        row = await session.get(AnchorVariantRow, (anchor, terms.variant))
        if row is None:
            session.add(AnchorVariantRow(anchor=anchor, variant=terms.variant, price=terms.price, limit=terms.limit))
        else:
            row.price, row.limit = terms.price, terms.limit


def _check_variants(product: Product, wanted: Sequence[AnchorVariantTerms]) -> None:
    known = {variant.id for variant in product.variants}
    named = [terms.variant for terms in wanted]
    if not known.issuperset(named) or len(set(named)) != len(named):
        raise Invalid("Each variant must belong to the product, and be named once.")
