"""A room to look at: what `rooms.service` does for viewers, with a log in memory and the real bus."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgpack
from redis.asyncio import Redis

from streamserver.accounts.model import Identity
from streamserver.kit.clock import now_ms
from streamserver.kit.errors import Forbidden, NotFound
from streamserver.kit.ids import new_id
from streamserver.messages.accounts import Person
from streamserver.messages.live import After
from streamserver.messages.rooms import About, Event, Life, LineUp, PinChange, Pins, Snapshot, State, StockState, Tap
from streamserver.messages.stock import Hold, HoldRequest, LeaveRequest, Place, WaitRequest
from streamserver.realtime.publisher import SAY
from streamserver.rooms.presence import Presence

PERSON = Person(handle="mara", name="Mara")


@dataclass
class Stage:
    """One room. `log_start` is the first seq still in the log; `slow` makes purchases take that many seconds."""

    redis: Redis
    presence: Presence
    room: str = field(default_factory=lambda: new_id("room"))
    epoch: str = "e1"
    events: list[bytes] = field(default_factory=list[bytes])
    log_start: int = 1
    stock: dict[str, State] = field(default_factory=dict[str, State])
    moderators: set[str] = field(default_factory=set[str])
    holds: list[HoldRequest] = field(default_factory=list[HoldRequest])
    taps: int = 0
    slow: float = 0.0
    broken: bool = False

    async def happen(self, title: str, *, published: bool = True, padding: int = 0) -> None:
        """The room is given another title, and a description of `padding` characters: one more event."""
        seq = len(self.events) + 1
        about = self._about(title, "x" * padding)
        event = Event(epoch=self.epoch, seq=seq, at=now_ms(), media_time=None, type="about", data=about)
        self.events.append(event.model_dump_json().encode())
        if published:
            await self.publish(["event", seq, self.events[-1]])

    async def sell(self, variant: str, available: int, version: int, *, published: bool = True) -> None:
        """So many units are left, at this version."""
        value = StockState(variant=variant, available=available, epoch=1, waiting=0)
        state = State(key=f"stock:{variant}", version=version, value=value)
        known = self.stock.get(state.key)
        if known is None or known.version < version:
            self.stock[state.key] = state
        if published:
            await self.publish(["states", [[state.key, version, state.model_dump_json().encode()]]])

    async def publish(self, words: list[Any]) -> None:
        await SAY(self.redis, [f"{{room:{self.room}}}:bus"], [msgpack.packb(words)])

    async def snapshot(self, room: str, identity: Identity) -> Snapshot:
        self._require(room)
        title = f"title {len(self.events)}"
        states = await self.states(room)
        rights = await self.rights(room, identity)
        return Snapshot.model_validate(
            {
                "epoch": self.epoch, "seq": len(self.events), "at": now_ms(), "about": self._about(title),
                "life": Life(status="live"), "lineup": LineUp(version=0, anchors=[]), "pins": Pins(version=0, pins=[]),
                "states": states, "rights": rights,
            }
        )  # fmt: skip

    async def missing(self, room: str, after: After) -> Sequence[bytes] | None:
        self._require(room)
        known = after.epoch == self.epoch and self.log_start - 1 <= after.seq <= len(self.events)
        return self.events[after.seq :] if known else None

    async def states(self, room: str) -> list[State]:
        return [*self.stock.values(), await self.presence.viewers(room)]

    async def rights(self, room: str, identity: Identity) -> list[str]:
        self._require(room)
        return ["pin"] if identity.account and identity.account.id in self.moderators else []

    async def hold(self, room: str, identity: Identity, request: HoldRequest) -> Hold:
        if self.broken:
            raise RuntimeError("something nobody foresaw")
        await asyncio.sleep(self.slow)
        self.holds.append(request)
        return Hold(
            id=new_id("hold"), pool=f"room:{room}", variant=request.variant, quantity=request.quantity, price=1990,
            currency="EUR", deadline=now_ms() + 300_000, status="held", left=3, replayed=False,
            token="signed",
        )  # fmt: skip

    async def release(self, identity: Identity, hold: str) -> None:
        raise NotFound

    async def wait(self, room: str, identity: Identity, request: WaitRequest) -> Place:
        return Place(variant=request.variant, place=1, hold=None)

    async def leave_line(self, room: str, identity: Identity, request: LeaveRequest) -> None:
        raise NotFound

    async def tap(self, room: str, identity: Identity, tap: Tap) -> None:
        self.taps += 1

    async def pin(self, room: str, identity: Identity, change: PinChange) -> Pins:
        if not await self.rights(room, identity):
            raise Forbidden
        return Pins(version=change.version + 1, pins=[])

    def _about(self, title: str, description: str = "") -> About:
        return About(id=self.room, title=title, description=description, creator=PERSON, scheduled_at=None)

    def _require(self, room: str) -> None:
        if room != self.room:
            raise NotFound
