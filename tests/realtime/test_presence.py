"""Counting viewers across processes."""

from redis.asyncio import Redis

from streamserver.rooms.presence import Presence
from tests.realtime.conftest import Serve
from tests.realtime.stage import Stage

ROOM = "room_0000000000000000000000"


async def count(presence: Presence) -> int:
    value = (await presence.viewers(ROOM)).value
    return value.model_dump()["viewers"]


async def test_processes_add_up(redis: Redis) -> None:
    first, second = Presence(redis, 30), Presence(redis, 30)
    await first.report(ROOM, 3, host=False)
    await second.report(ROOM, 4, host=False)
    assert await count(first) == 7
    await first.report(ROOM, 0, host=False)
    assert await count(second) == 4


async def test_a_silent_process_is_not_counted(redis: Redis) -> None:
    """Its last report lies more than ten seconds back."""
    presence = Presence(redis, 30)
    await presence.report(ROOM, 2, host=False)
    seconds, _ = await redis.time()
    await redis.hset(f"{{room:{ROOM}}}:viewers", "p:dead", f"5:{(seconds - 11) * 1000}")
    assert await count(presence) == 2


async def test_the_version_rises_with_every_change_also_when_redis_forgot(redis: Redis) -> None:
    presence = Presence(redis, 30)
    versions: list[int] = []
    for viewers in (1, 2, 2, 1):
        await presence.report(ROOM, viewers, host=False)
        versions.append((await presence.viewers(ROOM)).version)
    await redis.flushall()
    await presence.report(ROOM, 1, host=False)
    versions.append((await presence.viewers(ROOM)).version)
    assert versions[1] == versions[2]
    assert versions[0] < versions[1] < versions[3] < versions[4]


async def test_it_is_remembered_when_a_host_was_last_there(redis: Redis) -> None:
    presence = Presence(redis, 30)
    await presence.report(ROOM, 1, host=False)
    assert await presence.host_seen(ROOM) is None
    await presence.report(ROOM, 1, host=True)
    seconds, _ = await redis.time()
    assert abs((await presence.host_seen(ROOM) or 0) - seconds * 1000) < 5_000


async def test_every_key_expires(redis: Redis) -> None:
    await Presence(redis, 30).report(ROOM, 1, host=True)
    for key in await redis.keys("*"):
        assert await redis.ttl(key) > 0


async def test_viewers_are_told_how_many_they_are(serve: Serve, stage: Stage) -> None:
    """The sum over all processes, as a state of the room; whoever leaves is counted off."""
    pages = [await (await serve()).page(room=stage.room) for _ in range(2)]
    for page in pages:
        await page.until(lambda page=page: page.viewers[-1:] == [2])
    await pages[0].client.disconnect()
    await pages[1].until(lambda: pages[1].viewers[-1] == 1)
