"""Pools in Redis: the scripts, and how their answers become plain data."""

from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple, cast

import msgpack
import orjson
from redis.asyncio import Redis
from redis.exceptions import RedisError

from streamserver.kit.redis import load_script
from streamserver.messages.stock import Source
from streamserver.stock.model import HoldRecord, Pool, ReserveRequest, Terms, Units

HERE = Path(__file__).parent
KEYS = ("pool", "units", "terms", "holds", "deadlines", "buyers", "keys", "ledger", "operations", "outbox")
COUNTERS = ("available", "held", "sold", "restocked", "removed", "moved_in", "moved_out", "version", "epoch")


def pool_keys(pool: Pool) -> list[str]:
    """The keys of a pool, in the order every script takes them: they share one hash tag, so one slot."""
    return [f"{{{pool}}}:{name}" for name in KEYS]


def terms_key(pool: Pool) -> str:
    return pool_keys(pool)[2]


def digest(variant: str, quantity: int) -> str:
    """What an idempotency key is bound to."""
    return blake2b(f"{variant}/{quantity}".encode(), digest_size=9).hexdigest()


def read_hold(hold_id: str, pool: Pool, packed: bytes) -> HoldRecord:
    """Unpack a hold as `pack_hold` in pool.lua wrote it."""
    buyer, variant, quantity, price, currency, deadline, status, source, payment, *_private = cast(
        "list[Any]", msgpack.unpackb(packed)
    )
    return HoldRecord(
        id=hold_id, pool=pool, buyer=buyer, variant=variant, quantity=quantity, price=price, currency=currency,
        deadline=deadline, status=status, source=Source.model_validate_json(source), payment=payment or None,
    )  # fmt: skip


class Answer(NamedTuple):
    """One answer of reserve.lua: `left` are units for others (or the limit that was reached), true at `epoch`."""

    verdict: str
    pool: Pool
    hold: str
    packed: bytes
    left: int
    epoch: int

    @property
    def is_hold(self) -> bool:
        return self.verdict in {"held", "replayed"}


def terms_fields(terms: Sequence[Terms]) -> dict[str, bytes]:
    """Variant → JSON, as reserve.lua reads it."""
    return {t.variant: _terms_json(t) for t in terms}


def _terms_json(terms: Terms) -> bytes:
    source = terms.source.model_dump(exclude_none=True)
    return orjson.dumps(
        {
            "price": terms.price,
            "currency": terms.currency,
            "limit": terms.limit,
            "home": terms.home,
            "selling": terms.selling,
            "source": source,
        }
    )


def _reserve_arguments(
    pool: Pool, requests: Sequence[ReserveRequest], hold_ms: int, grace_ms: int, expire_batch: int
) -> list[str | int]:
    arguments: list[str | int] = [pool, hold_ms, grace_ms, expire_batch]
    for r in requests:
        arguments += (r.key, digest(r.variant, r.quantity), r.buyer, r.variant, r.quantity, r.hold, r.device)
    return arguments


def _answer(pool: Pool, row: list[Any]) -> Answer:
    verdict, hold, packed, left, epoch = row
    return Answer(verdict.decode(), pool, hold.decode(), packed, left, epoch)


class PoolStore:
    """Runs one script a call. Raises redis-py's errors: the service decides what they mean to a buyer."""

    def __init__(self, redis: Redis) -> None:
        self.redis = redis
        names = ("reserve", "confirm", "release", "expire", "restock", "move", "receive", "return", "life")
        self._scripts = {name: load_script(HERE, name, prelude="pool") for name in names}

    async def run(self, name: str, pool: Pool, *args: str | int) -> Any:
        return await self._scripts[name](self.redis, pool_keys(pool), (pool, *args))

    async def reserve(
        self, calls: Sequence[tuple[Pool, Sequence[ReserveRequest]]], hold_ms: int, grace_ms: int, expire_batch: int
    ) -> list[list[Answer] | RedisError]:
        """One script call for each pool, all in one write: per call its answers in order, or why that pool failed. Raises
        redis-py's ConnectionError and TimeoutError when there is no telling what was done."""
        script = self._scripts["reserve"]
        arguments = [
            (pool_keys(pool), _reserve_arguments(pool, requests, hold_ms, grace_ms, expire_batch))
            for pool, requests in calls
        ]
        raw = await script.many(self.redis, arguments)
        return [
            result
            if isinstance(result, RedisError)
            else [_answer(pool, row) for row in cast("list[list[Any]]", result)]
            for (pool, _), result in zip(calls, raw, strict=True)
        ]

    async def holds(self, pool: Pool, ids: Sequence[str]) -> list[HoldRecord]:
        """Those of `ids` that this pool knows."""
        found = cast("list[bytes | None]", await self.redis.hmget(pool_keys(pool)[3], list(ids)))
        return [read_hold(hold, pool, packed) for hold, packed in zip(ids, found, strict=True) if packed]

    async def units(self, pool: Pool, variants: Sequence[str]) -> dict[str, Units]:
        if not variants:
            return {}
        fields = [f"{variant}:{counter}" for variant in variants for counter in COUNTERS]
        values = cast("list[bytes | None]", await self.redis.hmget(pool_keys(pool)[1], fields))
        numbers = [int(value or 0) for value in values]
        width = len(COUNTERS)
        return {v: Units(*numbers[i * width : (i + 1) * width]) for i, v in enumerate(variants)}

    async def set_terms(self, pool: Pool, terms: Sequence[Terms]) -> None:
        """Write what differs: looking costs no fsync."""
        if not terms:
            return
        wanted = terms_fields(terms)
        known = cast("list[bytes | None]", await self.redis.hmget(terms_key(pool), list(wanted)))
        items = [
            part
            for (variant, text), before in zip(wanted.items(), known, strict=True)
            if text != before
            for part in (variant, text)
        ]
        if items:
            await cast("Any", self.redis.hset(terms_key(pool), items=items))

    async def closes_at(self, pool: Pool) -> int:
        return int(cast("bytes | None", await cast("Any", self.redis.hget(pool_keys(pool)[0], "closes_at"))) or 0)

    async def outbox(self, pool: Pool) -> dict[str, tuple[Pool, str, int]]:
        """Transfers that left this pool and have not been settled: id → (receiver, variant, quantity)."""
        raw = cast("dict[bytes, bytes]", await self.redis.hgetall(pool_keys(pool)[9]))
        entries = {transfer.decode(): orjson.loads(text) for transfer, text in raw.items()}
        return {transfer: (e["to"], e["variant"], int(e["quantity"])) for transfer, e in entries.items()}

    async def settle(self, pool: Pool, transfer: str) -> None:
        await cast("Any", self.redis.hdel(pool_keys(pool)[9], transfer))

    async def ledger(self, pool: Pool) -> list[dict[str, Any]]:
        """Every entry, in order."""
        batches = cast("list[tuple[bytes, dict[bytes, bytes]]]", await self.redis.xrange(pool_keys(pool)[7]))
        return [entry for _, fields in batches for entry in cast("list[Any]", msgpack.unpackb(fields[b"entries"]))]

    async def retire(self, pool: Pool) -> None:
        """Look after a pool no more once it is closed and all of its units are where they belong."""
        state = cast("bytes | None", await cast("Any", self.redis.hget(pool_keys(pool)[0], "state")))
        if state == b"closed" and not await self.outbox(pool):
            await cast("Any", self.redis.srem("pools", pool))

    async def pools(self) -> set[Pool]:
        """Every pool that has something to look after."""
        return {name.decode() for name in cast("set[bytes]", await self.redis.smembers("pools"))}
