"""The keys of a pool in Redis."""

from functools import lru_cache
from typing import NamedTuple

from streamserver.stock.model import Pool


class PoolKeys(NamedTuple):
    """In the order every script takes them; those behind `ledger` are not a reserve's."""

    pool: str
    units: str
    terms: str
    holds: str
    deadlines: str
    buyers: str
    ledger: str
    operations: str
    outbox: str
    line: str
    waiters: str


FOR_RESERVE = 7  # GIVEN in reserve.lua


@lru_cache(maxsize=4096)
def pool_keys(pool: Pool) -> PoolKeys:
    """They share one hash tag, so one slot."""
    return PoolKeys(*(f"{{{pool}}}:{name}" for name in PoolKeys._fields))


def reserve_keys(pools: list[Pool]) -> list[str]:
    """What a reserve needs of each of some pools."""
    return [key for pool in pools for key in pool_keys(pool)[:FOR_RESERVE]]
