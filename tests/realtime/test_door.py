"""Who may connect, and what ends a connection: spoken as raw Engine.IO, where no client library is in the way."""

import asyncio
import json
from collections.abc import AsyncGenerator

import aiohttp
import pytest
from redis.asyncio import Redis
from socketio.exceptions import ConnectionError as ConnectError

from streamserver.realtime.publisher import RedisPublisher
from tests.realtime.conftest import ORIGIN, Live, Serve
from tests.realtime.stage import Stage

UPGRADE = "/socket.io/?EIO=4&transport=websocket"


@pytest.fixture
async def http() -> AsyncGenerator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def connected(http: aiohttp.ClientSession, live: Live) -> aiohttp.ClientWebSocketResponse:
    """A socket that has introduced itself and joined nothing."""
    socket = await http.ws_connect(live.server.make_url(UPGRADE), headers={"Origin": ORIGIN})
    assert (await socket.receive_str()).startswith("0{")
    await socket.send_str("40")
    assert (await socket.receive_str()).startswith("40{")
    return socket


@pytest.mark.parametrize(
    ("method", "query"),
    [
        ("GET", "EIO=4&transport=polling"),
        ("GET", "EIO=4"),
        ("GET", "EIO=3&transport=websocket"),
        ("GET", "EIO=4&transport=websocket"),
        ("GET", "EIO=4&transport=websocket&sid=abc"),
        ("POST", "EIO=4&transport=polling&sid=abc"),
        ("OPTIONS", "EIO=4&transport=polling"),
    ],
)
async def test_anything_but_websocket_gets_a_named_error(
    live: Live, http: aiohttp.ClientSession, method: str, query: str
) -> None:
    """Long polling cannot cross processes; the error says what to do instead."""
    async with http.request(method, live.server.make_url(f"/socket.io/?{query}"), headers={"Origin": ORIGIN}) as answer:
        assert answer.content_type == "application/problem+json"
        assert (answer.status, (await answer.json())["code"]) == (400, "websocket_only")


@pytest.mark.parametrize("headers", [{}, {"Origin": "https://elsewhere.example"}])
async def test_another_sites_page_is_refused_before_the_upgrade(
    live: Live, http: aiohttp.ClientSession, headers: dict[str, str]
) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await http.ws_connect(live.server.make_url(UPGRADE), headers=headers)
    assert refused.value.status == 403


async def test_a_browser_that_offers_compression_gets_none(live: Live, http: aiohttp.ClientSession) -> None:
    """A compressor for each viewer would cost 91 KiB and twice the CPU."""
    async with http.ws_connect(live.server.make_url(UPGRADE), headers={"Origin": ORIGIN}, compress=15) as socket:
        assert socket.compress == 0


@pytest.mark.parametrize(
    "packet",
    [
        "", "x", "42", "42{}", "42[]", "42[1]", '42["tap"', "42/admin,[1]", "4", "4x", "4-1", "45", '451-["tap",{}]', "46",
        "43[]", "2probe", "bAAAA", '42["tap",' + "[" * 3_000 + "]" * 3_000 + "]", '42["tap",NaN]', "42" + "1" * 200 + "[]",
    ],
)  # fmt: skip
async def test_what_cannot_be_read_ends_the_socket(live: Live, http: aiohttp.ClientSession, packet: str) -> None:
    """A `fault` says so, then the namespace and the socket are closed."""
    socket = await connected(http, live)
    await socket.send_str(packet)
    assert '"code":"bad_format"' in await socket.receive_str()
    assert await socket.receive_str() == "41"
    assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE


async def test_binary_messages_end_the_socket(live: Live, http: aiohttp.ClientSession) -> None:
    socket = await connected(http, live)
    await socket.send_bytes(b"\x04")
    assert '"code":"bad_format"' in await socket.receive_str()


async def test_messages_beyond_64_kilobytes_end_the_socket(live: Live, http: aiohttp.ClientSession) -> None:
    socket = await connected(http, live)
    await socket.send_str('42["tap","' + "x" * 65_536 + '"]')
    assert (await socket.receive()).data == aiohttp.WSCloseCode.MESSAGE_TOO_BIG


