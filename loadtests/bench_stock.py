"""`make bench-stock`: how fast stock is, each figure beside its baseline from the same run."""

import argparse
import os
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

import uvloop

from loadtests.bench_http import over_http
from loadtests.bench_pools import filled, latency, many_pools, neighbours, rested
from loadtests.engines import GONE, HOT, Engine, OneCallEach
from loadtests.measure import (
    CALLERS,
    CLIENTS,
    PYTHON_CORE,
    ROUNDS,
    SECONDS,
    Report,
    Target,
    as_in_a_web_process,
    pin,
    rate,
    side_by_side,
)
from loadtests.redis_servers import calls, running
from loadtests.row import HotRow
from streamserver.stock.errors import SoldOut
from streamserver.stock.flags import LAPSE
from tests import postgresql

BUYERS = 32  # clients of PostgreSQL


async def throughput(report: Report, engine: Engine, volatile: str) -> float:
    """Durable holds a second against a script call each, durable and not. Returns the service's."""
    async with (
        Engine.opened(volatile) as unsafe,
        OneCallEach.opened(engine.url) as always,
        OneCallEach.opened(volatile) as none,
    ):

        async def service() -> float:
            await engine.start_anew(HOT)
            return await rate(lambda _: engine.buy(HOT), CALLERS)

        async def durable() -> float:
            await engine.start_anew(HOT)
            return await rate(lambda _: always.buy(HOT), CLIENTS)

        async def in_memory() -> float:
            await unsafe.start_anew(HOT)
            return await rate(lambda _: none.buy(HOT), CLIENTS)

        found = await side_by_side({"service": service, "always": durable, "none": in_memory})
    report.figure("holds_service_always", found["service"], "holds/s")
    report.figure("holds_evalsha_each_always", found["always"], "holds/s")
    report.figure("holds_evalsha_each_no_aof", found["none"], "holds/s")
    report.figure("ratio_service_to_evalsha_always", found["service"] / found["always"], "x", Target(">=", 4))
    report.figure("ratio_service_to_evalsha_no_aof", found["service"] / found["none"], "x", Target(">=", 3))
    return found["service"]


async def against_postgresql(report: Report, engine: Engine) -> None:
    """The same service against a hot row. PostgreSQL runs without fsync and on both cores, in its favour."""
    with postgresql.running() as url:
        async with HotRow.opened(url, BUYERS) as row:

            async def service() -> float:
                await engine.start_anew(HOT)
                return await rate(lambda _: engine.buy(HOT), CALLERS)

            async def hot_row() -> float:
                return await rate(lambda _: row.buy(), BUYERS)

            found = await side_by_side({"service": service, "row": hot_row}, 3)
    report.figure("holds_postgresql_hot_row_32_clients", found["row"], "holds/s")
    report.figure("ratio_service_to_postgresql", found["service"] / found["row"], "x", Target(">=", 25))


async def refusals(report: Report, engine: Engine) -> None:
    """*Sold out* from this process's own flag: what Redis still hears is the probe, once in 200 ms."""
    await engine.start_anew(GONE, units=0)

    async def refused(_: int) -> None:
        try:
            await engine.buy(GONE, first_try=True)
        except SoldOut:
            return
        raise AssertionError("a hold of nothing")

    await refused(0)
    before = await calls(engine.redis, "evalsha")
    found = await side_by_side({"flag": lambda: rate(refused, 1)})
    probes = await calls(engine.redis, "evalsha") - before
    allowed = (ROUNDS + 1) * SECONDS / LAPSE
    report.figure("sold_out_answers", found["flag"], "answers/s", Target(">=", 250_000))
    report.figure("sold_out_redis_calls_beyond_probes", max(0.0, probes - allowed), "calls", Target("<=", 0))
    report.figure("sold_out_probes", probes / ((ROUNDS + 1) * SECONDS), "calls/s")


async def main(holds: int) -> int:
    """Print every figure; the exit code is 1 when a target was missed."""
    report = Report()
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        durable = await stack.enter_async_context(running(folder / "always"))
        volatile = await stack.enter_async_context(running(folder / "none", durable=False))
        pin(os.getpid(), PYTHON_CORE)
        as_in_a_web_process()
        engine = await stack.enter_async_context(Engine.opened(durable))
        top = await throughput(report, engine, volatile)
        await latency(report, engine, top)
        await many_pools(report, engine)
        await neighbours(report, engine)
        await refusals(report, engine)
        await against_postgresql(report, engine)
        await filled(report, engine, holds)
        await rested(report, engine)
        await engine.empty()
    await over_http(report)
    return 1 if report.missed else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--million", action="store_true", help="fill a pool with 1,000,000 holds instead of 200,000")
    sys.exit(uvloop.run(main(1_000_000 if parser.parse_args().million else 200_000)))
