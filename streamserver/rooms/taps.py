"""Taps on anchors: noted in Redis at once, moved to SQL in bulk, so that hundreds at a pin cost one transaction."""

from typing import Any, cast

from redis.asyncio import Redis
from sqlalchemy import select

from streamserver.accounts.model import Identity
from streamserver.kit.sql import Database
from streamserver.rooms.tables import TapRow

STREAM = "taps"
KEPT_SECONDS = 7 * 86_400  # after the last tap, should nobody move them
MOST = 100_000  # that wait; beyond it the oldest are lost rather than memory
BATCH = 500


class Taps:
    def __init__(self, live: Redis, database: Database) -> None:
        self._live = live
        self._database = database

    async def add(self, room: str, anchor: str, identity: Identity) -> None:
        account = identity.account.id if identity.account else ""
        fields = {"room": room, "anchor": anchor, "account": account, "device": identity.device}
        async with self._live.pipeline(transaction=False) as pipe:
            pipe.xadd(STREAM, cast("Any", fields), maxlen=MOST, approximate=True)
            pipe.expire(STREAM, KEPT_SECONDS)
            await pipe.execute()

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
