"""After checkout: cancelling, shipping, refunds, and what a host earned."""

import pytest

from streamserver.accounts.model import Account, Identity
from streamserver.kit.errors import Forbidden, NotFound
from streamserver.messages.orders import Refund
from streamserver.orders.errors import WrongState
from tests.orders.conftest import Market, guest


async def test_a_buyer_cancels_while_nothing_is_paid(market: Market) -> None:
    """The units are free at once, not at the deadline."""
    mug = await market.product()
    buyer, pool = guest(), await market.in_room(mug, 1)
    order = await market.place(buyer, await market.hold(buyer, pool, mug))
    assert (await market.orders.cancel(buyer, order.id)).status == "cancelled"
    assert (await market.units(pool, mug)).available == 1
    assert (await market.orders.cancel(buyer, order.id)).status == "cancelled"


async def test_a_buyer_cannot_cancel_what_is_paid(market: Market) -> None:
    """From then on only the seller can."""
    mug = await market.product()
    buyer = guest()
    order = await market.buy(buyer, await market.hold(buyer, await market.in_room(mug, 1), mug))
    with pytest.raises(WrongState, match="is paid"):
        await market.orders.cancel(buyer, order.id)


async def test_a_seller_cancels_before_shipping_and_everything_goes_back(market: Market) -> None:
    """Money is refunded and units are on sale again, once."""
    mug = await market.product()
    buyer, pool = guest(), await market.in_room(mug, 1)
    order = await market.place(buyer, await market.hold(buyer, pool, mug))
    payment = await market.begin_payment(buyer, order)
    await market.sandbox.choose(payment, "success")
    for _ in range(2):
        cancelled = await market.orders.cancel(market.seller, order.id)
        assert (cancelled.status, cancelled.lines[0].status) == ("cancelled", "returned")
    assert await market.money(payment) == "refunded"
    units = await market.units(pool, mug)
    assert (units.available, units.sold) == (1, 0)


async def test_shipping_then_delivery(market: Market) -> None:
    """paid → shipped → delivered, by the seller only, each in its turn."""
    mug = await market.product()
    buyer = guest()
    order = await market.buy(buyer, await market.hold(buyer, await market.in_room(mug, 1), mug))
    with pytest.raises(WrongState, match="not been shipped"):
        await market.orders.deliver(market.seller, order.id)
    shipped = await market.orders.ship(market.seller, order.id, "RR123456785GB")
    assert (shipped.status, shipped.tracking) == ("shipped", "RR123456785GB")
    assert (await market.orders.deliver(market.seller, order.id)).status == "delivered"
    with pytest.raises(WrongState, match="already delivered"):
        await market.orders.cancel(market.seller, order.id)


async def test_nobody_else_sells(market: Market) -> None:
    """Another account finds nothing to ship, refund or list."""
    mug = await market.product()
    buyer, other = guest(), await market.account("other")
    order = await market.buy(buyer, await market.hold(buyer, await market.in_room(mug, 1), mug))
    with pytest.raises(NotFound):
        await market.orders.ship(other, order.id, "")
    with pytest.raises(NotFound):
        await market.orders.refund(other, order.id, Refund(operation="refund-1", return_units=True))
    with pytest.raises(NotFound):
        await market.orders.cancel(other, order.id)
    with pytest.raises(Forbidden):
        await market.orders.shop_orders(other, market.shop.id)
    assert [sold.id for sold in await market.orders.shop_orders(market.seller, market.shop.id)] == [order.id]


async def test_a_token_without_the_scope_shops_does_not_cancel_for_the_seller(market: Market) -> None:
    """A seller's API token that may only read stays a reader."""
    mug = await market.product()
    buyer = guest()
    order = await market.place(buyer, await market.hold(buyer, await market.in_room(mug, 1), mug))
    account = market.seller.account
    assert isinstance(account, Account)
    reader = Identity(device="", account=account, scopes=frozenset({"read"}))
    with pytest.raises(Forbidden):
        await market.orders.cancel(reader, order.id)


@pytest.mark.parametrize(("return_units", "available"), [(False, 0), (True, 1)])
async def test_a_refund_moves_money_and_units_only_when_asked(
    market: Market, return_units: bool, available: int
) -> None:
    """A broken mug is refunded without going back on sale."""
    mug = await market.product()
    buyer, pool = guest(), await market.in_room(mug, 1)
    order = await market.place(buyer, await market.hold(buyer, pool, mug))
    payment = await market.begin_payment(buyer, order)
    await market.sandbox.choose(payment, "success")
    refund = Refund(operation="refund-1", return_units=return_units)
    for _ in range(2):
        assert (await market.orders.refund(market.seller, order.id, refund)).status == "refunded"
    assert await market.money(payment) == "refunded"
    assert (await market.units(pool, mug)).available == available


async def test_units_can_come_back_after_the_refund(market: Market) -> None:
    """The parcel arrives later: the units go back on sale then, and no money moves again."""
    mug = await market.product()
    buyer, pool = guest(), await market.in_room(mug, 1)
    order = await market.buy(buyer, await market.hold(buyer, pool, mug))
    await market.orders.refund(market.seller, order.id, Refund(operation="refund-1", return_units=False))
    for operation in ("parcel-1", "parcel-2"):
        await market.orders.refund(market.seller, order.id, Refund(operation=operation, return_units=True))
    units = await market.units(pool, mug)
    assert (units.available, units.sold) == (1, 0)


async def test_a_refund_survives_an_outage_of_the_provider(market: Market) -> None:
    """The decision is recorded at once; the money follows when the provider answers."""
    mug = await market.product()
    buyer = guest()
    order = await market.place(buyer, await market.hold(buyer, await market.in_room(mug, 1), mug))
    payment = await market.begin_payment(buyer, order)
    await market.sandbox.choose(payment, "success")
    market.provider.down = True
    await market.orders.refund(market.seller, order.id, Refund(operation="refund-1", return_units=True))
    assert await market.money(payment) == "captured"
    market.provider.down = False
    await market.later()
    await market.orders.settle_due()
    assert await market.money(payment) == "refunded"


async def test_a_room_earns_what_was_bought_in_it(market: Market) -> None:
    """Paid orders count without shipping; pending and refunded ones, and the store's, do not."""
    mug = await market.product()
    pool, store = await market.in_room(mug, 5, price=1200), await market.in_store(mug, 5)
    room = pool.removeprefix("room:")
    buyer = guest()
    await market.buy(buyer, await market.hold(buyer, pool, mug, 2), await market.hold(buyer, store, mug))
    refunded = await market.buy(buyer, await market.hold(buyer, pool, mug))
    await market.orders.refund(market.seller, refunded.id, Refund(operation="refund-1", return_units=True))
    await market.place(buyer, await market.hold(buyer, pool, mug))
    assert await market.orders.room_sales(room) == (1, {"EUR": 2400})
