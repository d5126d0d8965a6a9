"""Moderators who work at the same time, and what each of them may do."""

import re

from playwright.async_api import Page, WebSocketRoute, expect

from tests.browser.api import Creator
from tests.browser.conftest import People
from tests.browser.steps import dialog, pinned
from tests.browser.windows import Windows

EVENT = '42["event"'


class LateLine:
    """A line on which a room's events do not arrive while `late`; questions and answers do."""

    late = False

    async def cover(self, page: Page) -> None:
        await page.route_web_socket("**/socket.io/**", self._between)

    def _between(self, page: WebSocketRoute) -> None:
        server = page.connect_to_server()
        server.on_message(lambda frame: None if self.late and str(frame).startswith(EVENT) else page.send(frame))


async def test_a_moderator_who_was_slower_is_asked(windows: Windows, creator: Creator, people: People) -> None:
    """The page says who pinned what, and when; on the second look the pin can be set all the same."""
    await creator.offer("Tea bowl", 3)
    await creator.offer("Jug", 3)
    ana, noor = await people.member("Ana"), await people.member("Noor")
    await creator.grant(ana, "pin")
    await creator.grant(noor, "pin")
    fast, slow = await windows.open("/", ana), await windows.open("/", noor)
    line = LateLine()
    await line.cover(slow)
    for page in (fast, slow):
        await page.goto(f"/moderator/{creator.room}")
        await expect(page.get_by_role("button", name="Pin Tea bowl")).to_be_visible()

    line.late = True
    await fast.get_by_role("button", name="Pin Tea bowl").click()
    await expect(fast.get_by_role("button", name="Unpin Tea bowl")).to_have_count(2)
    await slow.get_by_role("button", name="Pin Jug").click()
    await expect(dialog(slow)).to_contain_text("Ana pinned Tea bowl")
    await expect(dialog(slow)).to_contain_text(re.compile("just now|s ago"))
    line.late = False
    await dialog(slow).get_by_role("button", name="Pin it anyway").click()
    for page in (fast, slow):
        await expect(page.get_by_role("button", name="Unpin")).to_have_count(4)


async def test_a_fourth_pin_asks_which_to_replace(windows: Windows, creator: Creator, people: People) -> None:
    """And every viewer sees the exchange."""
    for title in ("Tea bowl", "Jug", "Vase", "Mug"):
        offer = await creator.offer(title, 3)
        if title != "Mug":
            await creator.pin(creator.room, offer.anchor)
    helper = await people.member("Ana")
    await creator.grant(helper, "pin")
    desk = await windows.open(f"/moderator/{creator.room}", helper)
    viewer = await windows.open(f"/rooms/{creator.room}", phone=True)

    await desk.get_by_role("button", name="Pin Mug").click()
    await expect(dialog(desk)).to_contain_text("Three products are pinned already.")
    await dialog(desk).get_by_role("button", name="Replace Jug").click()
    titles = pinned(viewer).get_by_role("heading")
    await expect(titles).to_have_text(["Mug", "Vase", "Tea bowl"])


async def test_rights_end_at_once(windows: Windows, creator: Creator, people: People) -> None:
    """Without a reload the buttons go, first those of one right, then all."""
    await creator.offer("Tea bowl", 3)
    await creator.offer("Jug", 3)
    helper = await people.member("Ana")
    await creator.grant(helper, "pin", "lineup")
    desk = await windows.open(f"/moderator/{creator.room}", helper)
    pin, move = desk.get_by_role("button", name="Pin Jug"), desk.get_by_role("button", name="Move Jug up")
    await expect(pin).to_be_visible()
    await expect(move).to_be_visible()

    await creator.grant(helper, "lineup")
    await expect(pin).to_have_count(0)
    await expect(move).to_be_visible()
    await creator.delete(f"rooms/{creator.room}/moderators/{helper.handle}")
    await expect(desk.get_by_text("You do not help in this room")).to_be_visible()
    await expect(move).to_have_count(0)


async def test_a_moderator_works_by_keyboard(windows: Windows, creator: Creator, people: People) -> None:
    """J and K choose a product, P pins it, and the arrows sort it."""
    await creator.offer("Tea bowl", 3)
    await creator.offer("Jug", 3)
    helper = await people.member("Ana")
    await creator.grant(helper, "pin", "lineup")
    desk = await windows.open(f"/moderator/{creator.room}", helper)
    line_up = desk.get_by_role("region", name="Line-up").get_by_role("heading", level=3)
    await expect(line_up).to_have_text(["Tea bowl", "Jug"])

    await desk.keyboard.press("j")
    await desk.keyboard.press("j")
    await desk.keyboard.press("p")
    await expect(desk.get_by_role("region", name="Pinned now")).to_contain_text("Jug")
    await desk.get_by_role("button", name="Move Jug up").focus()
    await desk.keyboard.press("Enter")
    await expect(line_up).to_have_text(["Jug", "Tea bowl"])
