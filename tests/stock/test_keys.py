"""Every Redis key expires, unless it is on the short list: nothing piles up that nobody asked to keep."""

import re
from typing import cast

from redis.asyncio import Redis

from streamserver.messages.stock import HoldRequest
from streamserver.rooms.presence import Report
from tests.world import World, guest

PERMANENT = (
    # Units, holds and their ledger live until their pool is archived.
    r"\{(room|shop):[^}]+\}:(pool|units|terms|holds|deadlines|buyers|ledger|operations|outbox|line|waiters)",
    r"pools(_closed|_wanted)?",
    r"stock_verified",
)


async def test_only_pools_are_kept_for_ever(world: World, redis: Redis) -> None:
    """After a show with everything in it, each key either expires or belongs to a pool."""
    services = world.services
    room = await world.room(live=True)
    mug = await world.product()
    anchor = await world.anchor(room, mug)
    await world.pin(room, anchor)
    buyer = guest()
    held = await services.rooms.hold(room, buyer, HoldRequest(key="keep-nothing", variant=mug.variants[0].id))
    await services.presence.report(Report(room, 3, host=True, people=["dev_a"]))
    await services.rooms.release(buyer, held.id)
    await services.hosting.end(room, world.host)
    await services.stock.tidy()

    keys = cast("list[bytes]", await redis.keys())
    expiring = {key.decode(): await redis.ttl(key) != -1 for key in keys}
    permanent = {key: any(re.fullmatch(pattern, key) for pattern in PERMANENT) for key in expiring}
    assert {key for key in expiring if expiring[key]} == {key for key in permanent if not permanent[key]}
