"""A room's life: planned, live, ending (and back), ended; what was left goes home."""

import asyncio

import pytest

from streamserver.app import Services
from streamserver.config import Config, RoomsConfig
from streamserver.kit.errors import Forbidden
from streamserver.messages.stock import HoldRequest
from streamserver.rooms.errors import WrongState
from streamserver.rooms.tables import RoomRow
from streamserver.rooms.upkeep import Upkeep
from streamserver.stock.errors import NotSelling, TooLate
from streamserver.stock.model import room_pool, shop_pool
from tests.world import World, guest


@pytest.fixture
def config(config: Config) -> Config:
    """Shows that end at once: what happens after the undo window is the story here."""
    return config.model_copy(update={"rooms": RoomsConfig(undo_seconds=0)})


def upkeep(s: Services) -> Upkeep:
    return Upkeep(s.database, s.book, s.hosting, s.stock, s.presence, s.config.rooms)


async def test_nothing_sells_before_the_start(world: World) -> None:
    """A planned room shows its products, and says why they cannot be bought yet."""
    room = await world.room()
    mug = await world.product()
    await world.anchor(room, mug)
    with pytest.raises(NotSelling):
        await world.services.rooms.hold(room, guest(), HoldRequest(key="first-try", variant=mug.variants[0].id))
    await world.services.hosting.start(room, world.host)
    held = await world.services.rooms.hold(room, guest(), HoldRequest(key="first-try", variant=mug.variants[0].id))
    assert held.status == "held"


async def test_leftovers_go_home_at_the_end(world: World) -> None:
    """When the show is over, what was not sold or held is in the shop's store again."""
    mug = await world.product(units=10)
    room = await world.room(live=True)
    await world.anchor(room, mug, allotment=6)
    variant = mug.variants[0].id
    assert await world.available(shop_pool(world.shop.id), variant) == 4
    await world.services.hosting.end(room, world.host)
    await upkeep(world.services).run()
    assert (await world.snapshot(room)).life.status == "ended"
    assert await world.available(shop_pool(world.shop.id), variant) == 10
    assert await world.available(room_pool(room), variant) == 0


async def test_living_holds_keep_their_deadline_after_the_end(world: World) -> None:
    """The end takes nothing from whoever holds a unit; given up, it goes home and not back on sale."""
    mug = await world.product(units=10)
    room = await world.room(live=True)
    await world.anchor(room, mug, allotment=6)
    variant = mug.variants[0].id
    buyer = guest()
    held = await world.services.rooms.hold(room, buyer, HoldRequest(key="mine-alone", variant=variant))
    await world.services.hosting.end(room, world.host)
    await upkeep(world.services).run()
    assert (await world.services.rooms.held(buyer, held.id)).status == "held"
    assert await world.available(shop_pool(world.shop.id), variant) == 9
    with pytest.raises(NotSelling):
        await world.services.rooms.hold(room, guest(), HoldRequest(key="too-late-now", variant=variant))
    await world.services.rooms.release(buyer, held.id)
    await world.services.stock.tidy()
    assert await world.available(shop_pool(world.shop.id), variant) == 10


async def test_the_end_cannot_be_undone_after_its_time(world: World) -> None:
    """Undo works until the moment the pool closed, and says so afterwards."""
    room = await world.room(live=True)
    await world.services.hosting.end(room, world.host)
    with pytest.raises(TooLate):
        await world.services.hosting.undo_end(room, world.host)


async def test_an_ended_room_stays_ended(world: World) -> None:
    """It can neither start nor change its line-up."""
    room = await world.room(live=True)
    await world.services.hosting.end(room, world.host)
    await upkeep(world.services).run()
    with pytest.raises(WrongState):
        await world.services.hosting.start(room, world.host)
    mug = await world.product()
    with pytest.raises(WrongState):
        await world.anchor(room, mug)


async def test_only_the_host_starts_and_ends(world: World) -> None:
    """A moderator of single things does not run the show."""
    room = await world.room()
    await world.services.hosting.grant(room, world.host, "mo-derator", ["pin", "lineup", "chat", "ban"])
    with pytest.raises(Forbidden):
        await world.services.hosting.start(room, world.moderator)


async def test_an_abandoned_room_ends_itself(world: World) -> None:
    """A live room that its host left for the configured time begins to end, and then is over."""
    room = await world.room(live=True)
    deserted = Upkeep(
        world.services.database, world.services.book, world.services.hosting, world.services.stock,
        world.services.presence, RoomsConfig.model_construct(abandon_minutes=0),
    )  # fmt: skip
    await asyncio.sleep(0.01)
    await deserted.run()
    await deserted.run()
    assert (await world.snapshot(room)).life.status == "ended"


async def test_a_half_done_end_is_finished(world: World) -> None:
    """The pool knows of the end first: after a crash right there, SQL and viewers follow it."""
    room = await world.room(live=True)
    await world.services.stock.end_at(room_pool(room), 60_000)
    await upkeep(world.services).run()
    life = (await world.snapshot(room)).life
    assert life.status == "ending"
    assert life.ending_at == await world.services.stock.closes_at(room_pool(room))


async def test_a_half_done_undo_is_finished(world: World) -> None:
    """The same for taking it back."""
    room = await world.room(live=True)
    await world.services.stock.end_at(room_pool(room), 60_000)
    await upkeep(world.services).run()
    await world.services.stock.reopen(room_pool(room))
    await upkeep(world.services).run()
    assert (await world.snapshot(room)).life.status == "live"


async def test_a_crash_before_viewers_were_told_is_made_up_for(world: World) -> None:
    """SQL says ended, viewers still see it live: the next round tells them, however the process died."""
    room = await world.room(live=True)
    async with world.services.database.write() as session:
        row = await session.get_one(RoomRow, room)
        row.status, row.ended_at = "ended", 1
    assert (await world.snapshot(room)).life.status == "live"
    await upkeep(world.services).run()
    assert (await world.snapshot(room)).life.status == "ended"


async def test_an_undo_at_the_last_moment_holds(world: World) -> None:
    """Closing names the closing time it saw; when somebody took the end back meanwhile, nothing closes."""
    room = await world.room(live=True)
    ending_at = await world.services.stock.end_at(room_pool(room), 60_000)
    await world.services.stock.reopen(room_pool(room))
    assert not await world.services.stock.close(room_pool(room), ending_at)
    assert (await world.snapshot(room)).life.status == "live"


async def test_one_broken_room_does_not_keep_others(world: World) -> None:
    """A room that cannot be tended is logged; the others end all the same."""
    broken, sound = await world.room(live=True), await world.room(live=True)
    await world.services.stock_redis.set(f"{{room:{broken}}}:pool", "not a hash")
    await world.services.hosting.end(sound, world.host)
    await upkeep(world.services).run()
    assert (await world.snapshot(sound)).life.status == "ended"
