"""Tunnels: what a viewer sees and can do without a connection, and afterwards."""

from playwright.async_api import Page, expect

from tests.browser.api import Creator
from tests.browser.steps import SET_ASIDE, dialog, open_pinned, pinned
from tests.browser.windows import Windows


async def lose_connection(page: Page) -> None:
    """Returns once the page has noticed for good."""
    await page.context.set_offline(True)
    await expect(page.get_by_text("Reconnecting …")).to_be_visible()


async def test_a_tap_made_offline_is_settled_once(windows: Windows, creator: Creator) -> None:
    """Counts turn grey and *Buy* waits; back online the unit is set aside, and what was missed is there, without a reload."""
    bowl, jug = await creator.offer("Tea bowl", 3), await creator.offer("Jug", 4)
    await creator.pin(creator.room, bowl.anchor)
    page = await windows.open(f"/rooms/{creator.room}", phone=True)
    await open_pinned(page, "Tea bowl")
    await page.evaluate("() => { window.neverReloaded = true; }")

    await lose_connection(page)
    await expect(dialog(page).locator("stock-badge[stale]")).to_be_visible()
    await page.get_by_role("button", name="Buy", exact=True).click()
    await expect(page.get_by_role("button", name="Waiting for the connection…")).to_be_visible()
    await creator.pin(creator.room, jug.anchor)

    await page.context.set_offline(False)
    await expect(page.get_by_role("heading", name=SET_ASIDE)).to_be_visible()
    await expect(page.get_by_role("link", name="Bag, 1 item")).to_have_count(1)
    await page.get_by_role("button", name="Close").click()
    await expect(pinned(page)).to_contain_text("Jug")
    await expect(pinned(page).get_by_role("listitem").filter(has_text="Tea bowl")).to_contain_text("Only 2 left")
    assert await page.evaluate("() => window.neverReloaded")


async def test_a_tap_made_offline_can_come_too_late(windows: Windows, creator: Creator) -> None:
    """Whoever was faster meanwhile has it, and the server says so."""
    bowl = await creator.offer("Tea bowl", 1)
    await creator.pin(creator.room, bowl.anchor)
    page = await windows.open(f"/rooms/{creator.room}")
    await open_pinned(page, "Tea bowl")
    await lose_connection(page)
    await page.get_by_role("button", name="Buy", exact=True).click()
    await creator.hold(f"rooms/{creator.room}", bowl.variant)
    await page.context.set_offline(False)
    await expect(dialog(page).get_by_role("alert")).to_have_text("Sold out. Somebody else was faster this time.")
    await expect(page.get_by_role("button", name="Wait in line")).to_be_visible()
