"""The sold-out flag: refuses without asking, but never longer than the truth allows."""

import asyncio

import pytest

from streamserver.kit.ids import new_id
from streamserver.messages.stock import HoldRequest
from streamserver.stock.errors import SoldOut
from streamserver.stock.flags import LAPSE, SoldOutFlags
from streamserver.stock.model import room_pool
from tests.world import World, guest

POOL, VARIANT = "room:one", "var_a"


def test_what_was_never_seen_is_asked_for() -> None:
    """No knowledge, no refusal."""
    assert not SoldOutFlags().is_sold_out(POOL, VARIANT)


def test_an_older_answer_never_sets_the_flag() -> None:
    """Units came back (epoch 2) while an answer of epoch 1 was under way: it says nothing about now."""
    flags = SoldOutFlags()
    flags.learn(POOL, VARIANT, 3, epoch=2)
    flags.learn(POOL, VARIANT, 0, epoch=1)
    assert not flags.is_sold_out(POOL, VARIANT)


def test_units_clear_the_flag_at_once() -> None:
    """What the bus says of a newer epoch counts."""
    flags = SoldOutFlags()
    flags.learn(POOL, VARIANT, 0, epoch=1)
    assert flags.is_sold_out(POOL, VARIANT)
    state = b'{"key":"stock:var_a","version":9,"value":{"variant":"var_a","available":1,"epoch":2}}'
    flags.heard(POOL, [state, b'{"key":"viewers","version":1,"value":{"viewers":3}}'])
    assert not flags.is_sold_out(POOL, VARIANT)


async def test_it_lapses_by_one_probe() -> None:
    """After the lapse one question goes through; the others are refused until it is answered."""
    flags = SoldOutFlags()
    flags.learn(POOL, VARIANT, 0, epoch=1)
    await asyncio.sleep(LAPSE)
    assert [flags.is_sold_out(POOL, VARIANT) for _ in range(5)] == [False, True, True, True, True]


async def test_refusals_cost_redis_nothing(world: World) -> None:
    """Once a variant is known to be sold out, first tries do not reach Redis at all; a retry does, and learns the truth."""
    rooms, redis = world.services.rooms, world.services.stock_redis
    room = await world.room(live=True)
    mug = await world.product(units=1)
    variant = mug.variants[0].id
    await world.anchor(room, mug, allotment=1)
    winner = guest()
    wish = HoldRequest(key="the-last-one", variant=variant)
    held = await rooms.hold(room, winner, wish)
    world.services.stock.flags.learn(room_pool(room), variant, 0, epoch=10**6)
    before = (await redis.info("stats"))["total_commands_processed"]
    for _ in range(50):
        with pytest.raises(SoldOut):
            await rooms.hold(room, guest(), HoldRequest(key=new_id("key"), variant=variant))
    assert (await redis.info("stats"))[
        "total_commands_processed"
    ] - before <= 2  # INFO itself; a lapse would be one more
    assert (await rooms.hold(room, winner, wish.model_copy(update={"retry": True}))).id == held.id
