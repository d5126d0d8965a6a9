"""Background tasks that are owned: kept alive, named, and loud when they die."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any, TypeVar

from streamserver.kit.log import log

T = TypeVar("T")


class Tasks:
    """Owns tasks until they end; `close` cancels and awaits what is left."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        task = asyncio.create_task(work, name=name)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    def every(self, seconds: float, work: Callable[[], Awaitable[Any]], name: str) -> asyncio.Task[Any]:
        """Run `work` now and then again `seconds` after each end; one bad round is logged and does not end the series."""
        return self.start(_repeat(seconds, work, name), name)

    async def close(self) -> None:
        """Repeated until it works: while redis-py opens a connection with a time-out, Python 3.11 can lose a cancellation."""
        while self._running:
            for task in self._running:
                task.cancel()
            await asyncio.wait(self._running, timeout=1)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("task died", task=task.get_name(), exc_info=error)


async def each(items: Iterable[T], work: Callable[[T], Awaitable[Any]], what: str) -> None:
    """Do `work` for every item, one after the other; a failure of one is logged and does not keep the others waiting."""
    for item in items:
        try:
            await work(item)
        except Exception:
            log.exception("work failed", **{what: str(item)})


async def _repeat(seconds: float, work: Callable[[], Awaitable[Any]], name: str) -> None:
    while True:
        try:
            await work()
        except Exception:
            log.exception("round failed", task=name)
        await asyncio.sleep(seconds)
