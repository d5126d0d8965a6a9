"""The batcher: many callers, few calls, and an answer for everyone whatever happens on the way."""

import asyncio
from collections.abc import AsyncGenerator

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from streamserver.config import Config, StockConfig
from streamserver.kit.errors import OneMoment
from streamserver.kit.redis import connect
from streamserver.messages.stock import Source
from streamserver.stock.bags import Bags
from streamserver.stock.batcher import Batcher
from streamserver.stock.errors import PoolLost
from streamserver.stock.model import ReserveRequest, Terms
from streamserver.stock.packing import Answer
from streamserver.stock.store import PoolStore
from tests.stock.cutter import Cutter

POOL, VARIANT = "room:one", "var_a"


def wish(number: int, key: str = "only-key") -> ReserveRequest:
    return ReserveRequest(key, f"buyer_{number}", VARIANT, 1, f"hold_{number:06}", f"buyer_{number}")


async def stock_up(redis: Redis, units: int, pool: str = POOL) -> PoolStore:
    store = PoolStore(redis)
    await store.set_terms(pool, [Terms(VARIANT, 1900, "EUR", 5, Source(kind="room"))])
    await store.run("life", pool, "open", 0, 1)
    await store.run("restock", pool, "start", VARIANT, units)
    return store


async def held(store: PoolStore, pool: str = POOL) -> int:
    return (await store.units(pool, [VARIANT]))[VARIANT].held


@pytest.fixture
async def batcher(redis: Redis) -> AsyncGenerator[Batcher]:
    batcher = Batcher(PoolStore(redis), Bags(redis), StockConfig())
    yield batcher
    await batcher.close()


async def test_callers_of_a_moment_share_a_call(redis: Redis, batcher: Batcher) -> None:
    """A thousand buyers on a hundred units: a hundred holds, each answer the buyer's own, a handful of script calls."""
    store = await stock_up(redis, 100)
    await redis.config_resetstat()
    answers = await asyncio.gather(*(batcher.reserve(POOL, wish(n)) for n in range(1000)))
    calls = (await redis.info("commandstats"))["cmdstat_zrangebyscore"]["calls"]  # one a reserve
    assert [a.hold for a in answers if a.verdict == "held"] == [f"hold_{n:06}" for n in range(100)]
    assert {a.verdict for a in answers[100:]} == {"sold_out"}
    assert await held(store) == 100
    assert calls <= 4


async def test_a_lone_caller_waits_for_nobody(redis: Redis, batcher: Batcher) -> None:
    """One request is one call."""
    await stock_up(redis, 1)
    assert (await batcher.reserve(POOL, wish(1))).verdict == "held"


async def test_pools_share_a_write(redis: Redis, batcher: Batcher) -> None:
    """Requests for many pools travel together in a call or two, and each gets the answer of its pool: also those that Redis does
    not have."""
    pools = [f"room:{number}" for number in range(40)]
    for pool in pools[:20]:
        await stock_up(redis, 1, pool)
    await redis.config_resetstat()
    wishes = (batcher.reserve(pool, wish(n)) for n, pool in enumerate(pools))
    answers = await asyncio.gather(*wishes, return_exceptions=True)
    assert [answer.verdict for answer in answers if isinstance(answer, Answer)] == ["held"] * 20
    assert [type(answer) for answer in answers[20:]] == [PoolLost] * 20
    assert (await redis.info("commandstats"))["cmdstat_time"]["calls"] == 2  # one a script call


async def test_a_caller_who_left_disturbs_nobody(redis: Redis, batcher: Batcher) -> None:
    """Cancelled callers: the others get their own answers, and the units of the cancelled are found by their keys."""
    store = await stock_up(redis, 10)
    callers = [asyncio.create_task(batcher.reserve(POOL, wish(n))) for n in range(10)]
    await asyncio.sleep(0)
    for caller in callers[::2]:
        caller.cancel()
    answers = await asyncio.gather(*callers, return_exceptions=True)
    assert [a.hold for a in answers if isinstance(a, Answer)] == [f"hold_{n:06}" for n in range(1, 10, 2)]
    again = [await batcher.reserve(POOL, wish(n)) for n in range(0, 10, 2)]
    assert {a.verdict for a in again} == {"replayed"}
    assert await held(store) == 10


