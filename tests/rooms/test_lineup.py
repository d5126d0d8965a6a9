"""The line-up: products, their order, and allotments that move between the store and the room exactly once."""

import asyncio
from dataclasses import replace

import pytest

from streamserver.accounts.model import Identity, UnknownDevice
from streamserver.kit.errors import Forbidden, Invalid, NotFound, TooManyRequests
from streamserver.kit.ids import new_id
from streamserver.messages.catalog import ProductChange
from streamserver.messages.rooms import AnchorChange, AnchorVariantTerms, LineUpOrder, NewAnchor, Tap
from streamserver.messages.stock import HoldRequest, Source
from streamserver.rooms.errors import AlreadyInLineUp, LineUpConflict, LineUpFull
from streamserver.stock.errors import LimitReached, NotEnoughStock
from streamserver.stock.model import Terms, room_pool, shop_pool
from streamserver.stock.store import PoolStore
from tests.world import World, guest, person


async def allot(world: World, room: str, anchor: str, variant: str, units: int) -> None:
    change = AnchorChange(variants=[AnchorVariantTerms(variant=variant, allotment=units)])
    await world.services.lineups.change(room, world.host, anchor, change)


async def balance(world: World, room: str, variant: str) -> tuple[int, int]:
    """Units available in (store, room)."""
    store = await world.available(shop_pool(world.shop.id), variant)
    return store, await world.available(room_pool(room), variant)


async def test_an_allotment_leaves_the_store_for_the_room(world: World) -> None:
    """Raised and lowered, units only ever move; what viewers may buy is what the room has."""
    mug = await world.product(units=10)
    room, variant = await world.room(), mug.variants[0].id
    anchor = await world.anchor(room, mug, allotment=4)
    assert await balance(world, room, variant) == (6, 4)
    await allot(world, room, anchor, variant, 7)
    assert await balance(world, room, variant) == (3, 7)
    await allot(world, room, anchor, variant, 2)
    assert await balance(world, room, variant) == (8, 2)


async def test_an_allotment_cannot_exceed_the_store(world: World) -> None:
    """The seller learns how many there are; nothing is added to the line-up."""
    mug = await world.product(units=3)
    room = await world.room()
    with pytest.raises(NotEnoughStock) as refusal:
        await world.anchor(room, mug, allotment=4)
    assert refusal.value.details == {"available": 3}
    assert (await world.lineup(room)).anchors == []


async def test_a_transfer_is_finished_after_a_crash_between_its_halves(world: World) -> None:
    """Units that left one pool and never arrived are handed over by the next round of tidying, once."""
    mug = await world.product(units=10)
    room, variant = await world.room(), mug.variants[0].id
    await world.anchor(room, mug, allotment=0)
    store = PoolStore(world.services.stock_redis)
    await store.run("move", shop_pool(world.shop.id), "transfer-1", variant, 4, room_pool(room))
    assert await balance(world, room, variant) == (6, 0)
    await world.services.stock.tidy()
    await world.services.stock.tidy()
    assert await balance(world, room, variant) == (6, 4)


async def test_a_transfer_is_settled_once_after_a_crash_before_its_note(world: World) -> None:
    """Received but not yet struck off the outbox: handed over again, it is recognised by its id."""
    mug = await world.product(units=10)
    room, variant = await world.room(), mug.variants[0].id
    await world.anchor(room, mug, allotment=0)
    store = PoolStore(world.services.stock_redis)
    await store.run("move", shop_pool(world.shop.id), "transfer-1", variant, 4, room_pool(room))
    await store.run("receive", room_pool(room), "transfer-1", variant, 4, shop_pool(world.shop.id))
    await world.services.stock.tidy()
    assert await balance(world, room, variant) == (6, 4)


async def test_two_sellers_who_set_the_same_allotment_move_it_once(world: World) -> None:
    """An allotment is a target, not an addition."""
    mug = await world.product(units=10)
    room, variant = await world.room(), mug.variants[0].id
    anchor = await world.anchor(room, mug, allotment=0)
    await asyncio.gather(*(allot(world, room, anchor, variant, 4) for _ in range(5)))
    assert await balance(world, room, variant) == (6, 4)


async def test_a_removed_product_sells_no_more_and_its_units_go_home(world: World) -> None:
    """Unsold units return at once, those on hold when they are given up."""
    mug = await world.product(units=10)
    room, variant = await world.room(live=True), mug.variants[0].id
    anchor = await world.anchor(room, mug, allotment=4)
    buyer = guest()
    held = await world.services.rooms.hold(room, buyer, HoldRequest(key="before-removal", variant=variant))
    await world.services.lineups.remove(room, world.host, anchor)
    assert await balance(world, room, variant) == (9, 0)
    await world.services.rooms.release(buyer, held.id)
    await world.services.stock.tidy()
    assert await balance(world, room, variant) == (10, 0)


