"""A shop with a show, an order and a ledger, for tests of the audit."""

from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

from streamserver.accounts.model import Identity
from streamserver.cli.audit import OrderLines
from streamserver.kit.ids import new_id
from streamserver.kit.sql import Database
from streamserver.messages.orders import Address, NewOrder
from streamserver.messages.stock import HoldRequest
from streamserver.stock.archive import LedgerArchive
from streamserver.stock.audit import Audit
from streamserver.stock.model import Pool, room_pool
from tests.stock.ledger import set_counter
from tests.world import World, guest

ADDRESS = Address(name="Ada Byron", street="1 Mill Lane", postcode="90210", city="Halstead", country="GB")


@dataclass
class Sale:
    """A show in which one mug was paid for, one is held and one was given back; its ledger is archived."""

    world: World
    database: Database
    redis: Redis
    pool: Pool
    variant: str
    held: str
    sold: str
    holder: Identity

    async def hold(self, buyer: Identity) -> str:
        wish = HoldRequest(key=new_id("key"), variant=self.variant)
        return (await self.world.services.rooms.hold(self.pool.removeprefix("room:"), buyer, wish)).id

    async def pay(self, buyer: Identity) -> None:
        s = self.world.services
        [hold] = await s.stock.holds([buyer.device])
        wanted = NewOrder(key=new_id("key"), holds=[hold.id], email="ada@example.com", address=ADDRESS)
        order = (await s.orders.place(buyer, wanted)).order
        paying = await s.orders.pay(buyer, order.id, order.revision)
        await s.payments.choose(str(paying.payment_url).rpartition("/")[2], "success")

    def __post_init__(self) -> None:
        self._ledgers = LedgerArchive(self.database, self.redis)

    async def archive(self) -> None:
        await self._ledgers.run()

    async def archive_only(self, pool: Pool) -> None:
        await self._ledgers.move(pool)

    async def change(self, statement: Any) -> None:
        async with self.database.write() as session:
            await session.execute(statement)

    async def set_counter(self, name: str, value: int) -> None:
        await set_counter(self.redis, self.pool, self.variant, name, value)

    async def findings(self) -> list[str]:
        """Everything that the audit has to say."""
        audit = Audit(self.database, self.redis, OrderLines(self.database, self.redis))
        return [finding for verdict in await audit.run() for finding in verdict.findings]

    async def finds(self, words: str) -> bool:
        return any(words in finding for finding in await self.findings())


async def opened(world: World, database: Database, redis: Redis) -> Sale:
    """A live room with a sold unit, a held one and one that was given back; nothing is archived."""
    room = await world.room(live=True)
    mug = await world.product()
    await world.anchor(room, mug)
    sale = Sale(world, database, redis, room_pool(room), mug.variants[0].id, "", "", guest())
    buyer, undecided = guest(), guest()
    sale.sold = await sale.hold(buyer)
    await sale.pay(buyer)
    await world.services.rooms.release(undecided, await sale.hold(undecided))
    sale.held = await sale.hold(sale.holder)
    return sale
