"""What happens to rooms without anybody asking: `jobs` calls `run` again and again, and twice does no harm."""

from typing import Protocol

from sqlalchemy import select

from streamserver.config import RoomsConfig
from streamserver.kit.log import log
from streamserver.kit.sql import Database
from streamserver.kit.tasks import each
from streamserver.rooms.book import RoomBook
from streamserver.rooms.hosting import Hosting
from streamserver.rooms.presence import Turnout
from streamserver.rooms.tables import RoomRow
from streamserver.stock.model import room_pool
from streamserver.stock.service import StockService


class Watchers(Protocol):
    """Implemented by `rooms/presence.py`."""

    async def host_seen(self, room: str) -> int | None:
        """When somebody with rights was last connected, ms; None when that is not known any more."""
        ...

    async def turnout(self, room: str) -> Turnout:
        """Peak and unique viewers so far."""
        ...


class Upkeep:
    def __init__(
        self,
        database: Database,
        book: RoomBook,
        hosting: Hosting,
        stock: StockService,
        presence: Watchers,
        config: RoomsConfig,
    ) -> None:
        self._database = database
        self._book = book
        self._hosting = hosting
        self._stock = stock
        self._presence = presence
        self._config = config

    async def run(self) -> None:
        """Tend to rooms that are on, and to those whose last change viewers may not have been told."""
        due = RoomRow.status.in_(("live", "ending")) | (RoomRow.projected < RoomRow.revision)
        async with self._database.read() as session:
            rows = list(await session.scalars(select(RoomRow).where(due)))
        await each(rows, self._tend, "room")

    async def _tend(self, row: RoomRow) -> None:
        if row.status in {"live", "ending"}:
            await self._follow_pool(row)
        await self._book.project(row.id)

    async def _follow_pool(self, row: RoomRow) -> None:
        """The pool is the truth about the end: SQL follows it, whichever half a crash left undone."""
        closes_at = await self._stock.closes_at(room_pool(row.id))
        now = await self._stock.time()
        if closes_at and now >= closes_at:
            await self._finish(row.id, closes_at)
        elif closes_at != (row.ending_at or 0):
            await self._hosting.set_ending(row.id, closes_at or None)
        elif row.status == "live" and await self._abandoned(row, now):
            log.info("room abandoned", room=row.id)
            await self._hosting.begin_end(row.id)

    async def _finish(self, room: str, ended_at: int) -> None:
        if not await self._stock.close(room_pool(room), ended_at):
            return  # the host took the end back at the last moment
        turnout = await self._presence.turnout(room)
        async with self._database.write() as session:
            row = await session.get_one(RoomRow, room, with_for_update=True)
            row.status, row.ended_at = "ended", ended_at
            row.peak_viewers, row.unique_viewers = turnout

    async def _abandoned(self, row: RoomRow, now: int) -> bool:
        seen = await self._presence.host_seen(row.id)
        return now - max(seen or 0, row.started_at or 0) > self._config.abandon_minutes * 60_000
