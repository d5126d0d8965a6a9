"""A disk that is nearly full: selling pauses before Redis cannot write, and goes on when there is space again."""

import shutil
from pathlib import Path

import pytest

from streamserver.app import Services
from streamserver.stock.errors import Paused
from streamserver.stock.model import ReserveRequest, room_pool
from streamserver.stock.space import Space
from tests.world import World

MUCH = 1 << 60  # bytes that no disk of a test has free


def wish(variant: str, key: str) -> ReserveRequest:
    return ReserveRequest(f"key_{key}", f"dev_{key}", variant, 1, f"hold_{key}", f"dev_{key}")


async def selling(world: World) -> tuple[str, str]:
    """(pool, variant) of a live room with five units."""
    product = await world.product()
    room = await world.room(live=True)
    await world.anchor(room, product)
    return room_pool(room), product.variants[0].id


async def test_selling_pauses_while_there_is_too_little_space(world: World, services: Services, tmp_path: Path) -> None:
    """New buyers are told to wait a moment; whoever has a hold can still pay, and nothing is lost."""
    pool, variant = await selling(world)
    held = (await services.stock.reserve(pool, wish(variant, "1"))).hold
    await Space(services.stock, tmp_path, least=MUCH).run()
    with pytest.raises(Paused):
        await services.stock.reserve(pool, wish(variant, "2"))
    with pytest.raises(Paused):
        await services.stock.wait(pool, variant, "dev_3", "dev_3")
    assert (await services.stock.confirm(pool, [held.id], "pay_1")).sold
    await Space(services.stock, tmp_path, least=0).run()
    assert (await services.stock.reserve(pool, wish(variant, "2"))).hold.status == "held"


async def test_what_is_paused_stays_so_until_there_is_clearly_enough(
    world: World, services: Services, tmp_path: Path
) -> None:
    """Space that hovers around the least does not switch selling on and off."""
    pool, variant = await selling(world)
    free = shutil.disk_usage(tmp_path).free
    await Space(services.stock, tmp_path, least=MUCH).run()
    await Space(services.stock, tmp_path, least=int(free / 1.05)).run()
    with pytest.raises(Paused):
        await services.stock.reserve(pool, wish(variant, "1"))
