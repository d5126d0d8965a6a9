"""Everything at once at the deadline: the buyer pays, the buyer leaves, time is up. Whoever comes first decides, once."""

import asyncio
import random
import time
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from streamserver.kit.sql import Database
from streamserver.messages.stock import Source
from streamserver.stock.archive import LedgerArchive
from streamserver.stock.chain import Entry
from streamserver.stock.model import Pool, Terms
from streamserver.stock.packing import hold_of, read_hold
from streamserver.stock.store import PoolStore
from tests.faults.buyers import VARIANT, wish
from tests.faults.conftest import StartRedis
from tests.faults.verdict import audit
from tests.stock.ledger import HOUR, open_pool

ROUNDS = 2_500  # on sale and withdrawn, on each kind of server: 10,000 where there are two
TOGETHER = 5  # rounds with one deadline: what they send takes Redis less than a millisecond
LANES = 4  # such groups at a time
HOLD_MS = 5  # time enough to get ready
SPREAD = 0.001  # seconds before and after the deadline

ENDS = {("hold", "sell"), ("hold", "released"), ("hold", "expired")}
RETAKES = {("released", "retake"), ("expired", "retake")}

TERMS = Terms(VARIANT, 100, "EUR", 5, Source(kind="room"), home="shop:home")

Told = dict[str, list[str]]  # hold → what its payer and its leaver were told


async def all_around(moment: float, works: Sequence[Coroutine[Any, Any, Any]]) -> None:
    """Start each of them a little before or after that moment (seconds, wall clock), in any order."""
    running: list[asyncio.Task[Any]] = []
    starts = sorted(moment + random.uniform(-SPREAD, SPREAD) for _ in works)
    await asyncio.sleep(starts[0] - time.time() - SPREAD)
    for start, work in zip(starts, random.sample(works, len(works)), strict=True):
        while time.time() < start:  # noqa: ASYNC110 - timers of the loop are too coarse
            await asyncio.sleep(0)
        running.append(asyncio.create_task(work))
    await asyncio.gather(*running)


async def race(store: PoolStore, pool: Pool, group: int, *, selling: bool, told: Told) -> None:
    """A few holds; at their deadline each is paid for, given up and timed out while rivals want the units, in no order."""
    await store.set_terms(pool, [TERMS])
    left = (await store.units(pool, [VARIANT]))[VARIANT].available
    await store.run("restock", pool, f"race_{group}", VARIANT, TOGETHER - left)
    requests = [wish(f"buyer_{group}_{number}", "key") for number in range(TOGETHER)]
    [answers] = await store.reserve([(pool, requests)], HOLD_MS, 0, 100)
    assert isinstance(answers, list), answers
    deadline = hold_of(answers[0].hold, pool, answers[0].fields).deadline / 1000
    await store.set_terms(pool, [replace(TERMS, selling=selling)])

    async def pay(hold: str) -> None:
        [verdict, *_] = await store.run("confirm", pool, f"pay_{hold}", 1, hold)
        told[hold].append(verdict.decode())

    async def rival(number: int) -> None:
        await store.reserve([(pool, [wish(f"rival_{group}_{number}", "key")])], HOUR, 0, 100)

    async def leave(hold: str) -> None:
        told[hold].append(read_hold(hold, pool, await store.run("release", pool, hold)).status)

    racers: list[Coroutine[Any, Any, Any]] = [store.run("expire", pool, count) for count in (1, 2, TOGETHER)]
    for number, answer in enumerate(answers):
        told[answer.hold] = []
        racers += [pay(answer.hold), leave(answer.hold), rival(number)]
    await all_around(deadline, racers)
    await store.run("expire", pool, TOGETHER)


def ways(entries: list[Entry]) -> dict[str, list[Entry]]:
    """What became of each hold, by its entries in the ledger."""
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        if "hold" in entry:
            found.setdefault(entry["hold"], []).append(entry)
    return found


@pytest.mark.parametrize("selling", [True, False], ids=["on sale", "withdrawn"])
async def test_thousands_of_races_at_the_deadline(start_redis: StartRedis, books: Database, selling: bool) -> None:
    """Each hold ends once, as its buyer was told. That is final where units that come back go home at once; else a payment
    may still take one that came back, unless a rival has it. Nothing expires early, by Redis's clock."""
    server = await start_redis(appendfsync="no")  # a sync after each call would take the race apart
    store, told, turns = PoolStore(server.client()), Told(), iter(range(ROUNDS // TOGETHER))
    pools = [f"room:race-{number}" for number in range(LANES)]
    for pool in pools:
        await open_pool(store, pool, units=TOGETHER)

    async def lane(number: int) -> None:
        for turn in turns:
            await race(store, pools[number], turn, selling=selling, told=told)

    await asyncio.gather(*(lane(number) for number in range(LANES)))
    found = ways([entry for pool in pools for entry in await store.ledger(pool)])
    assert len(told) == ROUNDS
    for hold in told:
        entries = found[hold]
        kinds = [entry["kind"] for entry in entries]
        assert set(pairwise(kinds)) <= (ENDS | RETAKES if selling else ENDS)
        assert ("sold" in told[hold]) == (kinds[-1] in {"sell", "retake"})
        assert {"released", "expired"} & set(told[hold]) <= set(kinds)
        assert all(entry["at"] >= entry["deadline"] for entry in entries if entry["kind"] == "expired")
    assert {found[hold][1]["kind"] for hold in told} == {"sell", "released", "expired"}
    assert not selling or {found[hold][-1]["kind"] for hold in told} == {"sell", "retake", "released", "expired"}
    await LedgerArchive(books, store.redis).run()
    assert await audit(store.redis, books) == []
