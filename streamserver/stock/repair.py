"""`run.py audit --repair`: only what can never oversell. Everything else is for a person to decide."""

from typing import cast

from redis.asyncio import Redis

from streamserver.stock.audit import Verdict
from streamserver.stock.store import PoolStore


async def repair(redis: Redis, verdict: Verdict) -> list[str]:
    """Lower `available` where Redis has more than the ledger explains, and hand over what is on its way. Each is an entry of
    the ledger. Returns a sentence for each; none when the ledger itself is in doubt, for then nothing can be relied on."""
    store, entries, done = PoolStore(redis), verdict.entries, list[str]()
    for variant, told in verdict.too_many.items():
        taken = cast("int", await store.run("repair", verdict.pool, entries, variant, told))
        if taken:
            entries += 1
            done.append(f"{variant}: took {taken} away that the ledger does not know; {told} are available.")
    for transfer, sent in verdict.on_their_way.items():
        await store.run("receive", sent.other, transfer, sent.variant, sent.quantity, verdict.pool)
        await store.run("settle", verdict.pool, transfer)
        done.append(f"{sent.variant}: handed {sent.quantity} over to {sent.other}.")
    return done
