"""socket.io-client from npm, unchanged, where a test must reach into the server: its sessions, its turns, its sockets."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from redis.asyncio import Redis

from streamserver.kit.ids import new_id
from streamserver.realtime.publisher import RedisPublisher
from tests.realtime.conftest import ORIGIN, Live
from tests.realtime.stage import Stage
from tests.wire.conftest import NodePage, Open

VARIANT = new_id("var")
Enter = Callable[..., Awaitable[NodePage]]


@pytest.fixture
def enter(live: Live, open_page: Open, stage: Stage) -> Enter:
    """Open a page in the room."""

    async def start(origin: str = ORIGIN, **auth: Any) -> NodePage:
        return await open_page(live.url, {"Origin": origin}, {"room": stage.room, **auth})

    return start


async def test_a_page_is_told_its_turn(enter: Enter, stage: Stage) -> None:
    """It waits in line with an acknowledgement; a turn is told to that buyer's pages alone."""
    page = await enter()
    await page.until("snapshot")
    assert (await page.ask("wait", {"variant": VARIANT}))["ok"] == {"variant": VARIANT, "place": 1, "hold": None}
    mine, other = new_id("hold"), new_id("hold")
    await stage.publish(["offers", [["dev_other", VARIANT, other], ["dev_guest", VARIANT, mine]]])
    assert await page.until("turn") == {"variant": VARIANT, "hold": mine}


async def test_whoever_was_signed_out_does_not_come_back(enter: Enter, redis: Redis) -> None:
    """The fault is told, then the stock client sees the server's own disconnect, after which it does not reconnect."""
    page = await enter(token="token-1")
    await page.until("snapshot")
    await RedisPublisher(redis).session_ended("mara")
    assert (await page.until("fault"))["retry"] is False
    assert await page.until("disconnect") == "io server disconnect"


async def test_a_lost_connection_comes_back_by_itself(live: Live, enter: Enter, stage: Stage) -> None:
    """The socket is cut without a word: the client returns, and is told what it missed."""
    page = await enter()
    await page.until("snapshot")
    live.cut()
    await stage.happen("a new title", published=False)
    assert await page.until("disconnect") == "transport close"
    assert (await page.until("event"))["data"]["title"] == "a new title"
    assert len(page.all("snapshot")) == 1
