"""Tunnels and broken lines: what a viewer sees and can do without a connection, and afterwards."""

import asyncio
import json
import re
from collections.abc import Callable
from typing import Any

from playwright.async_api import Page, WebSocketRoute, expect

from tests.browser.api import Creator
from tests.browser.steps import SET_ASIDE, dialog, open_pinned, pinned
from tests.browser.windows import Windows

TOO_LATE = "It sold out while there was no connection. Nothing was set aside for you, and nothing was charged."


async def lose_connection(page: Page) -> None:
    """Returns once the page has noticed for good."""
    await page.context.set_offline(True)
    await expect(page.get_by_text("Reconnecting …")).to_be_visible()


async def opacity(page: Page, selector: str) -> float:
    return float(await page.locator(selector).first.evaluate("element => getComputedStyle(element).opacity"))


class Line:
    """What runs between a page and the server; `loses` says which of the server's words get lost."""

    def __init__(self) -> None:
        self.loses: Callable[[str], bool] = lambda _: False
        self._lost = asyncio.Event()
        self.asked: list[list[Any]] = []
        self._dead: set[WebSocketRoute] = set()
        self._open: set[WebSocketRoute] = set()

    async def watch(self, windows: Windows, room: str) -> Page:
        """Open a window on `room` over this line."""
        page = await windows.open("/")
        await page.route_web_socket(re.compile("/socket.io/"), self._opened)
        await page.goto(f"/rooms/{room}")
        return page

    def questions(self, name: str) -> list[Any]:
        return [body for asked, body in self.asked if asked == name]

    def lose_next(self, part: str) -> None:
        """The next word that contains `part` does not arrive."""

        def loses(word: str) -> bool:
            if part not in word:
                return False
            self.loses = lambda _: False
            self._lost.set()
            return True

        self.loses = loses

    async def has_lost(self) -> None:
        """Return once that word was on its way."""
        await self._lost.wait()

    def die(self) -> None:
        """Nothing gets through any more, either way, and nobody is told. A new line works."""
        self._dead |= self._open

    def _opened(self, page: WebSocketRoute) -> None:
        server = page.connect_to_server()
        self._open.add(page)

        def to_server(word: str | bytes) -> None:
            if question := re.match(r"42\d+(\[.*)", str(word)):
                self.asked.append(json.loads(question[1]))
            if page not in self._dead:
                server.send(word)

        def to_page(word: str | bytes) -> None:
            if page not in self._dead and not self.loses(str(word)):
                page.send(word)

        page.on_message(to_server)
        server.on_message(to_page)


async def test_a_tap_made_offline_is_settled_once(windows: Windows, creator: Creator) -> None:
    """Counts turn grey and *Buy* waits; back online the unit is set aside, and what was missed is there, without a reload."""
    bowl, jug = await creator.offer("Tea bowl", 3), await creator.offer("Jug", 4)
    await creator.pin(creator.room, bowl.anchor)
    page = await windows.open(f"/rooms/{creator.room}", phone=True)
    await open_pinned(page, "Tea bowl")
    await page.evaluate("() => { window.neverReloaded = true; }")
    assert await opacity(page, "room-stage .viewers") == 1

    await lose_connection(page)
    await expect(dialog(page).locator("stock-badge[stale]")).to_be_visible()
    assert await opacity(page, "room-stage .viewers") < 1
    await page.get_by_role("button", name="Buy", exact=True).click()
    await expect(page.get_by_role("button", name="Waiting for the connection…")).to_be_visible()
    await creator.pin(creator.room, jug.anchor)

    await page.context.set_offline(False)
    await expect(page.get_by_role("heading", name=SET_ASIDE)).to_be_visible()
    await expect(page.get_by_text("Reconnecting …")).to_have_count(0)
    await expect(page.get_by_role("link", name="Bag, 1 item")).to_have_count(1)
    await page.get_by_role("button", name="Close").click()
    await expect(pinned(page)).to_contain_text("Jug")
    await expect(pinned(page).get_by_role("listitem").filter(has_text="Tea bowl")).to_contain_text("Only 2 left")
    assert await page.evaluate("() => window.neverReloaded")


