"""Orders as every edge sees them."""

from collections.abc import Sequence

from streamserver.accounts.model import Identity
from streamserver.catalog.service import CatalogService
from streamserver.config import OrdersConfig
from streamserver.kit.errors import NotFound
from streamserver.kit.sql import Database
from streamserver.messages.orders import Bag, NewOrder, Order, Refund
from streamserver.orders.bag import BagDesk
from streamserver.orders.book import OrderBook
from streamserver.orders.checkout import Checkout, Placed
from streamserver.orders.model import Payments
from streamserver.orders.selling import Selling
from streamserver.orders.settlement import Settlement
from streamserver.stock.service import StockService


class OrderService:
    """`secret` signs the links of orders. `settlement` is the listener that the payment provider calls back."""

    def __init__(
        self,
        database: Database,
        stock: StockService,
        catalog: CatalogService,
        payments: Payments,
        config: OrdersConfig,
        secret: bytes,
    ) -> None:
        unpaid_ms = config.unpaid_minutes * 60_000
        self.settlement = Settlement(database, stock, payments, unpaid_ms)
        self._book = OrderBook(database, catalog, secret)
        self._bag = BagDesk(database, stock, catalog)
        self._checkout = Checkout(self._book, self.settlement, stock, catalog, payments, unpaid_ms)
        self._selling = Selling(self._book, self.settlement)

    async def bag(self, identity: Identity) -> Bag:
        return await self._bag.bag(identity)

    async def restore(self, identity: Identity, tokens: Sequence[str]) -> Bag:
        """The bag, once units were taken again for what these tokens prove and the server has lost."""
        return await self._bag.restore(identity, tokens)

    async def place(self, identity: Identity, new: NewOrder) -> Placed:
        return await self._checkout.place(identity, new)

    async def pay(self, identity: Identity, order: str, revision: int, key: str = "") -> Order:
        return await self._checkout.pay(identity, order, revision, key)

    async def order(self, identity: Identity, order: str, key: str = "") -> Order:
        """For its buyer, for whoever has its link, or for its seller. Raises NotFound to everybody else."""
        try:
            return await self._book.show(await self._book.of_buyer(identity, order, key))
        except NotFound:
            if identity.account is None:
                raise
            identity.require_scope("shops")
            return await self._book.show(await self._book.of_seller(identity, order), to_seller=True)

    async def orders(self, identity: Identity) -> list[Order]:
        """The buyer's own, newest first."""
        return await self._book.show_all(await self._book.bought_by(identity))

    async def shop_orders(self, identity: Identity, shop: str) -> list[Order]:
        """The shop's, newest first. Raises Forbidden to everybody but its people."""
        return await self._book.show_all(await self._book.sold_by(identity, shop), to_seller=True)

    async def cancel(self, identity: Identity, order: str, key: str = "") -> Order:
        return await self._selling.cancel(identity, order, key)

    async def ship(self, identity: Identity, order: str, tracking: str) -> Order:
        return await self._selling.ship(identity, order, tracking)

    async def deliver(self, identity: Identity, order: str) -> Order:
        return await self._selling.deliver(identity, order)

    async def refund(self, identity: Identity, order: str, refund: Refund) -> Order:
        return await self._selling.refund(identity, order, refund)

    async def room_sales(self, room: str) -> tuple[int, dict[str, int]]:
        """Orders from a room, from confirmed on, and their revenue without shipping by currency."""
        return await self._book.room_sales(room)

    async def settle_due(self) -> None:
        await self.settlement.settle_due()
