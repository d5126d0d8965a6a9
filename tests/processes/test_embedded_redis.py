"""The embedded Redis is private to its user, durable, and finds a short path for its socket."""

import os
import stat
from pathlib import Path

import pytest
from redis.asyncio import Redis

from streamserver.cli.errors import CannotStartError
from streamserver.cli.redis_server import LONGEST_SOCKET_PATH, embedded, located, running
from streamserver.config import Config, ServerConfig


def config_in(folder: Path) -> Config:
    return Config(server=ServerConfig(data=folder))


async def test_an_answer_means_that_the_change_is_on_disk(redis: Redis) -> None:
    """Every write is appended to the file and synced before Redis answers."""
    settings = await redis.config_get("append*")
    assert (settings["appendonly"], settings["appendfsync"]) == ("yes", "always")


async def test_it_refuses_writes_rather_than_forgetting_keys_when_memory_is_full(redis: Redis) -> None:
    """No key is ever evicted: a hold that was acknowledged stays."""
    assert await redis.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


async def test_nobody_else_on_the_machine_can_reach_it(tmp_path: Path) -> None:
    """It listens on no port, and its socket stands in a folder that only its user may enter."""
    server = embedded(config_in(tmp_path))
    async with running(server) as url, Redis.from_url(url) as client:
        assert (await client.config_get("port"))["port"] == "0"
        assert stat.S_IMODE(server.socket.parent.stat().st_mode) == 0o700


async def test_its_data_outlives_it(tmp_path: Path) -> None:
    """What was written before a stop is there after the next start."""
    server = embedded(config_in(tmp_path))
    async with running(server) as url, Redis.from_url(url) as client:
        await client.set("kept", "yes")
    async with running(server) as url, Redis.from_url(url) as client:
        assert await client.get("kept") == b"yes"


async def test_a_deep_data_folder_gets_a_short_socket_path(tmp_path: Path) -> None:
    """A socket path has about a hundred bytes; a deeper data folder's socket stands elsewhere, always in the same place."""
    config = config_in(tmp_path / ("deep" * 30))
    server = embedded(config)
    assert len(os.fsencode(server.socket)) <= LONGEST_SOCKET_PATH
    assert located(config).stock_redis_url == server.url == embedded(config).url
    async with running(server) as url, Redis.from_url(url) as client:
        assert await client.ping()
    server.socket.parent.rmdir()


def test_a_folder_that_another_user_could_swap_is_refused(tmp_path: Path) -> None:
    """A symbolic link in the place of the private folder is somebody's trick."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "redis").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CannotStartError, match="belongs to someone else"):
        embedded(config_in(tmp_path)).prepare()
