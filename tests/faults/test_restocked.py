"""Units come back while processes say *sold out* by themselves: how many questions it takes until buyers get through."""

import asyncio
from typing import Any, cast

import msgpack
from redis.asyncio.client import PubSub

from streamserver.kit.ids import new_id
from streamserver.kit.redis import connect_listener
from streamserver.kit.sql import Database
from streamserver.realtime.bus import IS_SHARDED
from streamserver.stock.errors import SoldOut
from streamserver.stock.flags import LAPSE
from streamserver.stock.store import PoolStore
from tests.faults.buyers import VARIANT, Journal, Line, stock_service, wish
from tests.faults.redis_under_test import RedisUnderTest
from tests.faults.verdict import verdict
from tests.stock.ledger import POOL, open_pool

CROWD = 200  # first tries between two looks


class WebProcess:
    """One process's stock with its own flags; every buyer is a new one who tries for the first time."""

    def __init__(self, server: RedisUnderTest, journal: Journal) -> None:
        self.redis = server.client()
        self.stock = stock_service(self.redis)
        self._journal = journal

    async def try_first(self) -> bool:
        buyer = new_id("buyer")
        self._journal.note(Line(buyer, "key", "asks"))
        try:
            got = await self.stock.reserve(POOL, wish(buyer, "key"), first_try=True)
        except SoldOut:
            self._journal.note(Line(buyer, "key", "sold_out"))
            return False
        self._journal.note(Line(buyer, "key", "held", got.hold.id))
        return True

    async def crowd(self, count: int = CROWD) -> int:
        """So many one after the other; how many of them got a unit."""
        return sum([await self.try_first() for _ in range(count)])

    async def questions(self) -> int:
        """How many reserve calls Redis has seen: each looks for what is due, once."""
        stats = await self.redis.info("commandstats")
        return stats.get("cmdstat_zrangebyscore", {"calls": 0})["calls"]


async def test_without_any_news_one_probe_opens_the_gate(server: RedisUnderTest, books: Database) -> None:
    """A process that hears nothing (its bus is down) refuses until the flag lapses. The first buyer after that is the probe and
    gets a unit; nobody behind them is refused while there are any."""
    journal = Journal()
    web, seller = WebProcess(server, journal), WebProcess(server, journal)
    await open_pool(PoolStore(web.redis), units=10)
    assert await web.crowd() == 10
    for round_ in range(5):
        applied, _ = await seller.stock.restock(POOL, f"more_{round_}", VARIANT, 20)
        assert applied == 20
        await asyncio.sleep(LAPSE)
        assert [await web.try_first() for _ in range(20)] == [True] * 20
        assert await web.crowd(5) == 0
    assert await verdict(web.redis, books, journal) == []


async def test_while_it_is_sold_out_each_lapse_costs_one_probe(server: RedisUnderTest) -> None:
    """However many ask at that moment, one question goes to Redis; two, if this machine stalls for a whole lapse."""
    web = WebProcess(server, Journal())
    await open_pool(PoolStore(web.redis), units=1)
    assert await web.crowd() == 1
    for _ in range(3):
        await asyncio.sleep(LAPSE)
        before = await web.questions()
        assert await asyncio.gather(*(web.try_first() for _ in range(CROWD))) == [False] * CROWD
        assert 1 <= await web.questions() - before <= 2


async def test_with_the_news_no_probe_is_needed(server: RedisUnderTest, books: Database) -> None:
    """A restock by anybody is published by the script that did it: whoever heard that refuses nobody."""
    journal = Journal()
    web, seller = WebProcess(server, journal), WebProcess(server, journal)
    await open_pool(PoolStore(web.redis), units=3)
    assert await web.crowd() == 3
    async with connect_listener(server.url) as listener, listener.pubsub(ignore_subscribe_messages=True) as news:
        subscribe = news.ssubscribe if await web.redis.eval(IS_SHARDED, 0) else news.subscribe
        await subscribe(f"{{{POOL}}}:bus")
        await seller.stock.restock(POOL, "more", VARIANT, 7)
        _, states = await next_news(news)
    web.stock.flags.heard(POOL, [text for _key, _version, text in states])
    assert [await web.try_first() for _ in range(8)] == [True] * 7 + [False]
    assert await verdict(web.redis, books, journal) == []


async def next_news(news: PubSub) -> list[Any]:
    while True:
        message = cast("dict[str, Any] | None", await news.get_message(timeout=1))
        if message:
            return msgpack.unpackb(message["data"], raw=True)


async def test_a_restock_amid_a_stampede_reaches_buyers(server: RedisUnderTest, books: Database) -> None:
    """Crowds run against two processes while units come back one after the other, with answers of *sold out* under way all the
    time: everything is sold in the end, and never more."""
    journal = Journal()
    processes = [WebProcess(server, journal) for _ in range(2)]
    await open_pool(PoolStore(processes[0].redis), units=5)
    restocked = asyncio.Event()

    async def stampede(web: WebProcess) -> None:
        while not restocked.is_set() or (await web.stock.units(POOL, [VARIANT]))[VARIANT].available:
            await asyncio.gather(*(web.try_first() for _ in range(50)))

    async def restock() -> None:
        for number in range(50):
            await processes[0].stock.restock(POOL, f"more_{number}", VARIANT, 1)
        restocked.set()

    await asyncio.gather(*(stampede(web) for web in processes), restock())
    units = (await processes[0].stock.units(POOL, [VARIANT]))[VARIANT]
    assert (units.available, units.held, len(journal.holds())) == (0, 55, 55)
    assert await verdict(processes[0].redis, books, journal) == []
