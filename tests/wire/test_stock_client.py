"""What pages really use: socket.io-client from npm, unchanged."""

from redis.asyncio import Redis

from streamserver.kit.ids import new_id
from streamserver.realtime.publisher import RedisPublisher
from tests.realtime.conftest import Live
from tests.realtime.stage import Stage
from tests.wire.conftest import Open

VARIANT = new_id("var")


async def test_a_page_joins_asks_and_is_told(open_page: Open, stage: Stage) -> None:
    """Connect with `auth`, get the snapshot, buy with an acknowledgement, hear events and states."""
    hold = {"key": "key-12345678", "variant": VARIANT, "quantity": 1, "retry": False}
    page = await open_page({"room": stage.room}, ("hold", hold), ("nonsense", {}))
    assert (await page.until("snapshot"))["about"]["id"] == stage.room
    assert (await page.until("answer"))["ok"]["variant"] == VARIANT
    assert (await page.until("answer"))["error"]["code"] == "unknown_event"
    await stage.happen("a new title")
    assert (await page.until("event"))["data"]["title"] == "a new title"
    await stage.sell(VARIANT, 5, version=1)
    assert (await page.until("states"))["states"]


async def test_a_page_is_told_its_turn(open_page: Open, stage: Stage) -> None:
    """It waits in line with an acknowledgement; a turn is told to that buyer's pages alone."""
    page = await open_page({"room": stage.room}, ("wait", {"variant": VARIANT}))
    assert (await page.until("answer"))["ok"] == {"variant": VARIANT, "place": 1, "hold": None}
    mine, other = new_id("hold"), new_id("hold")
    await stage.publish(["offers", [["dev_other", VARIANT, other], ["dev_guest", VARIANT, mine]]])
    assert await page.until("turn") == {"variant": VARIANT, "hold": mine}


async def test_a_refusal_arrives_as_connect_error(open_page: Open) -> None:
    """With the sentence as its message and the problem as its data."""
    page = await open_page({"room": new_id("room")})
    error = await page.until("connect_error")
    assert error["data"]["code"] == "not_found"
    assert error["message"] == error["data"]["message"]


async def test_another_origin_does_not_connect(open_page: Open, stage: Stage) -> None:
    page = await open_page({"room": stage.room}, origin="https://elsewhere.example")
    assert "websocket error" in (await page.until("connect_error"))["message"]


async def test_whoever_was_signed_out_does_not_come_back(
    live: Live, open_page: Open, stage: Stage, redis: Redis
) -> None:
    """The fault is told, then the stock client sees the server's own disconnect, after which it does not reconnect."""
    page = await open_page({"room": stage.room, "token": "token-1"})
    await page.until("snapshot")
    await RedisPublisher(redis).session_ended("mara")
    assert (await page.until("fault"))["retry"] is False
    assert await page.until("disconnect") == "io server disconnect"


async def test_a_lost_connection_comes_back_by_itself(live: Live, open_page: Open, stage: Stage) -> None:
    """The socket is cut without a word: the client returns and is in the room again."""
    page = await open_page({"room": stage.room})
    await page.until("snapshot")
    live.cut()
    assert await page.until("disconnect") == "transport close"
    assert await page.until("snapshot")
