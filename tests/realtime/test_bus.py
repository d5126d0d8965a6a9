"""The bus breaks: viewers end up with the truth, without a reload."""

from redis.asyncio import Redis

from streamserver.kit.ids import new_id
from tests.realtime.conftest import Live
from tests.realtime.stage import Stage

VARIANT = new_id("var")


async def test_what_was_said_while_the_bus_was_away_is_told_after(live: Live, stage: Stage, redis: Redis) -> None:
    """Every listening connection is cut, an event and a state are missed: both arrive."""
    page = await live.page(room=stage.room)
    await page.first("snapshot")
    await stage.happen("unheard", published=False)
    await stage.sell(VARIANT, 2, version=1, published=False)
    await redis.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
    await page.until(lambda: page.seqs == [1] and page.stock(VARIANT))
    assert page.stock(VARIANT)[-1] == 2

    await stage.happen("heard again")
    await page.until(lambda: page.seqs == [1, 2])


async def test_a_session_that_ended_unheard_is_found_out(live: Live, stage: Stage, redis: Redis) -> None:
    """After the bus was away every signed-in viewer is looked at again."""
    page = await live.page("mara", room=stage.room)
    await page.first("snapshot")
    live.ended.add("mara")
    await redis.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
    assert (await page.first("fault"))["code"] == "signed_out"


async def test_rooms_nobody_watches_are_not_followed(live: Live, stage: Stage, redis: Redis) -> None:
    page = await live.page(room=stage.room)
    channel = f"{{room:{stage.room}}}:bus"
    assert await redis.pubsub_numsub(channel) == [(channel.encode(), 1)]
    await page.client.disconnect()
    while await redis.pubsub_numsub(channel) != [(channel.encode(), 0)]:
        pass
