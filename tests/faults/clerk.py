"""One process of the shop, for tests that strike it.

`python -m tests.faults.clerk <job as JSON>` does one job, writes its journal to standard output, and sends itself a signal at
a chosen moment, as if the machine had picked that one.
"""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Any

import streamserver.stock.archive
import streamserver.stock.bags
import streamserver.stock.service
import streamserver.stock.store
from streamserver.cli.bound import die_with_parent
from streamserver.kit import log
from streamserver.kit.redis import connect
from streamserver.kit.sql import Database
from streamserver.stock.archive import LedgerArchive
from tests.faults.buyers import VARIANT, Buyers, Line, counter, stock_service
from tests.stock.ledger import POOL

PLACES = (streamserver.stock.archive, streamserver.stock.bags, streamserver.stock.service, streamserver.stock.store)


@dataclass(frozen=True, slots=True)
class Job:
    """`work` is *hold*, *transfer* or *archive*. `moment` says when to strike: `<Class>.<method> <before|after> <which call>`,
    e.g. `PoolStore.reserve after 2`. `clock` is how far this process's clocks are ahead, in seconds."""

    redis: str
    work: str
    moment: str = ""
    signal: int = signal.SIGKILL
    database: str = ""
    buyers: int = 0
    target: str = ""
    clock: float = 0.0
    parent: int = 0


def strike_at(moment: str, number: int) -> None:
    """Wrap the method so that the chosen call of it ends, or begins, with the signal."""
    name, when, which = moment.split()
    owner, method = name.split(".")
    [holder] = {id(found): found for place in PLACES if (found := getattr(place, owner, None))}.values()
    wrapped: Callable[..., Awaitable[Any]] = getattr(holder, method)
    calls = iter(range(1, 1_000_000))

    async def struck(*args: Any, **named: Any) -> Any:
        turn = next(calls) == int(which)
        if turn and when == "before":
            os.kill(os.getpid(), number)
        answer = await wrapped(*args, **named)
        if turn and when == "after":
            os.kill(os.getpid(), number)
        return answer

    setattr(holder, method, struck)


def shift_clocks(seconds: float) -> None:
    wall, wall_ns, monotonic = time.time, time.time_ns, time.monotonic
    time.time = lambda: wall() + seconds
    time.time_ns = lambda: wall_ns() + int(seconds * 1e9)
    time.monotonic = lambda: monotonic() + seconds


def tell(line: Line) -> None:
    """Past every buffer of this process: what was told stays told when it dies."""
    os.write(1, json.dumps(asdict(line)).encode() + b"\n")


async def hold(job: Job) -> None:
    """Serve buyers, all at once."""
    async with counter(connect(job.redis)) as batcher:
        await Buyers(batcher.reserve, tell).burst(range(job.buyers))


async def transfer(job: Job) -> None:
    """Move three units into another pool."""
    await stock_service(connect(job.redis)).transfer("transfer_1", VARIANT, 3, POOL, job.target)


async def archive(job: Job) -> None:
    """Bring the ledger into SQL, once."""
    await LedgerArchive(Database(job.database), connect(job.redis)).run()


WORK = {"hold": hold, "transfer": transfer, "archive": archive}

if __name__ == "__main__":
    job = Job(**json.loads(sys.argv[1]))
    die_with_parent(job.parent)
    log.set_up("info", as_json=False, process="clerk")  # logs go to standard error: standard output is the journal
    if job.clock:
        shift_clocks(job.clock)
    if job.moment:
        strike_at(job.moment, job.signal)
    asyncio.run(WORK[job.work](job))