async def test_a_tap_made_offline_can_come_too_late(windows: Windows, creator: Creator) -> None:
    """Whoever was faster meanwhile has it; that it was the connection is told, and that nothing was charged."""
    bowl = await creator.offer("Tea bowl", 1)
    await creator.pin(creator.room, bowl.anchor)
    page = await windows.open(f"/rooms/{creator.room}")
    await open_pinned(page, "Tea bowl")
    await lose_connection(page)
    await page.get_by_role("button", name="Buy", exact=True).click()
    await creator.hold(f"rooms/{creator.room}", bowl.variant)
    await page.context.set_offline(False)
    await expect(dialog(page).get_by_role("alert")).to_have_text(TOO_LATE)
    await expect(page.get_by_role("button", name="Wait in line")).to_be_visible()


async def test_a_lost_answer_is_asked_for_again_by_its_key(windows: Windows, creator: Creator) -> None:
    """The unit was set aside, but nobody heard: the same key brings the same hold, and no second one."""
    bowl = await creator.offer("Tea bowl", 3)
    await creator.pin(creator.room, bowl.anchor)
    line = Line()
    page = await line.watch(windows, creator.room)
    await open_pinned(page, "Tea bowl")
    line.lose_next('"status":"held"')
    await page.get_by_role("button", name="Buy", exact=True).click()

    await expect(page.get_by_role("heading", name=SET_ASIDE)).to_be_visible()
    first, second = line.questions("hold")
    assert (first["retry"], second["retry"]) == (False, True)
    assert first["key"] == second["key"]
    await expect(page.get_by_role("link", name="Bag, 1 item")).to_have_count(1)
    await expect(dialog(page).locator("stock-badge")).to_have_text("Only 2 left")


async def test_a_line_that_died_without_a_word_is_replaced(windows: Windows, creator: Creator) -> None:
    """Nothing tells the page that its line is gone but that nobody answers; then it takes a new one, and asks again there."""
    bowl = await creator.offer("Tea bowl", 3)
    await creator.pin(creator.room, bowl.anchor)
    line = Line()
    page = await line.watch(windows, creator.room)
    await open_pinned(page, "Tea bowl")
    line.die()
    await page.get_by_role("button", name="Buy", exact=True).click()

    await expect(page.get_by_role("heading", name=SET_ASIDE)).to_be_visible()
    assert len({hold["key"] for hold in line.questions("hold")}) == 1
    await expect(page.get_by_role("link", name="Bag, 1 item")).to_have_count(1)


async def test_an_event_that_got_lost_is_fetched(windows: Windows, creator: Creator) -> None:
    """The next event shows that one is missing; the page asks once for what followed on its position, and has both."""
    bowl, jug = await creator.offer("Tea bowl", 3), await creator.offer("Jug", 4)
    line = Line()
    page = await line.watch(windows, creator.room)
    await expect(page.get_by_role("complementary")).to_contain_text("Jug")
    line.lose_next('"type":"pins"')
    await creator.pin(creator.room, bowl.anchor)
    await creator.pin(creator.room, jug.anchor)

    await expect(pinned(page).get_by_role("listitem")).to_have_count(2)
    (join,) = line.questions("join")
    assert join["after"]["seq"] == (await creator.get(f"rooms/{creator.room}"))["seq"] - 2


async def test_a_page_that_is_looked_at_again_asks_what_it_missed(windows: Windows, creator: Creator) -> None:
    """A phone that slept need not have noticed anything: no later event is needed to find that one is missing."""
    bowl = await creator.offer("Tea bowl", 3)
    line = Line()
    page = await line.watch(windows, creator.room)
    await expect(page.get_by_role("complementary")).to_contain_text("Tea bowl")
    line.lose_next('"type":"pins"')
    await creator.pin(creator.room, bowl.anchor)
    await line.has_lost()

    await page.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
    await expect(pinned(page)).to_contain_text("Tea bowl")
    assert len(line.questions("join")) == 1
