"""A bus that went deaf: viewers end up with the truth within seconds, on every kind of server."""

import asyncio
from collections.abc import AsyncGenerator

import pytest
from redis.asyncio import Redis

from streamserver.kit.ids import new_id
from streamserver.realtime.publisher import SAY
from tests.faults.conftest import binary, server, start_redis
from tests.faults.redis_under_test import RedisUnderTest
from tests.realtime.conftest import Live, Page
from tests.realtime.ear import eventually, listening
from tests.realtime.muffler import Muffler
from tests.realtime.stage import Stage

__all__ = ["binary", "server", "start_redis"]

VARIANT = new_id("var")
ROOM = new_id("room")
PROMISE = 5.0  # seconds from the end of the trouble until viewers have the truth
REDIS_PY = 5.0  # seconds of silence that redis-py allows by default


@pytest.fixture
async def muffler(server: RedisUnderTest) -> AsyncGenerator[Muffler]:
    async with Muffler(server.url) as muffler:
        yield muffler


@pytest.fixture
def redis_url(muffler: Muffler) -> str:
    """Everybody reaches Redis through the muffler."""
    return muffler.url


async def unheard(page: Page, stage: Stage) -> None:
    """An event and a state are published, and the page has them in the end; what comes next as well."""
    await stage.happen("unheard")
    await stage.sell(VARIANT, 2, version=1)
    await page.until(lambda: page.seqs == [1] and page.stock(VARIANT)[-1:] == [2])
    await stage.happen("heard")
    await page.until(lambda: page.seqs == [1, 2])


async def test_a_connection_that_swallows_what_is_said_is_replaced(live: Live, stage: Stage, muffler: Muffler) -> None:
    page = await live.page(room=stage.room)
    await page.first("snapshot")
    muffler.muffle()
    async with asyncio.timeout(PROMISE):
        await unheard(page, stage)


async def test_a_server_that_forgot_its_listener_is_noticed(live: Live, stage: Stage, muffler: Muffler) -> None:
    """The connection would still answer a ping."""
    page = await live.page(room=stage.room)
    await page.first("snapshot")
    muffler.forget()
    async with asyncio.timeout(PROMISE):
        await unheard(page, stage)


async def test_deaf_connections_are_renewed_until_one_hears(live: Live, stage: Stage, muffler: Muffler) -> None:
    """The way to Redis swallows everything for longer than one try; once it does not, nobody waits for long."""
    page = await live.page(room=stage.room)
    await page.first("snapshot")
    first = muffler.listening
    muffler.all_deaf = True
    muffler.muffle()

    async def renewed() -> bool:
        return bool(muffler.listening) and not muffler.listening & first

    await eventually(renewed)
    muffler.all_deaf = False
    async with asyncio.timeout(PROMISE):
        await unheard(page, stage)


async def test_a_frozen_server_is_listened_to_again_when_it_wakes_up(server: RedisUnderTest) -> None:
    """Nobody waits for a handshake that was begun while it slept."""
    async with listening(server.url, ROOM) as ear:
        server.freeze()
        await asyncio.sleep(3)
        server.thaw()
        await ear.until(lambda: ear.missing == [ROOM], PROMISE)
        await SAY(server.client(), [f"{{room:{ROOM}}}:bus"], [b"\x91\xa5awake"])
        await ear.until(lambda: ear.words == [[ROOM, b"awake"]], PROMISE)


async def test_after_a_long_outage_nobody_waits_for_a_back_off(server: RedisUnderTest) -> None:
    """python-socketio would pause twice as long after each failure."""
    async with listening(server.url, ROOM) as ear:
        await server.kill()
        await asyncio.sleep(7)
        await server.start()
        await ear.until(lambda: ear.missing == [ROOM], PROMISE)


async def test_a_quiet_bus_keeps_its_connection(redis: Redis, server: RedisUnderTest) -> None:
    """Silence of the rooms is no error, however long."""
    async with listening(server.url, ROOM) as ear:
        before = await redis.client_list(_type="pubsub")
        await asyncio.sleep(REDIS_PY + 1)
        after = await redis.client_list(_type="pubsub")
        assert [client["id"] for client in after] == [client["id"] for client in before]
        assert ear.missing == []


async def test_killed_listeners_come_back_every_time(live: Live, stage: Stage, redis: Redis) -> None:
    page = await live.page(room=stage.room)
    await page.first("snapshot")

    async def killed() -> bool:
        return bool(await redis.client_kill_filter(_type="pubsub"))

    for _ in range(3):
        await eventually(killed)
    async with asyncio.timeout(PROMISE):
        await unheard(page, stage)


async def test_an_answer_that_nobody_expects_costs_one_connection(muffler: Muffler) -> None:
    """Whatever the listener cannot read, it begins anew instead of dying."""
    async with listening(muffler.url, ROOM) as ear:
        muffler.confuse()
        await ear.until(lambda: ear.missing == [ROOM], PROMISE)
