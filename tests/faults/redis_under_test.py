"""A real Redis of a test's own: killed, started again on its files, or copied as a power cut would leave it."""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Self

import psutil
from redis.asyncio import Redis
from redis.exceptions import RedisError

from streamserver.cli import bound
from streamserver.cli.redis_server import find_binary
from streamserver.kit.redis import connect

OPTIONS = {
    "port": "0",
    "dir": ".",
    "appendonly": "yes",
    "appendfsync": "always",
    "save": "",
    "maxmemory-policy": "noeviction",
    "auto-aof-rewrite-percentage": "0",  # one file from beginning to end, so that a copy can be cut anywhere
}


def version(binary: Path) -> str:
    """Its name and number, e.g. `redis-6.2.14`."""
    words = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True).stdout.split()
    return f"{words[0].lower()}-{next(word for word in words if word.startswith('v='))[2:]}"


def binaries() -> dict[str, Path]:
    """Every kind of server that this machine has, by version: the wheel's, and those on PATH."""
    found = {version(find_binary()): find_binary()}
    for folder in os.get_exec_path():
        for name in ("redis-server", "valkey-server"):
            if path := shutil.which(name, path=folder):
                found.setdefault(version(Path(path)), Path(path))
    return found


class RedisUnderTest:
    """One server on a unix socket in a temporary folder. It ends with this process."""

    def __init__(self, binary: Path, **options: str | int) -> None:
        """`options` are redis.conf's, with `_` for `-`."""
        self.binary = binary
        self._temporary = tempfile.TemporaryDirectory(prefix="fault-")  # short: a socket's path has about 100 bytes
        self.folder = Path(self._temporary.name)
        self.environment = dict(os.environ)
        self.options = OPTIONS | {name.replace("_", "-"): str(value) for name, value in options.items()}
        self._process: asyncio.subprocess.Process | None = None
        self._clients: list[Redis] = []
        self._copies: list[RedisUnderTest] = []

    @property
    def url(self) -> str:
        return f"unix://{self.folder / 'socket'}"

    @property
    def log(self) -> str:
        return (self.folder / "redis.log").read_text()

    @property
    def process(self) -> psutil.Process:
        assert self._process
        return psutil.Process(self._process.pid)

    @property
    def aof(self) -> Path:
        """The file that grows: one in its own folder since Redis 7."""
        return next((self.folder / "appendonlydir").glob("*.incr.aof"), self.folder / "appendonly.aof")

    def client(self) -> Redis:
        """One as the server's own processes use; closed with this server."""
        self._clients.append(connect(self.url))
        return self._clients[-1]

    async def start(self) -> Self:
        """Start, or start again on the same files; return once it answers."""
        socket = self.folder / "socket"
        socket.unlink(missing_ok=True)
        options = self.options | {"unixsocket": str(socket), "logfile": "redis.log"}
        arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
        command = [sys.executable, "-I", "-S", bound.__file__, str(os.getpid()), str(self.binary), *arguments]
        self._process = await asyncio.create_subprocess_exec(*command, cwd=self.folder, env=self.environment)
        async with Redis.from_url(self.url) as client:
            while self._process.returncode is None:
                with contextlib.suppress(RedisError, OSError):
                    await client.ping()
                    return self
                await asyncio.sleep(0.01)
        raise AssertionError(self.log)

    async def kill(self) -> None:
        """End it at once, as the kernel would."""
        self.process.kill()
        await self.ended()

    async def ended(self) -> int:
        """Its exit code, once it has ended."""
        assert self._process
        return await self._process.wait()

    def freeze(self) -> None:
        """Stop it where it stands, all threads; it does nothing more until `thaw`."""
        self.process.send_signal(signal.SIGSTOP)
        while self.process.status() != psutil.STATUS_STOPPED:
            pass

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def copy(self, length: int) -> "RedisUnderTest":
        """Another server on a copy of its files, the growing one cut to so many bytes; closed with this server."""
        other = RedisUnderTest(self.binary)
        self._copies.append(other)
        other.options = self.options
        for part in self.folder.glob("appendonly*"):
            copy = shutil.copytree if part.is_dir() else shutil.copy
            copy(part, other.folder / part.name)
        os.truncate(other.aof, length)
        return other

    async def close(self) -> None:
        for copy in self._copies:
            await copy.close()
        for client in self._clients:
            await client.aclose()
        if self._process and self._process.returncode is None:
            await self.kill()
        self._temporary.cleanup()
