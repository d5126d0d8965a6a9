"""Counting viewers across processes, and who they were."""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator

import pytest
from redis.asyncio import Redis

from streamserver.realtime.attendance import Attendance
from streamserver.rooms.presence import Presence, Report, Turnout
from tests.harness import PROJECT
from tests.realtime.conftest import Serve
from tests.realtime.ear import eventually, listening
from tests.realtime.stage import Stage

ROOM = "room_0000000000000000000000"
OTHER = "room_0000000000000000000001"
DEATH = 6.0  # seconds: three of belief, one until the next report, and two for a busy machine


async def count(presence: Presence, room: str = ROOM) -> int:
    value = (await presence.viewers(room)).value
    return value.model_dump()["viewers"]


async def counted(presence: Presence, viewers: int) -> bool:
    return await count(presence) == viewers


@pytest.fixture
async def attendance(presence: Presence) -> AsyncGenerator[Attendance]:
    """This process's reports, running."""
    attendance = Attendance(presence)
    attendance.start()
    yield attendance
    await attendance.close()


async def test_processes_add_up(redis: Redis) -> None:
    first, second = Presence(redis, 30), Presence(redis, 30)
    await first.report(Report(ROOM, 3, host=False))
    await second.report(Report(ROOM, 4, host=False), Report(OTHER, 1, host=False))
    assert (await count(first), await count(first, OTHER)) == (7, 1)
    await first.report(Report(ROOM, 0, host=False))
    assert await count(second) == 4


async def test_a_silent_process_is_not_counted(redis: Redis) -> None:
    """Its last report lies more than three seconds back."""
    presence = Presence(redis, 30)
    await presence.report(Report(ROOM, 2, host=False))
    seconds, _ = await redis.time()
    await redis.hset(f"{{room:{ROOM}}}:viewers", "p:dead", f"5:{(seconds - 4) * 1000}")
    assert await count(presence) == 2


async def test_viewers_of_a_killed_process_are_counted_off(redis_url: str, attendance: Attendance) -> None:
    """Whoever watches through another process is told so, within seconds and without asking."""
    attendance.count(ROOM, 2, host=False)
    async with listening(redis_url, ROOM) as ear:
        command = [sys.executable, "-m", "tests.realtime.process", str(os.getpid()), redis_url, ROOM, "5"]
        process = await asyncio.create_subprocess_exec(*command, cwd=PROJECT)
        await ear.until(lambda: ear.viewers[-1:] == [7])
        process.kill()
        await ear.until(lambda: ear.viewers[-1:] == [2], DEATH)
        await process.wait()


async def test_the_version_rises_with_every_change_also_when_redis_forgot(redis: Redis) -> None:
    presence = Presence(redis, 30)
    versions: list[int] = []
    for viewers in (1, 2, 2, 1):
        await presence.report(Report(ROOM, viewers, host=False))
        versions.append((await presence.viewers(ROOM)).version)
    await redis.flushall()
    await presence.report(Report(ROOM, 1, host=False))
    versions.append((await presence.viewers(ROOM)).version)
    assert versions[1] == versions[2]
    assert versions[0] < versions[1] < versions[3] < versions[4]


async def test_it_is_remembered_when_a_host_was_last_there(redis: Redis) -> None:
    presence = Presence(redis, 30)
    await presence.report(Report(ROOM, 1, host=False))
    assert await presence.host_seen(ROOM) is None
    await presence.report(Report(ROOM, 1, host=True))
    seconds, _ = await redis.time()
    assert abs((await presence.host_seen(ROOM) or 0) - seconds * 1000) < 5_000


async def test_a_host_alone_is_seen_and_not_counted(presence: Presence, attendance: Attendance) -> None:
    """Again and again, as long as they are there."""
    attendance.count(ROOM, 0, host=True)
    seen: set[int | None] = set()

    async def seen_three_times() -> bool:
        seen.add(await presence.host_seen(ROOM))
        return len(seen - {None}) == 3

    await eventually(seen_three_times)
    assert await count(presence) == 0


async def test_the_peak_stays_when_viewers_leave(redis: Redis) -> None:
    """It is the most that all processes had at once."""
    first, second = Presence(redis, 30), Presence(redis, 30)
    for process, viewers in ((first, 3), (second, 4), (first, 1), (second, 5), (first, 0)):
        await process.report(Report(ROOM, viewers, host=False))
    assert (await first.turnout(ROOM)).peak == 7


async def test_somebody_who_comes_back_is_one_person(presence: Presence, attendance: Attendance) -> None:
    """Also after they had left, and with two pages open."""
    for _ in range(2):
        for person in ("acc_mara", "dev_guest"):
            attendance.came(ROOM, person)
            attendance.came(ROOM, person)
        attendance.count(ROOM, 2, host=False)
        await eventually(lambda: counted(presence, 2))
        attendance.count(ROOM, 0, host=False)
        await eventually(lambda: counted(presence, 0))
    assert await presence.turnout(ROOM) == Turnout(peak=2, unique=2)


async def test_a_crowd_is_estimated(presence: Presence) -> None:
    """All of a large room arrive between two reports; the error is three times HyperLogLog's standard error at most."""
    crowd = 9_000
    await presence.report(Report(ROOM, crowd, host=False, people=[f"dev_{n}" for n in range(crowd)]))
    assert abs((await presence.turnout(ROOM)).unique - crowd) < crowd * 0.0081 * 3


async def test_people_are_not_lost_while_redis_is_away(
    presence: Presence, attendance: Attendance, redis: Redis
) -> None:
    """A report that failed is made up for by the next one."""
    await redis.execute_command("CONFIG", "SET", "maxmemory", "1")
    attendance.came(ROOM, "dev_patient")
    attendance.count(ROOM, 1, host=False)
    await asyncio.sleep(1.2)
    assert await presence.turnout(ROOM) == Turnout(0, 0)
    await redis.execute_command("CONFIG", "SET", "maxmemory", "0")

    async def made_up_for() -> bool:
        return await presence.turnout(ROOM) == Turnout(1, 1)

    await eventually(made_up_for)


async def test_coming_and_going_does_not_cost_a_write_each(redis: Redis, attendance: Attendance) -> None:
    """A hundred leave a room one after the other, each of them as its last viewer: one report at once, another with the round."""
    attendance.count(ROOM, 1, host=False)
    presence = Presence(redis, 30)
    await eventually(lambda: counted(presence, 1))
    await redis.config_resetstat()
    for _ in range(100):
        attendance.count(ROOM, 0, host=False)
        await asyncio.sleep(0)
        attendance.count(ROOM, 1, host=False)
    await asyncio.sleep(0.5)
    assert (await redis.info("commandstats"))["cmdstat_evalsha"]["calls"] <= 3  # a round may lie between


async def test_every_key_expires(redis: Redis) -> None:
    await Presence(redis, 30).report(Report(ROOM, 1, host=True, people=["dev_a"]))
    keys = await redis.keys("*")
    assert len(keys) == 4
    for key in keys:
        assert await redis.ttl(key) > 0


async def test_viewers_are_told_how_many_they_are(serve: Serve, stage: Stage) -> None:
    """The sum over all processes, as a state of the room; whoever leaves is counted off."""
    pages = [await (await serve()).page(room=stage.room) for _ in range(2)]
    for page in pages:
        await page.until(lambda page=page: page.viewers[-1:] == [2])
    await pages[0].client.disconnect()
    await pages[1].until(lambda: pages[1].viewers[-1] == 1)
