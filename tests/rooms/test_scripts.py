"""The room's scripts against plain models: pins, the document and its log, presence, and a pool's life."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import msgpack
import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from streamserver.config import RoomsConfig
from streamserver.messages.accounts import Person
from streamserver.messages.live import After
from streamserver.messages.rooms import About, Anchor, AnchorShop, Life, LineUp, PinChange, Pins, ViewersState
from streamserver.messages.stock import Source
from streamserver.rooms.documents import Documents
from streamserver.rooms.model import MAX_PINS, Document, changes, without_pins_of
from streamserver.rooms.presence import Presence, Report
from streamserver.stock.model import Terms, room_pool
from streamserver.stock.store import PoolStore

ROOM = "room_" + "r" * 22
ANA = Person(handle="ana", name="Ana")
ANCHORS = [f"anchor_{letter * 22}" for letter in "abcdef"]
OPERATIONS = [f"operation-{number}" for number in range(6)]
KEPT = 10  # events
scripted = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def document(anchors: Sequence[str], status: str = "live", title: str = "Show") -> Document:
    shop = AnchorShop(id="shop_" + "s" * 22, handle="kiln", name="Kiln")
    shown = [
        Anchor(
            id=a,
            product="prod_" + "p" * 22,
            title="Mug",
            image=None,
            currency="EUR",
            options=[],
            mode="hold",
            shop=shop,
            variants=[],
        )
        for a in anchors
    ]
    return Document(
        about=About(id=ROOM, title=title, description="", creator=ANA, scheduled_at=None),
        life=Life.model_validate({"status": status}),
        lineup=LineUp(version=len(shown), anchors=shown),
    )


def documents(redis: Redis) -> Documents:
    return Documents(redis, RoomsConfig.model_construct(log_events=KEPT))


# Pins


@dataclass
class PinModel:
    """What pin.lua promises."""

    anchors: list[str]
    version: int = 0
    pins: list[str] = field(default_factory=list[str])
    done: set[str] = field(default_factory=set[str])

    def ask(self, operation: str, version: int, action: str, anchor: str, replace: str | None) -> str:
        if operation in self.done:
            return "done"
        if anchor not in self.anchors:
            return "not_found"
        if version != self.version:
            return "conflict"
        if (anchor in self.pins) == (action == "pin"):
            return "done"
        if action == "unpin":
            self.pins.remove(anchor)
        else:
            if len(self.pins) >= MAX_PINS:
                if replace not in self.pins:
                    return "full"
                self.pins.remove(replace)
            self.pins.append(anchor)
        self.version += 1
        self.done.add(operation)
        return "done"


asked = st.tuples(
    st.sampled_from(OPERATIONS),
    st.integers(-1, 0),  # the version seen, counted from the newest
    st.sampled_from(["pin", "pin", "unpin"]),
    st.sampled_from(ANCHORS),
    st.none() | st.sampled_from(ANCHORS),
)


@scripted
@given(st.lists(asked, max_size=20))
async def test_pins_do_what_the_model_does(redis: Redis, script: list[tuple[str, int, str, str, str | None]]) -> None:
    """Any moderators in any order: verdict, pins, version and events agree; never more than three pins."""
    await redis.flushall()
    kept, model = documents(redis), PinModel(ANCHORS[:5])
    first = document(model.anchors)
    assert await kept.write(ROOM, None, first, changes(None, first), [])
    start = await kept.position(ROOM)
    assert start is not None
    for operation, behind, action, anchor, replace in script:
        version = model.version + behind
        words = {"operation": operation, "version": version, "action": action, "anchor": anchor, "replace": replace}
        answer = await kept.pin(ROOM, PinChange.model_validate(words), ANA)
        assert answer.verdict == model.ask(operation, version, action, anchor, replace)
        shown = await kept.read(ROOM)
        assert shown is not None
        assert ([pin.anchor for pin in shown.pins.pins], shown.pins.version) == (model.pins, model.version)
        assert shown.seq == start.seq + model.version
        assert len(model.pins) <= MAX_PINS


async def test_pins_of_an_ended_room_stay(redis: Redis) -> None:
    """After the end nobody pins; a repeated operation from before it is still done."""
    kept, live = documents(redis), document(ANCHORS[:1])
    await kept.write(ROOM, None, live, changes(None, live), [])
    change = PinChange(operation=OPERATIONS[0], version=0, action="pin", anchor=ANCHORS[0])
    assert (await kept.pin(ROOM, change, ANA)).verdict == "done"
    pinned = await kept.read(ROOM)
    assert pinned is not None
    over = Document(pinned.about, Life(status="ended"), pinned.lineup, pinned.pins)
    assert await kept.write(ROOM, pinned, over, changes(pinned, over), [])
    assert (await kept.pin(ROOM, change, ANA)).verdict == "done"
    late = change.model_copy(update={"operation": OPERATIONS[1], "action": "unpin", "version": 1})
    assert (await kept.pin(ROOM, late, ANA)).verdict == "ended"


# The document and its log

written = st.tuples(
    st.booleans(),  # by somebody who read the newest document
    st.lists(st.sampled_from(ANCHORS), max_size=4, unique=True),
    st.sampled_from(["live", "ending"]),
    st.sampled_from(["Show", "Another show"]),
)


@scripted
@given(st.lists(written, min_size=1, max_size=12))
async def test_only_the_newest_reader_writes(redis: Redis, script: list[tuple[bool, list[str], str, str]]) -> None:
    """Whoever read an older document writes nothing; numbers are gapless, and the log keeps the newest events."""
    await redis.flushall()
    kept, current, stale, count = documents(redis), None, None, 0
    for fresh, anchors, status, title in script:
        before = current if fresh else stale
        wanted = document(anchors, status, title)
        pins = without_pins_of(before.pins if before else Pins(version=0, pins=[]), wanted.lineup.anchors)
        wanted = Document(wanted.about, wanted.life, wanted.lineup, pins)
        found = changes(before, wanted)
        outdated = (before.seq if before else None) != (current.seq if current else None)
        assert await kept.write(ROOM, before, wanted, found, []) is not outdated
        if not outdated:
            stale, count = current, count + len(found)
        current = await kept.read(ROOM)
        assert current is not None
        assert current.seq == count
        if not outdated:
            assert (current.about, current.life, current.lineup) == (wanted.about, wanted.life, wanted.lineup)
    assert current is not None
    events = await kept.since(ROOM, After(epoch=current.epoch, seq=0))
    assert [orjson.loads(event)["seq"] for event in events] == list(range(max(0, count - KEPT) + 1, count + 1))


async def test_terms_are_refused_with_the_document(redis: Redis) -> None:
    """Terms of an outdated writer never reach the pool."""
    kept, pool = documents(redis), PoolStore(redis)
    first = document(ANCHORS[:1])

    def priced(price: int) -> list[Terms]:
        return [Terms("var_a", price, "EUR", 5, Source(kind="room"))]

    await kept.write(ROOM, None, first, changes(None, first), priced(100))
    assert not await kept.write(ROOM, None, first, [], priced(999))
    text = cast("bytes", await cast("Any", pool.redis.hget(f"{{{room_pool(ROOM)}}}:terms", "var_a")))
    assert msgpack.unpackb(text)[0] == 100


# Presence

reports = st.tuples(st.integers(0, 3), st.integers(0, 5))


@scripted
@given(st.lists(reports, max_size=20))
async def test_viewers_are_the_sum_of_what_processes_report(redis: Redis, script: list[tuple[int, int]]) -> None:
    """The newest report of each process counts; the version rises exactly when the sum changes."""
    await redis.flushall()
    processes = [Presence(redis, 30) for _ in range(4)]
    counts, version = [0, 0, 0, 0], -1
    for process, count in script:
        changed = sum(counts) != sum(counts) - counts[process] + count
        counts[process] = count
        await processes[process].report(Report(ROOM, count, host=False))
        state = await processes[0].viewers(ROOM)
        assert isinstance(state.value, ViewersState)
        assert state.value.viewers == sum(counts)
        assert (state.version > version) == changed or version == -1
        version = state.version


# A pool's life

FAR = 3_600_000
lives = st.sampled_from(["create", "open", "end far", "end now", "reopen", "close", "close stale"])


@scripted
@given(st.lists(lives, max_size=12))
async def test_a_pools_life_has_one_direction(redis: Redis, script: list[str]) -> None:
    """waiting → open → closed; an end can be taken back until its time, and never afterwards."""
    await redis.flushall()
    store, state, closes_at, past = PoolStore(redis), None, 0, False
    for step in script:
        name, _, how = step.partition(" ")
        argument = {"end far": FAR, "end now": 0, "close": closes_at, "close stale": closes_at + 1}.get(step, 0)
        action = {"end": "end_at"}.get(name, name)
        answer, told = cast("tuple[bytes | None, int]", await store.run("life", "room:life", action, argument, 1))
        late = action == "reopen" and (state != "open" or past)
        if action == "create" and state is None:
            state = "waiting"
        elif action == "open" and state in {None, "waiting"}:
            state = "open"
        elif action == "end_at" and state == "open" and not closes_at:
            closes_at, past = told, how == "now"
        elif action == "reopen" and not late:
            closes_at = 0
        elif step == "close" and state in {"open", "waiting"}:
            state = "closed"
        assert (answer.decode() if answer else None) == ("too_late" if late else state)
        assert told == closes_at
