"""Somebody who listens to the bus and remembers everything."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import orjson

from streamserver.realtime.bus import Bus

WAIT = 10


class Ear:
    """Implements `bus.Listener`: what was heard, told and missed, in order."""

    def __init__(self) -> None:
        self.words: list[list[Any]] = []
        self.told_words: list[list[Any]] = []
        self.missing: list[str] = []
        self._news = asyncio.Event()

    @property
    def viewers(self) -> list[int]:
        """The numbers of viewers that were said, one after the other."""
        texts = [state[2] for _room, kind, *said in self.words if kind == b"states" for state in said[0]]
        return [state["value"]["viewers"] for state in map(orjson.loads, texts) if state["key"] == "viewers"]

    def heard(self, room: str, envelope: list[Any]) -> None:
        self.words.append([room, *envelope])
        self._news.set()

    def missed(self, room: str) -> None:
        self.missing.append(room)
        self._news.set()

    def told(self, words: list[Any]) -> None:
        self.told_words.append(words)
        self._news.set()

    def missed_control(self) -> None:
        self._news.set()

    async def until(self, true: Callable[[], Any], seconds: float = WAIT) -> None:
        """Wait until `true()`; look again after everything that arrives."""
        async with asyncio.timeout(seconds):
            while not true():
                self._news.clear()
                await self._news.wait()


@asynccontextmanager
async def listening(url: str, *rooms: str) -> AsyncGenerator[Ear]:
    """An ear on a bus of its own that follows these rooms."""
    ear, bus = Ear(), Bus([url])
    await bus.start(ear)
    try:
        for room in rooms:
            await bus.follow(room)
        yield ear
    finally:
        await bus.close()


async def eventually(true: Callable[[], Awaitable[Any]], seconds: float = WAIT) -> None:
    """Ask again and again until the answer is yes."""
    async with asyncio.timeout(seconds):
        while not await true():  # noqa: ASYNC110 - nobody tells: the answer is in another process
            await asyncio.sleep(0.05)
