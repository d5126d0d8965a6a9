"""A product over the stage: a sheet with an address of its own."""

import re

from playwright.async_api import Page, expect

from tests.browser.api import Creator, Offer
from tests.browser.steps import buy, dialog, open_pinned, pinned
from tests.browser.windows import Windows


async def watch(windows: Windows, creator: Creator, offer: Offer, *, phone: bool = True) -> Page:
    """A viewer's window with the product pinned."""
    await creator.pin(creator.room, offer.anchor)
    page = await windows.open(f"/rooms/{creator.room}", phone=phone)
    await expect(pinned(page).get_by_role("link", name="Buy")).to_be_visible()
    return page


async def test_a_sheet_has_the_products_own_address(windows: Windows, creator: Creator) -> None:
    """Back closes it, reload shows the full page, and Back from there leads to the room."""
    bowl = await creator.offer("Tea bowl", 3)
    page = await watch(windows, creator, bowl)
    room, product = (
        re.compile(rf"/rooms/{creator.room}$"),
        re.compile(rf"/products/{bowl.product}\?room={creator.room}$"),
    )

    await open_pinned(page, "Tea bowl")
    await expect(page).to_have_url(product)
    await page.go_back()
    await expect(page).to_have_url(room)
    await expect(dialog(page)).to_have_count(0)

    await open_pinned(page, "Tea bowl")
    await page.reload()
    await expect(page.get_by_role("link", name="Watch live")).to_be_visible()
    await expect(page.get_by_text("Only 3 left")).to_be_visible()
    await page.go_back()
    await expect(page).to_have_url(room)
    await expect(pinned(page)).to_contain_text("Tea bowl")


async def test_escape_closes_a_sheet(windows: Windows, creator: Creator) -> None:
    """The address and the focus return to where they were."""
    page = await watch(windows, creator, await creator.offer("Tea bowl", 3), phone=False)
    await open_pinned(page, "Tea bowl")
    await page.keyboard.press("Escape")
    await expect(dialog(page)).to_have_count(0)
    await expect(page).to_have_url(re.compile(rf"/rooms/{creator.room}$"))
    await expect(pinned(page).get_by_role("link", name="Buy Tea bowl")).to_be_focused()


async def test_a_size_that_sells_out_is_marked(windows: Windows, creator: Creator) -> None:
    """It stays readable and says so, at the moment it happens; the other sizes can be bought."""
    apron = await creator.offer("Linen apron", {"S": 0, "M": 1, "L": 4})
    page = await watch(windows, creator, apron)
    await open_pinned(page, "Linen apron")
    size = page.get_by_role("group", name="Size")
    await expect(size.get_by_role("radio", name="M", exact=True)).to_be_checked()
    await expect(size.get_by_role("radio", name="S sold out")).to_be_visible()

    await creator.hold(f"rooms/{creator.room}", apron.variants["M"])
    await expect(size.get_by_role("radio", name="M sold out")).to_be_checked()
    await expect(page.get_by_role("button", name="Wait in line")).to_be_visible()
    await size.get_by_role("radio", name="L", exact=True).check()
    await buy(page)


async def test_a_sold_out_pin_stays(windows: Windows, creator: Creator) -> None:
    """Greyed, with words, and still open to look at."""
    bowl = await creator.offer("Tea bowl", 1)
    page = await watch(windows, creator, bowl)
    await creator.hold(f"rooms/{creator.room}", bowl.variant)
    await expect(pinned(page).locator("product-card[sold-out]")).to_contain_text("Sold out")
    await expect(pinned(page).get_by_role("link", name="View Tea bowl")).to_be_visible()


async def test_a_buyer_at_the_limit_is_told(windows: Windows, creator: Creator) -> None:
    """In other words than one who came too late."""
    page = await watch(windows, creator, await creator.offer("Tea bowl", 9, limit=1))
    await open_pinned(page, "Tea bowl")
    await buy(page)
    await page.get_by_role("button", name="Keep looking").click()
    await page.get_by_role("button", name="Buy", exact=True).click()
    await expect(dialog(page).get_by_role("alert")).to_have_text("One buyer may take 1 of this.")


async def test_an_expired_hold_says_so(windows: Windows, creator: Creator) -> None:
    """When the time is up, the sheet says what happened and offers the product again."""
    bowl = await creator.offer("Tea bowl", 3)
    page = await watch(windows, creator, bowl)
    await page.clock.install()
    await open_pinned(page, "Tea bowl")
    await buy(page)
    await page.clock.fast_forward("05:01")
    await expect(page.get_by_role("heading", name="Your hold expired")).to_be_visible()
    await page.get_by_role("button", name="Back to the product").click()
    await expect(page.get_by_role("button", name="Buy", exact=True)).to_be_enabled()
