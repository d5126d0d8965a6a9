"""What newcomers and those who return are given."""

from collections.abc import Sequence
from functools import partial
from typing import Protocol

import orjson

from streamserver.accounts.model import Identity
from streamserver.messages.live import After, Join, Rights, States
from streamserver.messages.rooms import Snapshot, State
from streamserver.realtime import frames
from streamserver.realtime.audience import Entry
from streamserver.realtime.shared import Shared

NOBODY = Identity("dev_nobody")  # sees what a guest sees


class RoomReader(Protocol):
    """What fan-out asks of `rooms.service.RoomService`."""

    async def snapshot(self, room: str, identity: Identity) -> Snapshot: ...

    async def missing(self, room: str, after: After) -> Sequence[bytes] | None: ...

    async def states(self, room: str) -> Sequence[State]: ...

    async def rights(self, room: str, identity: Identity) -> Sequence[str]: ...


class Entries:
    """Everybody of a moment shares one look at the room; what differs is their rights."""

    def __init__(self, rooms: RoomReader) -> None:
        self._rooms = rooms
        self._shared = Shared()

    async def prepare(self, identity: Identity, join: Join, age: int) -> Entry:
        """True from when this was asked. Raises `NotFound`, `OneMoment`."""
        rights = tuple(await self._rooms.rights(join.room, identity)) if identity.account else ()
        if join.after is not None:
            entry = await self._missed(join.room, join.after, rights, age)
            if entry is not None:
                return entry
        snapshot, frame = await self._shared.fetch(("snapshot", join.room), partial(self._snapshot, join.room))
        if rights:
            frame = frames.said("snapshot", frames.dump(snapshot.model_copy(update={"rights": list(rights)})))
        ready = (frame,) if join.after is None else (frames.RESYNC, frame)
        return Entry(ready, snapshot.epoch, snapshot.seq, rights, age)

    async def close(self) -> None:
        await self._shared.close()

    async def _missed(self, room: str, after: After, rights: tuple[str, ...], age: int) -> Entry | None:
        """What happened since `after`, and how things stand; None when only a snapshot helps."""
        asked = ("missing", room, after.epoch, after.seq)
        missing = await self._shared.fetch(asked, partial(self._rooms.missing, room, after))
        if missing is None:
            return None
        states = await self._shared.fetch(("states", room), partial(self._states, room))
        told = frames.said("rights", frames.dump(Rights(rights=list(rights))))
        seq = orjson.loads(missing[-1])["seq"] if missing else after.seq
        events = (frames.said("event", event) for event in missing)
        return Entry((*events, states, told), after.epoch, seq, rights, age)

    async def _snapshot(self, room: str) -> tuple[Snapshot, bytes]:
        snapshot = await self._rooms.snapshot(room, NOBODY)
        return snapshot, frames.said("snapshot", frames.dump(snapshot))

    async def _states(self, room: str) -> bytes:
        return frames.said("states", frames.dump(States(states=list(await self._rooms.states(room)))))
