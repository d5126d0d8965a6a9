"""Every stock script against a plain model: whatever is asked in whatever order, answers, units and ledger agree."""

from typing import Any

import msgpack
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from streamserver.messages.stock import Source
from streamserver.stock.model import ReserveRequest, Terms
from streamserver.stock.store import PoolStore
from tests.stock.model import DUE, LASTING, Model

HOME = "shop:home"
LIMITS = {"var_a": 3, "var_b": 5, "var_c": 4}
FIRST_PAID = {"var_c"}
GONE = -1  # ms that a place is kept for somebody who has left already
NO_UNITS = {"life", "wait", "leave", "delivered", "attempt", "wish", "wish_released", "wish_expired"}
BALANCE = ("available", "held", "sold", "restocked", "removed", "moved_in", "moved_out")

variants = st.sampled_from(sorted(LIMITS))
buyers = st.sampled_from(["ana", "bo", "cy"])
keys = st.sampled_from(["k1", "k2", "k3", "k4"])
operations = st.sampled_from(["op1", "op2", "op3", "op4", "op5"])
quantities = st.integers(1, 4)
holds = st.sampled_from(
    [f"{buyer}-{key}" for buyer in ("ana", "bo", "cy") for key in ("k1", "k2", "k3", "k4")]
    + [f"w{number}" for number in range(5)]  # those that waiting may bring
)
some_holds = st.lists(holds, min_size=1, max_size=3)
attempts = st.integers(1, 3)
payments = st.sampled_from(["pay1", "pay2"])
pools = st.sampled_from(["room:test", "shop:test"])
asked = st.tuples(keys, buyers, buyers, st.sampled_from([*sorted(LIMITS), "var_unknown"]), quantities)

steps = st.one_of(
    st.tuples(st.just("reserve"), st.booleans(), st.lists(asked, min_size=1, max_size=5)),
    st.tuples(st.just("release"), holds),
    st.tuples(st.just("confirm"), payments, attempts, some_holds),
    st.tuples(st.just("give_back"), operations, holds, payments, st.none() | attempts),
    st.tuples(st.just("restock"), operations, variants, st.integers(-6, 9)),
    st.tuples(st.just("move"), operations, variants, quantities),
    st.tuples(st.just("receive"), operations, variants, quantities),
    st.tuples(st.just("retake"), st.booleans(), keys, buyers, buyers, variants, quantities),
    st.tuples(st.just("wait"), buyers, buyers, variants, st.booleans(), st.booleans()),
    st.tuples(st.just("leave"), buyers, variants),
    st.tuples(st.just("expire")),
    st.tuples(st.just("close")),
)


def hold_of(buyer: str, key: str) -> str:
    """A hold's id says who asked with which key."""
    return f"{buyer}-{key}"


