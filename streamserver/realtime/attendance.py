"""This process's reports to `rooms.presence`: every watched room once a second, in one write; the last leave at once."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from streamserver.kit.log import log
from streamserver.kit.tasks import Tasks
from streamserver.rooms.presence import Report

ROUND_SECONDS = 1.0  # Redis believes a report for three


class Reports(Protocol):
    """What `rooms.presence.Presence` does."""

    async def report(self, *reports: Report) -> None: ...


@dataclass(slots=True)
class Count:
    """`told`: the number of viewers that was reported last. `hurried`: a report did not wait for this round."""

    viewers: int = 0
    host: bool = False
    people: set[str] = field(default_factory=set[str])
    told: int = 0
    hurried: bool = False

    @property
    def is_over(self) -> bool:
        """Nothing is left to be told."""
        return not (self.viewers or self.host or self.people or self.told)


class Attendance:
    """Counts joined sockets by room, and who came."""

    def __init__(self, presence: Reports) -> None:
        self._presence = presence
        self._counts: dict[str, Count] = {}
        self._one_by_one = asyncio.Lock()  # so that an older count never follows a newer one
        self._tasks = Tasks()

    def start(self) -> None:
        self._tasks.every(ROUND_SECONDS, self._round, "attendance")

    def count(self, room: str, viewers: int, host: bool) -> None:
        """`room` has so many viewers here now; `host`: somebody with rights is there, who is no viewer."""
        if not (viewers or host or room in self._counts):
            return
        known = self._counts.setdefault(room, Count())
        known.viewers, known.host = viewers, host
        if viewers == 0 < known.told and not known.hurried:
            known.hurried = True
            self._tasks.start(self._report([room]), "last leave")

    def came(self, room: str, person: str) -> None:
        """Somebody came to watch: an account's or a device's id. Told with the next report."""
        self._counts.setdefault(room, Count()).people.add(person)

    async def close(self) -> None:
        """Take this process's viewers off all counts."""
        await self._tasks.close()
        for count in self._counts.values():
            count.viewers, count.host = 0, False
        await self._round()

    async def _round(self) -> None:
        for count in self._counts.values():
            count.hurried = False
        await self._report(list(self._counts))

    async def _report(self, rooms: Iterable[str]) -> None:
        """What failed is told again in the next round, which tells everything anyway."""
        async with self._one_by_one:
            counts = {room: count for room in rooms if (count := self._counts.get(room))}
            reports = [Report(room, count.viewers, count.host, tuple(count.people)) for room, count in counts.items()]
            if not reports:
                return
            try:
                await self._presence.report(*reports)
            except Exception as error:
                log.warning("viewers were not reported", rooms=len(reports), error=repr(error))
                return
            for report in reports:
                self._told(counts[report.room], report)

    def _told(self, count: Count, report: Report) -> None:
        count.told = report.viewers
        count.people.difference_update(report.people)
        if count.is_over:
            del self._counts[report.room]
