"""From the bus to viewers: rooms that are watched in this process, at most one recovery a room, one sweep for all states."""

import asyncio
import time
from collections.abc import Sequence
from functools import partial
from typing import Any, Protocol

import orjson

from streamserver.accounts.model import Identity
from streamserver.kit.errors import NotFound, OneMoment
from streamserver.kit.tasks import Tasks
from streamserver.messages.live import After, Join, Rights, States
from streamserver.messages.rooms import Snapshot, State
from streamserver.messages.stock import Turn
from streamserver.realtime import frames
from streamserver.realtime.attendance import Attendance
from streamserver.realtime.audience import Audience, Entry, Waiting
from streamserver.realtime.bus import Bus
from streamserver.realtime.metrics import RECOVERED, VIEWERS
from streamserver.realtime.recovery import persist
from streamserver.realtime.viewer import Viewer

SWEEP_SHARE = 3  # sweeps never take more than a third of the loop's time


class RoomReader(Protocol):
    """What fan-out asks of `rooms.service.RoomService`."""

    async def snapshot(self, room: str, identity: Identity) -> Snapshot: ...

    async def missing(self, room: str, after: After) -> Sequence[bytes] | None: ...

    async def states(self, room: str) -> Sequence[State]: ...

    async def rights(self, room: str, identity: Identity) -> Sequence[str]: ...


