"""The bag: what a buyer has set aside, told as it is, sorted by what one checkout can take."""

from collections.abc import Sequence

from sqlalchemy import select

from streamserver.accounts.model import Identity
from streamserver.catalog.model import VariantFacts
from streamserver.catalog.service import CatalogService
from streamserver.kit.errors import Failure, OneMoment
from streamserver.kit.log import log
from streamserver.kit.sql import Database
from streamserver.messages.orders import Bag, BagItem, BagPart
from streamserver.orders.tables import LineRow, OrderRow
from streamserver.stock.model import HoldRecord
from streamserver.stock.service import StockService

EXPIRED_SHOWN_MS = 30 * 60_000  # long enough to tell a buyer who comes back; after that it is clutter


class BagDesk:
    def __init__(self, database: Database, stock: StockService, catalog: CatalogService) -> None:
        self._database = database
        self._stock = stock
        self._catalog = catalog

    async def bag(self, identity: Identity) -> Bag:
        """Holds that can be checked out, and those that expired lately. What is being paid or was given back is left out."""
        now = await self._stock.time()
        holds = [hold for hold in await self._stock.holds(identity.buyers) if _belongs(hold, now)]
        orders = await self._orders_of([hold.id for hold in holds])
        holds = [hold for hold in holds if hold.id not in orders or orders[hold.id].status == "pending"]
        facts = await self._catalog.variants({hold.variant for hold in holds})
        parts: dict[tuple[str, str], list[HoldRecord]] = {}
        for hold in holds:
            if hold.variant in facts:
                parts.setdefault((facts[hold.variant].shop, hold.currency), []).append(hold)
        return Bag(at=now, parts=[await self._part(*key, part, facts, orders) for key, part in parts.items()])

    async def restore(self, identity: Identity, tokens: Sequence[str]) -> Bag:
        """What cannot be had any more is simply not in the bag."""
        for token in tokens:
            try:
                await self._stock.retake(token, identity.buyers)
            except OneMoment:
                raise
            except Failure as failure:
                log.info("a lost hold is gone", code=failure.code)
        return await self.bag(identity)

    async def _part(
        self,
        shop: str,
        currency: str,
        holds: Sequence[HoldRecord],
        facts: dict[str, VariantFacts],
        orders: dict[str, OrderRow],
    ) -> BagPart:
        begun = [orders[hold.id].id for hold in holds if hold.id in orders]
        return BagPart(
            shop=await self._catalog.shop(shop),
            currency=currency,
            items=[_item(hold, facts[hold.variant], self._stock.token(hold)) for hold in holds],
            subtotal=sum(hold.price * hold.quantity for hold in holds if hold.is_living),
            order=max(begun, default=None),
        )

    async def _orders_of(self, holds: Sequence[str]) -> dict[str, OrderRow]:
        """Hold id → the living order that it is in."""
        query = (
            select(LineRow.hold, OrderRow)
            .join(OrderRow, OrderRow.id == LineRow.order)
            .where(LineRow.hold.in_(holds), LineRow.status.in_(["open", "sold"]))
        )
        async with self._database.read() as session:
            return dict((await session.execute(query)).all())


def _belongs(hold: HoldRecord, now: int) -> bool:
    return hold.is_living or (hold.status == "expired" and hold.deadline > now - EXPIRED_SHOWN_MS)


def _item(hold: HoldRecord, facts: VariantFacts, token: str) -> BagItem:
    return BagItem(
        hold=hold.id,
        pool=hold.pool,
        product=facts.product,
        variant=hold.variant,
        title=facts.product_title,
        variant_title=facts.title,
        image=facts.image,
        quantity=hold.quantity,
        price=hold.price,
        deadline=hold.deadline,
        status=hold.status,
        source=hold.source,
        token=token,
    )
