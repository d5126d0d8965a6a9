"""Buyers who write down what they ask for and what they are told, before and after each call."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from redis.asyncio import Redis

from streamserver.config import StockConfig
from streamserver.kit.errors import OneMoment
from streamserver.kit.ids import new_id
from streamserver.stock.bags import Bags
from streamserver.stock.batcher import Batcher
from streamserver.stock.ids import HoldIds
from streamserver.stock.model import Pool, ReserveRequest
from streamserver.stock.packing import Answer, hold_of
from streamserver.stock.service import StockService
from streamserver.stock.store import PoolStore
from tests.stock.ledger import POOL

VARIANT = "var_a"
IDS = HoldIds(b"secret")
PAUSE = 0.02  # seconds before somebody who was told *one moment* asks again

Ask = Callable[[Pool, ReserveRequest], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a journal. `word` is *asks*, *one_moment* or a verdict of reserve.lua."""

    buyer: str
    key: str
    word: str
    hold: str = ""

    @property
    def is_acknowledged(self) -> bool:
        return self.word in {"held", "replayed"}


class Journal:
    """Everything that was asked and told, in order."""

    def __init__(self, lines: Iterable[Line] = ()) -> None:
        self.lines = list(lines)

    def note(self, line: Line) -> None:
        self.lines.append(line)

    def holds(self) -> dict[str, str]:
        """Hold → buyer, of all that was acknowledged."""
        return {line.hold: line.buyer for line in self.lines if line.is_acknowledged}

    def words(self) -> set[str]:
        return {line.word for line in self.lines}

    def told(self, word: str) -> int:
        """How many lines have this word."""
        return sum(line.word == word for line in self.lines)

    def undecided(self) -> set[str]:
        """Buyers whose last line is not an answer."""
        last = {line.buyer: line.word for line in self.lines}
        return {buyer for buyer, word in last.items() if word in {"asks", "one_moment"}}


class Buyers:
    """Each wants one unit, and asks until there is an answer. `fresh_keys`: under a new key each time, as nobody should."""

    def __init__(self, ask: Ask, note: Callable[[Line], None], pool: Pool = POOL, *, fresh_keys: bool = False) -> None:
        self._ask = ask
        self._note = note
        self._pool = pool
        self._fresh_keys = fresh_keys

    async def buy(self, buyer: str) -> None:
        key, word = f"key_of_{buyer}", "one_moment"
        while word == "one_moment":
            word = await self.ask_once(buyer, new_id("key") if self._fresh_keys else key)
            if word == "one_moment":
                await asyncio.sleep(PAUSE)

    async def ask_once(self, buyer: str, key: str) -> str:
        """One call; returns what was noted."""
        self._note(Line(buyer, key, "asks"))
        try:
            answer = await self._ask(self._pool, wish(buyer, key, self._pool))
        except OneMoment:
            self._note(Line(buyer, key, "one_moment"))
            return "one_moment"
        if answer.is_hold:
            owner = hold_of(answer.hold, answer.pool, answer.fields).buyer
            assert owner == buyer, f"{buyer} was given the hold of {owner}"
        self._note(Line(buyer, key, answer.verdict, answer.hold))
        return answer.verdict

    async def burst(self, numbers: Iterable[int]) -> None:
        """All at once."""
        await asyncio.gather(*(self.buy(f"buyer_{number}") for number in numbers))


def wish(buyer: str, key: str, pool: Pool = POOL) -> ReserveRequest:
    """One unit; asking again with the same key means the same hold."""
    return ReserveRequest(key, buyer, VARIANT, 1, IDS.of(pool, buyer, key), buyer)


@asynccontextmanager
async def counter(redis: Redis) -> AsyncGenerator[Batcher]:
    """One web process's way to the units."""
    batcher = Batcher(PoolStore(redis), Bags(redis), StockConfig())
    yield batcher
    await batcher.close()


def stock_service(redis: Redis) -> StockService:
    """All of stock, in a shop whose pools are in Redis and nowhere else."""

    async def is_known(_pool: Pool) -> bool:
        return False

    return StockService(redis, redis, StockConfig(), b"a secret of this test", is_known)
