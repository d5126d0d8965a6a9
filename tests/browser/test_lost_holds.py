"""Holds that were acknowledged and then lost by the server: this browser still has their tokens."""

from collections.abc import AsyncGenerator, Callable
from typing import Any, cast

import pytest
from playwright.async_api import expect
from redis.asyncio import Redis

from streamserver.cli import redis_server
from streamserver.config import Config, ServerConfig
from streamserver.kit.redis import connect
from tests.browser.api import Creator
from tests.browser.steps import buy, expect_status, open_pinned, pay, place_order
from tests.browser.windows import Windows
from tests.harness import Server

LOST = "Something that was set aside for you was lost, and it is sold out now. Nothing was charged."
NOTHING_REMEMBERED = "() => localStorage.getItem('hold-tokens') === '[]'"


@pytest.fixture
def server(start_server: Callable[..., Server]) -> Server:
    """A server of the test's own: what is done to its Redis here no shop survives unharmed."""
    return start_server()


@pytest.fixture
async def redis(server: Server) -> AsyncGenerator[Redis]:
    """The server's own Redis."""
    client = connect(redis_server.embedded(Config(server=ServerConfig(data=server.data))).url)
    yield client
    await client.aclose()


async def lose_holds(redis: Redis, room: str) -> None:
    """The room's holds and every bag are gone, as after a crash that took the newest writes; what they held stays away."""
    bags = cast("list[bytes]", await cast("Any", redis.keys("{bags:*")))
    await redis.delete(f"{{room:{room}}}:holds", *bags)


async def test_a_lost_hold_is_taken_again_or_told(windows: Windows, creator: Creator, redis: Redis) -> None:
    """What has units left is in the bag, and can be paid, as if nothing had happened; what has none is told, once."""
    page = await windows.open(f"/rooms/{creator.room}")
    for title, units in {"Tea bowl": 2, "Jug": 1}.items():
        offer = await creator.offer(title, units)
        await creator.pin(creator.room, offer.anchor)
        await open_pinned(page, title)
        await buy(page)
        await page.get_by_role("button", name="Close").click()
    await lose_holds(redis, creator.room)

    await page.goto(f"/checkout?shop={creator.shop}")
    await expect(page.get_by_text(LOST)).to_be_visible()
    items = page.locator("bag-part").get_by_role("heading", level=3)
    await expect(items).to_have_text("Tea bowl")
    await expect(page.locator("bag-part")).to_contain_text("Yours for")
    await place_order(page)
    await pay(page)
    await expect_status(page, "Paid")
    await page.wait_for_function(NOTHING_REMEMBERED)
    await expect(page.get_by_text(LOST)).to_have_count(0)
