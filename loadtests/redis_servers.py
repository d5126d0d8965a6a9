"""Redis servers of a bench's own, as the supervisor starts them: every write on disk, or (a baseline) none."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from redis.asyncio import Redis

from loadtests.measure import REDIS_CORE, pin
from streamserver.cli import redis_server
from streamserver.config import Config, ServerConfig
from streamserver.stock.keys import pool_keys
from streamserver.stock.model import Pool


@asynccontextmanager
async def running(folder: Path, *, durable: bool = True) -> AsyncGenerator[str]:
    """One server on Redis's core; yields its URL. It never rewrites its log, which would be a third process on two cores."""
    server = redis_server.embedded(Config(server=ServerConfig(data=folder)))
    async with redis_server.running(server) as url, Redis.from_url(url) as client:
        pin(int((await client.info("server"))["process_id"]), REDIS_CORE)
        await client.config_set("auto-aof-rewrite-percentage", "0")
        if not durable:
            await client.config_set("appendonly", "no")
        yield url


async def calls(client: Redis, command: str) -> int:
    """How often clients have called a command so far."""
    return int((await client.info("commandstats")).get(f"cmdstat_{command}", {}).get("calls", 0))


async def memory(client: Redis) -> int:
    """Bytes that the data takes."""
    return int((await client.info("memory"))["used_memory"])


async def pool_memory(client: Redis, pool: Pool) -> int:
    """Bytes of a pool's own keys, every element counted; without the ledger, which leaves for SQL within seconds."""
    keys = [key for key in pool_keys(pool) if not key.endswith(":ledger")]
    sizes = [await client.memory_usage(key, samples=0) for key in keys]
    return sum(size or 0 for size in sizes)
