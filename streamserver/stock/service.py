"""Stock use cases: holds for buyers, units for sellers, transfers between pools."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NoReturn, cast

import msgpack
from redis.asyncio import Redis

from streamserver.config import StockConfig
from streamserver.kit.errors import Failure, NotFound
from streamserver.kit.tasks import each
from streamserver.messages.stock import Source
from streamserver.stock.bags import Bags
from streamserver.stock.batcher import Batcher
from streamserver.stock.errors import (
    DuplicatePayment,
    HoldGone,
    KeyReused,
    LimitReached,
    NotEnoughStock,
    NotSelling,
    Paused,
    PoolLost,
    SoldOut,
    TooLate,
)
from streamserver.stock.flags import SoldOutFlags
from streamserver.stock.ids import HoldIds
from streamserver.stock.line import Line, Standing
from streamserver.stock.model import (
    Confirmed,
    HoldRecord,
    Pool,
    Reserved,
    ReserveRequest,
    Terms,
    Units,
    shop_pool,
)
from streamserver.stock.packing import hold_of, read_hold
from streamserver.stock.store import PoolStore
from streamserver.stock.tokens import HoldTokens

STORE_LIMIT = 20  # units of one variant that one buyer may hold from a shop's store at once


class StockService:
    """`redis` is the durable server that holds pools, `live` the one for bags. `secret` signs the tokens of holds. `is_known`
    tells whether SQL has heard of a pool that Redis does not have."""

    def __init__(
        self, redis: Redis, live: Redis, config: StockConfig, secret: bytes, is_known: Callable[[Pool], Awaitable[bool]]
    ) -> None:
        self._is_known = is_known
        self._store = PoolStore(redis)
        self._redis = redis
        self._bags = Bags(live)
        self._config = config
        self.flags = SoldOutFlags()
        self._batcher = Batcher(self._store, self._bags, config)
        self._line = Line(self._store, self._bags, config)
        self._tokens = HoldTokens(secret)
        self._ids = HoldIds(secret)

    async def stop(self) -> None:
        """Let nobody wait for an answer any more."""
        await self._batcher.close()

    # Buyers

    async def reserve(self, pool: Pool, request: ReserveRequest, *, first_try: bool = False) -> Reserved:
        """Set units aside. `first_try`: this process may say *sold out* by itself. Raises SoldOut, LimitReached, KeyReused,
        NotSelling, Paused, NotFound, OneMoment."""
        if first_try and self.flags.is_sold_out(pool, request.variant):
            raise SoldOut(left=0)
        try:
            answer = await self._batcher.reserve(pool, request)
        except PoolLost:
            if await self._is_known(pool):
                raise
            raise NotFound("This is not sold here.") from None
        if answer.is_hold or answer.verdict == "sold_out":
            self.flags.learn(pool, request.variant, answer.left, answer.epoch)
        if not answer.is_hold:
            _refuse(answer.verdict, answer.left)
        hold = hold_of(answer.hold, pool, answer.fields)
        return Reserved(hold=hold, left=answer.left, replayed=answer.verdict == "replayed")

    async def wait(self, pool: Pool, variant: str, buyer: str, device: str) -> Standing:
        """A place in line for one unit. Raises LimitReached, LineClosed, NotFound."""
        return await self._line.wait(pool, variant, buyer, device)

    async def leave(self, pool: Pool, variant: str, buyer: str) -> None:
        await self._line.leave(pool, variant, buyer)

    def hold_id(self, pool: Pool, buyer: str, key: str) -> str:
        """What a hold is called: whoever asks again with the same key finds theirs by it."""
        return self._ids.of(pool, buyer, key)

    def token(self, hold: HoldRecord) -> str:
        """What proves the hold, should its record be lost."""
        return self._tokens.sign(hold)

    async def retake(self, token: str, buyers: Sequence[str]) -> HoldRecord:
        """Take units again for a hold that was promised and is lost; one that is known stays as it is. It stands at least as
        long as an offer. Raises NotFound (not a token of these buyers), SoldOut, LimitReached, NotSelling."""
        lost = self._tokens.read(token)
        if lost is None or lost.buyer not in buyers:
            raise NotFound
        return await self.retake_promised(lost)

    async def retake_promised(self, lost: HoldRecord) -> HoldRecord:
        """The same for a promise that needs no other proof. Raises SoldOut, LimitReached, NotSelling."""
        source = lost.source.model_dump_json(exclude_none=True, exclude={"device"})
        fields = (
            lost.buyer, lost.source.device or lost.buyer, lost.variant, lost.quantity, lost.price, lost.currency,
            lost.deadline, source, lost.key,
        )  # fmt: skip
        least = (self._config.offer_seconds * 1000, self._config.grace_seconds * 1000)
        answer = await self._store.run("retake", lost.pool, lost.id, msgpack.packb(fields), *least)
        verdict, packed = cast("tuple[bytes, bytes]", tuple(answer))
        if not packed:
            _refuse(verdict.decode(), 0)
        hold = read_hold(lost.id, lost.pool, packed)
        if hold.is_living:
            await self._bags.add([(hold.buyer, hold.id, hold.pool)])
        return hold

    async def holds(self, buyers: Sequence[str]) -> list[HoldRecord]:
        """Every hold in these buyers' bags, of any status; what ends first, first."""
        by_pool: dict[Pool, list[str]] = {}
        for hold, pool in (await self._bags.of(buyers)).items():
            by_pool.setdefault(pool, []).append(hold)
        found = [record for pool, ids in by_pool.items() for record in await self._store.holds(pool, ids)]
        return sorted(
            (record for record in found if record.buyer in buyers), key=lambda record: (record.deadline, record.id)
        )

    async def holds_in(self, pool: Pool, ids: Sequence[str]) -> list[HoldRecord]:
        """Those of `ids` that the pool knows, whoever's they are."""
        return await self._store.holds(pool, ids)

    async def hold(self, hold_id: str, buyers: Sequence[str]) -> HoldRecord:
        """One hold of these buyers. Raises NotFound."""
        pool = await self._bags.pool_of(buyers, hold_id)
        records = await self._store.holds(pool, [hold_id]) if pool else []
        if not records or records[0].buyer not in buyers:
            raise NotFound
        return records[0]

    async def release(self, hold_id: str, buyers: Sequence[str]) -> HoldRecord:
        """Give a hold back before its deadline; harmless when it is already gone. Raises NotFound, HoldGone (sold)."""
        record = await self.hold(hold_id, buyers)
        packed = cast("bytes", await self._store.run("release", record.pool, hold_id))
        after = read_hold(hold_id, record.pool, packed)
        if after.status == "sold":
            raise HoldGone("This is already paid for. The shop can cancel the order instead.")
        return after

    async def forget(self, buyers: Sequence[str], hold_ids: Sequence[str]) -> None:
        """Take holds out of the buyers' bags; the holds themselves do not change."""
        await self._bags.forget(buyers, hold_ids)

    # Payments

    async def confirm(self, pool: Pool, holds: Sequence[str], payment: str, attempt: int = 0) -> Confirmed:
        """Sell all holds or none; re-takes what expired while units and limits allow. A repeat for the same payment changes
        nothing but the attempt. Raises DuplicatePayment."""
        answer = cast("list[bytes]", await self._store.run("confirm", pool, payment, attempt, *holds))
        verdict, ids = answer[0], tuple(hold.decode() for hold in answer[1:])
        if verdict == b"duplicate_payment":
            raise DuplicatePayment(holds=list(ids))
        return Confirmed(sold=verdict == b"sold", lost=ids)

    async def give_back(
        self, pool: Pool, hold_id: str, operation: str, payment: str, attempt: int | None = None
    ) -> bool:
        """Put a unit that `payment` bought back on sale, once an operation. False when it is not sold for that, or when a
        later attempt than `attempt` has confirmed it."""
        fence = "" if attempt is None else attempt
        returned = cast("int", await self._store.run("return", pool, operation, hold_id, payment, fence)) == 1
        await self._deliver_later(pool)
        return returned

    async def _deliver_later(self, pool: Pool) -> None:
        """A unit that came back to a pool that is over is on its way home: hand it over now, or let `tidy` do it."""
        await cast("Any", self._redis.sadd("pools", pool))
        await self.deliver(pool)

    # Sellers

    async def units(self, pool: Pool, variants: Sequence[str]) -> dict[str, Units]:
        return await self._store.units(pool, variants)

    async def restock(self, pool: Pool, operation: str, variant: str, delta: int) -> tuple[int, int]:
        """Return (applied, available). A removal takes at most what is available."""
        applied, available = cast("list[int]", await self._store.run("restock", pool, operation, variant, delta))
        return applied, available

    async def set_terms(self, pool: Pool, terms: Sequence[Terms]) -> None:
        await self._store.set_terms(pool, terms)

    async def store_units(self, shop: str, variants: Sequence[str]) -> dict[str, int]:
        """Available units of a shop's own store."""
        return {variant: u.available for variant, u in (await self.units(shop_pool(shop), variants)).items()}

    async def restock_store(self, shop: str, operation: str, variant: str, delta: int) -> tuple[int, int]:
        return await self.restock(shop_pool(shop), operation, variant, delta)

    async def set_store_terms(self, shop: str, variants: Sequence[tuple[str, int, str]]) -> None:
        """(variant, price, currency) each; a store sells as soon as it has terms."""
        source = Source(kind="product")
        terms = [Terms(variant, price, currency, STORE_LIMIT, source) for variant, price, currency in variants]
        await self.set_terms(shop_pool(shop), terms)
        await self.open(shop_pool(shop))

    # Pools

    async def create(self, pool: Pool) -> None:
        """A pool that waits for `open`; harmless to repeat."""
        await self._life(pool, "create")

    async def open(self, pool: Pool) -> None:
        await self._life(pool, "open")

    async def end_at(self, pool: Pool, after_ms: int) -> int:
        """Stop selling in so many ms. Returns that moment, ms."""
        _, closes_at = await self._life(pool, "end_at", after_ms)
        return closes_at

    async def reopen(self, pool: Pool) -> None:
        """Undo `end_at`. Raises TooLate."""
        state, _ = await self._life(pool, "reopen")
        if state == "too_late":
            raise TooLate

    async def pools(self, *, paused: bool) -> list[Pool]:
        """The open pools that are paused, or those that are not."""
        return await self._store.open_pools(paused=paused)

    async def pause(self, pool: Pool) -> None:
        """Take on nothing new. Holds and payments go on."""
        await self._life(pool, "pause", "space")

    async def resume(self, pool: Pool) -> None:
        await self._life(pool, "resume")

    async def closes_at(self, pool: Pool) -> int:
        """When the pool stops selling, ms; 0 while no end is set."""
        return await self._store.closes_at(pool)

    async def close(self, pool: Pool, closes_at: int) -> bool:
        """Stop selling, send what is left home; living holds keep their deadlines. False when `closes_at` is no longer the
        pool's closing time: somebody took the end back."""
        state, _ = await self._life(pool, "close", closes_at)
        await self.deliver(pool)
        return state in {"closing", "closed"}

    async def _life(self, pool: Pool, action: str, argument: int | str = 0) -> tuple[str, int]:
        """Raises PoolLost when Redis lost a pool that SQL knows: it comes back, it is never begun anew."""
        await cast("Any", self._redis.sadd("pools", pool))
        state, closes_at = cast("tuple[bytes, int]", await self._store.run("life", pool, action, argument))
        if state == b"unknown":
            if await self._is_known(pool):
                raise PoolLost
            state, closes_at = cast("tuple[bytes, int]", await self._store.run("life", pool, action, argument, 1))
        return state.decode(), closes_at

    # Transfers

    async def transfer(self, transfer: str, variant: str, quantity: int, source: Pool, target: Pool) -> None:
        """Move units between pools, once per `transfer` id: a crash between the halves is finished by `deliver`.
        Raises NotEnoughStock."""
        moved, available = cast("list[int]", await self._store.run("move", source, transfer, variant, quantity, target))
        if not moved:
            raise NotEnoughStock(available=available)
        await self.deliver(source)

    async def deliver(self, pool: Pool) -> None:
        """Hand over what lies in the pool's outbox."""
        for transfer, (target, variant, quantity) in (await self._store.outbox(pool)).items():
            await self._store.run("receive", target, transfer, variant, quantity, pool)
            await self._store.run("settle", pool, transfer)

    async def tidy(self) -> None:
        """Give back what is due and hand over what is under way, in every pool. `jobs` calls it; stopping it never
        undersells, since a reserve gives back what is due before it looks."""
        await each(await self._store.pools(), self._tidy, "pool")

    async def _tidy(self, pool: Pool) -> None:
        while await self._expire(pool) >= self._config.expire_batch:
            pass
        await self.deliver(pool)
        await self._store.retire(pool, await self.time())

    async def _expire(self, pool: Pool) -> int:
        return cast("int", await self._store.run("expire", pool, self._config.expire_batch))

    async def time(self) -> int:
        """Redis's clock, ms: what deadlines are measured by."""
        seconds, micros = cast("tuple[int, int]", await cast("Any", self._redis.time()))
        return seconds * 1000 + micros // 1000


def _refuse(verdict: str, number: int) -> NoReturn:
    refusals: dict[str, Failure] = {
        "sold_out": SoldOut(left=number) if number == 0 else SoldOut(f"Only {number} left.", left=number),
        "limit_reached": LimitReached(f"One buyer may take {number} of this.", limit=number),
        "key_reused": KeyReused(),
        "not_live": NotSelling(),
        "paused": Paused(),
        "not_found": NotFound("This is not sold here."),
    }
    raise refusals[verdict]
