"""The catalog over HTTP: a real server, a real client."""

from collections.abc import AsyncGenerator
from pathlib import Path

import orjson
import pytest
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request
from redis.asyncio import Redis

from streamserver.accounts.service import AccountService
from streamserver.catalog.service import CatalogService
from streamserver.config import Config
from streamserver.http.catalog import catalog_routes
from streamserver.http.health import Health
from streamserver.http.pages import SHELLS
from streamserver.http.server import PROJECT, create_app
from streamserver.kit.sql import Database
from streamserver.messages.accounts import NewToken
from streamserver.messages.catalog import Product, ProductList, Shop, ShopList, Staff, Stock
from tests.catalog.conftest import new_mug, picture, sign_up

Client = TestClient[Request, Application]
API = "/api/v1"


@pytest.fixture
async def client(
    database: Database, redis: Redis, config: Config, people: AccountService, catalog: CatalogService, tmp_path: Path
) -> AsyncGenerator[Client]:
    """Signed in as `ines` by an API token that may manage shops."""
    for shell in SHELLS.values():
        (tmp_path / "static" / shell).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "static" / shell).write_text("<title>page</title>")
    app = create_app(
        config, [catalog_routes(catalog)], accounts=people, secret=b"0" * 32, static=tmp_path / "static",
        health=Health(database, {"stock": redis, "live": redis}), node_modules=PROJECT / "node_modules",
    )  # fmt: skip
    identity = await sign_up(people, "ines")
    token = await people.create_token(identity.require_account(), NewToken(name="tests", scopes=["read", "shops"]))
    headers = {"Authorization": f"Bearer {token.secret}"}
    async with TestClient(TestServer(app, port=config.web.port), headers=headers) as client:
        yield client


async def open_shop(client: Client) -> Shop:
    body = {"handle": "kiln", "name": "Kiln", "currency": "EUR", "shipping": 490}
    async with client.post(f"{API}/shops", json=body) as response:
        assert response.status == 201, await response.text()
        return Shop.model_validate_json(await response.read())


async def create_mug(client: Client, shop: Shop) -> Product:
    async with client.post(f"{API}/shops/{shop.id}/products", json=new_mug().model_dump()) as response:
        assert response.status == 201, await response.text()
        return Product.model_validate_json(await response.read())


async def test_a_shop_is_opened_listed_and_changed(client: Client) -> None:
    """Each route answers the shop as it is after the call."""
    shop = await open_shop(client)
    async with client.patch(f"{API}/shops/{shop.id}", json={"shipping": 0}) as response:
        assert Shop.model_validate_json(await response.read()).shipping == 0
    async with client.get(f"{API}/shops") as response:
        assert [found.id for found in ShopList.model_validate_json(await response.read()).shops] == [shop.id]


async def test_staff_come_and_go(client: Client, people: AccountService) -> None:
    """PUT and DELETE answer the whole list."""
    shop = await open_shop(client)
    await sign_up(people, "tomas")
    async with client.put(f"{API}/shops/{shop.id}/staff/tomas") as response:
        assert [person.handle for person in Staff.model_validate_json(await response.read()).staff] == ["tomas"]
    async with client.delete(f"{API}/shops/{shop.id}/staff/tomas") as response:
        assert Staff.model_validate_json(await response.read()).staff == []


