"""Bags: whatever is noted in whatever batches, each buyer finds their own holds, and no bag stays for ever."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from streamserver.stock.bags import DAYS, SHARDS, Bags

buyers = st.sampled_from(["ana", "bo", "cy", "di", "dev_1"])
entries = st.tuples(buyers, st.integers(0, 30).map("hold_{:02}".format), st.sampled_from(["room:a", "shop:b"]))
forgetting = st.tuples(buyers, st.lists(st.integers(0, 30).map("hold_{:02}".format), max_size=4))


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.one_of(st.lists(entries, max_size=12), forgetting), max_size=8))
async def test_bags_hold_what_was_noted_and_not_forgotten(
    redis: Redis, script: list[list[tuple[str, str, str]] | tuple[str, list[str]]]
) -> None:
    """A note of a hold that is there already replaces it; forgetting what is not there changes nothing."""
    await redis.flushall()
    bags, told = Bags(redis), dict[str, dict[str, str]]()
    for step in script:
        if isinstance(step, list):
            await bags.add(step)
            for buyer, hold, pool in step:
                told.setdefault(buyer, {})[hold] = pool
        else:
            buyer, holds = step
            await bags.forget([buyer], holds)
            told[buyer] = {hold: pool for hold, pool in told.get(buyer, {}).items() if hold not in holds}
    for buyer, expected in told.items():
        assert await bags.of([buyer]) == dict(sorted(expected.items()))
        for hold, pool in expected.items():
            assert await bags.pool_of([buyer], hold) == pool
    keys = await redis.keys("{bags:*")
    assert len(keys) <= SHARDS
    assert all([0 < await redis.ttl(key) <= (DAYS + 1) * 86_400 for key in keys])
