"""Holds over real HTTP against an empty aiohttp handler: server on one core, clients (and Redis) on the other."""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from itertools import count, cycle, islice
from pathlib import Path
from typing import cast

import orjson

from loadtests.measure import PYTHON_CORE, REDIS_CORE, SECONDS, Report, Target, listening, pin, side_by_side
from loadtests.shop import open_shop
from streamserver.accounts.devices import DeviceMarks
from streamserver.accounts.secret import server_secret
from tests.harness import Server, free_port

CONNECTIONS = 512  # on either side: a burst comes on many
FEW = 64  # those with which the empty handler is quickest
UNITS = 1_000_000
MOST = 30_000  # requests of one round: made before it, since the client shares its core with Redis


class Client(asyncio.Protocol):
    """One keep-alive connection that asks again as soon as it has its answer."""

    def __init__(self, requests: Iterator[bytes], status: bytes) -> None:
        self.answers = 0
        self._requests = requests
        self._status = b"HTTP/1.1 " + status
        self._buffer = b""
        self.ended = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found or len(body) < _length(head):
            return
        if not head.startswith(self._status):
            self.ended.set_exception(AssertionError(self._buffer.decode()))
            self._transport.close()
            return
        self._buffer = b""
        self.answers += 1
        self.ask()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_result(None)

    def close(self) -> None:
        self._transport.close()

    def ask(self) -> None:
        self._transport.write(next(self._requests))


def _length(head: bytes) -> int:
    return int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])


async def _asked(port: int, requests: Iterator[bytes], status: bytes, connections: int) -> float:
    """Answers a second."""
    loop = asyncio.get_running_loop()
    clients: list[Client] = []
    for _ in range(connections):
        _, client = await loop.create_connection(lambda: Client(requests, status), "127.0.0.1", port)
        clients.append(client)
    began = time.perf_counter()
    for client in clients:
        client.ask()
    await asyncio.sleep(SECONDS)
    answers, lasted = sum(client.answers for client in clients), time.perf_counter() - began
    for client in clients:
        client.close()
    await asyncio.gather(*(client.ended for client in clients))
    return answers / lasted


def _post(path: str, body: bytes, headers: str = "") -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return f"{head}{headers}\r\n".encode() + body


def _holds(server: Server, room: str, variant: str) -> Iterator[bytes]:
    """A new guest each time, as a burst is: each with a device mark that the server signed before."""
    marks = DeviceMarks(server_secret(server.data))
    for n in count():
        cookie = f"Origin: {server.url}\r\nHost: {server.url[7:]}\r\nCookie: device={marks.sign(f'dev_{n:016x}')}\r\n"
        wish = orjson.dumps({"key": f"key_{n:016x}", "variant": variant})
        yield _post(f"/api/v1/rooms/{room}/holds", wish, cookie).replace(b"Host: bench\r\n", b"")


async def over_http(report: Report) -> None:
    """`POST holds`, durable, against an empty JSON POST on the same core."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-http-")))
        server = Server(folder / "data")
        stack.callback(server.stop)
        for name, process in server.children().items():
            pin(process.pid, PYTHON_CORE if name.startswith("web") else REDIS_CORE)
        port = free_port()
        empty = await asyncio.create_subprocess_exec(sys.executable, "-m", "loadtests.empty_post", str(port))
        stack.push_async_callback(empty.wait)
        stack.callback(empty.terminate)
        pin(empty.pid, PYTHON_CORE)
        await listening(port)
        pin(os.getpid(), REDIS_CORE)
        room, variant = await open_shop(server.url, UNITS)
        holds, nothing = _holds(server, room, variant), cycle([_post("/", b'{"key":"key_0","variant":"var_0"}')])
        found = await side_by_side(
            {
                "empty": lambda: _asked(port, nothing, b"200", CONNECTIONS),
                "few": lambda: _asked(port, nothing, b"200", FEW),
                "holds": lambda: _asked(server.port, iter(list(islice(holds, MOST))), b"201", CONNECTIONS),
            }
        )
    report.figure("http_post_holds_512_connections", found["holds"], "holds/s")
    report.figure("http_empty_json_post_512_connections", found["empty"], "answers/s")
    report.figure("http_empty_json_post_64_connections", found["few"], "answers/s")
    report.figure("ratio_http_holds_to_empty_post", found["holds"] / found["empty"], "x", Target(">=", 0.5))
