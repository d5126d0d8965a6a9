"""A whole pool as Redis has it at one moment, for the audit."""

from dataclasses import dataclass

import orjson
from redis.asyncio import Redis

from streamserver.stock.books import BALANCE, Transfer
from streamserver.stock.chain import Call, Entry
from streamserver.stock.model import HoldRecord, Pool
from streamserver.stock.store import pool_keys, read_calls, read_hold, read_units


@dataclass(frozen=True, slots=True)
class Seen:
    """A pool in Redis at one moment. `archived` is (number, hash) of the newest entry that Redis knows to be in SQL."""

    state: str
    entries: int
    digest: str
    archived: tuple[int, str]
    units: dict[str, dict[str, int]]
    holds: dict[str, HoldRecord]
    counts: dict[tuple[str, str], int]
    outbox: dict[str, Transfer]
    due: set[str]
    calls: list[Call]

    def recent_buyers(self) -> set[str]:
        """Who is named in the stream: they may have no pseudonym yet."""
        return {entry["buyer"] for call in self.calls for entry in call.entries() if "buyer" in entry}

    def buyers(self) -> set[str]:
        counted = {buyer for buyer, _ in self.counts}
        return counted | {hold.buyer for hold in self.holds.values()} | self.recent_buyers()


async def look(redis: Redis, pool: Pool) -> Seen:
    keys = dict(zip(("pool", "units", "holds", "buyers", "outbox"), _hashes(pool), strict=True))
    async with redis.pipeline(transaction=True) as pipe:
        for key in keys.values():
            pipe.hgetall(key)
        pipe.zrange(pool_keys(pool)[4], 0, -1)
        pipe.xrange(pool_keys(pool)[7])
        answers = await pipe.execute()
    meta, units, holds, buyers, outbox = (_text_keys(answer) for answer in answers[:5])
    n, _, link = meta.get("archived", b"0:").decode().partition(":")
    return Seen(
        state=meta.get("state", b"").decode(),
        entries=int(meta.get("entries", 0)),
        digest=meta.get("digest", b"").decode(),
        archived=(int(n), link),
        units=_by_variant(units),
        holds={hold: read_hold(hold, pool, packed) for hold, packed in holds.items()},
        counts={_split(name): int(count) for name, count in buyers.items() if int(count)},
        outbox={transfer: _transfer(orjson.loads(text)) for transfer, text in outbox.items()},
        due={hold.decode() for hold in answers[5]},
        calls=read_calls(answers[6]),
    )


def _hashes(pool: Pool) -> list[str]:
    keys = pool_keys(pool)
    return [keys[0], keys[1], keys[3], keys[5], keys[9]]


def _text_keys(answer: dict[bytes, bytes]) -> dict[str, bytes]:
    return {name.decode(): value for name, value in answer.items()}


def _by_variant(units: dict[str, bytes]) -> dict[str, dict[str, int]]:
    counters = {variant: read_units(packed) for variant, packed in units.items()}
    return {variant: {name: getattr(u, name) for name in BALANCE} for variant, u in counters.items()}


def _split(name: str) -> tuple[str, str]:
    buyer, _, variant = name.rpartition("/")
    return buyer, variant


def _transfer(entry: Entry) -> Transfer:
    return Transfer(entry["to"], entry["variant"], int(entry["quantity"]))
