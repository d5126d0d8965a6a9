"""A creator who has nothing but a browser."""

from pathlib import Path

from playwright.async_api import Page, expect

from streamserver.cli import demo
from tests.browser.conftest import People
from tests.browser.steps import dialog, pinned
from tests.browser.windows import Windows

PICTURE = Path(demo.__file__).parent / "images" / "linen-apron.webp"


async def test_from_nothing_to_a_live_show(windows: Windows, people: People) -> None:
    """Shop, product, stock, show, line-up, moderator, start: all by pages."""
    creator, helper = await people.member("Maya"), await people.member("Noor")
    page = await windows.open("/studio", creator)
    await open_shop(page, f"{creator.handle}-shop")
    await create_product(page)
    await restock(page, "L", 6)
    await create_show(page)
    await fill_line_up(page)

    await page.get_by_label("Handle").fill(helper.handle)
    await page.get_by_role("button", name="Add", exact=True).click()
    await expect(page.get_by_role("group", name="What Noor may do").get_by_label("Pin")).to_be_checked()

    await page.get_by_role("button", name="Start the show").click()
    await expect(page.get_by_role("button", name="End the show")).to_be_visible()
    await page.get_by_role("button", name="Pin", exact=True).click()
    viewer = await windows.open(page.url.replace("/studio/", "/rooms/"), phone=True)
    await expect(pinned(viewer)).to_contain_text("Only 4 left")
    await expect(pinned(viewer)).to_contain_text("from €49.50")


async def open_shop(page: Page, handle: str) -> None:
    form = dialog(page)
    await page.get_by_role("button", name="New shop").click()
    await form.get_by_label("Name").fill("Kiln & Loom")
    await form.get_by_label("Handle").fill(handle)
    await page.get_by_role("button", name="Open shop").click()
    await expect(page.get_by_text("No products yet.")).to_be_visible()


async def create_product(page: Page) -> None:
    form = dialog(page)
    await page.get_by_role("button", name="New product").click()
    await form.get_by_label("Title").fill("Linen apron")
    await form.get_by_label("Description").fill("Washed linen, two pockets.")
    await form.get_by_label("Pictures").set_input_files(PICTURE)
    await form.get_by_label("Options, if there are any").fill("Size")
    await page.get_by_role("button", name="Another variant").click()
    for number, (size, price) in enumerate([("L", "49.50"), ("XL", "52")], 1):
        variant = form.get_by_role("group", name=f"Variant {number}")
        await variant.get_by_label("Size").fill(size)
        await variant.get_by_label("SKU").fill(f"APRON-{size}")
        await variant.get_by_label("Price (EUR)").fill(price)
    await page.get_by_role("button", name="Create product").click()
    await expect(page.get_by_role("link", name="Linen apron")).to_be_visible()


async def restock(page: Page, size: str, units: int) -> None:
    await page.get_by_label(f"Units to add to Linen apron {size},").fill(str(units))
    await page.keyboard.press("Enter")
    await expect(page.get_by_text(f"{units} in store stock", exact=True)).to_be_visible()


async def create_show(page: Page) -> None:
    form = dialog(page)
    await page.get_by_role("button", name="New show").click()
    await form.get_by_label("Title").fill("Evening show")
    await page.get_by_role("button", name="Create show").click()
    await expect(page.get_by_role("heading", name="Evening show")).to_be_visible()


async def fill_line_up(page: Page) -> None:
    await page.get_by_role("button", name="Add a product").click()
    await page.get_by_role("button", name="Linen apron").click()
    await page.get_by_role("group", name="L", exact=True).get_by_label("Units for the show").fill("4")
    await dialog(page).get_by_role("button", name="Add to the line-up").click()
    await expect(dialog(page)).to_have_count(0)
    await expect(page.get_by_role("heading", name="Linen apron", level=3)).to_be_visible()


async def test_terms_can_be_changed_during_a_show(windows: Windows, people: People) -> None:
    """Units that the show gives back are in the store again."""
    creator = await people.creator()
    await creator.start()
    bowl = await creator.offer("Tea bowl", 5)
    page = await windows.open(f"/studio/{creator.room}", creator)
    await page.get_by_role("button", name="Terms of Tea bowl").click()
    await page.get_by_label("Price (EUR)").fill("15")
    await page.get_by_label("Units for the show").fill("2")
    await page.get_by_role("radio", name="First paid, first served").check()
    await page.get_by_role("button", name="Save").click()
    row = page.get_by_role("listitem").filter(has_text="Tea bowl")
    await expect(row).to_contain_text("€15.00")
    await expect(row).to_contain_text("First paid, first served")
    await expect(row.locator("td.live").first).to_have_text("2")
    await creator.sees_in_store(bowl.product, 3)