async def test_the_price_of_a_hold_is_the_rooms_and_stays(world: World) -> None:
    """A price set for the show counts there; changing it later does not touch what is already held."""
    mug = await world.product()
    room, variant = await world.room(live=True), mug.variants[0].id
    anchor = await world.anchor(room, mug)
    for price, key in ((1500, "first-price"), (1700, "second-price")):
        terms = AnchorVariantTerms(variant=variant, price=price, allotment=5)
        await world.services.lineups.change(room, world.host, anchor, AnchorChange(variants=[terms]))
        buyer = guest()
        held = await world.services.rooms.hold(room, buyer, HoldRequest(key=key, variant=variant))
        assert held.price == price
        await world.services.lineups.change(
            room, world.host, anchor, AnchorChange(variants=[AnchorVariantTerms(variant=variant, allotment=5)])
        )
        assert (await world.services.rooms.held(buyer, held.id)).price == price


async def test_a_limit_counts_all_of_a_buyers_holds(world: World) -> None:
    """Two taps of one are as much as one tap of two."""
    mug = await world.product()
    room, variant = await world.room(live=True), mug.variants[0].id
    await world.anchor(room, mug, limit=2)
    buyer = guest()
    for key in ("tap-number-1", "tap-number-2"):
        await world.services.rooms.hold(room, buyer, HoldRequest(key=key, variant=variant))
    with pytest.raises(LimitReached):
        await world.services.rooms.hold(room, buyer, HoldRequest(key="tap-number-3", variant=variant))


async def test_a_product_is_in_a_line_up_once(world: World) -> None:
    """The second time is refused with its own sentence."""
    mug = await world.product()
    room = await world.room()
    await world.anchor(room, mug)
    with pytest.raises(AlreadyInLineUp):
        await world.anchor(room, mug, allotment=0)


async def test_a_line_up_has_an_end(world: World) -> None:
    """Beyond the configured size nothing is added."""
    room = await world.room()
    size = world.services.config.rooms.lineup_size
    small = type(world.services.lineups)(
        world.services.database, world.services.stock_redis, world.services.book, world.services.rights,
        world.services.catalog, world.services.stock,
        world.services.config.rooms.model_copy(update={"lineup_size": 2}),
    )  # fmt: skip
    assert size == 100
    for n in range(2):
        await small.add(room, world.host, NewAnchor(product=(await world.product(f"Mug {n}")).id))
    with pytest.raises(LineUpFull):
        await small.add(room, world.host, NewAnchor(product=(await world.product("One more")).id))


async def test_sorting_by_an_old_version_is_refused(world: World) -> None:
    """Two moderators sort: the second sees the first one's order instead of undoing it."""
    room = await world.room()
    one, two = [await world.anchor(room, await world.product(f"Mug {n}")) for n in range(2)]
    version = (await world.lineup(room)).version
    sorted_ = await world.services.lineups.sort(room, world.host, LineUpOrder(version=version, order=[two, one]))
    assert [anchor.id for anchor in sorted_.anchors] == [two, one]
    with pytest.raises(LineUpConflict) as conflict:
        await world.services.lineups.sort(room, world.host, LineUpOrder(version=version, order=[one, two]))
    assert [anchor["id"] for anchor in conflict.value.details["lineup"]["anchors"]] == [two, one]


async def test_an_order_names_every_product_once(world: World) -> None:
    """A forgotten or invented product is an error, not a removal."""
    room = await world.room()
    one = await world.anchor(room, await world.product())
    version = (await world.lineup(room)).version
    for order in ([], [one, one], [one, new_id("anchor")]):
        with pytest.raises(Invalid):
            await world.services.lineups.sort(room, world.host, LineUpOrder(version=version, order=order))


async def test_only_the_shops_people_set_price_and_allotment(world: World) -> None:
    """A moderator with the line-up right may sort and remove, but not sell somebody's goods."""
    room, mug = await world.room(), await world.product()
    anchor = await world.anchor(room, mug)
    await world.services.hosting.grant(room, world.host, "mo-derator", ["lineup"])
    change = AnchorChange(variants=[AnchorVariantTerms(variant=mug.variants[0].id, price=1)])
    with pytest.raises(Forbidden):
        await world.services.lineups.change(room, world.moderator, anchor, change)
    stranger: Identity = await person(world.services, "stranger")
    with pytest.raises(Forbidden):
        await world.services.lineups.remove(room, stranger, anchor)
    await world.services.lineups.remove(room, world.moderator, anchor)


async def test_a_price_alone_leaves_the_allotment(world: World) -> None:
    """Whoever names no allotment keeps the one there is."""
    mug = await world.product(units=10)
    room, variant = await world.room(), mug.variants[0].id
    anchor = await world.anchor(room, mug, allotment=4)
    cheaper = AnchorChange(variants=[AnchorVariantTerms(variant=variant, price=900)])
    await world.services.lineups.change(room, world.host, anchor, cheaper)
    assert await balance(world, room, variant) == (6, 4)


