"""What buyers do in a window, step by step."""

from playwright.async_api import Locator, Page, expect

from tests.stories.people import ADDRESS

SET_ASIDE = "It is yours for now"
YOUR_TURN = "It is your turn"


def pinned(page: Page) -> Locator:
    """The cards over a room's stage."""
    return page.get_by_role("list", name="Pinned products")


def dialog(page: Page) -> Locator:
    """The open dialog or sheet with what is slotted into it, which no role contains."""
    return page.locator("ui-dialog[open]")


async def open_pinned(page: Page, title: str) -> None:
    await pinned(page).get_by_role("link", name=f"Buy {title}").click()
    await expect(dialog(page).get_by_role("heading", name=title)).to_be_visible()


async def wait_in_line(page: Page, place: int) -> None:
    """From an open sheet of something sold out; returns once the place is known."""
    await page.get_by_role("button", name="Wait in line").click()
    await expect(dialog(page).get_by_role("heading", name=f"You are number {place} in line")).to_be_visible()


async def buy(page: Page) -> None:
    """Tap *Buy* in the sheet or on the product's page; returns once a unit is set aside."""
    await page.get_by_role("button", name="Buy", exact=True).click()
    await expect(page.get_by_role("heading", name=SET_ASIDE)).to_be_visible()


async def to_checkout(page: Page) -> None:
    await page.get_by_role("heading", name=SET_ASIDE).wait_for()
    await page.get_by_role("link", name="Check out", exact=True).last.click()
    await expect(page.get_by_role("heading", name="Check out")).to_be_visible()


async def place_order(page: Page, email: str = "ada@example.org") -> None:
    """Fill in the checkout and go on to the payment page."""
    await try_to_order(page, email)
    await expect(page.get_by_text("Test payment.")).to_be_visible()


async def try_to_order(page: Page, email: str = "ada@example.org") -> None:
    """Fill in the checkout and press the button."""
    await page.get_by_label("E-mail").fill(email)
    await page.get_by_label("Full name").fill(ADDRESS["name"])
    await page.get_by_label("Street and number").fill(ADDRESS["street"])
    await page.get_by_label("Postcode").fill(ADDRESS["postcode"])
    await page.get_by_label("City").fill(ADDRESS["city"])
    await page.get_by_label("Country").select_option(ADDRESS["country"])
    await page.get_by_role("button", name="Pay €").click()


async def pay(page: Page, choice: str = "Pay") -> None:
    """Choose what the sandbox does; ends on the order's page."""
    await page.get_by_role("button", name=choice, exact=True).click()
    await expect(page.get_by_role("heading", name="Order ")).to_be_visible()


async def expect_status(page: Page, status: str) -> None:
    await expect(page.locator("order-view .head .chip")).to_have_text(status)


async def buy_to_paid(page: Page) -> None:
    """From an open sheet or a product's page to a paid order."""
    await buy(page)
    await to_checkout(page)
    await place_order(page)
    await pay(page)
    await expect_status(page, "Paid")
