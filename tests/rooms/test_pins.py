"""Pins: up to three, never two moderators against each other by accident."""

import asyncio

import pytest

from streamserver.kit.errors import Forbidden, NotFound
from streamserver.kit.ids import new_id
from streamserver.messages.rooms import PinChange
from streamserver.rooms.errors import PinConflict, PinsFull
from tests.world import World


async def anchors(world: World, room: str, count: int) -> list[str]:
    return [await world.anchor(room, await world.product(f"Mug {n}")) for n in range(count)]


async def test_a_pin_says_who_pinned_what_and_when(world: World) -> None:
    """Viewers and moderators see the anchor, the person and the time."""
    room = await world.room(live=True)
    [mug] = await anchors(world, room, 1)
    await world.pin(room, mug)
    [pin] = (await world.snapshot(room)).pins.pins
    assert (pin.anchor, pin.by.handle) == (mug, "hanna")
    assert pin.at > 0


async def test_repeating_an_operation_is_done_not_a_conflict(world: World) -> None:
    """Whoever lost the answer sends the same operation again and is told how things stand."""
    room = await world.room(live=True)
    [mug] = await anchors(world, room, 1)
    change = PinChange(operation=new_id("op"), version=0, action="pin", anchor=mug)
    first = await world.services.rooms.pin(room, world.host, change)
    assert await world.services.rooms.pin(room, world.host, change) == first


async def test_a_stale_version_names_who_was_faster(world: World) -> None:
    """The slower moderator learns who pinned what, and gets the pins as they are."""
    room = await world.room(live=True)
    mug, bowl = await anchors(world, room, 2)
    await world.pin(room, mug)
    stale = PinChange(operation=new_id("op"), version=0, action="pin", anchor=bowl)
    with pytest.raises(PinConflict) as conflict:
        await world.services.rooms.pin(room, world.host, stale)
    assert "Hanna pinned Mug 0 just now" in conflict.value.message
    assert conflict.value.details["by"]["handle"] == "hanna"
    assert [pin["anchor"] for pin in conflict.value.details["pins"]["pins"]] == [mug]


async def test_a_fourth_pin_asks_which_to_replace(world: World) -> None:
    """Three is the limit; naming one of them makes room."""
    room = await world.room(live=True)
    one, two, three, four = await anchors(world, room, 4)
    for anchor in (one, two, three):
        await world.pin(room, anchor)
    with pytest.raises(PinsFull):
        await world.pin(room, four)
    pins = await world.pin(room, four, replace=two)
    assert [pin.anchor for pin in pins.pins] == [one, three, four]


async def test_two_at_once_one_wins(world: World) -> None:
    """Ten moderators pin at the same version: one succeeds, nine are told."""
    room = await world.room(live=True)
    found = await anchors(world, room, 3)
    changes = [PinChange(operation=new_id("op"), version=0, action="pin", anchor=found[n % 3]) for n in range(10)]
    answers = await asyncio.gather(
        *(world.services.rooms.pin(room, world.host, change) for change in changes), return_exceptions=True
    )
    assert sum(isinstance(answer, PinConflict) for answer in answers) == 9
    assert (await world.snapshot(room)).pins.version == 1


async def test_pinning_needs_the_right_and_loses_it_at_once(world: World) -> None:
    """A grant allows it; taken away, the next try is refused."""
    room = await world.room(live=True)
    [mug] = await anchors(world, room, 1)
    change = PinChange(operation=new_id("op"), version=0, action="pin", anchor=mug)
    with pytest.raises(Forbidden):
        await world.services.rooms.pin(room, world.moderator, change)
    await world.services.hosting.grant(room, world.host, "mo-derator", ["pin"])
    await world.services.rooms.pin(room, world.moderator, change)
    await world.services.hosting.grant(room, world.host, "mo-derator", [])
    again = PinChange(operation=new_id("op"), version=1, action="unpin", anchor=mug)
    with pytest.raises(Forbidden):
        await world.services.rooms.pin(room, world.moderator, again)


async def test_a_product_outside_the_line_up_cannot_be_pinned(world: World) -> None:
    """An unknown anchor is named as such."""
    room = await world.room(live=True)
    with pytest.raises(NotFound):
        await world.pin(room, new_id("anchor"))


async def test_a_removed_product_loses_its_pin(world: World) -> None:
    """Nobody is left looking at a card that leads nowhere."""
    room = await world.room(live=True)
    mug, bowl = await anchors(world, room, 2)
    await world.pin(room, mug)
    await world.pin(room, bowl)
    await world.services.lineups.remove(room, world.host, mug)
    assert [pin.anchor for pin in (await world.snapshot(room)).pins.pins] == [bowl]
