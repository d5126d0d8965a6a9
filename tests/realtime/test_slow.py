"""Viewers who read slowly: fewer and newer updates, then the present, and never more memory than the bound."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import aiohttp
import orjson
import pytest

from streamserver.kit.ids import new_id
from tests.realtime.conftest import ORIGIN, Live, Serve
from tests.realtime.stage import Stage

UPGRADE = "/socket.io/?EIO=4&transport=websocket"
VARIANT = new_id("var")
NEWS = 120  # events of 60 KB: more than every buffer on the way holds


class Sleeper:
    """A page that reads only when told to, and keeps what its room looks like."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self.seqs: list[int] = []
        self.resyncs = 0
        self.fault = ""
        self.stock: dict[str, int] = {}

    async def read_until(self, true: Any) -> None:
        while not true():
            message = await self._socket.receive()
            if message.type is not aiohttp.WSMsgType.TEXT:
                return
            if message.data.startswith("42"):
                self._take(*orjson.loads(message.data[2:]))
            elif message.data == "2":
                await self._socket.send_str("3")

    def _take(self, name: str, data: Any) -> None:
        if name == "event":
            self.seqs.append(data["seq"])
        elif name == "snapshot":
            self.seqs = [data["seq"]]
            self._count(data["states"])
        elif name == "states":
            self._count(data["states"])
        elif name == "resync":
            self.resyncs += 1
        elif name == "fault":
            self.fault = data["code"]

    def _count(self, states: list[Any]) -> None:
        self.stock |= {s["key"]: s["value"]["available"] for s in states if s["key"].startswith("stock:")}


@pytest.fixture
async def http() -> AsyncGenerator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def sleeper(http: aiohttp.ClientSession, live: Live, stage: Stage) -> Sleeper:
    socket = await http.ws_connect(live.server.make_url(UPGRADE), headers={"Origin": ORIGIN}, max_msg_size=0)
    await socket.receive_str()
    await socket.send_str(f'40{{"room":"{stage.room}"}}')
    page = Sleeper(socket)
    await page.read_until(lambda: page.seqs)
    return page


@pytest.mark.parametrize("log_start", [1, 100])
async def test_whoever_reads_again_has_the_present(
    serve: Serve, stage: Stage, http: aiohttp.ClientSession, log_start: int
) -> None:
    """Asleep while much happens, awake before patience ends: the missing events in order, or one honest resync where the log
    no longer has them; counts are the newest, without those in between."""
    live = await serve(max_backlog=65_536, slow_seconds=60)
    page = await sleeper(http, live, stage)
    stage.log_start = log_start
    for number in range(NEWS):
        await stage.happen("news", padding=60_000)
        await stage.sell(VARIANT, NEWS - number, number + 1)
    await asyncio.sleep(0.3)
    await page.read_until(lambda: page.seqs[-1] == NEWS and page.stock.get(f"stock:{VARIANT}") == 1)
    begin = page.seqs[0]
    assert page.seqs == list(range(begin, NEWS + 1))
    assert page.resyncs == (log_start > 1)
    await stage.happen("after")
    await page.read_until(lambda: page.seqs[-1] == NEWS + 1)


async def test_whoever_sleeps_on_is_sent_away(serve: Serve, stage: Stage, http: aiohttp.ClientSession) -> None:
    """With a code that says to come back."""
    live = await serve(max_backlog=65_536, slow_seconds=1)
    page = await sleeper(http, live, stage)
    for _ in range(NEWS):
        await stage.happen("news", padding=60_000)
    await asyncio.sleep(1.5)
    await page.read_until(lambda: page.fault)
    assert page.fault == "too_slow"


async def test_a_slow_viewer_is_no_burden(serve: Serve, stage: Stage, http: aiohttp.ClientSession) -> None:
    """What waits for one that does not read is bounded, however much happens; others miss nothing."""
    live = await serve(max_backlog=65_536, slow_seconds=60)
    await sleeper(http, live, stage)
    awake = await live.page(room=stage.room)
    await awake.first("snapshot")
    for _ in range(NEWS):
        await stage.happen("news", padding=60_000)
    await awake.until(lambda: len(awake.seqs) == NEWS)
    assert max(live.gateway.backlogs()) < 2 * 65_536
