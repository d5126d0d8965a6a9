"""Holds in batches: all callers of a moment share one write to Redis and one fsync, and each gets an answer of its own.

Measured on two cores with `appendfsync always`: one call each 8.3 k holds/s, batched 52 k (`make bench-stock`). A batch of
one leaves at once, so a quiet shop waits for nobody.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from streamserver.config import StockConfig
from streamserver.kit.errors import OneMoment
from streamserver.kit.log import log
from streamserver.kit.tasks import Tasks
from streamserver.stock.bags import Bags
from streamserver.stock.model import Pool, ReserveRequest
from streamserver.stock.packing import Answer
from streamserver.stock.store import PoolStore

BATCH = 256  # requests of one pool in one script call: more would hold Redis up for everybody else
POOLS = 256  # pools whose calls share one pipeline
FLIGHTS = 2  # the second is on its way while Redis syncs the first
TRIES = 4
PAUSE = 0.05  # seconds before a flight whose answer was lost is sent again; doubled each time


@dataclass(slots=True)
class Waiting:
    request: ReserveRequest
    answer: asyncio.Future[Answer]


@dataclass(slots=True)
class Batch:
    """Requests of one pool that travel together."""

    pool: Pool
    waiting: list[Waiting]


class Batcher:
    """Belongs to one process. A flight is one pipeline with at most one batch of each pool; two are under way at most, so two
    batches of a pool are."""

    def __init__(self, store: PoolStore, bags: Bags, config: StockConfig) -> None:
        self._store = store
        self._bags = bags
        self._terms = (config.hold_seconds * 1000, config.grace_seconds * 1000, config.expire_batch)
        self._queues: defaultdict[Pool, deque[Waiting]] = defaultdict(deque)
        self._queued = 0
        self._flights = 0
        self._tasks = Tasks()

    async def reserve(self, pool: Pool, request: ReserveRequest) -> Answer:
        """One answer of reserve.lua. A caller that is cancelled leaves its request on board: the key brings the answer
        later. Raises OneMoment when Redis gave none."""
        waiting = Waiting(request, asyncio.get_running_loop().create_future())
        self._queues[pool].append(waiting)
        self._queued += 1
        if self._flights == 0 or (self._flights < FLIGHTS and self._queued >= BATCH):
            self._take_off()
        return await waiting.answer

    async def close(self) -> None:
        """Stop; whoever still waits is told *one moment*."""
        await self._tasks.close()

    async def _fly(self) -> None:
        """Take what waits, again and again, until nothing does."""
        batches: list[Batch] = []
        try:
            await asyncio.sleep(0)  # one turn of the loop: the other callers of this moment come on board
            while batches := self._board():
                await self._deliver(batches)
        finally:
            _give_up(batches)

    def _take_off(self) -> None:
        self._flights += 1
        self._tasks.start(self._fly(), "holds").add_done_callback(self._landed)

    def _landed(self, flight: asyncio.Task[None]) -> None:
        """Whatever ended a flight, even before it left: nobody waits for one that is not coming."""
        self._flights -= 1
        if self._flights or not self._queues:
            return
        if flight.cancelled() or flight.exception():
            _give_up(Batch(pool, list(queue)) for pool, queue in self._queues.items())
            self._queues.clear()
            self._queued = 0
        else:
            self._take_off()  # somebody came while the last one was landing

    def _board(self) -> list[Batch]:
        """At most one full batch of each of the first pools in line; what is left goes to the end of the line."""
        batches: list[Batch] = []
        for pool in list(self._queues)[:POOLS]:
            queue = self._queues.pop(pool)
            batch = Batch(pool, [queue.popleft() for _ in range(min(BATCH, len(queue)))])
            batches.append(batch)
            self._queued -= len(batch.waiting)
            if queue:
                self._queues[pool] = queue
        return batches

    async def _deliver(self, batches: Sequence[Batch]) -> None:
        """Send until there is an answer. A repeat carries the same keys, so what was granted before is told, not granted
        again."""
        for attempt in range(TRIES):
            try:
                answered = await self._ask(batches)
            except (RedisConnectionError, RedisTimeoutError) as error:
                log.warning("holds without an answer", attempt=attempt + 1, pools=len(batches), error=repr(error))
                await asyncio.sleep(PAUSE * 2**attempt)
            else:
                self._tasks.start(self._tell(answered), "bags").add_done_callback(lambda _: _give_up(batches))
                return
        _give_up(batches)

    async def _ask(self, batches: Sequence[Batch]) -> list[tuple[Waiting, Answer]]:
        """One round trip for all batches. A pool whose script failed is told *one moment*, and the others are not held up."""
        calls = [(batch.pool, [one.request for one in batch.waiting]) for batch in batches]
        results = await self._store.reserve(calls, *self._terms)
        answered: list[tuple[Waiting, Answer]] = []
        for batch, result in zip(batches, results, strict=True):
            if isinstance(result, OneMoment):
                _give_up([batch], type(result))
            elif isinstance(result, RedisError):
                log.error("holds failed", pool=batch.pool, error=str(result))
                _give_up([batch])
            else:
                answered += zip(batch.waiting, result, strict=True)
        return answered

    async def _tell(self, answered: Sequence[tuple[Waiting, Answer]]) -> None:
        """Note the holds in the buyers' bags, then answer. The flight meanwhile takes the next batch: 23.6 k → 25.5 k
        holds/s. When it fails the buyers are told *one moment*, and their keys bring the answer later."""
        try:
            await self._bags.add(
                (one.request.buyer, answer.hold, answer.pool) for one, answer in answered if answer.is_hold
            )
        except RedisError as error:
            log.warning("bags not written", holds=len(answered), error=repr(error))
            return
        for one, answer in answered:
            if not one.answer.done():
                one.answer.set_result(answer)


def _give_up(batches: Iterable[Batch], reason: type[OneMoment] = OneMoment) -> None:
    for batch in batches:
        for one in batch.waiting:
            if not one.answer.done():
                one.answer.set_exception(reason())
