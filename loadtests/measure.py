"""How the benches measure: side by side in alternating rounds (A B A B …), medians, one line a figure."""

import asyncio
import gc
import os
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from statistics import median
from typing import Any, NamedTuple

import psutil

from streamserver.app import GC_THRESHOLD

REDIS_CORE, PYTHON_CORE = 0, 1
GENERATOR_CORE, SERVER_CORE = REDIS_CORE, PYTHON_CORE
ROUNDS = 5
SECONDS = 1.5  # of one round
CALLERS = 1024  # buyers who wait for the service at one moment
CLIENTS = 64  # connections of a baseline on Redis: more make it no faster

Call = Callable[[int], Awaitable[object]]  # one operation, told its number
Round = Callable[[], Awaitable[float]]


class Effort(NamedTuple):
    """How long and with how many sockets: `share` of those that a figure is about, and of longer rounds."""

    rounds: int = ROUNDS
    seconds: float = SECONDS
    share: float = 1

    def sockets(self, count: int) -> int:
        return max(1, round(count * self.share))

    def lasting(self, seconds: float) -> float:
        """A round that needs longer than others."""
        return max(self.seconds, seconds * self.share)


class Target(NamedTuple):
    """What a figure should be: at least (`>=`) or at most (`<=`) so much."""

    sense: str
    value: float

    def holds(self, figure: float) -> bool:
        return figure >= self.value if self.sense == ">=" else figure <= self.value


def pin(process: int, core: int) -> None:
    """Keep a process and its threads on one core; on a machine with a single core nothing is pinned."""
    if core < (os.cpu_count() or 1):
        for thread in psutil.Process(process).threads():
            os.sched_setaffinity(thread.id, {core})


async def listening(port: int) -> None:
    """Return once somebody accepts connections on `port` of this machine."""
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionRefusedError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return


def as_in_a_web_process() -> None:
    """Collect garbage as rarely as the server does (app.run_web)."""
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD)


async def rate(call: Call, callers: int, seconds: float = SECONDS) -> float:
    """Operations a second with so many callers, each of which waits for its answer before it asks again."""
    done = 0
    began = time.perf_counter()
    deadline = began + seconds

    async def caller() -> None:
        nonlocal done
        while time.perf_counter() < deadline:
            done += 1
            await call(done)

    await asyncio.gather(*(caller() for _ in range(callers)))
    return done / (time.perf_counter() - began)


@asynccontextmanager
async def doing(work: Coroutine[Any, Any, None]) -> AsyncGenerator[None]:
    """Meanwhile do `work`, which has no end. Raises what it raised."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        while not task.done():  # one cancellation may be lost inside redis-py, when it meets an answer
            task.cancel()
            await asyncio.wait({task}, timeout=0.1)
    with suppress(asyncio.CancelledError):
        await task


async def side_by_side(rounds: Mapping[str, Round], count: int = ROUNDS) -> dict[str, float]:
    """The median of every competitor, after `count` rounds of each in turn. The first round warms up and is not counted."""
    figures: dict[str, list[float]] = {name: [] for name in rounds}
    for number in range(count + 1):
        for name, run in rounds.items():
            figure = await run()
            if number:
                figures[name].append(figure)
    return {name: median(found) for name, found in figures.items()}


class Report:
    """Prints `name value unit` as figures come; remembers whether any missed its target."""

    def __init__(self) -> None:
        self.missed: list[str] = []

    def figure(self, name: str, value: float, unit: str, target: Target | None = None) -> None:
        line = f"{name} {value:.0f} {unit}" if value >= 1000 else f"{name} {value:.3g} {unit}"
        if target:
            met = target.holds(value)
            line += f"  (target {target.sense} {target.value:g}: {'met' if met else 'MISSED'})"
            if not met:
                self.missed.append(name)
        print(line, flush=True)
