"""Processes of the server that die under a viewer's eyes: the page ends with the true state, without a reload."""

import asyncio
from collections.abc import AsyncGenerator, Callable

import pytest
from aiohttp import ClientError
from playwright.async_api import Browser, Page, expect

from streamserver.kit.ids import new_id
from tests.browser.api import Creator, Offer
from tests.browser.steps import SET_ASIDE, open_pinned, pinned
from tests.browser.windows import Windows
from tests.harness import Server
from tests.stories.people import Refused

CUT = ("WebSocket connection to", "Failed to load resource")  # what Chromium itself logs while a server is away


@pytest.fixture(params=[1, 2])
def server(request: pytest.FixtureRequest, start_server: Callable[..., Server]) -> Server:
    """A server of the test's own, since its processes are killed here: with one web process, and with two."""
    return start_server(web__processes=request.param)


@pytest.fixture
async def windows(server: Server, browser: Browser) -> AsyncGenerator[Windows]:
    opened = Windows(browser, server.url)
    yield opened
    await opened.close()
    assert not [complaint for complaint in opened.complaints if not complaint.startswith(CUT)]


async def watched(windows: Windows, creator: Creator) -> tuple[Page, Offer]:
    """A window on a show with five bowls."""
    bowl = await creator.offer("Tea bowl", 5)
    await creator.pin(creator.room, bowl.anchor)
    page = await windows.open(f"/rooms/{creator.room}")
    await expect(pinned(page)).to_contain_text("Only 5 left")
    await page.evaluate("() => { window.neverReloaded = true; }")
    return page, bowl


async def sell_one(creator: Creator, variant: str) -> None:
    """Somebody else sets one aside as soon as the server can do that again."""
    wish = {"key": new_id("key"), "variant": variant, "quantity": 1, "retry": True}
    sold = False
    while not sold:
        try:
            await creator.post(f"rooms/{creator.room}/holds", wish)
            sold = True
        except (ClientError, Refused):  # without a process, without a Redis
            await asyncio.sleep(0.1)


async def expect_left(page: Page, left: int) -> None:
    """The page shows so many units, in the colours of what is up to date."""
    await expect(pinned(page)).to_contain_text(f"Only {left} left")
    await expect(page.get_by_text("Reconnecting …")).to_have_count(0)


async def buys(page: Page) -> None:
    await open_pinned(page, "Tea bowl")
    await page.get_by_role("button", name="Buy", exact=True).click()
    await expect(page.get_by_role("heading", name=SET_ASIDE)).to_be_visible()
    assert await page.evaluate("() => window.neverReloaded")


async def test_a_web_process_that_was_killed(windows: Windows, server: Server, creator: Creator) -> None:
    """Whichever of them served the page: what was sold meanwhile is seen, and buying works."""
    page, bowl = await watched(windows, creator)
    left = 5
    for name in sorted(name for name in server.children() if name.startswith("web-")):
        server.kill(name)
        await sell_one(creator, bowl.variant)
        left -= 1
        await expect_left(page, left)
        await asyncio.to_thread(server.wait_for, lambda name=name: name in server.children())
    await buys(page)


async def test_a_redis_that_was_killed(windows: Windows, server: Server, creator: Creator) -> None:
    """The page's own line never broke; once Redis is back, what happens is seen again."""
    page, bowl = await watched(windows, creator)
    server.kill("redis")
    await sell_one(creator, bowl.variant)
    await expect_left(page, 4)
    await buys(page)
