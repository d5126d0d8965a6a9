"""First paid, first served: nothing is set aside, and nobody pays for what is gone."""

from playwright.async_api import Page, expect

from tests.browser.api import Creator
from tests.browser.steps import expect_status, open_pinned, pay, place_order, try_to_order
from tests.browser.windows import Windows


async def want(page: Page) -> None:
    """Tap *Buy now* on the pinned bowl, which leads straight to the checkout."""
    await open_pinned(page, "Tea bowl")
    await page.get_by_role("button", name="Buy now").click()
    await expect(page.get_by_role("heading", name="Check out")).to_be_visible()
    await expect(page.locator("bag-part")).to_contain_text("Not set aside: whoever pays first gets it.")


async def test_two_want_the_last_unit(windows: Windows, creator: Creator) -> None:
    """Whoever pays first has it; the other is told before any charge."""
    bowl = await creator.offer("Tea bowl", 1, mode="first_paid")
    await creator.pin(creator.room, bowl.anchor)
    ada = await windows.open(f"/rooms/{creator.room}")
    ben = await windows.open(f"/rooms/{creator.room}", phone=True)
    await want(ada)
    await want(ben)

    await place_order(ada)
    await pay(ada)
    await expect_status(ada, "Paid")
    await try_to_order(ben, "ben@example.org")
    told = ben.get_by_role("alert").filter(has_text="Your order has changed")
    await expect(told).to_contain_text(
        "Tea bowl: somebody else paid first, and none is left. Nothing has been charged."
    )
    await expect(ben.get_by_role("button", name="Pay €")).to_have_count(0)
