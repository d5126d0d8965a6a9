"""Waiting in line for what is sold out."""

from playwright.async_api import Page, expect

from tests.browser.api import Creator, Offer
from tests.browser.conftest import People
from tests.browser.steps import YOUR_TURN, dialog, expect_status, pay, pinned, place_order, wait_in_line
from tests.browser.windows import Windows

UNTIL_ASKED_AGAIN = "00:13"


async def open_sold_out(windows: Windows, creator: Creator, *, phone: bool = False) -> Page:
    """A viewer's window with the sheet of the pinned, sold-out bowl."""
    page = await windows.open(f"/rooms/{creator.room}", phone=phone)
    await pinned(page).get_by_role("link", name="View Tea bowl").click()
    return page


async def sold_out(creator: Creator) -> tuple[Offer, str]:
    """The last bowl, pinned, and the hold that has it."""
    bowl = await creator.offer("Tea bowl", 1)
    await creator.pin(creator.room, bowl.anchor)
    return bowl, (await creator.hold(f"rooms/{creator.room}", bowl.variant))["id"]


async def test_whoever_waits_longest_has_the_next_turn(windows: Windows, creator: Creator) -> None:
    """A unit that comes back is theirs for a while, up to the paid order; everybody else moves up."""
    _, hold = await sold_out(creator)
    ada, ben = await open_sold_out(windows, creator), await open_sold_out(windows, creator, phone=True)
    await wait_in_line(ada, 1)
    await ben.clock.install()
    await wait_in_line(ben, 2)
    await expect(dialog(ada)).to_contain_text("2 people wait")

    await creator.delete(f"holds/{hold}")
    await expect(dialog(ada).get_by_role("alert")).to_contain_text(YOUR_TURN)
    await ben.clock.fast_forward(UNTIL_ASKED_AGAIN)
    await expect(dialog(ben).get_by_role("heading", name="You are number 1 in line")).to_be_visible()

    await dialog(ada).get_by_role("link", name="Check out").click()
    await place_order(ada)
    await pay(ada)
    await expect_status(ada, "Paid")


async def test_a_turn_that_is_turned_down_passes_on(windows: Windows, creator: Creator) -> None:
    """Wherever its reader is in the show, a turn is told; *No, thanks* gives it to the next."""
    _, hold = await sold_out(creator)
    ada, ben = await open_sold_out(windows, creator, phone=True), await open_sold_out(windows, creator)
    for place, page in enumerate((ada, ben), 1):
        await wait_in_line(page, place)
        await page.keyboard.press("Escape")
        line = page.get_by_role("list", name="Your places in line")
        await expect(line).to_have_text(f"You are number {place} in line for Tea bowl")

    await creator.delete(f"holds/{hold}")
    await expect(dialog(ada)).to_contain_text(YOUR_TURN)
    await dialog(ada).get_by_role("button", name="No, thanks").click()
    await expect(dialog(ben)).to_contain_text(YOUR_TURN)
    await expect(ben.get_by_role("link", name="Bag, 1 item")).to_have_count(1)
    await expect(ada.get_by_role("link", name="Bag, 0 items")).to_be_visible()


async def test_a_place_outlives_a_reload_and_a_tunnel(windows: Windows, creator: Creator, people: People) -> None:
    """The tab remembers what it waits for, asks again when it is back, and keeps its place."""
    bowl, hold = await sold_out(creator)
    first = await people.member("Ada")
    await first.post(f"rooms/{creator.room}/line", {"variant": bowl.variant})
    page = await open_sold_out(windows, creator)
    await wait_in_line(page, 2)
    await page.reload()
    await expect(page.get_by_role("heading", name="You are number 2 in line")).to_be_visible()

    await page.context.set_offline(True)
    await expect(page.locator("stock-badge[stale]")).to_be_visible()
    await first.delete(f"rooms/{creator.room}/line/{bowl.variant}")
    await creator.delete(f"holds/{hold}")
    await page.context.set_offline(False)
    await expect(page.get_by_role("heading", name=YOUR_TURN)).to_be_visible()


async def test_a_turn_that_passed_says_so(windows: Windows, creator: Creator) -> None:
    """When its time is up, the sheet says what happened and offers to wait again."""
    _, hold = await sold_out(creator)
    page = await open_sold_out(windows, creator)
    await wait_in_line(page, 1)
    await page.clock.install()
    await creator.delete(f"holds/{hold}")
    await expect(dialog(page).get_by_role("alert")).to_contain_text(YOUR_TURN)
    await page.clock.fast_forward("02:01")
    await expect(dialog(page).get_by_role("heading", name="Your turn has passed")).to_be_visible()
    await expect(dialog(page).get_by_role("button", name="Wait in line again")).to_be_enabled()