async def test_a_product_is_made_filled_and_shown(client: Client) -> None:
    """Create, restock, add and change a variant, archive: the product's page shows what is true."""
    shop = await open_shop(client)
    mug = await create_mug(client, shop)
    restock = {"operation": "delivery-1", "variant": mug.variants[0].id, "delta": 7}
    async with client.post(f"{API}/shops/{shop.id}/stock", json=restock) as response:
        assert Stock.model_validate_json(await response.read()).available == 7
    extra = {"sku": "MUG-XL", "options": ["Huge"], "price": 3000}
    async with client.post(f"{API}/products/{mug.id}/variants", json=extra) as response:
        assert response.status == 201
    async with client.patch(f"{API}/products/{mug.id}/variants/{mug.variants[0].id}", json={"price": 1}) as response:
        assert response.status == 200
    async with client.patch(f"{API}/products/{mug.id}", json={"title": "Mug"}) as response:
        changed = Product.model_validate_json(await response.read())
    assert (changed.title, [(v.price, v.available) for v in changed.variants]) == (
        "Mug",
        [(1, 7), (2400, 0), (3000, 0)],
    )
    async with client.get(f"{API}/products/{mug.id}") as response:
        assert Product.model_validate_json(await response.read()) == changed
    async with client.get(f"{API}/shops/{shop.id}/products") as response:
        assert ProductList.model_validate_json(await response.read()).products == [changed]


async def test_a_picture_is_uploaded_served_and_removed(client: Client) -> None:
    """The body is the file, whatever its content type says; each size is served for ever under its own name."""
    mug = await create_mug(client, await open_shop(client))
    async with client.post(f"{API}/products/{mug.id}/images?alt=A+mug", data=picture(300, 200)) as response:
        assert response.status == 201, await response.text()
        [image] = Product.model_validate_json(await response.read()).images
    assert (image.alt, image.width, image.height) == ("A mug", 300, 200)
    for path in (image.small, image.medium, image.large):
        async with client.get(path) as response:
            assert (response.status, response.headers["Content-Type"]) == (200, "image/webp")
    async with client.delete(f"{API}/products/{mug.id}/images/{image.id}") as response:
        assert Product.model_validate_json(await response.read()).images == []


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("POST", "/products/{mug}/images", b"no picture", 422, "image_unreadable"),
        ("POST", "/products/{mug}/images?alt=%07", b"", 422, "invalid"),
        ("POST", "/shops/{shop}/products", {"title": "A", "variants": []}, 422, "invalid"),
        ("POST", "/shops/{shop}/products", new_mug().model_dump(), 409, "sku_taken"),
        ("POST", "/shops", {"handle": "kiln", "name": "B", "currency": "EUR"}, 409, "handle_taken"),
        ("PATCH", "/products/{mug}", {"price": 1}, 422, "invalid"),
        ("GET", "/products/prod_0000000000000000000000", None, 404, "not_found"),
        ("GET", "/shops/%F0%9F%92%A9", None, 404, "not_found"),
        ("PUT", "/shops/{shop}/staff/nobody", None, 404, "not_found"),
    ],
)
async def test_what_cannot_be_done_has_a_code(
    client: Client, method: str, path: str, body: bytes | dict[str, object] | None, status: int, code: str
) -> None:
    """Every refusal is a problem with a stable code, also for addresses that nobody would type."""
    shop = await open_shop(client)
    mug = await create_mug(client, shop)
    address = f"{API}{path.format(shop=shop.id, mug=mug.id)}"
    content = orjson.dumps(body) if isinstance(body, dict) else body
    headers = {"Content-Type": "application/json" if isinstance(body, dict) else "image/png"}
    async with client.request(method, address, data=content, headers=headers) as response:
        assert (response.status, (await response.json())["code"]) == (status, code)


async def test_a_guest_sees_but_does_not_touch(client: Client) -> None:
    """Without signing in, products can be looked at and nothing can be changed."""
    shop = await open_shop(client)
    mug = await create_mug(client, shop)
    headers = {"Origin": f"http://127.0.0.1:{client.port}"}
    async with TestClient(client.server, headers=headers) as guest:
        async with guest.get(f"{API}/products/{mug.id}") as response:
            assert response.status == 200
        async with guest.patch(f"{API}/products/{mug.id}", json={"title": "Mine"}) as response:
            assert response.status == 401
        async with guest.post(f"{API}/products/{mug.id}/images", data=picture()) as response:
            assert response.status == 401
