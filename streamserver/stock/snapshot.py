"""A whole pool as Redis has it at one moment, for the audit."""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from redis.asyncio import Redis

from streamserver.kit.redis import load_script
from streamserver.stock.books import BALANCE, Transfer
from streamserver.stock.chain import Call, Entry
from streamserver.stock.keys import pool_keys
from streamserver.stock.model import HoldRecord, Pool
from streamserver.stock.packing import read_calls, read_hold, read_units
from streamserver.stock.store import HERE


@dataclass(frozen=True, slots=True)
class Seen:
    """A pool in Redis at one moment. `archived` is (number, hash) of the newest entry that Redis knows to be in SQL; `living`
    how many holds it counts that may still be paid; `due` the (hold, deadline) that it will look at."""

    state: str
    entries: int
    living: int
    digest: str
    archived: tuple[int, str]
    units: dict[str, dict[str, int]]
    holds: dict[str, HoldRecord]
    counts: dict[tuple[str, str], int]
    outbox: dict[str, Transfer]
    due: set[tuple[str, int]]
    calls: list[Call]

    def recent_buyers(self) -> set[str]:
        """Who is named in the stream: they may have no pseudonym yet."""
        return {entry["buyer"] for call in self.calls for entry in call.entries() if "buyer" in entry}

    def buyers(self) -> set[str]:
        counted = {buyer for buyer, _ in self.counts}
        return counted | {hold.buyer for hold in self.holds.values()} | self.recent_buyers()


_LOOK = load_script(HERE, "look")


async def look(redis: Redis, pool: Pool) -> Seen:
    keys = pool_keys(pool)
    answers = await _LOOK(
        redis, [keys.pool, keys.units, keys.holds, keys.buyers, keys.outbox, keys.deadlines, keys.ledger], ()
    )
    meta, units, holds, buyers, outbox = (_hash(answer) for answer in answers[:5])
    n, _, link = meta.get("archived", b"0:").decode().partition(":")
    return Seen(
        state=meta.get("state", b"").decode(),
        entries=int(meta.get("entries", 0)),
        living=int(meta.get("living", 0)),
        digest=meta.get("digest", b"").decode(),
        archived=(int(n), link),
        units=_by_variant(units),
        holds={hold: read_hold(hold, pool, packed) for hold, packed in holds.items()},
        counts={_split(name): int(count) for name, count in buyers.items() if int(count)},
        outbox={transfer: _transfer(orjson.loads(text)) for transfer, text in outbox.items()},
        due={one for entry in answers[5] for one in _ending_together(entry.decode())},
        calls=read_calls([(id_, _pairs(fields)) for id_, fields in answers[6]]),
    )


def _pairs(flat: Sequence[bytes]) -> dict[bytes, bytes]:
    return dict(zip(flat[::2], flat[1::2], strict=True))


def _hash(flat: Sequence[bytes]) -> dict[str, bytes]:
    return {name.decode(): value for name, value in _pairs(flat).items()}


def _by_variant(units: dict[str, bytes]) -> dict[str, dict[str, int]]:
    counters = {variant: read_units(packed) for variant, packed in units.items()}
    return {variant: {name: getattr(u, name) for name in BALANCE} for variant, u in counters.items()}


def _ending_together(entry: str) -> list[tuple[str, int]]:
    """An entry of the deadlines, as `promise` in pool.lua begins it."""
    deadline, *holds = entry.split()
    return [(hold, int(deadline)) for hold in holds]


def _split(name: str) -> tuple[str, str]:
    buyer, _, variant = name.rpartition("/")
    return buyer, variant


def _transfer(entry: Entry) -> Transfer:
    return Transfer(entry["to"], entry["variant"], int(entry["quantity"]))
