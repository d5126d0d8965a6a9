"""From bag to payment: what a checkout takes, and what it refuses before any charge."""

import asyncio

import pytest

from streamserver.kit.errors import NotFound
from streamserver.messages.catalog import NewShop
from streamserver.orders.errors import MixedBag, OrderChanged, WrongState
from streamserver.stock.errors import HoldGone, KeyReused
from tests.orders.conftest import ADDRESS, Market, guest, new_order


async def test_the_bag_sorts_holds_by_shop(market: Market) -> None:
    """One part of the bag is what one checkout can take: one shop, one currency."""
    other = await market.catalog.create_shop(market.seller, NewShop(handle="loom", name="Loom", currency="EUR"))
    mug, scarf = await market.product("Mug"), await market.product("Scarf", shop=other)
    buyer = guest()
    for variant in (mug, scarf):
        await market.hold(buyer, await market.in_room(variant, 5), variant, 2)
    bag = await market.orders.bag(buyer)
    parts = {(part.shop.handle, part.subtotal, part.items[0].title) for part in bag.parts}
    assert parts == {("kiln", 2400, "Mug"), ("loom", 2400, "Scarf")}


async def test_the_bag_tells_that_a_hold_expired(market: Market) -> None:
    """An expired hold is shown as such and not counted; one that the buyer gave back is not shown."""
    mug = await market.product()
    pool, buyer = await market.in_room(mug, 5), guest()
    expired, released = await market.hold(buyer, pool, mug), await market.hold(buyer, pool, mug)
    await market.expire(expired)
    await market.stock.release(released.id, buyer.buyers)
    [part] = (await market.orders.bag(buyer)).parts
    assert [(item.hold, item.status) for item in part.items] == [(expired.id, "expired")]
    assert part.subtotal == 0


async def test_the_bag_names_the_order_begun_and_forgets_what_is_paid(market: Market) -> None:
    """A pending order is offered for going on; after payment its holds leave the bag."""
    mug = await market.product()
    buyer = guest()
    hold = await market.hold(buyer, await market.in_room(mug, 5), mug)
    order = await market.place(buyer, hold)
    assert (await market.orders.bag(buyer)).parts[0].order == order.id
    await market.sandbox.choose(await market.begin_payment(buyer, order), "success")
    assert (await market.orders.bag(buyer)).parts == []


async def test_an_order_costs_what_was_frozen_at_the_hold_plus_the_shops_shipping(market: Market) -> None:
    """The room's price counts, not the catalog's, and shipping is added once."""
    mug = await market.product(price=1500)
    buyer = guest()
    hold = await market.hold(buyer, await market.in_room(mug, 5, price=1200), mug, 2)
    order = await market.place(buyer, hold)
    assert (order.subtotal, order.shipping, order.total, order.status) == (2400, 490, 2890, "pending")


async def test_the_same_key_answers_the_same_order(market: Market) -> None:
    """A checkout whose answer was lost can be sent again, also twice at once."""
    mug = await market.product()
    buyer = guest()
    new = new_order(await market.hold(buyer, await market.in_room(mug, 5), mug))
    first, second = await asyncio.gather(market.orders.place(buyer, new), market.orders.place(buyer, new))
    assert first.order.id == second.order.id
    assert {first.replayed, second.replayed} == {True, False}


async def test_a_key_stands_for_one_checkout(market: Market) -> None:
    """The same key with another address is refused, since the buyer would see the old one."""
    mug = await market.product()
    buyer = guest()
    hold = await market.hold(buyer, await market.in_room(mug, 5), mug)
    await market.orders.place(buyer, new_order(hold, key="checkout-1"))
    moved = ADDRESS.model_copy(update={"city": "York"})
    with pytest.raises(KeyReused):
        await market.orders.place(buyer, new_order(hold, key="checkout-1", address=moved))


async def test_placing_the_same_holds_again_replaces_the_pending_order(market: Market) -> None:
    """A hold is in one open order at most; the earlier order is cancelled and its payment let go."""
    mug = await market.product()
    buyer = guest()
    hold = await market.hold(buyer, await market.in_room(mug, 5), mug)
    first = await market.place(buyer, hold)
    payment = await market.begin_payment(buyer, first)
    second = await market.place(buyer, hold)
    assert (await market.orders.order(buyer, first.id)).status == "cancelled"
    assert await market.money(payment) == "voided"
    assert (await market.orders.order(buyer, second.id)).lines[0].status == "open"


async def test_two_checkouts_of_one_hold_at_once_leave_one_open_order(market: Market) -> None:
    """Two tabs cannot both keep the hold, in whichever order they arrive."""
    mug = await market.product()
    buyer = guest()
    hold = await market.hold(buyer, await market.in_room(mug, 5), mug)
    await asyncio.gather(*(market.place(buyer, hold) for _ in range(3)))
    assert sorted(order.status for order in await market.orders.orders(buyer)) == ["cancelled", "cancelled", "pending"]


async def test_one_order_is_one_shop(market: Market) -> None:
    """Holds of two shops are refused together."""
    other = await market.catalog.create_shop(market.seller, NewShop(handle="loom", name="Loom", currency="EUR"))
    mug, scarf = await market.product("Mug"), await market.product("Scarf", shop=other)
    buyer = guest()
    holds = [await market.hold(buyer, await market.in_room(variant, 5), variant) for variant in (mug, scarf)]
    with pytest.raises(MixedBag):
        await market.place(buyer, *holds)


