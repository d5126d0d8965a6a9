"""How many came to a show: counted while it runs, written down when it ends."""

import pytest
from redis.asyncio import Redis

from streamserver.config import Config, RoomsConfig
from streamserver.rooms.presence import Report
from streamserver.rooms.tables import RoomRow
from streamserver.rooms.upkeep import Upkeep
from tests.world import World


@pytest.fixture
def config(config: Config) -> Config:
    """Shows that end at once."""
    return config.model_copy(update={"rooms": RoomsConfig(undo_seconds=0)})


async def turnout(world: World, room: str) -> tuple[int, int]:
    """Peak and unique viewers, as the host reads them."""
    sales = await world.services.hosting.sales(room, world.host)
    return sales.peak_viewers, sales.unique_viewers


async def end(world: World, room: str) -> None:
    s = world.services
    await s.hosting.end(room, world.host)
    await Upkeep(s.database, s.book, s.hosting, s.stock, s.presence, s.config.rooms).run()


async def test_a_host_reads_peak_and_unique_viewers_during_the_show(world: World) -> None:
    room = await world.room(live=True)
    assert await turnout(world, room) == (0, 0)
    await world.services.presence.report(Report(room, 3, host=True, people=["dev_a", "dev_b"]))
    await world.services.presence.report(Report(room, 1, host=True, people=["dev_c", "dev_a"]))
    assert await turnout(world, room) == (3, 3)


async def test_they_are_kept_when_redis_is_gone(world: World, redis: Redis) -> None:
    room = await world.room(live=True)
    await world.services.presence.report(Report(room, 3, host=True, people=["dev_a", "dev_b"]))
    await end(world, room)
    await redis.delete(*[f"{{room:{room}}}:{name}" for name in ("viewers", "peak", "people")])
    assert await turnout(world, room) == (3, 2)
    async with world.services.database.read() as session:
        row = await session.get_one(RoomRow, room)
    assert (row.peak_viewers, row.unique_viewers) == (3, 2)


async def test_who_looks_at_a_show_that_is_over_was_not_there(world: World) -> None:
    room = await world.room(live=True)
    await world.services.presence.report(Report(room, 1, host=True, people=["dev_a"]))
    await end(world, room)
    await world.services.presence.report(Report(room, 9, host=False, people=["dev_late"]))
    assert await turnout(world, room) == (1, 1)
