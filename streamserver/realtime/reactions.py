"""Hearts and applause, by thousands at a good moment: added up where they arrive, said to the other processes a few times a
second, and told to viewers as numbers. None becomes a message of its own, so nothing has to be shed."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from streamserver.kit.log import log
from streamserver.kit.outages import STORES_AWAY
from streamserver.kit.tasks import Tasks

MOMENT = 0.25  # seconds

Say = Callable[[str, list[Any]], Awaitable[None]]


class Reactions:
    """`say` tells every process with viewers of a room, this one included."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._waiting: dict[str, Counter[str]] = {}
        self._saying: asyncio.Task[None] | None = None
        self._tasks = Tasks()

    def add(self, room: str, kind: str) -> None:
        self._waiting.setdefault(room, Counter())[kind] += 1
        if self._saying is None or self._saying.done():
            self._saying = self._tasks.start(self._say_soon(), "reactions")

    async def close(self) -> None:
        await self._tasks.close()

    async def _say_soon(self) -> None:
        while self._waiting:
            await asyncio.sleep(MOMENT)
            waiting, self._waiting = self._waiting, {}
            for room, counts in waiting.items():
                try:
                    await self._say(room, ["reactions", list(counts.items())])
                except STORES_AWAY as error:
                    log.warning("reactions were lost", room=room, error=repr(error))
