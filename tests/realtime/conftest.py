"""A real server with real sockets: `serve` starts one, or several on one Redis."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from redis.asyncio import Redis
from socketio import AsyncClient

from streamserver.accounts.model import Account, Identity
from streamserver.config import Config
from streamserver.kit.errors import Forbidden, SignInNeeded
from streamserver.messages.accounts import Scope
from streamserver.realtime.bus import Bus
from streamserver.realtime.gateway import Gateway
from streamserver.realtime.viewer import Verify
from streamserver.rooms.presence import Presence
from streamserver.stock.flags import SoldOutFlags
from tests.realtime.stage import Stage

ORIGIN = "https://shop.example"
WAIT = 10


class BadOrigin(Forbidden):
    code = "bad_origin"


@dataclass
class Live:
    """A running server. `ended` names sessions that no longer count; a visitor's name is its session and account."""

    gateway: Gateway
    server: TestServer
    ended: set[str]

    @property
    def url(self) -> str:
        return str(self.server.make_url("/"))

    @property
    def port(self) -> int:
        port = self.server.make_url("/").port
        assert port is not None
        return port

    def cut(self) -> None:
        """Lose every connection without a word."""
        self.gateway.cut()

    async def emptied(self) -> None:
        """Wait until nobody is connected any more."""
        async with asyncio.timeout(WAIT):
            while self.gateway.backlogs():  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.01)

    async def page(self, visitor: str = "", **auth: Any) -> "Page":
        """Open a page of `visitor` (nobody: a guest) with what its `auth` says."""
        page = Page()
        headers = {"Origin": ORIGIN, "Visitor": visitor}
        await page.client.connect(self.url, headers=headers, auth=auth or None, transports=["websocket"], retry=False)
        return page


class Page:
    """A viewer's page, through the stock Python client: remembers what it was sent, in order."""

    def __init__(self) -> None:
        self.client = AsyncClient(reconnection=False)
        self.got: list[tuple[str, Any]] = []
        self._news = asyncio.Event()
        self.client.on("*", self._take)
        self.client.on("disconnect", self._gone)

    def all(self, name: str) -> list[Any]:
        return [data for had, data in self.got if had == name]

    @property
    def seqs(self) -> list[int]:
        return [event["seq"] for event in self.all("event")]

    async def until(self, true: Callable[[], Any]) -> None:
        """Wait until `true()`; look again after everything that arrives."""
        async with asyncio.timeout(WAIT):
            while not true():
                self._news.clear()
                await self._news.wait()

    async def first(self, name: str) -> Any:
        await self.until(lambda: self.all(name))
        return self.all(name)[0]

    async def ask(self, name: str, data: Any) -> Any:
        return await self.client.call(name, data, timeout=WAIT)

    def stock(self, variant: str) -> list[int]:
        """The units left that were told, one after the other."""
        told = [state for states in self.all("states") for state in states["states"]]
        return [state["value"]["available"] for state in told if state["key"] == f"stock:{variant}"]

    @property
    def viewers(self) -> list[int]:
        """The numbers of viewers that were told, one after the other."""
        told = [state for states in self.all("states") for state in states["states"]]
        return [state["value"]["viewers"] for state in told if state["key"] == "viewers"]

    def _take(self, name: str, data: Any = None) -> None:
        self.got.append((name, data))
        self._news.set()

    def _gone(self, *_reason: Any) -> None:
        self._take("gone")


@pytest.fixture
def presence(redis: Redis) -> Presence:
    return Presence(redis, abandon_minutes=30)


@pytest.fixture
def stage(redis: Redis, presence: Presence) -> Stage:
    return Stage(redis, presence)


Serve = Callable[..., Awaitable[Live]]


@pytest.fixture
async def serve(redis: Redis, redis_url: str, config: Config, stage: Stage) -> AsyncGenerator[Serve]:
    """Start a web process in all but name; call it twice for two of them. Keywords are settings of `[realtime]`."""
    running: list[Live] = []

    async def start(**settings: int) -> Live:
        quick = config.web.model_copy(update={"drain_seconds": 0.2})
        own = config.model_copy(update={"realtime": config.realtime.model_copy(update=settings), "web": quick})
        live = await _start(own, redis, redis_url, stage)
        running.append(live)
        return live

    yield start
    for live in running:
        await live.gateway.close()
        await live.server.close()


@pytest.fixture
async def live(serve: Serve) -> Live:
    return await serve()


async def _start(config: Config, redis: Redis, redis_url: str, stage: Stage) -> Live:
    ended: set[str] = set()

    def authenticate(request: web.Request) -> Verify:
        if request.headers.get("Origin") != ORIGIN:
            raise BadOrigin
        visitor = request.headers.get("Visitor", "")

        async def look() -> Identity:
            return _visitor(visitor, ended)

        return look

    async def by_token(token: str) -> Identity:
        if not token.startswith("token-"):
            raise SignInNeeded
        return _visitor("mara", ended, frozenset({"read"}))

    gateway = Gateway(config, stage, Presence(redis, 30), SoldOutFlags(), Bus([redis_url]), authenticate, by_token)
    app = web.Application()
    gateway.attach(app)
    server = TestServer(app)
    await server.start_server()
    await gateway.start()
    return Live(gateway, server, ended)


def _visitor(name: str, ended: set[str], scopes: frozenset[Scope] | None = None) -> Identity:
    if not name or name in ended:
        return Identity("dev_guest")
    account = Account(id=f"acc_{name}", handle=name, name=name.title(), is_admin=False)
    return Identity("dev_page", account, session=name, scopes=scopes)
