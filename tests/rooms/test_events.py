"""Snapshot plus events equals fresh snapshot: for every event, from the real log."""

import orjson
from pydantic import TypeAdapter
from sqlalchemy import select

from streamserver.messages.live import After
from streamserver.messages.rooms import (
    About,
    AnchorChange,
    AnchorVariantTerms,
    Life,
    LineUpOrder,
    LineUpPatch,
    Pins,
    RoomChange,
    Snapshot,
)
from streamserver.rooms.archive import Archive
from streamserver.rooms.model import Change, Document, apply
from streamserver.rooms.tables import RoomEventRow
from tests.world import World

TYPES = {"about": About, "life": Life, "lineup": LineUpPatch, "pins": Pins}


def document(snapshot: Snapshot) -> Document:
    return Document(snapshot.about, snapshot.life, snapshot.lineup, snapshot.pins)


async def follow(world: World, room: str, start: Snapshot) -> tuple[Document, list[str]]:
    """What a viewer who joined at `start` sees after every event since; and the kinds of events."""
    events = await world.services.rooms.missing(room, After(epoch=start.epoch, seq=start.seq))
    assert events is not None
    reached, kinds = document(start), list[str]()
    for number, text in enumerate(events, start.seq + 1):
        event = orjson.loads(text)
        assert event["seq"] == number
        data = TypeAdapter(TYPES[event["type"]]).validate_python(event["data"])
        reached = apply(reached, Change(event["type"], data))
        kinds.append(event["type"])
    return reached, kinds


async def test_a_whole_show_can_be_followed_event_by_event(world: World) -> None:
    """From planning to the end: at each point, what one saw first plus the events is what a newcomer sees."""
    mug, bowl = await world.product("Mug"), await world.product("Bowl")
    room = await world.room()
    start, kinds = await world.snapshot(room), list[str]()
    one = await world.anchor(room, mug)
    two = await world.anchor(room, bowl)
    terms = [AnchorVariantTerms(variant=mug.variants[0].id, price=1200, limit=1, allotment=2)]
    steps = [
        lambda: world.services.hosting.change(room, world.host, RoomChange(title="Another title")),
        lambda: world.services.hosting.start(room, world.host),
        lambda: world.pin(room, one),
        lambda: world.pin(room, two),
        lambda: world.pin(room, one, "unpin"),
        lambda: world.services.lineups.change(room, world.host, one, AnchorChange(variants=terms)),
        lambda: world.services.lineups.remove(room, world.host, two),
        lambda: world.services.hosting.end(room, world.host),
        lambda: world.services.hosting.undo_end(room, world.host),
    ]
    for step in steps:
        await step()
        reached, kinds = await follow(world, room, start)
        assert reached == document(await world.snapshot(room))
    assert set(kinds) == {"about", "life", "lineup", "pins"}


async def test_sorting_is_followed(world: World) -> None:
    """A new order travels as a patch, without the products themselves."""
    room = await world.room()
    one, two = [await world.anchor(room, await world.product(f"Mug {n}")) for n in range(2)]
    start = await world.snapshot(room)
    order = LineUpOrder(version=start.lineup.version, order=[two, one])
    await world.services.lineups.sort(room, world.host, order)
    reached, _ = await follow(world, room, start)
    assert [anchor.id for anchor in reached.lineup.anchors] == [two, one]


async def test_a_log_that_does_not_reach_back_says_so(world: World) -> None:
    """Unknown epoch, a future number: a new snapshot is the one honest answer."""
    room = await world.room()
    now = await world.snapshot(room)
    for after in (After(epoch="another", seq=now.seq), After(epoch=now.epoch, seq=now.seq + 1)):
        assert await world.services.rooms.missing(room, after) is None
    assert await world.services.rooms.missing(room, After(epoch=now.epoch, seq=now.seq)) == []


async def test_a_lost_document_is_written_again_from_sql(world: World) -> None:
    """Redis lost: line-up and life come back, under a new epoch, so that nobody mixes old numbers in."""
    room = await world.room()
    await world.anchor(room, await world.product())
    before = await world.snapshot(room)
    await world.services.stock_redis.delete(f"{{room:{room}}}:document", f"{{room:{room}}}:log")
    after = await world.snapshot(room)
    assert (after.lineup.anchors[0].id, after.about) == (before.lineup.anchors[0].id, before.about)
    assert after.epoch != before.epoch


async def test_the_log_is_archived_once(world: World) -> None:
    """Every event is in SQL, in order, however often the archive runs."""
    room = await world.room(live=True)
    archive = Archive(world.services.database, world.services.documents)
    await archive.run()
    await world.anchor(room, await world.product())
    await archive.run()
    await archive.run()
    snapshot = await world.snapshot(room)
    assert await archived(world, room) == list(range(1, snapshot.seq + 1))


async def archived(world: World, room: str) -> list[int]:
    query = select(RoomEventRow.seq).where(RoomEventRow.room == room).order_by(RoomEventRow.at, RoomEventRow.seq)
    async with world.services.database.read() as session:
        return list(await session.scalars(query))
