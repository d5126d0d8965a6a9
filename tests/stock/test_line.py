"""Waiting in line for what is sold out, and buying where the first to pay is served: as buyers meet them in a room."""

import asyncio

import pytest

from streamserver.accounts.model import Identity
from streamserver.kit.errors import NotFound
from streamserver.kit.ids import new_id
from streamserver.messages.rooms import AnchorChange
from streamserver.messages.stock import Hold, HoldRequest, LeaveRequest, Place, WaitRequest
from streamserver.stock.books import Books
from streamserver.stock.errors import LimitReached, LineClosed, SoldOut
from streamserver.stock.model import room_pool
from tests.world import World, guest


class Sale:
    """One product in a live room."""

    def __init__(self, world: World, room: str, anchor: str, variant: str) -> None:
        self.world, self.room, self.anchor, self.variant = world, room, anchor, variant
        self.rooms, self.stock = world.services.rooms, world.services.stock

    async def buy(self, buyer: Identity, quantity: int = 1) -> Hold:
        wish = HoldRequest(key=new_id("key"), variant=self.variant, quantity=quantity, retry=True)
        return await self.rooms.hold(self.room, buyer, wish)

    async def wait(self, buyer: Identity) -> Place:
        return await self.rooms.wait(self.room, buyer, WaitRequest(variant=self.variant))

    async def leave(self, buyer: Identity) -> None:
        await self.rooms.leave_line(self.room, buyer, LeaveRequest(variant=self.variant))

    async def waiting(self) -> int:
        return (await self.stock.units(room_pool(self.room), [self.variant]))[self.variant].waiting


async def opened(world: World, units: int, limit: int = 5) -> Sale:
    product = await world.product(units=units)
    room = await world.room(live=True)
    anchor = await world.anchor(room, product, allotment=units, limit=limit)
    return Sale(world, room, anchor, product.variants[0].id)


async def test_a_released_unit_goes_to_the_head_of_the_line(world: World) -> None:
    """Nobody can buy past those who wait; the offer is a hold in the bag of whoever waited longest."""
    sale = await opened(world, units=1)
    owner, first, second, passer_by = (guest() for _ in range(4))
    held = await sale.buy(owner)
    assert [(await sale.wait(first)).place, (await sale.wait(second)).place, (await sale.wait(first)).place] == [
        1,
        2,
        1,
    ]
    await sale.rooms.release(owner, held.id)
    with pytest.raises(SoldOut):
        await sale.buy(passer_by)
    offer = (await sale.wait(first)).hold
    assert offer is not None
    assert [hold.id for hold in await sale.stock.holds(first.buyers)] == [offer.id]
    assert (await sale.wait(second)).place == 1


async def test_an_offer_that_is_turned_down_passes_on(world: World) -> None:
    sale = await opened(world, units=1)
    owner, first, second = guest(), guest(), guest()
    held = await sale.buy(owner)
    await sale.wait(first)
    await sale.wait(second)
    await sale.rooms.release(owner, held.id)
    offer = (await sale.wait(first)).hold
    assert offer is not None
    await sale.rooms.release(first, offer.id)
    assert (await sale.wait(second)).hold is not None
    assert await sale.waiting() == 0


async def test_who_gave_up_is_passed_over(world: World) -> None:
    sale = await opened(world, units=1)
    owner, first, second = guest(), guest(), guest()
    held = await sale.buy(owner)
    await sale.wait(first)
    await sale.wait(second)
    await sale.leave(first)
    assert (await sale.wait(second)).place == 1
    await sale.rooms.release(owner, held.id)
    assert (await sale.wait(second)).hold is not None
    assert await sale.stock.holds(first.buyers) == []


