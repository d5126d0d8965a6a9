"""Rows of `bench-fanout` about one room as people use it: a bustle, pins, and everybody leaving."""

import asyncio
import statistics
from collections.abc import Mapping

from loadtests.contenders import running
from loadtests.measure import Effort, Report, Target, doing
from loadtests.venue import Venue, asking

VIEWERS = 2_000
BUYERS = 500  # connections that the holds come on
HOLDS = 5_000  # a second
EVENTS = 500  # a second
PIN_SECONDS = 4.0  # of a round: with a pin each 40 ms, a hundred
PIN_PAUSE = 0.04
EVERYBODY = 9_000
GONE = 2.0  # seconds


async def busy_room(report: Report, venue: Venue, effort: Effort) -> None:
    """Stock and reactions: what it takes of the core, and how old things are when they arrive."""
    count = effort.sockets(VIEWERS)
    shares: list[float] = []
    ages: list[float] = []
    async with running(venue.web) as server, server.viewers(count) as viewers, doing(venue.bustle(EVENTS)):
        for number in range(effort.rounds + 1):
            before = server.processor_seconds
            found = await viewers.measure(effort.seconds)
            if number:
                shares.append(100 * (server.processor_seconds - before) / found["seconds"])
                ages.append(found["age_p99_ms"])
    report.figure(f"busy_room_processor_{count}_sockets", statistics.median(shares), "% of a core", Target("<=", 40))
    report.figure(f"busy_room_age_p99_{count}_sockets", statistics.median(ages), "ms", Target("<=", 100))


async def pins(report: Report, venue: Venue, effort: Effort) -> None:
    """From the moment a pin was decided (`at`, Redis's clock) to the last viewer."""
    count = effort.sockets(VIEWERS)
    quiet = [await _pinned(venue, count, effort, holds=0) for _ in range(effort.rounds)]
    report.figure(f"pin_to_last_viewer_p50_quiet_{count}_sockets", _median(quiet, "last_p50_ms"), "ms")
    report.figure(
        f"pin_to_last_viewer_p99_quiet_{count}_sockets", _median(quiet, "last_p99_ms"), "ms", Target("<=", 30)
    )
    during = [await _pinned(venue, count, effort, holds=HOLDS) for _ in range(effort.rounds)]
    report.figure("holds_during_pins", _median(during, "holds"), "holds/s", Target(">=", 0.98 * HOLDS))
    report.figure(f"pin_to_last_viewer_p50_busy_{count}_sockets", _median(during, "last_p50_ms"), "ms")
    report.figure(
        f"pin_to_last_viewer_p99_busy_{count}_sockets", _median(during, "last_p99_ms"), "ms", Target("<=", 50)
    )


async def leaving(report: Report, venue: Venue, effort: Effort) -> None:
    """How long the event loop is blocked while everybody leaves at once."""
    count = effort.sockets(EVERYBODY)
    blocked: list[float] = []
    for _ in range(effort.rounds):
        async with running(venue.web) as server:
            async with server.viewers(count):
                server.signal()
                await server.said()
                await asyncio.sleep(GONE)
                server.signal()
                await server.said()
            await asyncio.sleep(GONE)
            server.signal()
            blocked.append(float(await server.said()))
    report.figure(f"blocked_while_all_leave_{count}_sockets", statistics.median(blocked), "ms", Target("<=", 50))


async def _pinned(venue: Venue, count: int, effort: Effort, holds: int) -> Mapping[str, float]:
    async with running(venue.web) as server, server.viewers(count) as viewers, doing(venue.pins(PIN_PAUSE)):
        if not holds:
            return await viewers.measure(effort.lasting(PIN_SECONDS))
        async with server.viewers(effort.sockets(BUYERS), *asking(venue.holds), "-r", str(holds)) as buyers:
            lasting = effort.lasting(PIN_SECONDS)
            found, sold = await asyncio.gather(viewers.measure(lasting), buyers.measure(lasting))
    return {**found, "holds": sold["calls"] / sold["seconds"]}


def _median(rounds: list[Mapping[str, float]], name: str) -> float:
    return statistics.median(found[name] for found in rounds)
