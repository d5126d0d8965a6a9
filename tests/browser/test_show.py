"""The main job, end to end, in as many windows as it takes."""

import asyncio
from collections.abc import Callable

from playwright.async_api import Locator, Page, expect

from tests.browser.api import Creator
from tests.browser.conftest import People
from tests.browser.steps import buy, buy_to_paid, dialog, open_pinned, pinned, to_checkout, wait_in_line
from tests.browser.windows import Windows

ONE_SECOND = 1_000
# The page's own clock, read in the frame in which the card is there.
WHEN_PINNED = """title => new Promise((seen) => {
  const look = () => {
    const pins = document.querySelector("live-viewer").shadowRoot.querySelector("pinned-products").shadowRoot;
    if (pins.querySelector(`[aria-label="Buy ${title}"]`)) seen(Date.now());
    else requestAnimationFrame(look);
  };
  look();
})"""
DEADLINE = "timer => timer.deadline"


async def test_a_show(
    windows: Windows, creator: Creator, people: People, record_property: Callable[[str, object], None]
) -> None:
    """A moderator pins, viewers buy or wait, everybody's screen tells the truth, and what is left over goes home."""
    bowl, jug = await creator.offer("Tea bowl", 2), await creator.offer("Jug", 5)
    helper = await people.member("Noor")
    await creator.grant(helper, "pin")
    desk = await windows.open(f"/moderator/{creator.room}", helper)
    studio = await windows.open(f"/studio/{creator.room}", creator)
    ada = await windows.open(f"/rooms/{creator.room}")
    ben = await windows.open(f"/rooms/{creator.room}", phone=True)
    for page in (ada, ben):
        await expect(page.get_by_text("LIVE")).to_be_visible()

    milliseconds = await pin_everywhere(desk, [ada, ben], "Tea bowl")
    record_property("milliseconds_from_click_to_card", milliseconds)

    await open_pinned(ada, "Tea bowl")
    await buy_to_paid(ada)
    await expect(pinned(ben)).to_contain_text("Only 1 left")
    await expect(in_line_up(desk, "Tea bowl")).to_contain_text("Only 1 left")
    await expect(stock_cells(studio, "Tea bowl")).to_have_text(["1", "0", "1"])

    await open_pinned(ben, "Tea bowl")
    await ada.goto(f"/rooms/{creator.room}")
    await open_pinned(ada, "Tea bowl")
    await buy(ada)
    await expect(dialog(ben).get_by_role("status").filter(has_text="Sold out")).to_be_visible()
    await wait_in_line(ben, 1)
    await expect(in_line_up(desk, "Tea bowl")).to_contain_text("Sold out")
    await expect(stock_cells(studio, "Tea bowl")).to_have_text(["sold out", "1", "1"])

    await to_checkout(ada)
    before = await checkout_of(ada)
    await ada.reload()
    assert await checkout_of(ada) == before

    await end_for_good(studio)
    await expect(ben.get_by_text("The show has ended", exact=True)).to_be_visible()
    await expect(dialog(ben)).to_contain_text("The show is over, so nobody's turn comes any more.")
    await creator.sees_in_store(jug.product, 5)
    await ada.get_by_role("button", name="Remove Tea bowl").click()
    await expect(ada.get_by_role("heading", name="Your bag is empty")).to_be_visible()
    await creator.sees_in_store(bowl.product, 1)


async def pin_everywhere(desk: Page, viewers: list[Page], title: str) -> list[int]:
    """Pin, and see the card arrive in every window within a second; returns what each page's clock says it took."""
    seen = [asyncio.ensure_future(page.evaluate(WHEN_PINNED, title)) for page in viewers]
    started: int = await desk.evaluate("() => Date.now()")
    await desk.get_by_role("button", name=f"Pin {title}", exact=True).click()
    cards = [pinned(page).get_by_role("link", name=f"Buy {title}") for page in viewers]
    await asyncio.gather(*(expect(card).to_be_visible(timeout=ONE_SECOND) for card in cards))
    return [at - started for at in await asyncio.gather(*seen)]


async def end_for_good(studio: Page) -> None:
    """Ask to end, think better of it, then end it and let the time for second thoughts pass."""
    await end(studio)
    await studio.get_by_role("button", name="Undo").click()
    await end(studio)
    await expect(studio.get_by_text("The show has ended.")).to_be_visible(timeout=20_000)


async def end(studio: Page) -> None:
    await studio.get_by_role("button", name="End the show").click()
    await dialog(studio).get_by_role("button", name="End the show").click()
    await expect(studio.get_by_role("alert")).to_contain_text("Ending in")


async def checkout_of(page: Page) -> list[object]:
    """What the checkout page shows: items, total, and the deadline it counts down to."""
    timer = page.locator("bag-part hold-timer")
    await expect(timer).to_be_visible()
    names = await page.locator("bag-part h3").all_text_contents()
    return [names, await page.locator("bag-part .total").text_content(), await timer.evaluate(DEADLINE)]


def in_line_up(desk: Page, title: str) -> Locator:
    """A row of the moderator's line-up."""
    return desk.get_by_role("region", name="Line-up").get_by_role("listitem").filter(has_text=title)


def stock_cells(studio: Page, title: str) -> Locator:
    """Left, held and sold in the studio's line-up."""
    return studio.get_by_role("listitem").filter(has_text=title).locator("td.live")