@pytest.mark.parametrize("steps", range(8))
async def test_a_flight_that_dies_leaves_nobody_waiting(redis: Redis, steps: int) -> None:
    """Killed at each of its awaits: every caller has an answer or is told *one moment*, and a retry tells the truth."""
    store = await stock_up(redis, 300)
    batcher = Batcher(PoolStore(redis), Bags(redis), StockConfig())
    callers = [asyncio.create_task(batcher.reserve(POOL, wish(n))) for n in range(300)]
    for _ in range(steps):
        await asyncio.sleep(0)
    await batcher.close()
    async with asyncio.timeout(5):
        answers = await asyncio.gather(*callers, return_exceptions=True)
    assert all(isinstance(answer, Answer | OneMoment) for answer in answers)
    again = await asyncio.gather(*(batcher.reserve(POOL, wish(n)) for n in range(300)))
    assert len({answer.hold for answer in again}) == 300
    assert await held(store) == 300
    await batcher.close()


async def test_a_lost_reply_decrements_once(redis: Redis, redis_url: str) -> None:
    """The connection breaks after Redis did the work: the same batch goes again with the same keys, and is recognised."""
    store = await stock_up(redis, 100)
    async with Cutter(redis_url) as cutter:
        client = connect(cutter.url)
        batcher = Batcher(PoolStore(client), Bags(redis), StockConfig())
        await batcher.reserve(POOL, wish(0))
        cutter.cut_next_reply()
        answers = await asyncio.gather(*(batcher.reserve(POOL, wish(n)) for n in range(1, 51)))
        assert {answer.verdict for answer in answers} == {"replayed"}
        await batcher.close()
        await client.aclose()
    assert cutter.cuts == 1
    assert await held(store) == 51


async def test_without_keys_the_same_loss_would_sell_twice(redis: Redis, redis_url: str) -> None:
    """The counter-proof: retried under a new key each time, one wish takes two units."""
    store = await stock_up(redis, 100)
    async with Cutter(redis_url) as cutter:
        client = connect(cutter.url)
        through = PoolStore(client)
        await through.reserve([(POOL, [wish(0)])], 60_000, 0, 100)
        cutter.cut_next_reply()
        with pytest.raises(RedisConnectionError):
            await through.reserve([(POOL, [wish(1, "first-key")])], 60_000, 0, 100)
        await through.reserve([(POOL, [wish(1, "other-key")._replace(hold="hold_again")])], 60_000, 0, 100)
        await client.aclose()
    assert await held(store) == 3


async def test_forgotten_scripts_are_sent_again(redis: Redis, batcher: Batcher) -> None:
    """SCRIPT FLUSH in the middle of a burst: nobody notices."""
    store = await stock_up(redis, 600)

    async def flush() -> None:
        for _ in range(5):
            await redis.script_flush()

    answers, _ = await asyncio.gather(asyncio.gather(*(batcher.reserve(POOL, wish(n)) for n in range(600))), flush())
    assert {answer.verdict for answer in answers} == {"held"}
    assert await held(store) == 600


async def test_a_broken_pool_holds_nobody_up(redis: Redis, batcher: Batcher) -> None:
    """One pool's script fails: its callers are told *one moment*, the others have their units."""
    await stock_up(redis, 10)
    await redis.set("{room:broken}:pool", "not a hash")
    broken, sound = await asyncio.gather(
        batcher.reserve("room:broken", wish(1)), batcher.reserve(POOL, wish(2)), return_exceptions=True
    )
    assert isinstance(broken, OneMoment)
    assert isinstance(sound, Answer)
    assert sound.verdict == "held"


async def test_no_redis_is_said_so(config: Config) -> None:
    """Redis is not there: after a few tries everybody is told *one moment*."""
    client = connect(f"unix://{config.server.data / 'nobody.sock'}")
    batcher = Batcher(PoolStore(client), Bags(client), StockConfig())
    with pytest.raises(OneMoment):
        await batcher.reserve(POOL, wish(1))
    await batcher.close()
    await client.aclose()
