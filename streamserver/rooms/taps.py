"""Taps on anchors, which come by hundreds at a pin: those of a moment are noted in Redis together, and moved to SQL in bulk. They
are statistics: a process that dies takes a quarter of a second of them along."""

import asyncio
from typing import Any, NamedTuple, cast

from redis.asyncio import Redis
from sqlalchemy import select

from streamserver.accounts.model import Identity
from streamserver.kit.log import log
from streamserver.kit.outages import STORES_AWAY
from streamserver.kit.sql import Database
from streamserver.kit.tasks import Tasks
from streamserver.rooms.documents import Documents
from streamserver.rooms.tables import TapRow

STREAM = "taps"
KEPT_SECONDS = 7 * 86_400  # after the last tap, should nobody move them
MOST = 100_000  # that wait; beyond it the oldest are lost rather than memory
BATCH = 500
MOMENT = 0.25  # seconds


class Noted(NamedTuple):
    """Ids of what was tapped and who did; no account for a guest."""

    room: str
    anchor: str
    account: str
    device: str


class Taps:
    def __init__(self, live: Redis, database: Database, documents: Documents) -> None:
        self._live = live
        self._database = database
        self._documents = documents
        self._noted: list[Noted] = []
        self._noting: asyncio.Task[None] | None = None
        self._tasks = Tasks()

    def add(self, room: str, anchor: str, identity: Identity) -> None:
        """Note a tap with the others of this moment. One at what is not in the show does not count."""
        if len(self._noted) < MOST:
            self._noted.append(Noted(room, anchor, identity.account.id if identity.account else "", identity.device))
        if self._noting is None or self._noting.done():
            self._noting = self._tasks.start(self._note_soon(), "taps")

    async def note(self) -> None:
        """Bring what was tapped so far to Redis."""
        noted, self._noted = self._noted, []
        anchors = {room: await self._documents.anchors(room) for room in {tap.room for tap in noted}}
        async with self._live.pipeline(transaction=False) as pipe:
            for tap in noted:
                if tap.anchor in anchors[tap.room]:
                    pipe.xadd(STREAM, cast("Any", tap._asdict()), maxlen=MOST, approximate=True)
            pipe.expire(STREAM, KEPT_SECONDS)
            await pipe.execute()

    async def close(self) -> None:
        """Note what is left."""
        await self._tasks.close()
        if self._noted:
            await self._note_in_peace()

    async def _note_soon(self) -> None:
        await asyncio.sleep(MOMENT)
        while self._noted:
            await self._note_in_peace()

    async def _note_in_peace(self) -> None:
        try:
            await self.note()
        except STORES_AWAY as error:
            log.warning("taps were lost", error=repr(error))

    async def move(self) -> None:
        """Bring what waits into SQL. A tap's id is that of its entry: a repeat after a crash adds nothing."""
        while entries := await self._waiting():
            rows = [_row(number.decode(), fields) for number, fields in entries]
            async with self._database.write() as session:
                known = set(await session.scalars(select(TapRow.id).where(TapRow.id.in_([row.id for row in rows]))))
                session.add_all(row for row in rows if row.id not in known)
            await self._live.xdel(STREAM, *(number for number, _ in entries))

    async def _waiting(self) -> list[tuple[bytes, dict[bytes, bytes]]]:
        return cast("list[tuple[bytes, dict[bytes, bytes]]]", await self._live.xrange(STREAM, count=BATCH))


def _row(number: str, fields: dict[bytes, bytes]) -> TapRow:
    room, anchor, account, device = (fields[name].decode() for name in (b"room", b"anchor", b"account", b"device"))
    at = int(number.split("-")[0])
    return TapRow(id=number, room=room, anchor=anchor, account=account or None, device=device, at=at)
