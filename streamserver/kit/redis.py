"""Redis clients by role, and the Lua loader.

redis-py's defaults hurt here and are set aside: it re-sends a command up to ten times after a lost reply (a purchase must
only be re-sent with its key, by whoever owns the key), and its five-second read time-out ends blocking reads.
"""

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError

CONNECTIONS = 32  # a waiting command beyond this queues here instead of failing
COMMAND_TIMEOUT = 10.0


def connect(url: str, greet: Callable[[AbstractConnection], Awaitable[None]] | None = None) -> Redis:
    """A client for commands and scripts: answers are bytes, nothing is retried behind the caller's back. `greet` is what each
    new connection begins with, in place of redis-py's own greeting."""
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=CONNECTIONS,
        timeout=COMMAND_TIMEOUT,
        socket_timeout=COMMAND_TIMEOUT,
        retry=Retry(NoBackoff(), 0),
        redis_connect_func=greet,
    )
    return Redis.from_pool(pool)


def connect_listener(url: str) -> Redis:
    """A client for pub/sub: reads may block for ever, so that silence is not an error."""
    return Redis.from_url(url, socket_timeout=None, retry=Retry(NoBackoff(), 0), health_check_interval=0)


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
        """Many calls in one write, each with its answer or its RedisError. Raises when the connection failed."""
        results = await self._pipeline(client, calls, whole=False)
        forgotten = [n for n, result in enumerate(results) if isinstance(result, NoScriptError)]
        if forgotten:
            again = await self._pipeline(client, [calls[n] for n in forgotten], whole=True)
            for n, result in zip(forgotten, again, strict=True):
                results[n] = result
        return results

    async def _pipeline(
        self, client: "Redis", calls: Sequence[tuple[Sequence[str], Sequence[str | int | bytes]]], *, whole: bool
    ) -> list[Any]:
        async with client.pipeline(transaction=False) as pipe:
            for keys, args in calls:
                if whole:
                    pipe.eval(self.source, len(keys), *keys, *args)
                else:
                    pipe.evalsha(self.sha, len(keys), *keys, *args)
            return await pipe.execute(raise_on_error=False)


def load_script(folder: Path, name: str, *preludes: str) -> Script:
    """Read `folder/name.lua`, with the files named by `preludes` from the same folder in front of it."""
    return Script("\n".join((folder / f"{part}.lua").read_text() for part in (*preludes, name)))
