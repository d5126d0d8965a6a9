"""Every operation of a pool in any order, with repeats, with Redis killed and with its ledger archived in between."""

import asyncio
from collections.abc import Coroutine
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from streamserver.kit.sql import Database, Table
from streamserver.stock.archive import LedgerArchive
from streamserver.stock.store import PoolStore
from tests.faults.redis_under_test import RedisUnderTest
from tests.faults.verdict import audit
from tests.stock import test_scripts as words
from tests.stock.test_scripts import Pair

T = TypeVar("T")
KILLS = 2  # in one run: each costs a start of Redis


class Shop:
    """A real Redis and a database, on an event loop of their own: a state machine's rules are not coroutines."""

    def __init__(self, binary: Path, folder: Path) -> None:
        self.loop = asyncio.new_event_loop()
        self.server = RedisUnderTest(binary)
        self.books = Database(f"sqlite+aiosqlite:///{folder / 'books.db'}")
        self.wait(self.server.start())

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    async def empty_books(self) -> None:
        async with self.books.engine.begin() as connection:
            await connection.run_sync(Table.metadata.create_all)
        async with self.books.write() as session:
            for table in reversed(Table.metadata.sorted_tables):
                await session.execute(table.delete())

    def close(self) -> None:
        self.wait(self.books.close())
        self.wait(self.server.close())
        self.loop.close()


class PoolMachine(RuleBasedStateMachine):
    """Drives `Pair`: the scripts and the plain model of them. Each rule is one call, answered by both.

    A new operation needs one rule here: its arguments, and the name of its method of `Pair`."""

    shop: Shop
    pair: Pair | None = None
    kills = 0

    @initialize(pool=words.pools, units=st.integers(0, 9))
    def open(self, pool: str, units: int) -> None:
        self.pair = Pair(self.shop.server.client(), pool)
        self.shop.wait(self.pair.set_up())
        self.shop.wait(self.shop.empty_books())
        self.both("restock", "start", "var_a", units)

    @property
    def playing(self) -> Pair:
        assert self.pair
        return self.pair

    def both(self, name: str, *arguments: Any) -> None:
        real, expected = self.shop.wait(getattr(self.playing, name)(*arguments))
        assert real == expected, name
        self.shop.wait(self.playing.check())

    @rule(lasting=st.booleans(), wanted=st.lists(words.asked, min_size=1, max_size=4))
    def reserve(self, lasting: bool, wanted: list[Any]) -> None:
        self.both("reserve", lasting, wanted)

    @rule(hold=words.holds)
    def release(self, hold: str) -> None:
        self.both("release", hold)

    @rule(payment=words.payments, attempt=words.attempts, holds=words.some_holds)
    def confirm(self, payment: str, attempt: int, holds: list[str]) -> None:
        self.both("confirm", payment, attempt, holds)

    @rule(
        operation=words.operations,
        hold=words.holds,
        payment=words.payments,
        attempt=st.none() | words.attempts,
    )
    def give_back(self, operation: str, hold: str, payment: str, attempt: int | None) -> None:
        self.both("give_back", operation, hold, payment, attempt)

    @rule(operation=words.operations, variant=words.variants, delta=st.integers(-6, 9))
    def restock(self, operation: str, variant: str, delta: int) -> None:
        self.both("restock", operation, variant, delta)

    @rule(transfer=words.operations, variant=words.variants, quantity=words.quantities)
    def move(self, transfer: str, variant: str, quantity: int) -> None:
        self.both("move", transfer, variant, quantity)

    @rule(transfer=words.operations, variant=words.variants, quantity=words.quantities)
    def receive(self, transfer: str, variant: str, quantity: int) -> None:
        self.both("receive", transfer, variant, quantity)

    @rule(buyer=words.buyers, device=words.buyers, variant=words.variants, stays=st.booleans(), lasting=st.booleans())
    def wait(self, buyer: str, device: str, variant: str, stays: bool, lasting: bool) -> None:
        self.both("wait", buyer, device, variant, stays, lasting)

    @rule(buyer=words.buyers, variant=words.variants)
    def leave(self, buyer: str, variant: str) -> None:
        self.both("leave", buyer, variant)

    @rule(
        lasting=st.booleans(), key=words.keys, buyer=words.buyers, device=words.buyers, variant=words.variants,
        quantity=words.quantities,
    )  # fmt: skip
    def retake(self, lasting: bool, key: str, buyer: str, device: str, variant: str, quantity: int) -> None:
        self.both("retake", lasting, key, buyer, device, variant, quantity)

    @rule()
    def expire(self) -> None:
        self.both("expire")

    @rule()
    def close(self) -> None:
        self.both("close")

    @precondition(lambda self: self.kills < KILLS)
    @rule()
    def kill_redis(self) -> None:
        """What was answered is on disk: the model goes on as if nothing had been."""
        self.kills += 1
        self.shop.wait(self.shop.server.kill())
        self.shop.wait(self.shop.server.start())
        self.playing.store = PoolStore(self.shop.server.client())
        self.shop.wait(self.playing.check())

    @rule()
    def archive(self) -> None:
        self.shop.wait(LedgerArchive(self.shop.books, self.playing.store.redis).move(self.playing.pool))

    def teardown(self) -> None:
        """Balance, ledger, chains and holds agree. Transfers arrive here from a pool that is not played, so nobody sent them."""
        if self.pair:
            found = self.shop.wait(audit(self.pair.store.redis, self.shop.books))
            assert [finding for finding in found if "was never sent by" not in finding] == []


def test_whatever_is_asked_in_whatever_order(binary: Path, tmp_path: Path) -> None:
    """Redis, killed now and then, answers as the model does; at the end the audit finds nothing."""
    with closing(Shop(binary, tmp_path)) as shop:
        run_state_machine_as_test(
            type("PoolMachineHere", (PoolMachine,), {"shop": shop}),
            settings=settings(
                max_examples=25, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
            ),
        )
