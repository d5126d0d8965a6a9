"""From an authorised payment to a paid order: once, whatever crashes, comes late or comes twice."""

import asyncio

import pytest

from streamserver.config import Config
from streamserver.messages.orders import Order, OrderStatus
from streamserver.orders.errors import OrderChanged
from streamserver.orders.service import OrderService
from streamserver.stock.model import Pool
from tests.orders.conftest import Market, eventually, guest


async def test_success_sells_captures_and_pays(market: Market) -> None:
    """One authorised notice later the unit is sold, the money captured and the order paid."""
    mug = await market.product()
    buyer, pool = guest(), await market.in_room(mug, 3)
    order = await market.place(buyer, await market.hold(buyer, pool, mug, 2))
    payment = await market.begin_payment(buyer, order)
    await market.sandbox.choose(payment, "success")
    paid = await market.orders.order(buyer, order.id)
    assert (paid.status, paid.lines[0].status, paid.payment_url) == ("paid", "sold", None)
    assert (await market.units(pool, mug)).sold == 2
    assert await market.money(payment) == "captured"


async def test_repeated_and_reordered_notices_change_nothing(market: Market) -> None:
    """A paid order stays paid, one unit stays sold, whatever the provider says again."""
    mug = await market.product()
    buyer, pool = guest(), await market.in_room(mug, 3)
    order = await market.place(buyer, await market.hold(buyer, pool, mug))
    payment = await market.begin_payment(buyer, order)
    await market.sandbox.choose(payment, "success")
    settlement = market.orders.settlement
    for notice in (settlement.payment_declined, settlement.payment_captured, settlement.payment_authorised):
        await notice(payment)
    assert (await market.orders.order(buyer, order.id)).status == "paid"
    assert (await market.units(pool, mug)).sold == 1
    assert await market.money(payment) == "captured"


async def test_a_notice_of_an_unknown_payment_is_harmless(market: Market) -> None:
    """A provider shared with another shop may tell us of its payments."""
    await market.orders.settlement.payment_authorised("pay_of_somebody_else")


async def test_two_authorisations_at_once_settle_once(market: Market, config: Config) -> None:
    """Two processes are told at the same moment: one settles, the other sees it and leaves it alone."""
    mug = await market.product()
    buyer, pool = guest(), await market.in_room(mug, 3)
    order = await market.place(buyer, await market.hold(buyer, pool, mug))
    payment = await market.begin_payment(buyer, order)
    await _authorise_silently(market, payment)
    other = OrderService(market.database, market.stock, market.catalog, market.provider, config.orders, b"secret")
    listeners = [market.orders.settlement, other.settlement] * 3
    await asyncio.gather(*(listener.payment_authorised(payment) for listener in listeners))
    assert (await market.orders.order(buyer, order.id)).status == "paid"
    assert (await market.units(pool, mug)).sold == 1
    assert market.provider.captures == [payment]


async def test_a_crash_after_confirming_the_stock_is_finished(market: Market) -> None:
    """The units were sold but SQL never heard: the order is driven on, and the units are sold once."""
    mug = await market.product()
    buyer, pool = guest(), await market.in_room(mug, 3)
    order = await market.place(buyer, await market.hold(buyer, pool, mug))
    payment = await market.begin_payment(buyer, order)
    market.stock.crash = True
    await market.sandbox.choose(payment, "success")
    assert (await market.orders.order(buyer, order.id)).status == "authorised"
    market.stock.crash = False
    await market.later()
    await market.orders.settle_due()
    assert (await market.orders.order(buyer, order.id)).status == "paid"
    assert (await market.units(pool, mug)).sold == 1


async def test_a_crash_between_confirm_and_capture_is_finished(market: Market) -> None:
    """Confirmed comes first in SQL, so the money that was not captured yet is captured later, once."""
    mug = await market.product()
    buyer = guest()
    order = await market.place(buyer, await market.hold(buyer, await market.in_room(mug, 3), mug))
    payment = await market.begin_payment(buyer, order)
    market.provider.down = True
    await market.sandbox.choose(payment, "success")
    assert (await market.orders.order(buyer, order.id)).status == "confirmed"
    market.provider.down = False
    await market.later()
    await market.orders.settle_due()
    assert (await market.orders.order(buyer, order.id)).status == "paid"
    assert await market.money(payment) == "captured"


async def test_an_order_that_is_being_settled_is_left_alone(market: Market) -> None:
    """Only a stalled order is taken over; one in somebody's hands is not."""
    mug = await market.product()
    buyer, pool = guest(), await market.in_room(mug, 3)
    order = await market.place(buyer, await market.hold(buyer, pool, mug))
    payment = await market.begin_payment(buyer, order)
    market.stock.crash = True
    await market.sandbox.choose(payment, "success")
    market.stock.crash = False
    await market.orders.settle_due()
    await market.orders.settlement.payment_authorised(payment)
    assert (await market.orders.order(buyer, order.id)).status == "authorised"


