"""Room logs into SQL: Redis keeps the newest events at hand, the database keeps all of them."""

import orjson
from sqlalchemy import func, select

from streamserver.kit.sql import Database
from streamserver.kit.tasks import each
from streamserver.messages.live import After
from streamserver.rooms.documents import Documents
from streamserver.rooms.tables import RoomEventRow, RoomRow

FINAL_MS = 3_600_000  # a room that ended longer ago than this has nothing new in its log


class Archive:
    def __init__(self, database: Database, documents: Documents) -> None:
        self._database = database
        self._documents = documents

    async def run(self) -> None:
        """Copy what is new in the logs of rooms that still change; running twice copies nothing twice."""
        async with self._database.read() as session:
            newest = await session.scalar(select(func.max(RoomRow.ended_at))) or 0
            changing = RoomRow.ended_at.is_(None) | (RoomRow.ended_at > newest - FINAL_MS)
            rooms = list(await session.scalars(select(RoomRow.id).where(changing)))
        await each(rooms, self._copy, "room")

    async def _copy(self, room: str) -> None:
        now = await self._documents.position(room)
        if now is None:
            return
        of_epoch = (RoomEventRow.room == room) & (RoomEventRow.epoch == now.epoch)
        async with self._database.read() as session:
            known = await session.scalar(select(func.max(RoomEventRow.seq)).where(of_epoch)) or 0
        if known >= now.seq:
            return
        events = [
            (orjson.loads(e), e.decode()) for e in await self._documents.since(room, After(epoch=now.epoch, seq=known))
        ]
        rows = [
            RoomEventRow(room=room, epoch=now.epoch, seq=event["seq"], at=event["at"], event=text)
            for event, text in events
        ]
        async with self._database.write() as session:
            session.add_all(rows)
