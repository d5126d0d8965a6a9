"""From the bus to viewers: rooms that are watched in this process, at most one recovery a room, one sweep for all states."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import orjson

from streamserver.kit.errors import NotFound, OneMoment
from streamserver.kit.tasks import Tasks
from streamserver.messages.live import After, Join, Rights
from streamserver.messages.stock import Turn
from streamserver.realtime import frames
from streamserver.realtime.attendance import Attendance
from streamserver.realtime.audience import Audience, Entry, Waiting
from streamserver.realtime.bus import Bus
from streamserver.realtime.entries import NOBODY, Entries, RoomReader
from streamserver.realtime.metrics import RECOVERED, VIEWERS
from streamserver.realtime.reactions import Reactions
from streamserver.realtime.recovery import persist
from streamserver.realtime.viewer import Viewer

TICK_SHARE = 3  # telling counts and stock never takes more than a third of the loop's time


class Fanout:
    """`tick_ms`: states of a room reach its viewers at most that often."""

    def __init__(self, tick_ms: int, rooms: RoomReader, attendance: Attendance, bus: Bus) -> None:
        self._tick = tick_ms / 1000
        self._rooms = rooms
        self._entries = Entries(rooms)
        self._reactions = Reactions(bus.say)
        self._attendance = attendance
        self._bus = bus
        self._audiences: dict[str, Audience] = {}
        self._recovering: set[Audience] = set()
        self._dirty: set[Audience] = set()
        self._ticking: asyncio.TimerHandle | None = None
        self._telling = 0.0  # seconds since the last tick
        self._tasks = Tasks()

    async def enter(self, viewer: Viewer, join: Join) -> Entry:
        """Prepare to let `viewer` into a room. Nothing is told before `admit`; what happens between is kept for it.
        Raises `NotFound`, `OneMoment`; then the viewer is in no room."""
        self.leave(viewer)
        audience = self._audiences.get(join.room)
        if audience is None:
            audience = self._audiences[join.room] = Audience(join.room, self._step)
        audience.joining[viewer] = Waiting()
        viewer.room = join.room
        try:
            await self._bus.follow(join.room)
            return await self._entries.prepare(viewer.identity, join, audience.age)
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
        if not viewer.rights:
            self._attendance.came(audience.room, viewer.identity.buyer)
        self._counted(audience)

    def catch_up(self, viewer: Viewer) -> None:
        """Tell the present to a viewer who was behind and has read what it was sent."""
        audience = self._audiences.get(viewer.room or "")
        if audience is None or viewer not in audience.viewers:
            viewer.is_behind = False
        else:
            audience.wait_again(viewer)
            self._tasks.start(persist(partial(self._tell_present, audience, viewer), "catching up"), "catching up")

    def leave(self, viewer: Viewer) -> None:
        audience = self._audiences.get(viewer.room or "")
        viewer.room = None
        if audience is None:
            return
        audience.leave(viewer)
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
        audience.regrant(viewer, rights)
        viewer.send(frames.said("rights", frames.dump(Rights(rights=list(rights)))))
        self._counted(audience)
        return True

    def react(self, room: str, kind: str) -> None:
        self._reactions.add(room, kind)

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
            self._tick_soon(audience)
        elif envelope[0] == b"reactions":
            audience.react({kind.decode(): count for kind, count in envelope[1]})
            self._tick_soon(audience)
        elif envelope[0] == b"offers":
            _tell_turns(audience, envelope[1])

    def missed(self, room: str) -> None:
        if audience := self._audiences.get(room):
            audience.losses += 1
            self._recover(audience)

    async def close(self) -> None:
        if self._ticking is not None:
            self._ticking.cancel()
        await self._tasks.close()
        await self._entries.close()
        await self._reactions.close()

    async def _tell_present(self, audience: Audience, viewer: Viewer) -> None:
        if viewer not in audience.joining:
            return  # left meanwhile
        epoch, seq = viewer.position
        join = Join(room=audience.room, after=After(epoch=epoch, seq=seq))
        try:
            self.admit(viewer, await self._entries.prepare(viewer.identity, join, audience.age))
        except NotFound:
            self.leave(viewer)

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
            self._tick_soon(audience)
        if audience.losses != losses or audience.has_gap:
            raise OneMoment

    async def _fill_or_restart(self, audience: Audience, epoch: str) -> None:
        missing = await self._rooms.missing(audience.room, After(epoch=epoch, seq=audience.seq))
        if missing is not None:
            audience.fill(missing)
            if not audience.has_gap:
                RECOVERED.labels("events").inc()
                return
        if not audience.viewers:
            audience.lose_position()
            return
        audience.pause()
        audience.restart(await self._rooms.snapshot(audience.room, NOBODY))
        RECOVERED.labels("snapshot").inc()

    def _tick_soon(self, audience: Audience) -> None:
        self._dirty.add(audience)
        if self._ticking is None:
            delay = max(self._tick, TICK_SHARE * self._telling)
            self._ticking = asyncio.get_running_loop().call_later(delay, self._tick_now)

    def _tick_now(self) -> None:
        self._ticking = None
        self._telling = 0.0
        dirty, self._dirty = self._dirty, set()
        for audience in dirty:
            audience.flush()

    def _step(self, passes: Iterator[None]) -> None:
        """Tell up to the next rest, and go on after everybody else had their turn."""
        started = time.monotonic()
        for _ in passes:
            asyncio.get_running_loop().call_soon(self._step, passes)
            break
        self._telling += time.monotonic() - started

    def _counted(self, audience: Audience) -> None:
        viewers = len(audience.viewers)
        VIEWERS.inc(viewers - audience.counted)
        audience.counted = viewers
        self._attendance.count(audience.room, viewers - audience.hosts, audience.hosts > 0)


def _tell_turns(audience: Audience, offers: Sequence[tuple[bytes, bytes, bytes]]) -> None:
    """Tell each of these buyers, on every page they have open here, that it is their turn."""
    turns: dict[str, list[bytes]] = {}
    for buyer, variant, hold in offers:
        frame = frames.said("turn", frames.dump(Turn(variant=variant.decode(), hold=hold.decode())))
        turns.setdefault(buyer.decode(), []).append(frame)
    for viewer in tuple(audience.viewers):
        for frame in turns.get(viewer.identity.buyer, ()):
            viewer.send(frame)