async def test_a_late_payment_retakes_what_is_left(market: Market) -> None:
    """The hold expired while the buyer was paying, but nobody took the unit: the sale goes through."""
    mug = await market.product()
    buyer, pool = guest(), await market.in_room(mug, 1)
    hold = await market.hold(buyer, pool, mug)
    order = await market.place(buyer, hold)
    payment = await market.begin_payment(buyer, order)
    await market.expire(hold)
    await market.sandbox.choose(payment, "success")
    assert (await market.orders.order(buyer, order.id)).status == "paid"
    assert (await market.units(pool, mug)).sold == 1


async def test_a_late_payment_for_what_is_gone_is_voided(market: Market) -> None:
    """Somebody else holds the unit now: the money is let go, and the order says that its line is gone."""
    mug = await market.product()
    buyer, pool = guest(), await market.in_room(mug, 1)
    hold = await market.hold(buyer, pool, mug)
    order = await market.place(buyer, hold)
    payment = await market.begin_payment(buyer, order)
    await market.expire(hold)
    await market.hold(guest(), pool, mug)
    await market.sandbox.choose(payment, "success")
    now = await market.orders.order(buyer, order.id)
    assert (now.status, now.lines[0].status) == ("cancelled", "gone")
    assert await market.money(payment) == "voided"
    assert (await market.units(pool, mug)).sold == 0


async def test_when_a_later_pool_fails_the_earlier_one_gets_its_units_back(market: Market) -> None:
    """All or none: the money is let go, the lost line dropped, and the buyer may pay what is left at its new revision."""
    (first, mug), (second, bowl) = await _two_pools(market)
    buyer = guest()
    held, lost = await market.hold(buyer, first, mug), await market.hold(buyer, second, bowl)
    order = await market.place(buyer, held, lost)
    payment = await market.begin_payment(buyer, order)
    await market.expire(lost)
    await market.hold(guest(), second, bowl)
    await market.sandbox.choose(payment, "success")
    now = await market.orders.order(buyer, order.id)
    assert (now.status, now.revision, [line.status for line in now.lines]) == ("pending", 2, ["open", "gone"])
    assert await market.money(payment) == "voided"
    assert (await market.units(first, mug)).sold == 0
    again = await market.begin_payment(buyer, now)
    await market.sandbox.choose(again, "success")
    assert (await market.orders.order(buyer, order.id)).status == "paid"
    assert (await market.units(first, mug)).sold == 1


async def test_a_crash_after_giving_back_does_not_leak_units(market: Market) -> None:
    """Settling again after a crash sells and gives back again: no unit stays sold to an order that does not have it."""
    (first, mug), (second, bowl) = await _two_pools(market)
    buyer = guest()
    held, lost = await market.hold(buyer, first, mug), await market.hold(buyer, second, bowl)
    order = await market.place(buyer, held, lost)
    payment = await market.begin_payment(buyer, order)
    await market.expire(lost)
    await market.hold(guest(), second, bowl)
    await market.stock.confirm(first, [held.id], payment)
    await market.stock.give_back(first, held.id, f"{payment}:0:{held.id}", payment)
    await market.sandbox.choose(payment, "success")
    assert (await market.units(first, mug)).sold == 0


async def test_a_process_that_wakes_up_late_keeps_no_units(market: Market) -> None:
    """It stalled before selling; another took over and found a line lost. What the sleeper then sells, it gives back."""
    (first, mug), (second, bowl) = await _two_pools(market)
    buyer = guest()
    held, lost = await market.hold(buyer, first, mug), await market.hold(buyer, second, bowl)
    order = await market.place(buyer, held, lost)
    payment = await market.begin_payment(buyer, order)
    await market.expire(lost)
    await market.hold(guest(), second, bowl)
    market.stock.stall = wake_up = asyncio.Event()
    sleeper = asyncio.create_task(market.sandbox.choose(payment, "success"))
    await eventually(lambda: _has_status(market, order, "authorised"))
    await market.later()
    await market.orders.settle_due()
    wake_up.set()
    await sleeper
    assert await _has_status(market, order, "pending")
    assert await market.money(payment) == "voided"
    assert (await market.units(first, mug)).sold == 0


async def test_what_another_payment_bought_is_not_sold_again(market: Market) -> None:
    """Whatever went wrong before: one hold is sold for one payment, the other one is let go."""
    mug = await market.product()
    buyer, pool = guest(), await market.in_room(mug, 3)
    hold = await market.hold(buyer, pool, mug)
    order = await market.place(buyer, hold)
    payment = await market.begin_payment(buyer, order)
    await market.stock.confirm(pool, [hold.id], "pay_of_another_order")
    await market.sandbox.choose(payment, "success")
    assert await _has_status(market, order, "cancelled")
    assert await market.money(payment) == "voided"
    assert (await market.units(pool, mug)).sold == 1


async def test_a_seller_cancels_what_is_confirmed_but_not_captured(market: Market) -> None:
    """The provider is down at that moment: later the money is let go, and the units are back at once."""
    mug = await market.product()
    buyer, pool = guest(), await market.in_room(mug, 1)
    order = await market.place(buyer, await market.hold(buyer, pool, mug))
    payment = await market.begin_payment(buyer, order)
    market.provider.down = True
    await market.sandbox.choose(payment, "success")
    assert (await market.orders.cancel(market.seller, order.id)).status == "cancelled"
    assert (await market.units(pool, mug)).available == 1
    market.provider.down = False
    await market.later()
    await market.orders.settle_due()
    assert await market.money(payment) == "voided"