class Pair:
    """The real pool and the model, driven together; whoever waits gets the next number for the hold that it may bring."""

    def __init__(self, redis: Redis, pool: str) -> None:
        self.store, self.pool, self.asked = PoolStore(redis), pool, 0
        self.model = Model(LIMITS, limits_sales=pool.startswith("room:"), first_paid=FIRST_PAID)

    async def set_up(self) -> None:
        await self.store.redis.flushall()
        await self.set_terms()
        await self.store.run("life", self.pool, "open", 0, 1)

    async def set_terms(self) -> None:
        source = Source(kind="room")
        terms = [
            Terms(v, 100, "EUR", limit, source, home=HOME, mode="first_paid" if v in FIRST_PAID else "hold")
            for v, limit in LIMITS.items()
        ]
        await self.store.set_terms(self.pool, terms)

    async def reserve(self, lasting: bool, wanted: list[tuple[str, str, str, str, int]]) -> tuple[Any, Any]:
        requests = [
            ReserveRequest(key, buyer, variant, quantity, hold_of(buyer, key), device)
            for key, buyer, device, variant, quantity in wanted
        ]
        [real] = await self.store.reserve([(self.pool, requests)], LASTING if lasting else DUE, 0, 1000)
        assert isinstance(real, list), real
        expected = self.model.reserve(lasting, [(r.buyer, r.device, r.variant, r.quantity, r.hold) for r in requests])
        return [(answer.verdict, answer.hold, answer.left) for answer in real], expected

    async def retake(
        self, lasting: bool, key: str, buyer: str, device: str, variant: str, quantity: int
    ) -> tuple[Any, Any]:
        hold = hold_of(buyer, key)
        fields = (buyer, device, variant, quantity, 100, "EUR", 0, '{"kind":"room"}', key)
        verdict, _ = await self.store.run(
            "retake", self.pool, hold, msgpack.packb(fields), LASTING if lasting else DUE, 0
        )
        return verdict.decode(), self.model.retake(lasting, buyer, device, variant, quantity, hold)

    async def wait(self, buyer: str, device: str, variant: str, stays: bool, lasting: bool) -> tuple[Any, Any]:
        hold = f"w{self.asked}"
        self.asked += 1
        terms = (LASTING if stays else GONE, LASTING if lasting else DUE, 0)
        verdict, id_, place, _ = await self.store.run("wait", self.pool, buyer, device, variant, hold, *terms)
        real = verdict.decode(), id_.decode(), place
        return real, self.model.wait(buyer, device, variant, hold, stays=stays, lasting=lasting)

    async def leave(self, buyer: str, variant: str) -> tuple[Any, Any]:
        return await self.store.run("leave", self.pool, buyer, variant), self.model.leave(buyer, variant)

    async def release(self, hold: str) -> tuple[Any, Any]:
        packed = await self.store.run("release", self.pool, hold)
        expected = self.model.release(hold)
        if not packed:
            return "", expected
        [record] = await self.store.holds(self.pool, [hold])
        return record.status, expected

    async def confirm(self, payment: str, attempt: int, holds: list[str]) -> tuple[Any, Any]:
        verdict, *ids = await self.store.run("confirm", self.pool, payment, attempt, *holds)
        return (verdict.decode(), [id_.decode() for id_ in ids]), self.model.confirm(payment, attempt, holds)

    async def give_back(self, operation: str, hold: str, payment: str, attempt: int | None) -> tuple[Any, Any]:
        fence = "" if attempt is None else attempt
        real = await self.store.run("return", self.pool, operation, hold, payment, fence)
        return real, self.model.give_back(operation, hold, payment, attempt)

    async def restock(self, operation: str, variant: str, delta: int) -> tuple[Any, Any]:
        real = await self.store.run("restock", self.pool, operation, variant, delta)
        return tuple(real), self.model.restock(operation, variant, delta)

    async def move(self, transfer: str, variant: str, quantity: int) -> tuple[Any, Any]:
        real = await self.store.run("move", self.pool, transfer, variant, quantity, HOME)
        return tuple(real), self.model.move(transfer, variant, quantity)

    async def receive(self, transfer: str, variant: str, quantity: int) -> tuple[Any, Any]:
        real = await self.store.run("receive", self.pool, transfer, variant, quantity, HOME)
        return real, self.model.receive(transfer, variant, quantity)

    async def expire(self) -> tuple[Any, Any]:
        looked_at, ended = await self.store.run("expire", self.pool, 1000), self.model.expire()
        return looked_at >= ended, True  # it also looks at those that were settled in time

    async def close(self) -> tuple[Any, Any]:
        state, _ = await self.store.run("life", self.pool, "close", 0)
        self.model.close()
        return state.decode(), self.model.state

    async def check(self) -> None:
        units = await self.store.units(self.pool, sorted(LIMITS))
        for variant, u in units.items():
            real = {name: getattr(u, name) for name in BALANCE}
            assert real == self.model.units[variant]
            assert min(real.values()) >= 0
            assert u.waiting == len(self.model.line[variant])
            assert u.available == 0 or u.waiting == 0, "somebody waits for what is there"
            held = u.available + u.held + u.sold + u.removed + u.moved_out
            assert held == u.restocked + u.moved_in
        outbox = await self.store.outbox(self.pool)
        assert sorted((variant, quantity) for _, variant, quantity in outbox.values()) == sorted(self.model.outbox)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pools, st.lists(steps, max_size=25))
