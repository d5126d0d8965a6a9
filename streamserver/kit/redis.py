"""Redis clients by role, and the Lua loader.

redis-py's defaults hurt here and are set aside: it re-sends a command up to ten times after a lost reply (a purchase must
only be re-sent with its key, by whoever owns the key), and its five-second read time-out ends blocking reads.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, cast

import hiredis
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

CONNECTIONS = 32  # a waiting command beyond this queues here instead of failing
COMMAND_TIMEOUT = 10.0
KEPT = 4  # connections for batches: two flights of holds and their bags


class Connections(BlockingConnectionPool):
    """A pool that can also send batches itself, on connections that it keeps for them. redis-py's pipeline borrows a connection
    for each batch, packs it in Python and keeps statistics: without that, a flight of one hold takes 0.2 ms of processor time
    instead of 0.4."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._kept: list[AbstractConnection] = []

    async def ask(self, commands: Iterable[Sequence[str | int | bytes]]) -> list[Any]:
        """All in one write: for each its answer or its ResponseError. Raises redis-py's ConnectionError and TimeoutError when
        there is no telling what was done. Nothing is retried."""
        packed = [_packed(command) for command in commands]
        connection = self._kept.pop() if self._kept else await self.get_connection()
        connection.socket_timeout = None  # one time-out for the batch, not a timer for each answer and a task to send
        try:
            async with asyncio.timeout(COMMAND_TIMEOUT):
                await self.ensure_connection(connection)  # the server may have closed it meanwhile
                await connection.send_packed_command(packed)
                return [await _answer(connection) for _ in packed]
        except TimeoutError as error:
            raise RedisTimeoutError("Timeout waiting for a batch") from error
        finally:  # what failed is closed by now, and opened again by whoever needs it next
            if len(self._kept) < KEPT:
                self._kept.append(connection)
            else:
                connection.socket_timeout = COMMAND_TIMEOUT
                await self.release(connection)


def connect(url: str, greet: Callable[[AbstractConnection], Awaitable[None]] | None = None) -> Redis:
    """A client for commands and scripts: answers are bytes, nothing is retried behind the caller's back. `greet` is what each
    new connection begins with, in place of redis-py's own greeting."""
    pool = Connections.from_url(
        url,
        max_connections=CONNECTIONS,
        timeout=COMMAND_TIMEOUT,
        socket_timeout=COMMAND_TIMEOUT,
        retry=Retry(NoBackoff(), 0),
        redis_connect_func=greet,
    )
    return Redis.from_pool(pool)


def connect_listener(url: str) -> Redis:
    """A client for pub/sub: reads may block for ever, so that silence is not an error. In RESP2 what is pushed is read like any
    answer."""
    return Redis.from_url(url, protocol=2, socket_timeout=None, retry=Retry(NoBackoff(), 0), health_check_interval=0)


class Script:
    """One Lua file, called by its digest and sent whole when the server has forgotten it (restart, failover, FLUSH)."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.sha = hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest()

    async def __call__(self, client: "Redis", keys: Sequence[str], args: Sequence[str | int | bytes]) -> Any:
        try:
            return await client.evalsha(self.sha, len(keys), *keys, *args)
        except NoScriptError:
            return await client.eval(self.source, len(keys), *keys, *args)

    async def many(
        self, client: "Redis", calls: Sequence[tuple[Sequence[str], Sequence[str | int | bytes]]]
    ) -> list[Any]:
        """Many calls in one write, each with its answer or its ResponseError. Raises when the connection failed."""
        pool = cast("Connections", client.connection_pool)
        results = await pool.ask(("EVALSHA", self.sha, len(keys), *keys, *args) for keys, args in calls)
        forgotten = [n for n, result in enumerate(results) if isinstance(result, NoScriptError)]
        if forgotten:
            again = [calls[n] for n in forgotten]
            answers = await pool.ask(("EVAL", self.source, len(keys), *keys, *args) for keys, args in again)
            for n, result in zip(forgotten, answers, strict=True):
                results[n] = result
        return results


def _packed(command: Sequence[str | int | bytes]) -> bytes:
    return cast("Any", hiredis).pack_command(tuple(command))  # its stub allows one word only


async def _answer(connection: AbstractConnection) -> Any:
    try:
        return await cast("Any", connection).read_response()
    except ResponseError as error:
        return error


def load_script(folder: Path, name: str, *preludes: str) -> Script:
    """Read `folder/name.lua`, with the files named by `preludes` from the same folder in front of it."""
    return Script("\n".join((folder / f"{part}.lua").read_text() for part in (*preludes, name)))
