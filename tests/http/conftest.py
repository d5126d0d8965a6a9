"""A real server on a port of its own, with small pages and an area that exercises what all areas share."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import pytest
from aiohttp import CookieJar
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request
from redis.asyncio import Redis

from streamserver.accounts.service import AccountService
from streamserver.catalog.images import ImageStore
from streamserver.catalog.service import CatalogService
from streamserver.config import Config, WebConfig
from streamserver.http.accounts import account_routes
from streamserver.http.api import Answer, Call, Routes
from streamserver.http.health import Health
from streamserver.http.pages import SHELLS
from streamserver.http.server import PROJECT, create_app
from streamserver.kit.sql import Database
from streamserver.messages.accounts import Me, Person
from streamserver.messages.base import Nothing
from streamserver.messages.stock import HoldRequest
from streamserver.realtime.publisher import RedisPublisher
from streamserver.stock.archive import is_known
from streamserver.stock.errors import SoldOut
from streamserver.stock.service import StockService

Client = TestClient[Request, Application]
Open = Callable[..., Awaitable[Client]]
SECRET = b"0123456789abcdef0123456789abcdef"


def sample_routes() -> Routes:
    """What may happen in any area."""
    api = Routes("samples")

    @api.post("/echo", body=HoldRequest, answer=HoldRequest, status=201, scope="buy", failures=(SoldOut,))
    async def echo(call: Call, body: HoldRequest) -> HoldRequest | Answer:
        """Answer with what was sent."""
        return Answer(body, 200) if body.retry else body

    @api.get("/client", answer=Person, query={"name": "Any name."})
    async def client(call: Call) -> Person:
        """Answer with the caller's address."""
        return Person(handle="caller", name=call.client)

    @api.get("/fail/{how}", answer=Nothing)
    async def fail(call: Call) -> Nothing:
        """Fail."""
        if call.path["how"] == "sold_out":
            raise SoldOut(left=1)
        raise RuntimeError("the secret reason")

    @api.post("/raw", answer=Person, scope=None, raw=True)
    async def raw(call: Call) -> Person:
        """Answer with the size of what was sent."""
        return Person(handle="size", name=str(len(await call.read())))

    return api


@pytest.fixture
def static(tmp_path: Path) -> Path:
    """Every page as one line, and a module."""
    for shell in SHELLS.values():
        page = tmp_path / "static" / shell
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(
            f"<title>{shell}</title><base href='{{{{static}}}}/'><script type=importmap>{{{{importmap}}}}</script>"
        )
    (tmp_path / "static/home/home.js").write_text("export const greeting = 'hello';\n" * 40)
    (tmp_path / "static/home/notes.txt").write_text("not for browsers")
    return tmp_path / "static"


@pytest.fixture
async def health(database: Database, redis: Redis) -> Health:
    return Health(database, {"stock": redis, "live": redis})


@pytest.fixture
async def open_client(
    database: Database, redis: Redis, config: Config, static: Path, health: Health
) -> AsyncGenerator[Open]:
    """Starts a server with some web settings changed; returns a browser-like client of it."""
    async with AsyncExitStack() as stack:

        async def open_one(**web: object) -> Client:
            changed = WebConfig.model_validate(config.web.model_dump() | web)
            settings = config.model_copy(update={"web": changed})
            publisher = RedisPublisher(redis)
            accounts = AccountService(database, redis, settings.accounts, publisher)
            stock = StockService(redis, redis, settings.stock, b"secret", partial(is_known, database))
            images = ImageStore(settings.media_folder, 1_000_000)
            catalog = CatalogService(database, stock, images, accounts, publisher, settings.accounts)
            areas = [account_routes(accounts, catalog), sample_routes()]
            app = create_app(
                settings, areas, accounts=accounts, secret=SECRET, health=health, static=static,
                node_modules=PROJECT / "node_modules",
            )  # fmt: skip
            server = TestServer(app, port=settings.web.port)
            return await stack.enter_async_context(TestClient(server, cookie_jar=CookieJar(unsafe=True)))

        yield open_one


@pytest.fixture
async def client(open_client: Open) -> Client:
    return await open_client()


def origin(client: Client) -> dict[str, str]:
    """The header with which a page of the server itself writes."""
    return {"Origin": f"http://127.0.0.1:{client.port}"}


async def sign_up(client: Client, handle: str = "ines") -> Me:
    body = {"handle": handle, "name": handle.title(), "password": "clay and patience"}
    async with client.post("/api/v1/accounts", json=body, headers=origin(client)) as response:
        assert response.status == 201, await response.text()
        return Me.model_validate_json(await response.read())
