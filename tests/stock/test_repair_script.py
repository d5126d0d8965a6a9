"""The repair script against a plain rule: it takes away what nobody brought, and can never make one unit more."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from streamserver.stock.store import PoolStore
from tests.stock.ledger import POOL, open_pool, set_counter


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 20), st.integers(-3, 20), st.sampled_from([0, 0, 0, 1, -1]))
async def test_repair_lowers_available_or_does_nothing(redis: Redis, found: int, told: int, went_on: int) -> None:
    """Only to what the ledger tells, only downwards, and only if the ledger has not gone on since it was added up."""
    await redis.flushall()
    store = PoolStore(redis)
    await open_pool(store)
    await set_counter(redis, POOL, "var_a", "available", found)
    before = len(await store.ledger(POOL))
    taken = await store.run("repair", POOL, before + went_on, "var_a", told)
    expected = found - told if went_on == 0 and 0 <= told < found else 0
    assert taken == expected
    assert (await store.units(POOL, ["var_a"]))["var_a"].available == found - expected
    assert [entry["quantity"] for entry in (await store.ledger(POOL))[before:]] == ([expected] if expected else [])
