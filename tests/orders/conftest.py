"""A market with real parts: shop, stock, sandbox payments, and orders between them. Faults can be switched on."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import pytest
from redis.asyncio import Redis
from sqlalchemy import update

from streamserver.accounts.model import Identity
from streamserver.accounts.service import AccountService
from streamserver.catalog.images import ImageStore
from streamserver.catalog.service import CatalogService
from streamserver.config import Config, OrdersConfig
from streamserver.integrations.sandbox.payments import SandboxPayments
from streamserver.kit.ids import new_id
from streamserver.kit.sql import Database
from streamserver.kit.tasks import Tasks
from streamserver.messages.accounts import SignUp
from streamserver.messages.catalog import NewProduct, NewShop, NewVariant, Shop
from streamserver.messages.orders import Address, NewOrder, Order
from streamserver.messages.stock import Source
from streamserver.orders.model import Charge
from streamserver.orders.service import OrderService
from streamserver.orders.tables import OrderRow
from streamserver.stock.archive import is_known
from streamserver.stock.model import Confirmed, HoldRecord, Pool, ReserveRequest, Terms, Units, room_pool, shop_pool
from streamserver.stock.service import StockService

ADDRESS = Address(name="Ada Byron", street="1 Mill Lane", postcode="90210", city="Halstead", country="GB")


class Quiet:
    """A publisher whose viewers are all elsewhere."""

    async def rights_changed(self, account: str, room: str | None = None) -> None: ...

    async def session_ended(self, session: str) -> None: ...


class CrashingStock(StockService):
    """The real stock; `crash` makes the caller die right after the units were sold, `stall` makes the next one wait before."""

    crash = False
    stall: asyncio.Event | None = None

    async def confirm(self, pool: Pool, holds: Sequence[str], payment: str, attempt: int = 0) -> Confirmed:
        stall, self.stall = self.stall, None
        if stall:
            await stall.wait()
        confirmed = await super().confirm(pool, holds, payment, attempt)
        if self.crash:
            raise ConnectionError
        return confirmed


@dataclass
class FailingProvider:
    """The sandbox behind a line that can fail: `down` loses every call; `captures` counts those that got through."""

    sandbox: SandboxPayments
    down: bool = False
    captures: list[str] = field(default_factory=list[str])

    async def open(self, charge: Charge) -> str:
        return await self.sandbox.open(charge)

    async def capture(self, payment: str) -> None:
        self._line()
        self.captures.append(payment)
        await self.sandbox.capture(payment)

    async def void(self, payment: str) -> None:
        self._line()
        await self.sandbox.void(payment)

    async def refund(self, payment: str) -> None:
        self._line()
        await self.sandbox.refund(payment)

    def _line(self) -> None:
        if self.down:
            raise ConnectionError


@dataclass
class Market:
    database: Database
    redis: Redis
    accounts: AccountService
    catalog: CatalogService
    stock: CrashingStock
    sandbox: SandboxPayments
    provider: FailingProvider
    orders: OrderService
    seller: Identity
    shop: Shop

    # People and goods

    async def account(self, handle: str) -> Identity:
        account, _ = await self.accounts.sign_up(SignUp(handle=handle, name=handle, password="correct horse battery"))
        return Identity(device=new_id("dev"), account=account)

    async def product(self, title: str = "Mug", price: int = 1500, shop: Shop | None = None) -> str:
        """Return the id of the product's only variant."""
        new = NewProduct(title=title, variants=[NewVariant(sku=f"SKU-{new_id('sku')[-8:]}", price=price)])
        product = await self.catalog.create_product(self.seller, (shop or self.shop).id, new)
        return product.variants[0].id

    async def in_room(self, variant: str, units: int, price: int = 1200, limit: int = 5) -> Pool:
        """Open a room that sells the variant."""
        room = new_id("room")
        pool, source = room_pool(room), Source(kind="room", room=room)
        await self.stock.set_terms(pool, [Terms(variant, price, "EUR", limit, source)])
        await self.stock.open(pool)
        await self.stock.restock(pool, secrets.token_hex(8), variant, units)
        return pool

    async def in_store(self, variant: str, units: int) -> Pool:
        pool = shop_pool(self.shop.id)
        await self.stock.restock(pool, secrets.token_hex(8), variant, units)
        return pool

    async def units(self, pool: Pool, variant: str) -> Units:
        return (await self.stock.units(pool, [variant]))[variant]

    # Buying

    async def hold(self, buyer: Identity, pool: Pool, variant: str, quantity: int = 1) -> HoldRecord:
        request = ReserveRequest(secrets.token_hex(8), buyer.buyer, variant, quantity, new_id("hold"), buyer.device)
        return (await self.stock.reserve(pool, request)).hold

    async def place(self, buyer: Identity, *holds: HoldRecord) -> Order:
        return (await self.orders.place(buyer, new_order(*holds))).order

    async def begin_payment(self, buyer: Identity, order: Order) -> str:
        """Return the payment's id."""
        paying = await self.orders.pay(buyer, order.id, order.revision)
        assert paying.payment_url is not None
        return paying.payment_url.rsplit("/", 1)[1]

    async def buy(self, buyer: Identity, *holds: HoldRecord) -> Order:
        """Place, pay, return the paid order."""
        order = await self.place(buyer, *holds)
        await self.sandbox.choose(await self.begin_payment(buyer, order), "success")
        return await self.orders.order(buyer, order.id)

    async def money(self, payment: str) -> str:
        """Where the payment stands at the provider."""
        return (await self.sandbox.view(payment)).status

    # Time

    async def expire(self, hold: HoldRecord) -> None:
        """Let the hold's deadline and grace pass."""
        await self.redis.zadd(f"{{{hold.pool}}}:deadlines", {f"{hold.deadline} {hold.id}": 1})
        await self.stock.tidy()

    async def later(self) -> None:
        """Let a stalled order's patience pass."""
        async with self.database.write() as session:
            await session.execute(update(OrderRow).where(OrderRow.due_at.is_not(None)).values(due_at=1))

    async def much_later(self) -> None:
        """Let the time to pay pass."""
        async with self.database.write() as session:
            await session.execute(update(OrderRow).values(placed_at=1, due_at=1))