async def test_new_units_are_offered_one_to_each_who_waits(world: World) -> None:
    """What is left after that is for everybody."""
    sale = await opened(world, units=1)
    await sale.buy(guest())
    line = [guest() for _ in range(3)]
    for one in line:
        await sale.wait(one)
    await sale.stock.restock(room_pool(sale.room), "more", sale.variant, 4)
    assert all([(await sale.wait(one)).hold for one in line])
    assert await world.available(room_pool(sale.room), sale.variant) == 1


async def test_whoever_waits_for_what_is_there_has_it_at_once(world: World) -> None:
    sale = await opened(world, units=1)
    place = await sale.wait(guest())
    assert place.place == 0
    assert place.hold is not None


async def test_the_limit_has_a_sentence_of_its_own(world: World) -> None:
    sale = await opened(world, units=1, limit=1)
    owner = guest()
    await sale.buy(owner)
    with pytest.raises(LimitReached, match="you have them"):
        await sale.wait(owner)


async def test_the_line_ends_with_the_show(world: World) -> None:
    """Nobody's turn comes any more, and everyone is told so when they ask."""
    sale = await opened(world, units=1)
    owner, waiting = guest(), guest()
    held = await sale.buy(owner)
    await sale.wait(waiting)
    pool = room_pool(sale.room)
    assert await sale.stock.close(pool, await sale.stock.end_at(pool, 0))
    await sale.rooms.release(owner, held.id)
    with pytest.raises(LineClosed):
        await sale.wait(waiting)
    assert await sale.stock.holds(waiting.buyers) == []


async def test_there_is_no_line_for_what_is_not_sold_here(world: World) -> None:
    sale = await opened(world, units=1)
    with pytest.raises(NotFound):
        await sale.rooms.wait(sale.room, guest(), WaitRequest(variant=new_id("var")))


async def test_joining_together_gives_everyone_another_place(world: World) -> None:
    sale = await opened(world, units=1)
    await sale.buy(guest())
    places = await asyncio.gather(*(sale.wait(guest()) for _ in range(20)))
    assert sorted(place.place for place in places) == list(range(1, 21))


async def test_where_the_first_to_pay_is_served_a_tap_sets_nothing_aside(world: World) -> None:
    """Two may want the last unit; the first confirmed payment has it, and the other is told."""
    sale = await opened(world, units=1)
    await world.services.lineups.change(sale.room, world.host, sale.anchor, AnchorChange(mode="first_paid"))
    one, other = await sale.buy(guest()), await sale.buy(guest())
    assert (one.status, other.status) == ("wanted", "wanted")
    assert await world.available(room_pool(sale.room), sale.variant) == 1
    assert (await sale.stock.confirm(room_pool(sale.room), [other.id], "pay_2")).sold
    late = await sale.stock.confirm(room_pool(sale.room), [one.id], "pay_1")
    assert late.lost == (one.id,)


async def test_a_limit_counts_in_both_modes(world: World) -> None:
    """What was held before the host changed the mode counts against what is wanted after it."""
    sale = await opened(world, units=5, limit=2)
    buyer = guest()
    await sale.buy(buyer)
    await world.services.lineups.change(sale.room, world.host, sale.anchor, AnchorChange(mode="first_paid"))
    wanted = await sale.buy(buyer)
    again = await sale.buy(buyer)
    with pytest.raises(LimitReached):
        await sale.buy(buyer, quantity=2)
    pool = room_pool(sale.room)
    assert (await sale.stock.confirm(pool, [wanted.id], "pay_1")).sold
    assert (await sale.stock.confirm(pool, [again.id], "pay_2")).lost == (again.id,)


def test_a_ledger_that_passes_somebody_over_is_found() -> None:
    """The audit, and whoever checks a published ledger, sees an offer to somebody whose turn it was not."""
    books = Books("room:show")
    for n, (kind, hold) in enumerate([("wait", "h1"), ("wait", "h2"), ("offer", "h2")], 1):
        books.enter(
            n, {"kind": kind, "hold": hold, "variant": "var_a", "quantity": 1, "buyer": "ana", "n": n, "payment": ""}
        )
    assert books.unfair == [3]