async def test_only_ones_own_living_holds_are_taken(market: Market) -> None:
    """Somebody else's hold and an expired one are both no longer set aside for this buyer."""
    mug = await market.product()
    pool, buyer = await market.in_room(mug, 5), guest()
    foreign, expired = await market.hold(guest(), pool, mug), await market.hold(buyer, pool, mug)
    await market.expire(expired)
    for hold in (foreign, expired):
        with pytest.raises(HoldGone):
            await market.place(buyer, hold)


async def test_a_lost_line_is_told_before_any_charge(market: Market) -> None:
    """Paying checks every hold: the lost line is dropped, the total is new, and nothing was opened to pay."""
    mug, bowl = await market.product("Mug"), await market.product("Bowl")
    buyer = guest()
    kept = await market.hold(buyer, await market.in_room(mug, 5), mug)
    lost = await market.hold(buyer, await market.in_room(bowl, 1), bowl)
    order = await market.place(buyer, kept, lost)
    await market.expire(lost)
    with pytest.raises(OrderChanged) as changed:
        await market.orders.pay(buyer, order.id, order.revision)
    now = changed.value.details["order"]
    assert [line["status"] for line in now["lines"]] == ["open", "gone"]
    assert (now["revision"], now["total"], now["payment_url"]) == (2, 1200 + 490, None)


async def test_the_changed_order_can_be_paid_at_its_new_revision(market: Market) -> None:
    """The old revision is refused as often as it is tried; the new one is charged with the new total."""
    mug, bowl = await market.product("Mug"), await market.product("Bowl")
    buyer = guest()
    kept = await market.hold(buyer, await market.in_room(mug, 5), mug)
    lost = await market.hold(buyer, await market.in_room(bowl, 1), bowl)
    order = await market.place(buyer, kept, lost)
    await market.expire(lost)
    for _ in range(2):
        with pytest.raises(OrderChanged):
            await market.orders.pay(buyer, order.id, 1)
    payment = await market.begin_payment(buyer, order.model_copy(update={"revision": 2}))
    assert (await market.sandbox.view(payment)).amount == 1200 + 490


async def test_an_order_that_lost_everything_is_cancelled_with_its_own_sentence(market: Market) -> None:
    """Nothing is left to pay: the buyer is told that nothing was charged."""
    mug = await market.product()
    buyer = guest()
    hold = await market.hold(buyer, await market.in_room(mug, 1), mug)
    order = await market.place(buyer, hold)
    await market.expire(hold)
    with pytest.raises(OrderChanged, match="Everything in this order was gone") as changed:
        await market.orders.pay(buyer, order.id, 1)
    assert changed.value.details["order"]["status"] == "cancelled"


async def test_paying_again_answers_the_open_payment(market: Market) -> None:
    """A double tap on *Pay* opens one payment."""
    mug = await market.product()
    buyer = guest()
    order = await market.place(buyer, await market.hold(buyer, await market.in_room(mug, 1), mug))
    urls = await asyncio.gather(*(market.orders.pay(buyer, order.id, 1) for _ in range(3)))
    assert len({paying.payment_url for paying in urls}) == 1


async def test_after_a_decline_the_buyer_may_try_again(market: Market) -> None:
    """The declined payment is spent; the order still waits, and the next payment is another one."""
    mug = await market.product()
    buyer = guest()
    order = await market.place(buyer, await market.hold(buyer, await market.in_room(mug, 1), mug))
    declined = await market.begin_payment(buyer, order)
    await market.sandbox.choose(declined, "decline")
    again = await market.begin_payment(buyer, order)
    assert again != declined
    await market.sandbox.choose(again, "success")
    assert (await market.orders.order(buyer, order.id)).status == "paid"


async def test_a_paid_order_is_not_paid_again(market: Market) -> None:
    """It says so."""
    mug = await market.product()
    buyer = guest()
    order = await market.buy(buyer, await market.hold(buyer, await market.in_room(mug, 1), mug))
    with pytest.raises(WrongState, match="is paid"):
        await market.orders.pay(buyer, order.id, order.revision)


async def test_an_order_is_seen_by_its_buyer_its_seller_and_its_link(market: Market) -> None:
    """Everybody else finds nothing, and a wrong key opens nothing."""
    mug = await market.product()
    buyer, stranger, other = guest(), guest(), await market.account("other")
    order = await market.place(buyer, await market.hold(buyer, await market.in_room(mug, 1), mug))
    key = order.link.split("key=")[1]
    assert (await market.orders.order(buyer, order.id)).id == order.id
    assert (await market.orders.order(stranger, order.id, key)).id == order.id
    assert "key=" not in (await market.orders.order(market.seller, order.id)).link
    for identity, tried in ((stranger, ""), (stranger, key[1:]), (stranger, "ü"), (other, "")):
        with pytest.raises(NotFound):
            await market.orders.order(identity, order.id, tried)


async def test_a_guests_order_stays_theirs_after_signing_in(market: Market) -> None:
    """The device's holds and orders come along."""
    mug = await market.product()
    device = guest()
    order = await market.place(device, await market.hold(device, await market.in_room(mug, 1), mug))
    signed_in = await market.account("ada")
    both = type(signed_in)(device=device.device, account=signed_in.account)
    assert [mine.id for mine in await market.orders.orders(both)] == [order.id]
    assert (await market.orders.pay(both, order.id, 1)).payment_url is not None
