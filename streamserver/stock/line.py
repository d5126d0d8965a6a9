"""The line for what is sold out. A unit that comes back is offered to whoever waits longest; an offer is a hold.

All of it is decided by the scripts: `wait.lua`, `leave.lua`, and `serve_line` in `line.lua`, which runs in every call that
frees units. The id of the future hold is chosen on joining, so that the buyer's bag finds the offer whenever it comes.
"""

from dataclasses import dataclass
from typing import cast

from streamserver.config import StockConfig
from streamserver.kit.errors import NotFound
from streamserver.kit.ids import new_id
from streamserver.stock.bags import Bags
from streamserver.stock.errors import LimitReached, LineClosed, Paused
from streamserver.stock.model import HoldRecord, Pool
from streamserver.stock.packing import read_hold
from streamserver.stock.store import PoolStore


@dataclass(frozen=True, slots=True)
class Standing:
    """`place` 1 is the head of the line; 0: `offer` is what waiting has brought."""

    place: int
    offer: HoldRecord | None


class Line:
    def __init__(self, store: PoolStore, bags: Bags, config: StockConfig) -> None:
        self._store = store
        self._bags = bags
        self._terms = (config.patience_seconds * 1000, config.offer_seconds * 1000, config.grace_seconds * 1000)

    async def wait(self, pool: Pool, variant: str, buyer: str, device: str) -> Standing:
        """Join the line for one unit, or keep one's place. Raises LimitReached, LineClosed, Paused, NotFound."""
        wanted = new_id("hold")
        found = await self._store.run("wait", pool, buyer, device, variant, wanted, *self._terms)
        verdict, hold, place, packed = cast("tuple[bytes, bytes, int, bytes]", tuple(found))
        if verdict == b"limit_reached":
            raise LimitReached(f"One buyer may take {place} of this, and you have them. There is nothing to wait for.")
        if verdict == b"not_live":
            raise LineClosed
        if verdict == b"paused":
            raise Paused
        if verdict == b"not_found":
            raise NotFound("This is not sold here any more.")
        if hold.decode() == wanted:
            await self._bags.add([(buyer, wanted, pool)])
        return Standing(place, read_hold(hold.decode(), pool, packed) if packed else None)

    async def leave(self, pool: Pool, variant: str, buyer: str) -> None:
        """Give one's place up; harmless without one."""
        await self._store.run("leave", pool, buyer, variant)
