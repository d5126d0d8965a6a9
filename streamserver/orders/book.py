"""The book of orders: finding them for whoever may see them, and showing them."""

import base64
import hmac
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from streamserver.accounts.model import Identity
from streamserver.catalog.service import CatalogService
from streamserver.kit.errors import Failure, NotFound
from streamserver.kit.sql import Database
from streamserver.messages.catalog import Shop
from streamserver.messages.orders import Address, Order, OrderLine
from streamserver.messages.stock import Source
from streamserver.orders.model import EARNED
from streamserver.orders.tables import LineRow, OrderRow

LISTED = 200  # newest orders that a list shows


async def locked(session: AsyncSession, order: str) -> OrderRow:
    """The order as nobody else can change it until the transaction ends. Raises NotFound."""
    row = await session.get(OrderRow, order, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound
    return row


class OrderBook:
    """`secret` signs the links that show an order to whoever holds them."""

    def __init__(self, database: Database, catalog: CatalogService, secret: bytes) -> None:
        self.database = database
        self._catalog = catalog
        self._secret = secret

    # Finding

    async def load(self, order: str) -> OrderRow:
        """Raises NotFound."""
        async with self.database.read() as session:
            row = await session.get(OrderRow, order)
        if row is None:
            raise NotFound
        return row

    async def of_buyer(self, identity: Identity, order: str, key: str = "") -> OrderRow:
        """For its buyer, or with its link's key. Raises NotFound to everybody else."""
        row = await self.load(order)
        if row.buyer not in identity.buyers and not self._opens(key, order):
            raise NotFound
        return row

    async def of_seller(self, identity: Identity, order: str) -> OrderRow:
        """For the people of its shop. Raises NotFound to everybody else."""
        identity.require_account()
        row = await self.load(order)
        if not await self.is_seller(identity, row):
            raise NotFound
        return row

    async def is_seller(self, identity: Identity, order: OrderRow) -> bool:
        try:
            await self._catalog.require_staff(identity, order.shop)
        except Failure:
            return False
        return True

    async def bought_by(self, identity: Identity) -> Sequence[OrderRow]:
        return await self._newest(OrderRow.buyer.in_(identity.buyers))

    async def sold_by(self, identity: Identity, shop: str) -> Sequence[OrderRow]:
        """Raises Forbidden to everybody but the shop's people."""
        await self._catalog.require_staff(identity, shop)
        return await self._newest(OrderRow.shop == shop)

    async def room_sales(self, room: str) -> tuple[int, dict[str, int]]:
        """What was bought in a room: number of orders from confirmed on, and their revenue without shipping by currency."""
        revenue = func.sum(LineRow.price * LineRow.quantity)
        query = (
            select(OrderRow.currency, func.count(OrderRow.id.distinct()), revenue)
            .join(LineRow, LineRow.order == OrderRow.id)
            .where(LineRow.room == room, LineRow.status == "sold", OrderRow.status.in_(EARNED))
            .group_by(OrderRow.currency)
        )
        async with self.database.read() as session:
            rows = (await session.execute(query)).all()
        return sum(count for _, count, _ in rows), {currency: int(amount) for currency, _, amount in rows}

    async def _newest(self, whose: ColumnElement[bool]) -> Sequence[OrderRow]:
        async with self.database.read() as session:
            query = select(OrderRow).where(whose).order_by(OrderRow.placed_at.desc(), OrderRow.id.desc()).limit(LISTED)
            return (await session.scalars(query)).all()

    # Showing

    def link(self, order: str) -> str:
        """The path that shows this order to whoever holds it."""
        return f"/orders/{order}?key={self._key(order)}"

    async def show(self, order: OrderRow, *, to_seller: bool = False) -> Order:
        """A seller gets no signed link: it would let them act as the buyer."""
        return self._message(order, await self._catalog.shop(order.shop), to_seller=to_seller)

    async def show_all(self, orders: Sequence[OrderRow], *, to_seller: bool = False) -> list[Order]:
        shops = {shop: await self._catalog.shop(shop) for shop in {order.shop for order in orders}}
        return [self._message(order, shops[order.shop], to_seller=to_seller) for order in orders]

    def _message(self, order: OrderRow, shop: Shop, *, to_seller: bool) -> Order:
        payment = order.open_payment
        return Order(
            id=order.id,
            number=order.number,
            revision=order.revision,
            status=order.status,
            shop=shop,
            lines=[_line(line, to_seller=to_seller) for line in order.lines],
            email=order.email,
            address=Address.model_validate(order.address),
            currency=order.currency,
            subtotal=order.subtotal,
            shipping=order.shipping,
            total=order.total,
            placed_at=order.placed_at,
            payment_url=payment.url if payment and order.status == "pending" and not to_seller else None,
            tracking=order.tracking,
            link=f"/orders/{order.id}" if to_seller else self.link(order.id),
        )

    def _key(self, order: str) -> str:
        mark = hmac.digest(self._secret, f"order:{order}".encode(), sha256)
        return base64.urlsafe_b64encode(mark[:24]).decode()

    def _opens(self, key: str, order: str) -> bool:
        return hmac.compare_digest(key.encode(errors="replace"), self._key(order).encode())


def _line(line: LineRow, *, to_seller: bool) -> OrderLine:
    """A seller is not told which device bought."""
    values: dict[str, Any] = {
        name: getattr(line, name)
        for name in (
            "id",
            "product",
            "variant",
            "sku",
            "title",
            "variant_title",
            "image",
            "quantity",
            "price",
            "status",
        )
    }
    deadline = line.deadline if line.status == "open" else None
    source = Source.model_validate(line.source | ({"device": None} if to_seller else {}))
    return OrderLine(**values, deadline=deadline, source=source)
