"""A live room to measure: a whole server with Redis, jobs and REST on the generator's core, and `bench_web`, which is measured,
as one more web process of it on the server's core."""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any, Self

import msgpack
import orjson
from redis.asyncio import Redis

from loadtests.contenders import PORT, Contender
from loadtests.generator import Generator
from loadtests.measure import GENERATOR_CORE, pin
from streamserver.accounts.devices import DeviceMarks
from streamserver.accounts.secret import server_secret
from streamserver.config import RoomsConfig
from streamserver.kit.ids import new_id
from streamserver.kit.redis import connect
from streamserver.realtime.publisher import SAY
from streamserver.rooms.documents import Documents
from tests.harness import Server
from tests.stories.people import Host

MESSAGE = 200  # bytes of payload, as the peers' are
GUESTS = 2_000  # devices that take turns
UNITS = 1_000_000
SIZES, LIMIT = 20, 100
NEWS = [new_id("var") for _ in range(SIZES)]  # what a busy room's counts are about
MANY: dict[str, str | int | float] = {  # limits that stop a single client, of which the generator is one
    "accounts__guests_per_client": 1_000_000,
    "stock__tries_per_buyer": 1_000_000,
    "realtime__messages_per_second": 100_000,
}


class Venue:
    """`room` is live. `holds` are what a buyer asks for in turns: a device may have LIMIT of each variant."""

    def __init__(self, server: Server, host: Host, anchor: dict[str, Any], redis: Redis) -> None:
        self.room = host.room
        self.variants = [str(variant["id"]) for variant in anchor["variants"]]
        self.holds = [f'["hold",{{"key":"key-%p-%c-%n","variant":"{variant}"}}]' for variant in self.variants]
        self._server = server
        self._host = host
        self._anchor: str = anchor["id"]
        self._redis = redis
        self._channel = f"{{room:{self.room}}}:bus"
        self._document = f"{{room:{self.room}}}:document"
        self._epoch, self._seq = "", 0
        self._versions = count(1)

    @classmethod
    @asynccontextmanager
    async def opened(cls) -> AsyncGenerator[Self]:
        async with AsyncExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-fanout-")))
            server = Server(folder / "data", **MANY)
            stack.callback(server.stop)
            for process in (server.supervisor, *server.children().values()):
                pin(process.pid, GENERATOR_CORE)
            pin(os.getpid(), GENERATOR_CORE)
            host = await stack.enter_async_context(Host(server.url))
            await host.open("bench-host")
            anchor = await _offer(host)
            await host.post(f"rooms/{host.room}/start")
            redis = await stack.enter_async_context(connect(f"unix://{server.data / 'redis' / 'redis.sock'}"))
            yield cls(server, host, anchor, redis)

    @property
    def web(self) -> Contender:
        """What to measure, with guests who have not bought before."""
        server = self._server
        marks = DeviceMarks(server_secret(server.data))
        cookies = server.data / "cookies"
        cookies.write_text("".join(f"device={marks.sign(new_id('dev'))}\n" for _ in range(GUESTS)))
        auth = orjson.dumps({"room": self.room}).decode()
        origin = f"http://127.0.0.1:{PORT}"
        options = ("-a", auth, "-o", origin, "-c", str(cookies), "-j", '42["snapshot"')
        command = (sys.executable, "-m", "loadtests.bench_web")
        return Contender(command, options, environment=server.environment)

    async def snapshot_size(self) -> int:
        """Bytes that a viewer is sent on joining."""
        return len(orjson.dumps(await self._host.get(f"rooms/{self.room}")))

    async def flood(self, viewers: Generator, under_way: int) -> None:
        """Events without end, so many of them on their way to the first viewer: with two, each pass over the viewers writes
        one; with more, what comes during a pass is written together in the next."""
        await self._find_position()
        for _ in range(under_way):
            viewers.arrived.release()
        while True:
            await viewers.arrived.acquire()
            await self._event()

    async def bustle(self, events: int) -> None:
        """So many events a second: of five, three are stock and two are reactions."""
        await self._find_position()
        began, done = time.monotonic(), 0
        while True:
            while done < (time.monotonic() - began) * events:
                await self._states([self._stock() for _ in range(3)])
                await self._say(["reactions", [["heart", 1], ["clap", 1]]])
                done += 5
            await asyncio.sleep(0.005)

    async def pins(self, pause: float) -> None:
        """Pin and unpin for ever, by REST."""
        version = (await self._host.get(f"rooms/{self.room}"))["pins"]["version"]
        while True:
            for action in ("pin", "unpin"):
                change = {"operation": new_id("op"), "version": version, "action": action, "anchor": self._anchor}
                version = (await self._host.put(f"rooms/{self.room}/pins", change))["version"]
                await asyncio.sleep(pause)

    async def _event(self) -> None:
        """The document says the same number, so that whoever compares finds nothing missing."""
        self._seq += 1
        head = b'{"epoch":"%b","seq":%d,"at":%d,"media_time":null,"type":"about","data":{"pad":"' % (
            self._epoch.encode(), self._seq, _now(),
        )  # fmt: skip
        pad = b"x" * (MESSAGE - len(head) - len(b'42["event","}}]'))
        await self._redis.execute_command("HSET", self._document, "seq", self._seq)
        await self._say(["event", self._seq, head + pad + b'"}}'])

    async def _states(self, states: Sequence[tuple[str, dict[str, Any]]]) -> None:
        words: list[tuple[str, int, bytes]] = []
        for key, value in states:
            version = next(self._versions)
            words.append((key, version, orjson.dumps({"key": key, "version": version, "value": value, "at": _now()})))
        await self._say(["states", words])

    async def _say(self, words: list[Any]) -> None:
        await SAY(self._redis, [self._channel], [msgpack.packb(words)])

    def _stock(self) -> tuple[str, dict[str, Any]]:
        n = next(self._versions)
        variant = NEWS[n % len(NEWS)]
        return f"stock:{variant}", {"variant": variant, "available": n, "epoch": 1, "waiting": 0}

    async def _find_position(self) -> None:
        now = await Documents(self._redis, RoomsConfig()).position(self.room)
        if now is None:
            raise RuntimeError("the room is not in Redis")
        self._epoch, self._seq = now.epoch, now.seq


def asking(events: Sequence[str]) -> list[str]:
    """Options of wsload: each viewer says these in turns."""
    return [word for event in events for word in ("-e", event)]


async def _offer(host: Host) -> dict[str, Any]:
    """One product in many sizes, all of it in the room."""
    sizes = [{"sku": f"vase-{n}", "price": 1900, "options": [f"{n} cm"]} for n in range(SIZES)]
    wish = {"title": "Moon vase", "options": ["Size"], "variants": sizes}
    product = await host.post(f"shops/{host.shop['id']}/products", wish)
    variants = [str(variant["id"]) for variant in product["variants"]]
    for variant in variants:
        restock = {"operation": new_id("op"), "variant": variant, "delta": UNITS}
        await host.post(f"shops/{host.shop['id']}/stock", restock)
    terms = [{"variant": variant, "allotment": UNITS, "limit": LIMIT} for variant in variants]
    lineup = await host.post(f"rooms/{host.room}/anchors", {"product": product["id"], "variants": terms})
    return lineup["anchors"][0]


def _now() -> int:
    """Milliseconds since 1970, as Redis on the same machine has them."""
    return time.time_ns() // 1_000_000
