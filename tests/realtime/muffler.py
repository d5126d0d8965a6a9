"""A proxy in front of Redis behind which listeners go deaf: their connections live on, and nothing comes through any more."""

import asyncio
import tempfile
from pathlib import Path
from typing import Self

CHUNK = 1 << 16
RESET = b"*1\r\n$5\r\nRESET\r\n"
PING = b"*1\r\n$4\r\nPING\r\n"


class Pipe:
    """One connection. `listens` once it has subscribed to anything; a `deaf` one loses whatever the server sends."""

    def __init__(self, server: asyncio.StreamWriter, *, deaf: bool) -> None:
        self.server = server
        self.listens = False
        self.deaf = deaf


class Muffler:
    """Listens on a unix socket of its own. While `all_deaf`, new listening connections are born deaf."""

    def __init__(self, redis_url: str) -> None:
        self._target = redis_url.removeprefix("unix://")
        self._folder = tempfile.TemporaryDirectory(prefix="muffle-")
        self._path = Path(self._folder.name, "s")
        self._server: asyncio.Server | None = None
        self._pipes: set[Pipe] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.all_deaf = False

    @property
    def url(self) -> str:
        return f"unix://{self._path}"

    @property
    def listening(self) -> set[Pipe]:
        return {pipe for pipe in self._pipes if pipe.listens}

    def muffle(self) -> None:
        """Whoever listens now hears nothing any more."""
        for pipe in self.listening:
            pipe.deaf = True

    def forget(self) -> None:
        """Make Redis itself forget what these connections had subscribed to, without a word."""
        for pipe in self.listening:
            pipe.server.write(RESET)

    def confuse(self) -> None:
        """Have whoever listens be sent the answer to a question that it never asked."""
        for pipe in self.listening:
            pipe.server.write(PING)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_unix_server(self._connected, self._path)
        return self

    async def __aexit__(self, *_reason: object) -> None:
        for task in self._tasks:
            task.cancel()
        if self._server:
            self._server.close()
        self._folder.cleanup()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        redis_reader, redis_writer = await asyncio.open_unix_connection(self._target)
        pipe = Pipe(redis_writer, deaf=self.all_deaf)
        self._pipes.add(pipe)
        for work in (self._forward(pipe, reader, writer), self._answer(pipe, redis_reader, writer)):
            task = asyncio.create_task(work)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _forward(self, pipe: Pipe, source: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        while data := await source.read(CHUNK):
            pipe.listens |= b"SUBSCRIBE" in data
            pipe.server.write(data)
        self._pipes.discard(pipe)
        pipe.server.close()
        back.close()

    async def _answer(self, pipe: Pipe, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while data := await source.read(CHUNK):
            if not (pipe.listens and pipe.deaf):
                target.write(data.replace(b"+RESET\r\n", b""))
        target.close()