async def test_questions_before_the_introduction_end_the_socket(live: Live, http: aiohttp.ClientSession) -> None:
    socket = await http.ws_connect(live.server.make_url(UPGRADE), headers={"Origin": ORIGIN})
    await socket.receive_str()
    await socket.send_str('42["tap",{}]')
    assert await socket.receive_str() == "41"


async def test_a_client_cannot_call_the_handlers_of_the_connection(live: Live, http: aiohttp.ClientSession) -> None:
    """`connect` and `disconnect` are events of the protocol; a message of that name is unknown."""
    socket = await connected(http, live)
    for name in ("connect", "disconnect"):
        await socket.send_str(f'421["{name}",{{}}]')
        answer = await socket.receive_str()
        assert answer.startswith("431[")
        assert '"unknown_event"' in answer


async def test_other_namespaces_are_refused(live: Live, http: aiohttp.ClientSession) -> None:
    socket = await connected(http, live)
    await socket.send_str("40/admin,")
    assert (await socket.receive_str()).startswith("44/admin,")


@pytest.mark.parametrize("auth", [{"room": "nonsense"}, {"rooms": []}, ["room"], "room"])
async def test_a_wrong_introduction_is_refused_with_a_problem(
    live: Live, http: aiohttp.ClientSession, auth: object
) -> None:
    """A stock client gets it as `connect_error`, with the problem in `data`."""
    socket = await http.ws_connect(live.server.make_url(UPGRADE), headers={"Origin": ORIGIN})
    await socket.receive_str()
    await socket.send_str("40" + json.dumps(auth))
    refusal = await socket.receive_str()
    assert refusal.startswith("44{")
    assert '"code":"invalid"' in refusal


async def test_a_token_that_is_none_is_refused(live: Live, stage: Stage) -> None:
    with pytest.raises(ConnectError):
        await live.page(room=stage.room, token="stolen")


async def test_signing_out_closes_the_sockets_of_that_session(live: Live, stage: Stage, redis: Redis) -> None:
    """Only those, at once, and with the word not to come back."""
    mara, ben = await live.page("mara", room=stage.room), await live.page("ben", room=stage.room)
    await RedisPublisher(redis).session_ended("mara")
    fault = await mara.first("fault")
    assert (fault["code"], fault["retry"]) == ("signed_out", False)
    await mara.first("gone")
    assert "ok" in await ben.ask("tap", {"anchor": "anchor_0000000000000000000000"})


async def test_rights_are_taken_and_given_at_once(live: Live, stage: Stage, redis: Redis) -> None:
    """`rights` tells the page; the next question is answered by them."""
    publisher = RedisPublisher(redis)
    page = await live.page("mara", room=stage.room)
    stage.moderators.add("acc_mara")
    await publisher.rights_changed("acc_mara", stage.room)
    assert (await page.first("rights"))["rights"] == ["pin"]
    stage.moderators.clear()
    await publisher.rights_changed("acc_mara")
    await page.until(lambda: len(page.all("rights")) == 2)
    assert page.all("rights")[1]["rights"] == []


async def test_a_restart_says_goodbye(live: Live, stage: Stage) -> None:
    """Everyone is told to come back, and does: the namespace is not closed, only the socket."""
    page = await live.page(room=stage.room)
    await page.first("snapshot")
    await live.gateway.close()
    fault = await page.first("fault")
    assert (fault["code"], fault["retry"]) == ("restarting", True)
    await page.first("gone")


async def test_a_viewer_that_does_not_read_is_let_go(serve: Serve, stage: Stage) -> None:
    """What waits for one viewer is bounded; another one misses nothing."""
    live = await serve(max_backlog=65_536, slow_seconds=1)
    page = await live.page(room=stage.room)
    await page.first("snapshot")
    reader, writer = await asyncio.open_connection("127.0.0.1", live.port, limit=1024)
    writer.write(
        f"GET {UPGRADE} HTTP/1.1\r\nHost: shop\r\nOrigin: {ORIGIN}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
    )
    await reader.readuntil(b"\r\n\r\n")
    auth = f'40{{"room":"{stage.room}"}}'.encode()
    writer.write(bytes((0x81, 0x80 | len(auth), 0, 0, 0, 0)) + auth)  # masked with zeros

    await page.until(lambda: 2 in page.viewers)
    for _ in range(150):
        await stage.happen("x" * 120, padding=60_000)
    await page.until(lambda: len(page.seqs) == 150 and page.viewers[-1] == 1)
    writer.close()
