"""When Redis is empty or behind: pools come back from SQL before anybody buys.

A process may use Redis's pools only over connections to a server that was verified since it started: `require_verified` looks
when a connection opens, and a connection never outlives its server, so this costs a purchase nothing. Until `Recovery.run`
has compared every pool with SQL and rebuilt those that are behind, nobody can connect, and buyers are told *one moment*.

What was archived comes back exactly. What was not is lost with Redis: acknowledged holds are taken again by their tokens,
sales and returns that the orders know are entered anew, and so are transfers that only the receiver knows.
"""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, cast

import msgpack
import orjson
from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from sqlalchemy import or_, select

from streamserver.config import StockConfig
from streamserver.kit.log import log
from streamserver.kit.sql import Database
from streamserver.stock.adoption import Sale, adopt_sales, adopt_transfers
from streamserver.stock.archive import LedgerArchive
from streamserver.stock.bags import Bags
from streamserver.stock.chain import Entry
from streamserver.stock.keys import PoolKeys, pool_keys
from streamserver.stock.model import Pool
from streamserver.stock.pseudonyms import Pseudonyms
from streamserver.stock.rebuilding import History
from streamserver.stock.store import WANTED, PoolStore
from streamserver.stock.tables import LedgerCursorRow, LedgerRow

VERIFIED = "stock_verified"  # run_id of the server whose pools were compared with SQL
PAGE = 1000  # rows
PORTION = 10_000  # values in one write


class RebuildingError(RedisConnectionError):
    """This Redis may have lost something; it is being compared with SQL."""


async def require_verified(connection: AbstractConnection) -> None:
    """What a connection to the pools begins with, in place of redis-py's own. Raises RebuildingError."""
    await connection.on_connect()
    await connection.send_command("INFO", "server")
    info = cast("bytes", await connection.read_response())
    await connection.send_command("GET", VERIFIED)
    run_id = info.partition(b"run_id:")[2].split(b"\r\n", 1)[0]
    if await connection.read_response() != run_id:
        raise RebuildingError("Redis was started anew and its pools are being compared with the ledger.")


class Terms(Protocol):
    """Whoever decides on the terms of some pools: rooms on theirs, the catalog on those of shops."""

    async def restore_terms(self, name: str) -> None:
        """Write the terms of the pool `<kind>:<name>` again."""
        ...


class SalesBook(Protocol):
    """What orders promised."""

    async def sales(self, pool: Pool) -> Sequence[Sale]:
        """Every line from this pool that was sold for good, also those whose unit went back on sale since."""
        ...


class OvertakenError(Exception):
    """Another process rebuilds this pool."""