async def test_scripts_do_what_the_model_does(redis: Redis, pool: str, script: list[tuple[Any, ...]]) -> None:
    """Any sequence of calls, repeats and reused ids included, is answered as the model answers it."""
    pair = Pair(redis, pool)
    await pair.set_up()
    for name, *arguments in [
        ("restock", "start", "var_a", 6),
        ("restock", "start_b", "var_b", 2),
        ("restock", "start_c", "var_c", 3),
        *script,
    ]:
        real, expected = await getattr(pair, name)(*arguments)
        assert real == expected, name
        await pair.check()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pools, st.lists(steps, max_size=25))
async def test_ledger_alone_rebuilds_the_balance(redis: Redis, pool: str, script: list[tuple[Any, ...]]) -> None:
    """Entries are numbered without a gap, and adding them up gives every counter of every variant."""
    pair = Pair(redis, pool)
    await pair.set_up()
    for name, *arguments in [("restock", "start", "var_a", 6), *script]:
        await getattr(pair, name)(*arguments)
    entries = await pair.store.ledger(pool)
    assert [entry["n"] for entry in entries] == list(range(1, len(entries) + 1))
    ways = {
        "hold": ("available", "held"), "released": ("held", "available"), "expired": ("held", "available"),
        "offer": ("available", "held"), "sell": ("held", "sold"), "take": ("available", "sold"),
        "retake": ("available", "sold"), "return": ("sold", "available"), "remove": ("available", "removed"),
        "move_out": ("available", "moved_out"), "restock": ("restocked", "available"), "move_in": ("moved_in", "available"),
    }  # fmt: skip
    counted: dict[str, dict[str, int]] = {variant: dict.fromkeys(BALANCE, 0) for variant in LIMITS}
    for entry in entries:
        if entry["kind"] in NO_UNITS:
            continue
        source, target = ways[entry["kind"]]
        entering = entry["kind"] in {"restock", "move_in"}
        counted[entry["variant"]][source] += entry["quantity"] if entering else -entry["quantity"]
        counted[entry["variant"]][target] += entry["quantity"]
    assert counted == pair.model.units


async def test_a_pool_of_a_thousand_variants_closes(redis: Redis) -> None:
    """However many variants a pool has, all of them go home in one step."""
    store = PoolStore(redis)
    variants = [f"var_{number}" for number in range(1000)]
    await store.set_terms("room:big", [Terms(v, 100, "EUR", 5, Source(kind="room"), home=HOME) for v in variants])
    await store.run("life", "room:big", "open", 0, 1)
    for variant in variants:
        await store.run("restock", "room:big", f"start-{variant}", variant, 2)
    assert await store.run("life", "room:big", "close", 0) == [b"closed", 0]
    units = await store.units("room:big", variants)
    assert {(u.available, u.moved_out) for u in units.values()} == {(0, 2)}


async def test_an_overtaken_attempt_gives_nothing_back(redis: Redis) -> None:
    """A settlement that stalled wakes up after its successor sold the same hold: the unit stays sold."""
    pair = Pair(redis, "room:test")
    await pair.set_up()
    await pair.restock("start", "var_a", 1)
    await pair.reserve(True, [("k1", "ana", "ana", "var_a", 1)])
    await pair.confirm("pay1", 1, ["ana-k1"])
    await pair.confirm("pay1", 2, ["ana-k1"])
    real, expected = await pair.give_back("late", "ana-k1", "pay1", 1)
    assert (real, expected) == (0, 0)
    await pair.check()
