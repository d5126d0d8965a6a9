"""Four callers at once, connections that break: what they saw is what one caller after the other could have seen."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from functools import partial
from itertools import count
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from streamserver.kit.redis import connect
from streamserver.stock.model import ReserveRequest
from streamserver.stock.packing import read_hold
from streamserver.stock.store import PoolStore
from tests.faults.buyers import VARIANT
from tests.faults.conftest import StartRedis
from tests.faults.linear import Call, Counter, Operation, is_linearisable
from tests.stock.cutter import Cutter
from tests.stock.ledger import HOUR, open_pool

HISTORIES, CLIENTS, CALLS = 200, 4, 3
UNITS = 2
START = Counter(available=UNITS)

Serve = Callable[[Call], Awaitable[Any]]


class Recorder:
    """Clients with one clock between them, which counts beginnings and answers."""

    def __init__(self, serve: Serve) -> None:
        self._serve = serve
        self._ticks = count()
        self._names = count()
        self.names: list[str] = []
        self.history: list[Operation] = []

    def something(self) -> Call:
        """Anything that one could ask now; mostly about holds that somebody has asked for, also in vain."""
        if len(self.names) < 2 or random.random() < 0.35:
            self.names.append(f"hold_{next(self._names)}")
            return Call("reserve", self.names[-1])
        if random.random() < 0.2:
            return Call("restock", f"op_{random.randrange(3)}", random.choice([1, -1]))
        return Call(random.choice(["reserve", "confirm", "release"]), random.choice(self.names))

    async def client(self, calls: int) -> None:
        for _ in range(calls):
            call, began = self.something(), next(self._ticks)
            try:
                answer = await self._serve(call)
            except RedisConnectionError:
                self.history.append(Operation(call, began))
            else:
                self.history.append(Operation(call, began, next(self._ticks), answer))

    async def record(self) -> list[Operation]:
        await asyncio.gather(*(self.client(CALLS) for _ in range(CLIENTS)))
        return self.history


class Shoppers(Recorder):
    """They only ever want one more."""

    def something(self) -> Call:
        return Call("reserve", f"hold_{next(self._names)}")


class PoolOfScripts:
    """The real thing, asked directly: a lost answer stays lost."""

    def __init__(self, store: PoolStore, pool: str) -> None:
        self._store = store
        self._pool = pool

    async def serve(self, call: Call) -> Any:
        store, pool, name = self._store, self._pool, call.name
        if call.kind == "reserve":
            [answers] = await store.reserve(
                [(pool, [ReserveRequest("key", name, VARIANT, 1, name, name)])], HOUR, 0, 10
            )
            assert isinstance(answers, list), answers
            return answers[0].verdict, answers[0].left
        if call.kind == "confirm":
            return (await store.run("confirm", pool, f"pay_{name}", 1, name))[0].decode()
        if call.kind == "release":
            packed = await store.run("release", pool, name)
            return read_hold(name, pool, packed).status if packed else ""
        return tuple(await store.run("restock", pool, name, VARIANT, call.quantity))


async def look_and_then_take(redis: Redis, call: Call) -> tuple[str, int]:
    """A reserve as it must not be: it reads, and then writes."""
    left = int(await redis.get("left") or 0)
    if not left:
        return "sold_out", 0
    await redis.set("left", left - 1)
    return "held", left - 1


async def test_every_history_can_be_explained(start_redis: StartRedis) -> None:
    """Hundreds of short histories on one SKU; in most of them some answer is lost on the way, and may have done its work."""
    server = await start_redis(appendfsync="no")
    setting_up, maybes = PoolStore(server.client()), 0
    async with Cutter(server.url) as cutter:
        through = connect(cutter.url)
        for number in range(HISTORIES):
            pool = f"room:history-{number}"
            await open_pool(setting_up, pool, units=UNITS)
            recorder = Recorder(PoolOfScripts(PoolStore(through), pool).serve)
            recording = asyncio.create_task(recorder.record())
            for _ in range(random.randrange(6)):
                await asyncio.sleep(0)
            cutter.cut_next_reply()
            history = await recording
            assert is_linearisable(history, START), history
            maybes += sum(one.ended is None for one in history)
        await through.aclose()
    assert maybes > HISTORIES // 4


async def test_a_counter_that_is_read_and_then_written_is_found_out(start_redis: StartRedis) -> None:
    """The same callers on a careless counter: somebody sees what cannot be."""
    redis = (await start_redis(appendfsync="no")).client()
    explained: list[bool] = []
    for _ in range(20):
        await redis.set("left", UNITS)
        history = await Shoppers(partial(look_and_then_take, redis)).record()
        explained.append(is_linearisable(history, START))
    assert not all(explained)


def one_after_the_other(*said: tuple[Call, Any]) -> list[Operation]:
    return [Operation(call, 2 * n, 2 * n + 1, answer) for n, (call, answer) in enumerate(said)]


ANA, BO, CY = (Call("reserve", name) for name in ("ana", "bo", "cy"))


def test_a_third_of_two_units_is_rejected() -> None:
    """Whatever the order, somebody has a unit that does not exist."""
    together = [Operation(call, n, 10 + n, ("held", 1 - n % 2)) for n, call in enumerate((ANA, BO, CY))]
    assert not is_linearisable(together, START)


def test_sold_out_after_a_restock_was_answered_is_rejected() -> None:
    """An old truth, told too late."""
    restock = Call("restock", "op", 1)
    assert not is_linearisable(one_after_the_other((restock, (1, 1)), (ANA, ("sold_out", 0))), Counter())
    overlapping = [Operation(restock, 0, 3, (1, 1)), Operation(ANA, 1, 2, ("sold_out", 0))]
    assert is_linearisable(overlapping, Counter())


def test_a_sale_that_was_forgotten_is_rejected() -> None:
    """Confirmed, and then given back as if it had only been held."""
    sold, released = (Call("confirm", "ana"), "sold"), (Call("release", "ana"), "released")
    assert not is_linearisable(one_after_the_other((ANA, ("held", 1)), sold, released), START)
    assert is_linearisable(one_after_the_other((ANA, ("held", 1)), released, sold), START)


def test_a_call_without_an_answer_may_have_happened_or_not() -> None:
    """Both are fine, but only once it had begun."""
    lost = Operation(BO, 2)
    for left in (0, 1):
        assert is_linearisable([lost, Operation(ANA, 4, 5, ("held", left))], START)
    assert not is_linearisable([Operation(ANA, 0, 1, ("held", 0)), lost], START)