class Recovery:
    """For `jobs`; any number of processes may run it. `redis` must not require to be verified. `terms` by kind of pool."""

    def __init__(
        self,
        database: Database,
        redis: Redis,
        bags: Bags,
        archive: LedgerArchive,
        config: StockConfig,
        terms: Mapping[str, Terms],
        orders: SalesBook,
    ) -> None:
        self._database = database
        self._redis = redis
        self._store = PoolStore(redis)
        self._config = config
        self._terms = terms
        self._orders = orders
        self._bags = bags
        self._archive = archive
        self._pseudonyms = Pseudonyms(database)

    async def run(self) -> None:
        """Verify a server that is new, and bring back pools that somebody asked for. Cheap when there is nothing to do."""
        run_id = cast("dict[str, str]", await self._redis.info("server"))["run_id"].encode()
        if await self._redis.get(VERIFIED) != run_id:
            await self._verify(run_id)
        wanted = cast("set[bytes]", await cast("Any", self._redis.smembers(WANTED)))
        for pool in sorted(name.decode() for name in wanted):
            await self._bring_back(pool)

    async def _verify(self, run_id: bytes) -> None:
        """A pool that cannot be rebuilt stays away, and does not keep the others away. Those that rested come back after
        everybody may buy again."""
        await self._archive.run()  # what pools that are whole have not told yet may matter to those that are not
        for cursor in await self._behind():
            log.warning("pool is behind SQL and is rebuilt", pool=cursor.pool, entries=cursor.n)
            await cast("Any", self._redis.sadd(WANTED, cursor.pool))
            await cast("Any", self._redis.hset(pool_keys(cursor.pool).pool, "state", "rebuilding"))
            if not cursor.resting:
                await self._bring_back(cursor.pool)
        await self._redis.set(VERIFIED, run_id)
        log.info("stock is verified")

    async def _behind(self) -> list[LedgerCursorRow]:
        """How far SQL is with each pool of which Redis has less, or something else."""
        async with self._database.read() as session:
            cursors = list(await session.scalars(select(LedgerCursorRow)))
        async with self._redis.pipeline(transaction=False) as pipe:
            for cursor in cursors:
                pipe.hmget(pool_keys(cursor.pool).pool, "state", "entries", "digest")
            found = await pipe.execute() if cursors else []
        return [
            cursor
            for cursor, (state, entries, digest) in zip(cursors, found, strict=True)
            if state in {None, b"rebuilding"}
            or int(entries or 0) < cursor.n
            or (int(entries) == cursor.n and (digest or b"").decode() != cursor.digest)
        ]

    async def _bring_back(self, pool: Pool) -> None:
        try:
            await self.rebuild(pool)
        except Exception:
            log.exception("pool could not be rebuilt", pool=pool)
        else:
            await cast("Any", self._redis.srem(WANTED, pool))

    async def rebuild(self, pool: Pool) -> None:
        """Write a pool anew from its archived ledger, and open it as it was. Raises OvertakenError, KeyError for a ledger
        that makes no sense."""
        async with self._database.write() as session:
            cursor = await session.get(LedgerCursorRow, pool, with_for_update=True)
            if cursor is None:
                return
            cursor.resting = False
        history = await self._history(pool)
        known = await cast("Any", self._redis.hget(pool_keys(pool).pool, "generation"))
        generation = max(cursor.generation, int(known or 1)) + 1
        token, archived = secrets.token_hex(8), f"{cursor.n}:{cursor.hash}"
        await self._step(pool, token, "begin", generation, cursor.n, cursor.digest, archived)
        adopted = await self._adopted(history, cursor.n)
        await self._write(history, token, generation)
        kind, _, name = pool.partition(":")
        await self._terms[kind].restore_terms(name)
        variants = sorted({one.variant for one in history.waiting.values()})
        packed = msgpack.packb(adopted), msgpack.packb(variants)
        await self._step(pool, token, "open", history.state, history.closes_at, *packed)
        await cast("Any", self._redis.sadd("pools", pool))
        await self._bags.add((hold.buyer, id_, pool) for id_, hold in history.holds.items() if hold.is_living)
        log.info("pool rebuilt", pool=pool, generation=generation, holds=len(history.holds), adopted=len(adopted))

    async def _history(self, pool: Pool) -> History:
        history = History.of(pool)
        columns = select(LedgerRow.n, LedgerRow.entry).where(LedgerRow.pool == pool)
        rows = columns.order_by(LedgerRow.generation, LedgerRow.n).execution_options(yield_per=PAGE)
        async with self._database.read() as session:
            async for n, text in await session.stream(rows):
                history.enter(n, orjson.loads(text))
        history.name(await self._pseudonyms.people(history.people))
        return history

    async def _adopted(self, history: History, n: int) -> list[Entry]:
        """Entries for what is known elsewhere and missing here, entered into `history` as well."""
        halves = [LedgerRow.entry.contains(f'"{word}":"{history.pool}"', autoescape=True) for word in ("from", "to")]
        async with self._database.read() as session:
            rows = await session.execute(select(LedgerRow.pool, LedgerRow.entry).where(or_(*halves)))
            others = [(pool, orjson.loads(text)) for pool, text in rows]
        for other in await self._store.pools() - {history.pool}:
            others += [(other, entry) for entry in await self._store.ledger(other)]
        entries = adopt_transfers(history, others)
        history.enter_all(n + 1, entries)
        sold = adopt_sales(history, await self._orders.sales(history.pool))
        history.enter_all(n + 1 + len(entries), sold)
        return [_as_in_the_stream(entry) for entry in entries + sold]

    async def _write(self, history: History, token: str, generation: int) -> None:
        seconds, _ = cast("tuple[int, int]", await cast("Any", self._redis.time()))
        config = self._config
        terms = (config.grace_seconds * 1000, config.offer_seconds * 1000, config.patience_seconds * 1000)
        for name, flat in history.keys(generation, seconds * 1000, *terms).items():
            for start in range(0, len(flat), PORTION):
                part = msgpack.packb(flat[start : start + PORTION], use_bin_type=False)  # Lua's cmsgpack knows no `bin`
                await self._step(history.pool, token, "put", PoolKeys._fields.index(name) + 1, part)

    async def _step(self, pool: Pool, token: str, step: str, *args: str | int | bytes) -> None:
        if not await self._store.run("rebuild", pool, token, step, *args):
            raise OvertakenError(f"{pool}: another process rebuilds this pool")


def _as_in_the_stream(entry: Entry) -> Entry:
    """Scripts write sources as text."""
    return entry | ({"source": orjson.dumps(entry["source"]).decode()} if "source" in entry else {})
