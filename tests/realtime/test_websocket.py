"""The WebSocket itself (RFC 6455), through aiohttp's client and raw bytes."""

import asyncio
from collections.abc import AsyncGenerator

import aiohttp
import pytest
from aiohttp import WSMsgType

from tests.realtime.conftest import ORIGIN, Live, Serve
from tests.realtime.stage import Stage
from tests.realtime.test_door import UPGRADE, connected


@pytest.fixture
async def http() -> AsyncGenerator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


def masked(first: int, payload: bytes) -> bytes:
    """A client's frame, masked with zeros; up to 125 bytes."""
    return bytes((first, 0x80 | len(payload), 0, 0, 0, 0)) + payload


async def raw(live: Live, more: bytes = b"") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A handshake by hand; `more` is sent in the same breath."""
    reader, writer = await asyncio.open_connection("127.0.0.1", live.port)
    writer.write(
        f"GET {UPGRADE} HTTP/1.1\r\nHost: shop\r\nOrigin: {ORIGIN}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
        + more
    )
    await reader.readuntil(b"\r\n\r\n")
    return reader, writer


async def test_what_comes_with_the_handshake_is_read(live: Live, stage: Stage) -> None:
    """A client need not wait for the answer to its handshake."""
    reader, writer = await raw(live, masked(0x81, f'40{{"room":"{stage.room}"}}'.encode()))
    async with asyncio.timeout(5):
        await reader.readuntil(b'42["snapshot"')
    writer.close()


async def test_a_message_may_come_in_pieces(live: Live, stage: Stage) -> None:
    """Frames of one message, with a ping between them, and bytes one by one."""
    reader, writer = await raw(live)
    auth = f'40{{"room":"{stage.room}"}}'.encode()
    for byte in masked(0x01, auth[:9]) + masked(0x89, b"still there?") + masked(0x80, auth[9:]):
        writer.write(bytes((byte,)))
        await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await reader.readuntil(b"\x8a\x0cstill there?")
        await reader.readuntil(b'42["snapshot"')
    writer.close()


async def test_a_closing_handshake_is_answered(live: Live, http: aiohttp.ClientSession) -> None:
    """And the viewer is gone."""
    socket = await connected(http, live)
    assert await socket.close()
    assert socket.close_code == 1000
    await live.emptied()


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"\xf1\x80\x00\x00\x00\x00", 1002),  # reserved bits
        (b"\x83\x80\x00\x00\x00\x00", 1002),  # an unknown opcode
        (masked(0x80, b"40"), 1002),  # goes on with nothing
        (b"\x81\xff\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00", 1009),  # 64 KB
    ],
)
async def test_what_breaks_the_protocol_ends_it_with_a_code(live: Live, frame: bytes, code: int) -> None:
    reader, writer = await raw(live)
    writer.write(frame)
    async with asyncio.timeout(5):
        assert (await reader.read())[-4:] == b"\x88\x02" + code.to_bytes(2, "big")
    writer.close()


async def test_a_line_that_is_cut_is_a_viewer_less(live: Live, stage: Stage, http: aiohttp.ClientSession) -> None:
    """Without a word, also in the middle of a frame."""
    reader, writer = await raw(live, masked(0x81, f'40{{"room":"{stage.room}"}}'.encode()))
    await reader.readuntil(b'42["snapshot"')
    writer.write(b"\x81\xfe")
    await writer.drain()
    writer.transport.abort()
    await live.emptied()


async def test_a_client_that_asks_faster_than_it_is_answered_is_not_read(live: Live, stage: Stage) -> None:
    """Its questions wait in its own buffers, and all of them are answered in order."""
    stage.slow = 0.02
    page = await live.page(room=stage.room)
    wishes = [{"key": f"key-number-{n}", "variant": "var_0000000000000000000000"} for n in range(40)]
    answers = await asyncio.gather(*(page.ask("hold", wish) for wish in wishes))
    assert all("ok" in answer for answer in answers)
    assert [hold.key for hold in stage.holds] == [wish["key"] for wish in wishes]


async def test_a_silent_client_is_let_go(serve: Serve, http: aiohttp.ClientSession) -> None:
    """It is pinged once an interval, and has one to answer; who has not introduced itself by then is not pinged at all."""
    live = await serve(ping_seconds=1)
    unknown = await http.ws_connect(live.server.make_url(UPGRADE), headers={"Origin": ORIGIN})
    silent = await connected(http, live)
    await unknown.receive_str()
    async with asyncio.timeout(10):
        assert (await unknown.receive()).type is WSMsgType.CLOSE
        assert await silent.receive_str() == "2"
        assert (await silent.receive()).type is WSMsgType.CLOSE


async def test_a_client_that_answers_stays(serve: Serve, http: aiohttp.ClientSession) -> None:
    live = await serve(ping_seconds=1)
    socket = await connected(http, live)
    for _ in range(3):
        assert await socket.receive_str() == "2"
        await socket.send_str("3")
    await socket.close()
