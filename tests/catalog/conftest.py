"""A catalog of real parts: accounts, stock, pictures and both databases."""

import io
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
from PIL import Image
from redis.asyncio import Redis

from streamserver.accounts.model import Identity
from streamserver.accounts.service import AccountService
from streamserver.catalog.images import ImageStore
from streamserver.catalog.service import CatalogService
from streamserver.config import Config
from streamserver.kit.sql import Database
from streamserver.messages.accounts import SignUp
from streamserver.messages.catalog import NewProduct, NewShop, NewVariant, Product, Shop
from streamserver.stock.archive import is_known
from streamserver.stock.service import StockService

FILES = Path(__file__).parent


@dataclass
class Heard:
    """A publisher that remembers whose rights were told to have changed."""

    rights: list[str] = field(default_factory=list[str])

    async def rights_changed(self, account: str, room: str | None = None) -> None:
        self.rights.append(account)

    async def session_ended(self, session: str) -> None:
        raise AssertionError("no session ends here")


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def people(database: Database, redis: Redis, config: Config, heard: Heard) -> AccountService:
    return AccountService(database, redis, config.accounts, heard)


@pytest.fixture
def stock(database: Database, redis: Redis, config: Config) -> StockService:
    return StockService(redis, redis, config.stock, b"secret", partial(is_known, database))


@pytest.fixture
def images(config: Config) -> ImageStore:
    return ImageStore(config.media_folder, 1_000_000)


@pytest.fixture
def catalog(
    database: Database, stock: StockService, images: ImageStore, people: AccountService, heard: Heard, config: Config
) -> CatalogService:
    return CatalogService(database, stock, images, people, heard, config.accounts)


async def sign_up(people: AccountService, handle: str) -> Identity:
    account, _ = await people.sign_up(SignUp(handle=handle, name=handle.title(), password="correct horse"))
    return Identity(device="dev_1", account=account)


@pytest.fixture
async def owner(people: AccountService) -> Identity:
    return await sign_up(people, "ines")


@pytest.fixture
async def stranger(people: AccountService) -> Identity:
    return await sign_up(people, "tomas")


@pytest.fixture
async def shop(catalog: CatalogService, owner: Identity) -> Shop:
    return await catalog.create_shop(owner, NewShop(handle="kiln", name="Kiln", currency="EUR", shipping=490))


@pytest.fixture
async def mug(catalog: CatalogService, owner: Identity, shop: Shop) -> Product:
    """A product with two variants, no units yet."""
    return await catalog.create_product(owner, shop.id, new_mug())


def new_mug(handle: str | None = None, prefix: str = "MUG") -> NewProduct:
    variants = [
        NewVariant(sku=f"{prefix}-S", options=["Small"], price=1800),
        NewVariant(sku=f"{prefix}-L", options=["Large"], price=2400, compare_at=2900),
    ]
    return NewProduct(title="Breakfast mug", handle=handle, options=["Size"], variants=variants)


def picture(width: int = 80, height: int = 60, kind: str = "PNG", colour: str = "teal") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(buffer, kind)
    return buffer.getvalue()
