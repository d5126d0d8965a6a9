"""Signing up, in and out, and what guests keep."""

import re

from playwright.async_api import Page, expect

from streamserver.kit.ids import new_id
from tests.browser.api import Creator
from tests.browser.steps import buy, buy_to_paid, expect_status
from tests.browser.windows import Windows
from tests.stories.people import PASSWORD


async def sign_up(page: Page, handle: str) -> None:
    """From the sign-in page to wherever it leads afterwards."""
    await page.get_by_role("tab", name="Create account").click()
    await page.get_by_label("Name").fill("Ada")
    await page.get_by_label("Handle").fill(handle)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Create account").click()
    await expect(page.get_by_role("button", name="Account: Ada")).to_be_visible()


async def test_signing_up_and_out_and_in(windows: Windows) -> None:
    """A wrong password is told at the form, which keeps what was typed."""
    handle = f"ada-{new_id('x')[-8:]}"
    page = await windows.open("/sign-in?next=/orders")
    await sign_up(page, handle)
    await expect(page).to_have_url(re.compile("/orders$"))
    await page.get_by_role("button", name="Account: Ada").click()
    await page.get_by_role("button", name="Sign out").click()

    await page.get_by_role("navigation", name="Main").get_by_role("link", name="Sign in").click()
    await page.get_by_label("Handle").fill(handle)
    await page.get_by_label("Password").fill("not the right one")
    await page.get_by_role("button", name="Sign in").click()
    told = "Name and password do not go together. Check both and try again."
    await expect(page.get_by_role("tabpanel").get_by_role("alert")).to_have_text(told)
    await expect(page.get_by_label("Handle")).to_have_value(handle)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("button", name="Account: Ada")).to_be_visible()


async def test_a_taken_handle_is_told_at_its_field(windows: Windows, creator: Creator) -> None:
    """With the cursor in it."""
    page = await windows.open("/sign-in#sign-up")
    await page.get_by_label("Name").fill("Ada")
    await page.get_by_label("Handle").fill(creator.handle)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Create account").click()
    await expect(page.get_by_label("Handle")).to_be_focused()
    await expect(page.get_by_label("Handle")).to_have_accessible_description(
        "Somebody already has this name. Please choose another."
    )


async def test_a_guest_buys_with_an_e_mail_address(windows: Windows, creator: Creator) -> None:
    """The signed link shows the order in any browser; the bare address shows it to nobody else."""
    product = await creator.make("Tea bowl", 3)
    page = await windows.open(f"/products/{product['id']}", phone=True)
    await buy_to_paid(page)
    bare, _, key = page.url.partition("?")
    assert key.startswith("key=")

    friend = await windows.open(page.url)
    await expect_status(friend, "Paid")
    await expect(friend.get_by_text("ada@example.org")).to_be_visible()
    await friend.goto(bare)
    await expect(friend.get_by_role("heading", name="Nothing here")).to_be_visible()


async def test_a_guests_bag_survives_signing_up(windows: Windows, creator: Creator) -> None:
    """What was set aside before is still set aside afterwards, until the same moment."""
    product = await creator.make("Tea bowl", 3)
    page = await windows.open(f"/products/{product['id']}")
    await buy(page)
    await page.goto("/sign-in?next=/checkout")
    await sign_up(page, f"ada-{new_id('x')[-8:]}")
    await expect(page.get_by_role("heading", name="Tea bowl")).to_be_visible()
    await expect(page.get_by_role("link", name="Bag, 1 item")).to_be_visible()
