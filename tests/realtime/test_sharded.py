"""Sharded pub/sub where the server has it: whoever publishes and whoever listens agree, on every kind of server."""

from pathlib import Path
from typing import Any, cast

import msgpack
import pytest
from redis.asyncio import Redis

from streamserver.kit.ids import new_id
from streamserver.messages.stock import HoldRequest, WaitRequest
from streamserver.realtime.publisher import RedisPublisher
from streamserver.rooms.presence import Report
from tests.faults.conftest import binary, server, start_redis
from tests.faults.redis_under_test import RedisUnderTest, version
from tests.realtime.ear import listening
from tests.world import World, guest

__all__ = ["binary", "server", "start_redis"]

ROOM = new_id("room")


@pytest.fixture
def redis_url(server: RedisUnderTest) -> str:
    return server.url


async def followers(redis: Redis, command: str) -> int:
    answer: list[Any] = await cast("Any", redis).execute_command("PUBSUB", command, f"{{room:{ROOM}}}:bus")
    return answer[1]


async def test_a_channel_is_sharded_from_redis_7_on(redis: Redis, server: RedisUnderTest, binary: Path) -> None:
    """And plain before; never both."""
    modern = not version(binary).startswith("redis-6.")
    async with listening(server.url, ROOM):
        assert await followers(redis, "NUMSUB") == (0 if modern else 1)
        if modern:
            assert await followers(redis, "SHARDNUMSUB") == 1


async def test_every_script_says_its_words_where_they_are_heard(world: World, server: RedisUnderTest) -> None:
    """Line-up, pins, stock, turns in line, viewers, rights: of each, a word arrives."""
    room, mug = await world.room(live=True), await world.product(units=1)
    variant, holder, waiting = mug.variants[0].id, guest(), guest()
    async with listening(server.url, room) as ear:
        anchor = await world.anchor(room, mug, allotment=1)
        await world.pin(room, anchor)
        held = await world.services.rooms.hold(room, holder, HoldRequest(key="the-only-one", variant=variant))
        await world.services.rooms.wait(room, waiting, WaitRequest(variant=variant))
        await world.services.rooms.release(holder, held.id)
        await world.services.presence.report(Report(room, 3, host=False))
        await RedisPublisher(world.services.live_redis).rights_changed("acc_mo", room)

        def said(what: bytes) -> bool:
            return any(what in msgpack.packb(word) for word in ear.words)

        for what in (b'"type":"lineup"', b'"type":"pins"', b'"available":0', b"offers", b'"viewers":3'):
            await ear.until(lambda what=what: said(what))
        await ear.until(lambda: ear.told_words == [[b"rights", b"acc_mo", room.encode()]])