async def test_a_refused_change_changes_nothing(world: World) -> None:
    """Too few units for the allotment: the price stays as it was, too."""
    mug = await world.product(units=10)
    room, variant = await world.room(), mug.variants[0].id
    anchor = await world.anchor(room, mug, allotment=4)
    greedy = AnchorChange(variants=[AnchorVariantTerms(variant=variant, price=1, allotment=5000)])
    with pytest.raises(NotEnoughStock):
        await world.services.lineups.change(room, world.host, anchor, greedy)
    [shown] = (await world.lineup(room)).anchors[0].variants
    assert shown.price == 1900


async def test_units_on_their_way_count_as_given(world: World) -> None:
    """After a crash between the halves, asking for another number moves only the difference."""
    mug = await world.product(units=30)
    room, variant = await world.room(), mug.variants[0].id
    anchor = await world.anchor(room, mug, allotment=0)
    store = PoolStore(world.services.stock_redis)
    await store.run("move", shop_pool(world.shop.id), "transfer-1", variant, 10, room_pool(room))
    await allot(world, room, anchor, variant, 12)
    assert await balance(world, room, variant) == (18, 12)


async def test_an_archived_product_sells_no_more_and_can_be_removed(world: World) -> None:
    """The shop takes it off its shelves during the show: nobody can buy it, and the line-up can let go of it."""
    mug = await world.product()
    room, variant = await world.room(live=True), mug.variants[0].id
    anchor = await world.anchor(room, mug)
    await world.services.catalog.change_product(world.host, mug.id, ProductChange(status="archived"))
    await world.services.book.project(room)
    with pytest.raises(NotFound):
        await world.services.rooms.hold(room, guest(), HoldRequest(key="too-late-now", variant=variant))
    await world.services.lineups.remove(room, world.host, anchor)
    assert (await world.lineup(room)).anchors == []


async def test_old_terms_never_replace_newer_ones(world: World) -> None:
    """A projection that read the facts before a price change, and writes after it, is refused and reads again."""
    mug = await world.product()
    room, variant = await world.room(live=True), mug.variants[0].id
    anchor = await world.anchor(room, mug)
    stale = await world.services.documents.read(room)
    assert stale is not None
    terms = AnchorChange(variants=[AnchorVariantTerms(variant=variant, price=100)])
    await world.services.lineups.change(room, world.host, anchor, terms)
    old = [Terms(variant, 1900, "EUR", 5, Source(kind="room"), home=shop_pool(world.shop.id))]
    assert not await world.services.documents.write(room, stale, stale, [], old)
    held = await world.services.rooms.hold(room, guest(), HoldRequest(key="at-the-new", variant=variant))
    assert held.price == 100


async def test_what_a_guest_took_counts_after_signing_in(world: World) -> None:
    """A limit of one is one, whether the same browser is signed in or not."""
    mug = await world.product()
    room, variant = await world.room(live=True), mug.variants[0].id
    await world.anchor(room, mug, limit=1)
    visitor = guest()
    await world.services.rooms.hold(room, visitor, HoldRequest(key="as-a-guest", variant=variant))
    signed_in = replace(visitor, account=(await person(world.services, "greta")).account)
    with pytest.raises(LimitReached):
        await world.services.rooms.hold(room, signed_in, HoldRequest(key="as-myself", variant=variant))


async def test_a_device_that_was_never_sent_back_cannot_hold(world: World) -> None:
    """Without a cookie every request would be a new buyer, and a limit of one no limit at all."""
    mug = await world.product()
    room, variant = await world.room(live=True), mug.variants[0].id
    await world.anchor(room, mug)
    stranger = replace(guest(), is_known=False)
    with pytest.raises(UnknownDevice):
        await world.services.rooms.hold(room, stranger, HoldRequest(key="who-am-i-1", variant=variant))


async def test_one_buyer_cannot_try_for_ever(world: World) -> None:
    """Hold and release in a loop ends with a named refusal."""
    mug = await world.product()
    room, variant = await world.room(live=True), mug.variants[0].id
    await world.anchor(room, mug)
    buyer, most = guest(), world.services.config.stock.tries_per_buyer
    for number in range(most):
        held = await world.services.rooms.hold(room, buyer, HoldRequest(key=f"try-number-{number}", variant=variant))
        await world.services.rooms.release(buyer, held.id)
    with pytest.raises(TooManyRequests):
        await world.services.rooms.hold(room, buyer, HoldRequest(key="one-too-many", variant=variant))


async def test_taps_reach_sql_once(world: World) -> None:
    """Noted together, moved in bulk; moving twice adds nothing. An unknown anchor does not count."""
    room = await world.room(live=True)
    anchor = await world.anchor(room, await world.product())
    for _ in range(3):
        await world.services.rooms.tap(room, guest(), Tap(anchor=anchor))
    await world.services.rooms.tap(room, guest(), Tap(anchor=new_id("anchor")))
    await world.services.taps.note()
    await world.services.taps.move()
    await world.services.taps.move()
    assert (await world.services.hosting.sales(room, world.host)).taps == 3
