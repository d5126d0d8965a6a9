"""Fetches that callers share: thousands come back at once after a restart, and all ask for the same room."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, TypeVar

from streamserver.kit.tasks import Tasks

T = TypeVar("T")


class Shared:
    """For each key one fetch at a time. Whoever asks while one is under way gets the next: nobody is given what was read
    before they asked."""

    def __init__(self) -> None:
        self._running: dict[Hashable, asyncio.Task[Any]] = {}
        self._next: dict[Hashable, asyncio.Task[Any]] = {}
        self._tasks = Tasks()

    async def fetch(self, key: Hashable, work: Callable[[], Awaitable[T]]) -> T:
        """What `work` returns or raises; every caller's `work` for one key must be the same."""
        task = self._next.get(key)
        if task is None:
            task = self._next[key] = self._tasks.start(self._answer(key, work), "shared fetch")
        answer = await asyncio.shield(task)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def close(self) -> None:
        await self._tasks.close()

    async def _answer(self, key: Hashable, work: Callable[[], Awaitable[T]]) -> T | Exception:
        """An error is an answer too: whoever shares it decides what it means."""
        while (before := self._running.get(key)) is not None:
            await asyncio.wait([before])
        task = self._running[key] = self._next.pop(key)
        try:
            return await work()
        except Exception as error:
            return error
        finally:
            if self._running.get(key) is task:
                del self._running[key]
