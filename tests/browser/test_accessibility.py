"""What axe-core can find, in light and in dark, and what a keyboard alone can do."""

from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.async_api import Page, expect

from tests.browser.api import Creator
from tests.browser.conftest import People
from tests.browser.steps import (
    SET_ASIDE,
    YOUR_TURN,
    dialog,
    expect_status,
    open_pinned,
    pinned,
    wait_in_line,
)
from tests.browser.windows import Windows
from tests.stories.people import ADDRESS

AXE = (Path(__file__).parents[2] / "node_modules/axe-core/axe.min.js").read_text()
RUN = "async () => (await axe.run(document, {resultTypes: ['violations']})).violations"
# The words of whatever has the focus, inside however many elements.
FOCUSED = """() => {
  let element = document.activeElement;
  while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
  return element?.getAttribute("aria-label") ?? element?.labels?.[0]?.textContent.trim() ?? element?.textContent.trim();
}"""


async def findings(page: Page) -> list[str]:
    """Serious and critical violations on the page as it is."""
    await page.evaluate(AXE)
    violations: list[dict[str, Any]] = await page.evaluate(RUN)
    return [
        f"{page.url}: {violation['help']} ({violation['id']}) at {[node['target'] for node in violation['nodes']]}"
        for violation in violations
        if violation["impact"] in {"serious", "critical"}
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_pages_are_accessible(
    windows: Windows, creator: Creator, people: People, *, scheme: Literal["light", "dark"]
) -> None:
    """Nothing serious on any page, with something on each of them."""
    apron = await creator.offer("Linen apron", {"S": 0, "M": 4, "L": 9})
    await creator.pin(creator.room, apron.anchor)
    helper = await people.member("Noor")
    await creator.grant(helper, "pin", "lineup")
    room = f"rooms/{creator.room}"
    order = await creator.buy([(await creator.hold(room, apron.variants["L"]))["id"]])
    await creator.hold(room, apron.variants["M"])

    paths = {
        "/": "Evening show",
        f"/{room}": "11 left",
        f"/products/{apron.product}?room={creator.room}": "sold out",
        f"/checkout?shop={creator.shop}": "Delivery",
        "/orders": order["number"],
        f"/orders/{order['id']}": "Delivery",
        f"/orders/{order['id']}?view=shop": "Mark as shipped",
        "/studio": "in store stock",
        f"/studio/{creator.room}": "Terms",
        f"/moderator/{creator.room}": "choose",
    }
    page = await windows.open("/", creator, scheme=scheme, still=True)
    found: list[str] = []
    for path, sign in paths.items():
        await page.goto(path)
        await expect(page.get_by_text(sign).first).to_be_visible()
        found += await findings(page)
    guest = await windows.open("/sign-in", scheme=scheme, phone=True, still=True)
    await expect(guest.get_by_label("Password")).to_be_visible()
    found += await findings(guest)
    assert not found


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_a_phones_sheet_is_accessible(
    windows: Windows, creator: Creator, *, scheme: Literal["light", "dark"]
) -> None:
    """The stage, the sheet over it, and the sheet with a unit set aside."""
    apron = await creator.offer("Linen apron", {"S": 0, "M": 4})
    await creator.pin(creator.room, apron.anchor)
    page = await windows.open(f"/rooms/{creator.room}", phone=True, scheme=scheme, still=True)
    await expect(pinned(page)).to_contain_text("Only 4 left")
    found = await findings(page)
    await open_pinned(page, "Linen apron")
    found += await findings(page)
    await page.get_by_role("button", name="Buy", exact=True).click()
    await expect(page.get_by_role("heading", name=SET_ASIDE)).to_be_visible()
    found += await findings(page)
    assert not found


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_waiting_is_accessible(windows: Windows, creator: Creator, *, scheme: Literal["light", "dark"]) -> None:
    """The line for what is sold out, the place in it, the turn; and the bag with something that was not set aside."""
    bowl, jug = await creator.offer("Tea bowl", 1), await creator.offer("Jug", 2, mode="first_paid")
    await creator.pin(creator.room, bowl.anchor)
    hold = await creator.hold(f"rooms/{creator.room}", bowl.variant)
    page = await windows.open(f"/rooms/{creator.room}", phone=True, scheme=scheme, still=True)
    await pinned(page).get_by_role("link", name="View Tea bowl").click()
    await expect(page.get_by_role("button", name="Wait in line")).to_be_visible()
    found = await findings(page)
    await wait_in_line(page, 1)
    found += await findings(page)
    await page.keyboard.press("Escape")
    found += await findings(page)
    await creator.delete(f"holds/{hold['id']}")
    await expect(dialog(page)).to_contain_text(YOUR_TURN)
    found += await findings(page)
    await page.goto(f"/products/{jug.product}?room={creator.room}")
    await page.get_by_role("button", name="Buy now").click()
    await expect(page.locator("bag-part")).to_contain_text("Not set aside")
    found += await findings(page)
    assert not found


async def test_buying_by_keyboard_alone(windows: Windows, creator: Creator) -> None:
    """From the pinned product to the paid order without a pointer."""
    bowl = await creator.offer("Tea bowl", 3)
    await creator.pin(creator.room, bowl.anchor)
    page = await windows.open(f"/rooms/{creator.room}")
    await expect(pinned(page)).to_contain_text("Tea bowl")
    for name in ("Buy Tea bowl", "Buy", "Check out"):
        await press(page, name)
    await expect(page.get_by_label("E-mail")).to_be_visible()
    for label, text in {
        "E-mail": "ada@example.org",
        "Full name": ADDRESS["name"],
        "Street and number": ADDRESS["street"],
        "Postcode": ADDRESS["postcode"],
        "City": ADDRESS["city"],
        "Country": "Germany",
    }.items():
        await tab_to(page, label)
        await page.keyboard.type(text)
    await press(page, "Pay €23.90")
    await press(page, "Pay")
    await expect_status(page, "Paid")


async def press(page: Page, name: str) -> None:
    """Tab to a link or button and press it, when it is there."""
    link, button = (page.get_by_role(role, name=name, exact=True) for role in ("link", "button"))
    await expect(link.or_(button).first).to_be_visible()
    await tab_to(page, name)
    await page.keyboard.press("Enter")


async def tab_to(page: Page, name: str) -> None:
    seen: list[str] = []
    for _ in range(60):
        await page.keyboard.press("Tab")
        seen.append(await page.evaluate(FOCUSED))
        if seen[-1] == name:
            return
    pytest.fail(f"Tab never reached {name!r}, but {seen}")
