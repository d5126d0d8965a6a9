"""A purchase over HTTP, from bag to refund."""

import secrets
from collections.abc import AsyncGenerator
from typing import TypeVar

import pytest
from aiohttp import CookieJar
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request

from streamserver.accounts.model import Identity
from streamserver.config import Config
from streamserver.http.accounts import account_routes
from streamserver.http.health import Health
from streamserver.http.orders import order_routes
from streamserver.http.payments import sandbox_routes
from streamserver.http.server import create_app
from streamserver.messages.accounts import Me
from streamserver.messages.base import Message
from streamserver.messages.orders import Bag, Order, OrderList, Pay, SandboxChoice, SandboxPayment
from tests.orders.conftest import Market, new_order

Client = TestClient[Request, Application]
M = TypeVar("M", bound=Message)


@pytest.fixture
async def client(market: Market, config: Config) -> AsyncGenerator[Client]:
    """A browser at a server with the market's orders."""
    areas = [
        account_routes(market.accounts, market.catalog),
        order_routes(market.orders),
        sandbox_routes(market.sandbox),
    ]
    health = Health(market.database, {"stock": market.redis})
    app = create_app(config, areas, accounts=market.accounts, secret=secrets.token_bytes(32), health=health)
    async with TestClient(TestServer(app, port=config.web.port), cookie_jar=CookieJar(unsafe=True)) as client:
        yield client


@pytest.fixture
async def buyer(client: Client) -> Identity:
    """The browser's guest."""
    async with client.get("/api/v1/me") as response:
        return Identity(device=Me.model_validate_json(await response.read()).device)


async def test_a_guest_buys(market: Market, client: Client, buyer: Identity) -> None:
    """Bag, order, payment page, paid order, in the words of the wire."""
    mug = await market.product()
    hold = await market.hold(buyer, await market.in_room(mug, 3), mug)
    _, bag = await get(client, "/bag", Bag)
    assert [item.hold for part in bag.parts for item in part.items] == [hold.id]
    new = new_order(hold)
    status, order = await post(client, "/orders", new, Order)
    replayed, same = await post(client, "/orders", new, Order)
    assert (status, replayed, same.id) == (201, 200, order.id)
    _, paying = await post(client, f"/orders/{order.id}/pay", Pay(revision=1), Order)
    payment = (paying.payment_url or "").removeprefix("/pay/sandbox/")
    _, shown = await get(client, f"/payments/{payment}", SandboxPayment)
    assert (shown.amount, shown.return_url) == (order.total, f"/orders/{order.id}")
    await post(client, f"/payments/{payment}", SandboxChoice(outcome="success"), SandboxPayment)
    _, mine = await get(client, "/orders", OrderList)
    assert [(order.id, order.status) for order in mine.orders] == [(order.id, "paid")]


async def test_a_changed_order_comes_with_the_refusal(market: Market, client: Client, buyer: Identity) -> None:
    """The page can show the new order without asking again."""
    mug = await market.product()
    order = await market.place(buyer, await market.hold(buyer, await market.in_room(mug, 3), mug))
    async with client.post(f"/api/v1/orders/{order.id}/pay", json={"revision": 7}, headers=origin(client)) as response:
        problem = await response.json()
    assert (response.status, problem["code"]) == (409, "order_changed")
    assert Order.model_validate(problem["order"]).revision == 1


async def test_the_link_opens_the_order_elsewhere(market: Market, client: Client) -> None:
    """Its key is all that another browser needs to see, pay or cancel; without it there is nothing."""
    mug = await market.product()
    elsewhere = Identity(device="dev_of_another_browser")
    order = await market.place(elsewhere, await market.hold(elsewhere, await market.in_room(mug, 3), mug))
    async with client.get(f"/api/v1/orders/{order.id}") as response:
        assert response.status == 404
    key = order.link.partition("?")[2]
    _, seen = await get(client, f"/orders/{order.id}?{key}", Order)
    assert seen.id == order.id
    async with client.post(f"/api/v1/orders/{order.id}/cancel?{key}", headers=origin(client)) as response:
        assert (await response.json())["status"] == "cancelled"


def origin(client: Client) -> dict[str, str]:
    return {"Origin": f"http://127.0.0.1:{client.port}"}


async def get(client: Client, path: str, answer: type[M]) -> tuple[int, M]:
    async with client.get(f"/api/v1{path}") as response:
        return response.status, answer.model_validate_json(await response.read())


async def post(client: Client, path: str, body: Message, answer: type[M]) -> tuple[int, M]:
    headers = origin(client) | {"Content-Type": "application/json"}
    async with client.post(f"/api/v1{path}", data=body.model_dump_json(), headers=headers) as response:
        return response.status, answer.model_validate_json(await response.read())
