"""The page's own reducer, fed with the real log: it ends where a fresh snapshot begins."""

import asyncio
import json
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Any

import orjson

from streamserver.kit.ids import new_id
from streamserver.messages.live import After
from streamserver.messages.rooms import LineUpOrder, RoomChange, Snapshot
from streamserver.messages.stock import HoldRequest
from tests.wire.conftest import NODE
from tests.world import World, guest

FOLLOW = Path(__file__).parent / "follow.mjs"


async def page_after(start: Snapshot, events: list[bytes], now: Snapshot) -> dict[str, Any]:
    """What a page shows that joined at `start` and was sent everything since."""
    told = {
        "snapshot": start.model_dump(mode="json"),
        "events": [orjson.loads(event) for event in events],
        "states": [state.model_dump(mode="json") for state in now.states],
    }
    process = await asyncio.create_subprocess_exec(NODE, str(FOLLOW), stdin=PIPE, stdout=PIPE)
    shown, _ = await process.communicate(json.dumps(told).encode())
    return json.loads(shown)


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

    shown = await page_after(start, events, now)

    fresh = now.model_dump(mode="json")
    assert shown.pop("gap") is False
    shown["states"] = sorted(shown["states"], key=lambda state: state["key"])
    fresh["states"] = sorted(fresh["states"], key=lambda state: state["key"])
    assert shown == {part: fresh[part] for part in shown}