async def test_a_payment_of_an_old_revision_is_voided(market: Market) -> None:
    """The buyer paid in one tab what another tab had seen change: that payment is let go, the order still waits."""
    mug, bowl = await market.product("Mug"), await market.product("Bowl")
    buyer = guest()
    kept = await market.hold(buyer, await market.in_room(mug, 5), mug)
    pool = await market.in_room(bowl, 1)
    lost = await market.hold(buyer, pool, bowl)
    order = await market.place(buyer, kept, lost)
    old = await market.begin_payment(buyer, order)
    await market.expire(lost)
    with pytest.raises(OrderChanged):
        await market.orders.pay(buyer, order.id, 1)
    assert await market.money(old) == "voided"
    await market.orders.settlement.payment_authorised(old)
    assert (await market.orders.order(buyer, order.id)).status == "pending"
    assert (await market.units(pool, bowl)).sold == 0


async def test_money_for_a_cancelled_order_is_let_go(market: Market) -> None:
    """The provider cannot be reached while the buyer cancels; the authorisation is voided when it can."""
    mug = await market.product()
    buyer, pool = guest(), await market.in_room(mug, 1)
    order = await market.place(buyer, await market.hold(buyer, pool, mug))
    payment = await market.begin_payment(buyer, order)
    market.provider.down = True
    await market.orders.cancel(buyer, order.id)
    await market.sandbox.choose(payment, "success")
    market.provider.down = False
    await market.later()
    await market.orders.settle_due()
    assert (await market.orders.order(buyer, order.id)).status == "cancelled"
    assert await market.money(payment) == "voided"
    assert (await market.units(pool, mug)).available == 1


async def test_an_unpaid_order_is_cancelled_in_time(market: Market) -> None:
    """After the configured minutes its holds go back, and a payment that was open is closed."""
    mug = await market.product()
    buyer, pool = guest(), await market.in_room(mug, 1)
    order = await market.place(buyer, await market.hold(buyer, pool, mug))
    payment = await market.begin_payment(buyer, order)
    await market.orders.settle_due()
    assert (await market.orders.order(buyer, order.id)).status == "pending"
    await market.much_later()
    await market.orders.settle_due()
    assert (await market.orders.order(buyer, order.id)).status == "cancelled"
    assert await market.money(payment) == "voided"
    assert (await market.units(pool, mug)).available == 1


async def test_an_authorisation_that_lapsed_cancels_the_order(market: Market) -> None:
    """Capturing can be refused for good: then nothing is owed and the units go back on sale."""
    mug = await market.product()
    buyer, pool = guest(), await market.in_room(mug, 1)
    order = await market.place(buyer, await market.hold(buyer, pool, mug))
    payment = await market.begin_payment(buyer, order)
    market.provider.down = True
    await market.sandbox.choose(payment, "success")
    await market.sandbox.void(payment)
    market.provider.down = False
    await market.later()
    await market.orders.settle_due()
    now = await market.orders.order(buyer, order.id)
    assert (now.status, now.lines[0].status) == ("cancelled", "returned")
    assert (await market.units(pool, mug)).available == 1


async def test_one_order_in_trouble_does_not_hold_up_the_others(market: Market) -> None:
    """Each due order is tried, and what failed is tried again later."""
    mug = await market.product()
    pool = await market.in_room(mug, 2)
    orders: list[tuple[Order, str]] = []
    buyers = [guest(), guest()]
    market.provider.down = True
    for buyer in buyers:
        order = await market.place(buyer, await market.hold(buyer, pool, mug))
        orders.append((order, await market.begin_payment(buyer, order)))
        await market.sandbox.choose(orders[-1][1], "success")
    await market.later()
    await market.orders.settle_due()
    market.provider.down = False
    await market.later()
    await market.orders.settle_due()
    assert [(await market.orders.order(b, o.id)).status for b, (o, _) in zip(buyers, orders, strict=True)] == [
        "paid"
    ] * 2


async def _two_pools(market: Market) -> list[tuple[Pool, str]]:
    """Two pools with a unit of their own variant each, in the order in which they are settled."""
    variants = [await market.product("Mug"), await market.product("Bowl")]
    return sorted([(await market.in_room(variant, 1), variant) for variant in variants])


async def _has_status(market: Market, order: Order, status: OrderStatus) -> bool:
    return (await market.orders.order(market.seller, order.id)).status == status


async def _authorise_silently(market: Market, payment: str) -> None:
    """The provider has the money, and nobody was told yet."""
    market.sandbox.listen(Deaf())
    await market.sandbox.choose(payment, "success")


class Deaf:
    """A listener that takes every notice and does nothing."""

    async def payment_authorised(self, payment: str) -> None: ...

    async def payment_declined(self, payment: str) -> None: ...

    async def payment_captured(self, payment: str) -> None: ...

    async def payment_refunded(self, payment: str) -> None: ...
