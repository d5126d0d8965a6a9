"""The page's own reducer, fed with the real log: it ends where a fresh snapshot begins."""

import asyncio
import json
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Any

import orjson
import pytest

from streamserver.kit.ids import new_id
from streamserver.messages.live import After
from streamserver.messages.rooms import LineUpOrder, RoomChange, Snapshot
from streamserver.messages.stock import HoldRequest
from tests.wire.conftest import NODE
from tests.world import World, guest

FOLLOW = Path(__file__).parent / "follow.mjs"
ABOUT = {
    "id": "room_1",
    "title": "",
    "description": "",
    "creator": {"handle": "maya", "name": "Maya"},
    "scheduled_at": None,
}


async def page_after(*told: tuple[str, Any]) -> dict[str, Any]:
    """What a page shows that was told these words, `(name, body)`, one after the other."""
    process = await asyncio.create_subprocess_exec(NODE, str(FOLLOW), stdin=PIPE, stdout=PIPE)
    shown, _ = await process.communicate(json.dumps(told).encode())
    return json.loads(shown)


def snapshot_of(snapshot: Snapshot) -> tuple[str, Any]:
    return "snapshot", snapshot.model_dump(mode="json")


def stock(version: int, available: int) -> tuple[str, Any]:
    value = {"variant": "var_1", "available": available, "epoch": 1, "waiting": 0}
    return "states", {"states": [{"key": "stock:var_1", "version": version, "value": value}]}


def numbered(seq: int, title: str, epoch: str = "e1") -> tuple[str, Any]:
    data = ABOUT | {"title": title}
    return "event", {"epoch": epoch, "seq": seq, "at": 0, "media_time": None, "type": "about", "data": data}


START: dict[str, Any] = {
    "epoch": "e1", "seq": 4, "at": 0, "about": ABOUT, "life": {"status": "live"}, "lineup": {"version": 0, "anchors": []},
    "pins": {"version": 0, "pins": []}, "states": stock(7, 10)[1]["states"], "rights": [],
}  # fmt: skip


async def test_a_page_that_followed_a_whole_show_shows_what_a_newcomer_sees(world: World) -> None:
    """Every kind of event and every state, through the code that runs in browsers."""
    rooms, hosting, lineups = world.services.rooms, world.services.hosting, world.services.lineups
    room = await world.room()
    start = await world.snapshot(room)
    mug, bowl, plate = [await world.product(title) for title in ("Mug", "Bowl", "Plate")]
    one, two, three = [await world.anchor(room, product) for product in (mug, bowl, plate)]
    await hosting.change(room, world.host, RoomChange(title="Another title"))
    await hosting.start(room, world.host)
    await world.pin(room, one)
    await world.pin(room, two)
    await rooms.hold(room, guest(), HoldRequest(key=new_id("key"), variant=mug.variants[0].id))
    version = (await world.lineup(room)).version
    await lineups.sort(room, world.host, LineUpOrder(version=version, order=[three, two, one]))
    await lineups.remove(room, world.host, two)
    await hosting.end(room, world.host)
    now = await world.snapshot(room)
    events = await rooms.missing(room, After(epoch=start.epoch, seq=start.seq))
    assert events is not None

    told = [("event", orjson.loads(event)) for event in events]
    states = [state.model_dump(mode="json") for state in now.states]
    shown = await page_after(snapshot_of(start), *told, ("states", {"states": states}))

    fresh = now.model_dump(mode="json")
    assert shown.pop("gap") is False
    shown["states"] = sorted(shown["states"], key=lambda state: state["key"])
    fresh["states"] = sorted(fresh["states"], key=lambda state: state["key"])
    assert shown == {part: fresh[part] for part in shown}


async def test_the_highest_version_is_shown_whatever_order_they_arrive_in() -> None:
    """Neither an older state nor an older snapshot of the same epoch turns a count back."""
    shown = await page_after(("snapshot", START), stock(9, 3), stock(8, 6), stock(9, 5), ("snapshot", START))
    assert [state["value"]["available"] for state in shown["states"]] == [3]


async def test_another_epoch_begins_anew() -> None:
    """Its versions have nothing to do with those before: what a new snapshot says is so."""
    anew = {**START, "epoch": "e2", "seq": 1, "states": stock(1, 8)[1]["states"]}
    shown = await page_after(("snapshot", START), stock(9, 3), ("snapshot", anew))
    assert (shown["epoch"], shown["seq"]) == ("e2", 1)
    assert [state["value"]["available"] for state in shown["states"]] == [8]


async def test_an_event_counts_once() -> None:
    """What is told twice, or late, changes nothing."""
    shown = await page_after(("snapshot", START), numbered(5, "five"), numbered(6, "six"), numbered(5, "five"))
    assert (shown["seq"], shown["about"]["title"], shown["gap"]) == (6, "six", False)


@pytest.mark.parametrize("event", [numbered(6, "six"), numbered(5, "five", epoch="e2")])
async def test_a_gap_is_noticed_and_nothing_is_shown_past_it(event: tuple[str, Any]) -> None:
    """A number left out, or another epoch: the page stays at its position, from where it asks."""
    shown = await page_after(("snapshot", START), event)
    assert (shown["seq"], shown["about"]["title"], shown["gap"]) == (4, "", True)


async def test_missing_events_close_a_gap() -> None:
    shown = await page_after(("snapshot", START), numbered(6, "six"), numbered(5, "five"), numbered(6, "six"))
    assert (shown["seq"], shown["about"]["title"], shown["gap"]) == (6, "six", False)
