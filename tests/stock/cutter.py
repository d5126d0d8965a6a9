"""A proxy in front of Redis that breaks connections: the request arrives, the reply does not."""

import asyncio
import tempfile
from pathlib import Path
from typing import Self

CHUNK = 1 << 16


class Cutter:
    """Listens on a unix socket of its own; `cut_next_reply` lets the next request through and drops its answer."""

    def __init__(self, redis_url: str) -> None:
        self._target = redis_url.removeprefix("unix://")
        self._folder = tempfile.TemporaryDirectory(prefix="cut-")
        self._path = Path(self._folder.name, "s")
        self._armed = False
        self._server: asyncio.Server | None = None
        self._pipes: set[asyncio.Task[None]] = set()
        self.cuts = 0

    @property
    def url(self) -> str:
        return f"unix://{self._path}"

    def cut_next_reply(self) -> None:
        self._armed = True

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_unix_server(self._connected, self._path)
        return self

    async def __aexit__(self, *_reason: object) -> None:
        for pipe in self._pipes:
            pipe.cancel()
        if self._server:
            self._server.close()
        self._folder.cleanup()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        redis_reader, redis_writer = await asyncio.open_unix_connection(self._target)
        for work in (self._forward(reader, redis_writer, writer), self._answer(redis_reader, writer, redis_writer)):
            task = asyncio.create_task(work)
            self._pipes.add(task)
            task.add_done_callback(self._pipes.discard)

    async def _forward(
        self, source: asyncio.StreamReader, target: asyncio.StreamWriter, back: asyncio.StreamWriter
    ) -> None:
        while data := await source.read(CHUNK):
            target.write(data)
        target.close()
        back.close()

    async def _answer(
        self, source: asyncio.StreamReader, target: asyncio.StreamWriter, back: asyncio.StreamWriter
    ) -> None:
        while data := await source.read(CHUNK):
            if self._armed:
                self._armed = False
                self.cuts += 1
                break
            target.write(data)
        target.close()
        back.close()
