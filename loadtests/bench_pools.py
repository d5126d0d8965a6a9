"""Figures about pools: how long a hold takes, many pools, neighbours, a pool that is full of holds, memory."""

import asyncio
import time
from collections.abc import Sequence
from itertools import cycle
from statistics import median
from typing import Any, cast

from loadtests.engines import HOT, Engine, OneCallEach
from loadtests.measure import CALLERS, CLIENTS, ROUNDS, SECONDS, Report, Target, rate, side_by_side
from loadtests.redis_servers import memory, pool_memory
from streamserver.stock.keys import pool_keys
from streamserver.stock.store import PoolStore

FULL = "room:full"
PAYING = 500  # holds in one call
GROWING = (
    8  # rounds in which a pool of a million grows by half: a mean, since Redis doubles its tables at 2^20 on the way
)


async def latency(report: Report, engine: Engine, top: float) -> None:
    """How long a hold takes when they arrive evenly at half the top rate, from the moment it was due."""
    found: list[tuple[float, float]] = []
    for _ in range(ROUNDS):
        await engine.start_anew(HOT)
        found.append(await _evenly(engine, top / 2))
    report.figure("hold_p50_at_half_the_top_rate", median(p50 for p50, _ in found) * 1000, "ms")
    report.figure("hold_p99_at_half_the_top_rate", median(p99 for _, p99 in found) * 1000, "ms", Target("<=", 15))


async def _evenly(engine: Engine, per_second: float) -> tuple[float, float]:
    took: list[float] = []

    async def one(due: float) -> None:
        await engine.buy(HOT)
        took.append(time.perf_counter() - due)

    began = time.perf_counter()
    async with asyncio.TaskGroup() as buyers:
        for n in range(int(per_second * SECONDS)):
            due = began + n / per_second
            if (early := due - time.perf_counter()) > 0:
                await asyncio.sleep(early)
            buyers.create_task(one(due))
    took.sort()
    return took[len(took) // 2], took[len(took) * 99 // 100]


async def many_pools(report: Report, engine: Engine) -> None:
    """The same load spread over 1,000 pools, against a script call each."""
    pools = [f"room:{number}" for number in range(1000)]
    await engine.start_anew(*pools)
    async with OneCallEach.opened(engine.url) as each:
        found = await side_by_side(
            {
                "service": lambda: rate(lambda n: engine.buy(pools[n % 1000]), CALLERS),
                "each": lambda: rate(lambda n: each.buy(pools[n % 1000]), CLIENTS),
            },
            3,
        )
    report.figure("holds_over_1000_pools", found["service"], "holds/s")
    report.figure("holds_over_1000_pools_evalsha_each", found["each"], "holds/s")
    report.figure("ratio_1000_pools_to_evalsha", found["service"] / found["each"], "x", Target(">=", 1.5))


async def neighbours(report: Report, engine: Engine) -> None:
    """A hot pool alone, then amid 999 in each of which somebody buys every second."""
    quiet = [f"room:{number}" for number in range(999)]
    await engine.start_anew(HOT, *quiet)

    async def alone() -> float:
        return await rate(lambda _: engine.buy(HOT), CALLERS)

    async def amid() -> float:
        others = asyncio.create_task(_now_and_then(engine, quiet))
        try:
            return await alone()
        finally:
            others.cancel()

    found = await side_by_side({"alone": alone, "amid": amid})
    report.figure("ratio_hot_pool_amid_999_quiet", found["amid"] / found["alone"], "x", Target(">=", 0.8))


async def _now_and_then(engine: Engine, pools: Sequence[str]) -> None:
    async with asyncio.TaskGroup() as buyers:
        for pool in cycle(pools):
            buyers.create_task(engine.buy(pool))
            await asyncio.sleep(1 / len(pools))


async def filled(report: Report, engine: Engine, holds: int) -> None:
    """A pool with many holds in it against a fresh one, and the memory that a hold takes."""
    await engine.start_anew(HOT, FULL)
    before = await memory(engine.redis), await pool_memory(engine.redis, FULL)
    for start in range(0, holds, CALLERS):
        await asyncio.gather(*(engine.buy(FULL) for _ in range(min(CALLERS, holds - start))))
    after = await memory(engine.redis), await pool_memory(engine.redis, FULL)
    report.figure("redis_memory_per_hold", (after[1] - before[1]) / holds, "B", Target("<=", 600))
    report.figure("redis_memory_per_hold_with_bag_and_unarchived_ledger", (after[0] - before[0]) / holds, "B")
    number = 0

    async def fresh() -> float:
        nonlocal number
        number += 1
        await engine.stock_up(f"room:fresh{number}")
        return await rate(lambda _: engine.buy(f"room:fresh{number}"), CALLERS)

    async def full() -> float:
        return await rate(lambda _: engine.buy(FULL), CALLERS)

    rounds = [(await fresh(), await full()) for _ in range(GROWING)]
    ratio = sum(full for _, full in rounds) / sum(fresh for fresh, _ in rounds)
    report.figure(f"ratio_pool_after_{holds}_holds_to_fresh", ratio, "x", Target(">=", 0.8))


async def rested(report: Report, engine: Engine) -> None:
    """What is left of a pool's memory for each hold once all are sold, the show is over, and its ledger is in SQL."""
    holds, store = 5_000, PoolStore(engine.redis)
    await engine.start_anew(FULL, units=holds)
    before = await pool_memory(engine.redis, FULL)
    for _ in range(0, holds, PAYING):
        await asyncio.gather(*(engine.buy(FULL) for _ in range(PAYING)))
    ids = [hold.decode() for hold in cast("list[bytes]", await cast("Any", engine.redis.hkeys(pool_keys(FULL).holds)))]
    for start in range(0, holds, PAYING):
        await store.run("confirm", FULL, "pay_1", 1, *ids[start : start + PAYING])
    await store.run("life", FULL, "close", 0)
    await engine.redis.xtrim(pool_keys(FULL).ledger, maxlen=0, approximate=False)
    if not await store.rest(FULL):
        raise AssertionError("the pool has something left to do")
    left = max(0, await pool_memory(engine.redis, FULL) - before)
    report.figure("redis_memory_per_hold_once_archived", left / holds, "B", Target("<=", 0))
