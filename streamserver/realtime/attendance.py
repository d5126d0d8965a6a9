"""This process's reports to `rooms.presence`: at most one a second and room, one every few seconds, the last leave at once."""

import time
from dataclasses import dataclass
from typing import Protocol

from streamserver.kit.log import log
from streamserver.kit.tasks import Tasks

ROUND_SECONDS = 1.0
REPEAT_SECONDS = 4.0  # Redis believes a report for ten


class Reports(Protocol):
    """What `rooms.presence.Presence` does."""

    async def report(self, room: str, count: int, host: bool) -> None: ...


@dataclass(slots=True)
class Count:
    viewers: int = 0
    host: bool = False
    reported_at: float = 0.0
    changed: bool = True


class Attendance:
    """Counts joined sockets by room."""

    def __init__(self, presence: Reports) -> None:
        self._presence = presence
        self._counts: dict[str, Count] = {}
        self._tasks = Tasks()

    def start(self) -> None:
        self._tasks.every(ROUND_SECONDS, self._round, "attendance")

    def count(self, room: str, viewers: int, host: bool) -> None:
        """`room` has so many viewers here now; `host`: somebody with rights is among them."""
        if viewers == 0 and room not in self._counts:
            return
        known = self._counts.setdefault(room, Count())
        known.changed |= (known.viewers, known.host) != (viewers, host)
        known.viewers, known.host = viewers, host
        if viewers == 0 and known.changed:
            self._tasks.start(self._report(room, known), "last leave")

    async def close(self) -> None:
        """Take this process's viewers off all counts."""
        await self._tasks.close()
        for room, count in list(self._counts.items()):
            count.viewers, count.host, count.changed = 0, False, True
            await self._report(room, count)

    async def _round(self) -> None:
        overdue = time.monotonic() - REPEAT_SECONDS
        for room, count in list(self._counts.items()):
            if count.changed or count.reported_at < overdue:
                await self._report(room, count)

    async def _report(self, room: str, count: Count) -> None:
        count.changed = False
        try:
            await self._presence.report(room, count.viewers, count.host)
        except Exception as error:
            count.changed = True
            log.warning("viewers were not reported", room=room, error=repr(error))
            return
        count.reported_at = time.monotonic()
        if count.viewers == 0 and not count.changed:
            self._counts.pop(room, None)