async def eventually(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait for what happens in the background."""
    for _ in range(500):
        if await condition():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it never happened")


def guest() -> Identity:
    return Identity(device=new_id("dev"))


SECRET = b"a secret of thirty-two bytes...."


def new_order(*holds: HoldRecord, key: str | None = None, address: Address = ADDRESS) -> NewOrder:
    return NewOrder(
        key=key or secrets.token_hex(8), holds=[hold.id for hold in holds], email="ada@example.org", address=address
    )


@pytest.fixture
async def market(database: Database, redis: Redis, config: Config) -> AsyncGenerator[Market]:
    tasks = Tasks()
    accounts = AccountService(database, redis, config.accounts, Quiet())
    stock = CrashingStock(redis, redis, config.stock, SECRET, partial(is_known, database))
    images = ImageStore(config.media_folder, config.media.max_pixels)
    catalog = CatalogService(database, stock, images, accounts, Quiet(), config.accounts)
    sandbox = SandboxPayments(database, OrdersConfig(sandbox_slow_seconds=0.05), tasks)
    provider = FailingProvider(sandbox)
    orders = OrderService(database, stock, catalog, provider, config.orders, SECRET)
    sandbox.listen(orders.settlement)
    account, _ = await accounts.sign_up(SignUp(handle="kiln", name="Kiln", password="correct horse battery"))
    seller = Identity(device=new_id("dev"), account=account)
    shop = await catalog.create_shop(seller, NewShop(handle="kiln", name="Kiln", currency="EUR", shipping=490))
    yield Market(database, redis, accounts, catalog, stock, sandbox, provider, orders, seller, shop)
    await eventually(_nothing_under_way)  # a write that is cancelled can leave SQLite locked for the next test
    await tasks.close()


async def _nothing_under_way() -> bool:
    return not any("sandbox" in task.get_name() for task in asyncio.all_tasks())
