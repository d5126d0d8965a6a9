"""Payments that fail or take their time, and what a shop does with its orders."""

import pytest
from playwright.async_api import Page, expect

from tests.browser.api import Creator
from tests.browser.conftest import People
from tests.browser.steps import buy, dialog, expect_status, pay, place_order, to_checkout
from tests.browser.windows import Windows


async def at_the_payment_page(windows: Windows, creator: Creator) -> Page:
    product = await creator.make("Tea bowl", 3)
    page = await windows.open(f"/products/{product['id']}", phone=True)
    await buy(page)
    await to_checkout(page)
    await place_order(page)
    return page


async def test_a_declined_payment_can_be_tried_again(windows: Windows, creator: Creator) -> None:
    """The order waits, and the second try pays it."""
    page = await at_the_payment_page(windows, creator)
    await pay(page, "Decline")
    await expect_status(page, "Not paid yet")
    await page.get_by_role("button", name="Pay now").click()
    await pay(page, "Pay")
    await expect_status(page, "Paid")


async def test_a_slow_payment_arrives_by_itself(windows: Windows, creator: Creator) -> None:
    """The order's page waits, says so, and becomes *paid* without a reload."""
    page = await at_the_payment_page(windows, creator)
    await pay(page, "Pay slowly")
    await expect_status(page, "Not paid yet")
    await expect(page.get_by_text("This order waits for its payment.")).to_be_visible()
    await expect_status(page, "Paid")


async def test_a_buyer_cancels_before_paying(windows: Windows, creator: Creator) -> None:
    """After a question; the units go back on sale."""
    page = await at_the_payment_page(windows, creator)
    await page.get_by_role("link", name="Back without paying").click()
    await page.get_by_role("button", name="Cancel order").click()
    await dialog(page).get_by_role("button", name="Cancel order").click()
    await expect_status(page, "Cancelled")


async def a_paid_order(people: People, creator: Creator, product: str, variant: str) -> dict[str, str]:
    buyer = await people.member("Ada")
    hold = await buyer.hold(f"products/{product}", variant)
    return await buyer.buy([hold["id"]])


async def test_a_shop_ships_and_delivers(windows: Windows, creator: Creator, people: People) -> None:
    """The seller finds the order in the shop's list and takes it to its end."""
    product = await creator.make("Tea bowl", 3)
    order = await a_paid_order(people, creator, product["id"], product["variants"][0]["id"])
    page = await windows.open("/orders", creator)
    await page.get_by_role("link", name="Shop orders").click()
    await page.get_by_role("link", name=f"Order {order['number']}").click()

    await page.get_by_role("button", name="Mark as shipped").click()
    await page.get_by_label("Tracking number").fill("DE 1234 5678")
    await dialog(page).get_by_role("button", name="Mark as shipped").click()
    await expect_status(page, "Shipped")
    await expect(page.get_by_text("DE 1234 5678")).to_be_visible()

    await page.get_by_role("button", name="Mark as delivered").click()
    await dialog(page).get_by_role("button", name="Mark as delivered").click()
    await expect_status(page, "Delivered")


@pytest.mark.parametrize("returned", [True, False])
async def test_a_refund_asks_about_the_units(
    windows: Windows, creator: Creator, people: People, *, returned: bool
) -> None:
    """Money always goes back in full; whether the unit is sold again is the seller's own choice."""
    product = await creator.make("Tea bowl", 3)
    order = await a_paid_order(people, creator, product["id"], product["variants"][0]["id"])
    assert await creator.in_store(product["id"]) == 2
    page = await windows.open(f"/orders/{order['id']}?view=shop", creator)
    await page.get_by_role("button", name="Refund").click()
    await expect(dialog(page)).to_contain_text("€23.90 go back to the buyer, in full.")
    if returned:
        await page.get_by_label("Also put the units back on sale").check()
    await dialog(page).get_by_role("button", name="Refund").click()
    await expect_status(page, "Refunded")
    await creator.sees_in_store(product["id"], 3 if returned else 2)


async def test_a_line_lost_before_paying_is_told(windows: Windows, creator: Creator, people: People) -> None:
    """The order stays unpaid, shows what was dropped and the new total, and is paid when its buyer says so again."""
    buyer = await people.member("Ada")
    holds = [
        await buyer.hold(f"products/{product['id']}", product["variants"][0]["id"])
        for product in (await creator.make("Tea bowl", 3), await creator.make("Jug", 3))
    ]
    page = await windows.open(f"/checkout?shop={creator.shop}", buyer)
    await place_order(page)
    await page.get_by_role("link", name="Back without paying").click()
    await expect(page.locator("order-lines .total")).to_contain_text("€42.90")
    await buyer.delete(f"holds/{holds[1]['id']}")

    await page.get_by_role("button", name="Pay now").click()
    await expect(page.get_by_role("listitem").filter(has_text="Jug")).to_contain_text(
        "No longer available, not charged"
    )
    await expect(page.locator("order-lines .total")).to_contain_text("€23.90")
    await expect_status(page, "Not paid yet")
    await page.get_by_role("button", name="Pay now").click()
    await pay(page)
    await expect_status(page, "Paid")
