"""Room documents and their logs in Redis: what every viewer is given, and how a returning one catches up."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import orjson
from redis.asyncio import Redis

from streamserver.config import RoomsConfig
from streamserver.kit.ids import new_id
from streamserver.kit.redis import load_script
from streamserver.messages.accounts import Person
from streamserver.messages.live import After
from streamserver.messages.rooms import About, Life, LineUp, PinChange, Pins
from streamserver.rooms.model import MAX_PINS, Change, Document
from streamserver.stock.keys import pool_keys
from streamserver.stock.model import Terms, room_pool
from streamserver.stock.packing import terms_fields

HERE = Path(__file__).parent
KEPT_SECONDS = 30 * 86_400  # after the last change; a document that is gone is written again from SQL
PinVerdict = Literal["done", "conflict", "full", "not_found", "ended"]


@dataclass(frozen=True, slots=True)
class PinAnswer:
    """`last` is the newest change: {action, anchor, by: {handle, name}, at}; empty before the first."""

    verdict: PinVerdict
    pins: Pins | None
    last: dict[str, Any]


class Documents:
    def __init__(self, redis: Redis, config: RoomsConfig) -> None:
        self._redis = redis
        self._config = config
        self._apply = load_script(HERE, "apply")
        self._pin = load_script(HERE, "pin")

    async def read(self, room: str) -> Document | None:
        """The document at one sequence number; None when Redis does not have it (new room, or lost)."""
        fields = ("about", "life", "lineup", "pins", "epoch", "seq")
        raw = cast("list[bytes | None]", await cast("Any", self._redis.hmget(_key(room, "document"), fields)))
        about, life, lineup, pins, epoch, seq = raw
        if not (about and life and lineup and pins and epoch and seq):
            return None
        return Document(
            about=About.model_validate_json(about),
            life=Life.model_validate_json(life),
            lineup=LineUp.model_validate_json(lineup),
            pins=Pins.model_validate_json(pins),
            epoch=epoch.decode(),
            seq=int(seq),
        )

    async def write(
        self, room: str, old: Document | None, new: Document, changes: Sequence[Change], terms: Sequence[Terms]
    ) -> bool:
        """Replace `old` by `new`, log the changes, and sell on these terms. False when somebody else changed the document
        since `old` was read: then nothing was written."""
        anchors = " ".join(anchor.id for anchor in new.lineup.anchors)
        fields: list[str | bytes] = [
            "about", new.about.model_dump_json(), "life", new.life.model_dump_json(),
            "lineup", new.lineup.model_dump_json(), "pins", new.pins.model_dump_json(),
            "anchors", f" {anchors} ", "status", new.life.status,
        ]  # fmt: skip
        events = [part for change in changes for part in (change.type, change.data.model_dump_json())]
        selling = [part for field in terms_fields(terms).items() for part in field]
        seq = await self._apply(
            self._redis,
            (_key(room, "document"), _key(room, "log"), pool_keys(room_pool(room)).terms),
            (
                room, str(old.seq) if old else "", new_id("epoch"), self._config.log_events, KEPT_SECONDS,
                len(selling) // 2, *selling, len(fields) // 2, *fields, *events,
            ),
        )  # fmt: skip
        return cast("int", seq) >= 0

    async def pin(self, room: str, change: PinChange, by: Person) -> PinAnswer:
        verdict, pins, last = cast(
            "tuple[bytes, bytes, bytes]",
            await self._pin(
                self._redis,
                (_key(room, "document"), _key(room, "log"), _key(room, "pin_operations")),
                (
                    room, change.operation, change.version, change.action, change.anchor, change.replace or "",
                    by.model_dump_json(), MAX_PINS, self._config.log_events, KEPT_SECONDS,
                ),
            ),
        )  # fmt: skip
        return PinAnswer(
            cast("PinVerdict", verdict.decode()),
            Pins.model_validate_json(pins) if pins else None,
            orjson.loads(last) if last else {},
        )

    async def position(self, room: str) -> After | None:
        """Epoch and number of the last event; None when Redis does not have the room."""
        raw = cast("list[bytes | None]", await cast("Any", self._redis.hmget(_key(room, "document"), ("epoch", "seq"))))
        epoch, seq = raw
        return After(epoch=epoch.decode(), seq=int(seq)) if epoch and seq else None

    async def anchors(self, room: str) -> set[str]:
        """The ids of what is in the line-up."""
        anchors = cast("bytes | None", await cast("Any", self._redis.hget(_key(room, "document"), "anchors"))) or b""
        return set(anchors.decode().split())

    async def missing(self, room: str, after: After) -> list[bytes] | None:
        """Finished events after `after`, oldest first; None when the log does not reach back that far: resync."""
        now = await self.position(room)
        if now is None or now.epoch != after.epoch or after.seq > now.seq:
            return None
        entries = await self._entries(room, after)
        first = entries[0][0] if entries else now.seq + 1
        return [event for _, event in entries] if first == after.seq + 1 else None

    async def since(self, room: str, after: After) -> list[bytes]:
        """What the log still has after `after`, oldest first."""
        return [event for _, event in await self._entries(room, after)]

    async def _entries(self, room: str, after: After) -> list[tuple[int, bytes]]:
        found = cast(
            "list[tuple[bytes, dict[bytes, bytes]]]",
            await self._redis.xrange(_key(room, "log"), f"{after.seq + 1}-0", "+"),
        )
        return [(int(number.split(b"-")[0]), fields[b"event"]) for number, fields in found]


def _key(room: str, name: str) -> str:
    return f"{{room:{room}}}:{name}"