class Fanout:
    """`tick_ms`: states of a room reach its viewers at most that often."""

    def __init__(self, tick_ms: int, rooms: RoomReader, attendance: Attendance, bus: Bus) -> None:
        self._tick = tick_ms / 1000
        self._rooms = rooms
        self._attendance = attendance
        self._bus = bus
        self._audiences: dict[str, Audience] = {}
        self._recovering: set[Audience] = set()
        self._dirty: set[Audience] = set()
        self._sweep: asyncio.TimerHandle | None = None
        self._last_sweep = 0.0
        self._tasks = Tasks()

    async def enter(self, viewer: Viewer, join: Join) -> Entry:
        """Prepare to let `viewer` into a room. Nothing is told before `admit`; what happens between is kept for it.
        Raises `NotFound`, `OneMoment`; then the viewer is in no room."""
        self.leave(viewer)
        audience = self._audiences.setdefault(join.room, Audience(join.room))
        audience.joining[viewer] = Waiting()
        viewer.room = join.room
        try:
            await self._bus.follow(join.room)
            return await self._prepare(audience, viewer.identity, join)
        except BaseException:
            self.leave(viewer)
            raise

    def admit(self, viewer: Viewer, entry: Entry) -> None:
        """Tell the viewer its entry and everything since; it is part of the room from now on."""
        audience = self._audiences.get(viewer.room or "")
        if audience is None:
            return
        if not audience.admit(viewer, entry):
            self._recover(audience)
        self._counted(audience)

    def leave(self, viewer: Viewer) -> None:
        audience = self._audiences.get(viewer.room or "")
        viewer.room, viewer.rights = None, ()
        if audience is None:
            return
        audience.viewers.discard(viewer)
        audience.joining.pop(viewer, None)
        if audience.is_empty:
            del self._audiences[audience.room]
            self._dirty.discard(audience)
            self._bus.unfollow(audience.room)
        self._counted(audience)

    def regranted(self, viewer: Viewer, rights: Sequence[str]) -> bool:
        """The viewer's rights in its room are these now. False while it is still coming in."""
        audience = self._audiences.get(viewer.room or "")
        if audience is None or viewer not in audience.viewers:
            return False
        viewer.rights = tuple(rights)
        viewer.send(frames.said("rights", frames.dump(Rights(rights=list(rights)))))
        self._counted(audience)
        return True

    def heard(self, room: str, envelope: list[Any]) -> None:
        """One word of the bus; strings are bytes."""
        audience = self._audiences.get(room)
        if audience is None:
            return
        if envelope[0] == b"event":
            _, seq, json = envelope
            if not audience.offer(orjson.loads(json)["epoch"], seq, json):
                self._recover(audience)
        elif envelope[0] == b"states" and audience.merge(
            (key.decode(), version, json) for key, version, json in envelope[1]
        ):
            self._sweep_soon(audience)
        elif envelope[0] == b"offers":
            _tell_turns(audience, envelope[1])

    def missed(self, room: str) -> None:
        if audience := self._audiences.get(room):
            audience.losses += 1
            self._recover(audience)

    async def close(self) -> None:
        if self._sweep is not None:
            self._sweep.cancel()
        await self._tasks.close()

    async def _prepare(self, audience: Audience, identity: Identity, join: Join) -> Entry:
        age = audience.age
        if join.after is not None:
            missing = await self._rooms.missing(join.room, join.after)
            if missing is not None:
                return await self._missed_entry(identity, join.room, join.after, missing, age)
        snapshot = await self._rooms.snapshot(join.room, identity)
        ready = frames.said("snapshot", frames.dump(snapshot))
        ready_frames = (ready,) if join.after is None else (frames.RESYNC, ready)
        return Entry(ready_frames, snapshot.epoch, snapshot.seq, tuple(snapshot.rights), age)

    async def _missed_entry(
        self, identity: Identity, room: str, after: After, missing: Sequence[bytes], age: int
    ) -> Entry:
        states = States(states=list(await self._rooms.states(room)))
        rights = await self._rooms.rights(room, identity)
        ready = [frames.said("event", event) for event in missing]
        ready += [
            frames.said("states", frames.dump(states)),
            frames.said("rights", frames.dump(Rights(rights=list(rights)))),
        ]
        seq = orjson.loads(missing[-1])["seq"] if missing else after.seq
        return Entry(tuple(ready), after.epoch, seq, tuple(rights), age)

    def _recover(self, audience: Audience) -> None:
        """Fetch what is missing, unless that is under way or nobody knows yet where the room stands."""
        if audience not in self._recovering and audience.epoch is not None:
            self._recovering.add(audience)
            self._tasks.start(self._recovery(audience), f"recovery of {audience.room}")

    async def _recovery(self, audience: Audience) -> None:
        try:
            await persist(partial(self._catch_up, audience), f"recovery of {audience.room}")
        finally:
            self._recovering.discard(audience)

    async def _catch_up(self, audience: Audience) -> None:
        """Bring everyone here to the present. Raises `OneMoment` when the bus was lost again or something is still missing."""
        if self._audiences.get(audience.room) is not audience or audience.epoch is None:
            return
        losses = audience.losses
        try:
            await self._fill_or_restart(audience, audience.epoch)
            states = await self._rooms.states(audience.room)
        except NotFound:
            return
        values = ((state.key, state.version, frames.dump(state)) for state in states)
        if audience.merge(values, again=True):
            self._sweep_soon(audience)
        if audience.losses != losses or audience.has_gap:
            raise OneMoment

    async def _fill_or_restart(self, audience: Audience, epoch: str) -> None:
        missing = await self._rooms.missing(audience.room, After(epoch=epoch, seq=audience.seq))
        if missing is not None:
            audience.fill(missing)
            if not audience.has_gap:
                RECOVERED.labels("events").inc()
                return
        somebody = next(iter(audience.viewers), None)
        if somebody is None:
            audience.lose_position()
            return
        audience.pause()
        audience.restart(await self._rooms.snapshot(audience.room, somebody.identity))
        RECOVERED.labels("snapshot").inc()

    def _sweep_soon(self, audience: Audience) -> None:
        self._dirty.add(audience)
        if self._sweep is None:
            delay = max(self._tick, SWEEP_SHARE * self._last_sweep)
            self._sweep = asyncio.get_running_loop().call_later(delay, self._sweep_all)

    def _sweep_all(self) -> None:
        self._sweep = None
        started = time.monotonic()
        dirty, self._dirty = self._dirty, set()
        for audience in dirty:
            audience.flush()
        self._last_sweep = time.monotonic() - started

    def _counted(self, audience: Audience) -> None:
        VIEWERS.set(sum(len(one.viewers) for one in self._audiences.values()))
        self._attendance.count(audience.room, len(audience.viewers), audience.has_rights)


def _tell_turns(audience: Audience, offers: Sequence[tuple[bytes, bytes, bytes]]) -> None:
    """Tell each of these buyers, on every page they have open here, that it is their turn."""
    turns: dict[str, list[bytes]] = {}
    for buyer, variant, hold in offers:
        frame = frames.said("turn", frames.dump(Turn(variant=variant.decode(), hold=hold.decode())))
        turns.setdefault(buyer.decode(), []).append(frame)
    for viewer in tuple(audience.viewers):
        for frame in turns.get(viewer.identity.buyer, ()):
            viewer.send(frame)
