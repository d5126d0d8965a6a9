"""Shops and the people who work for them."""

import pytest
from sqlalchemy import func, select

from streamserver.accounts.errors import HandleTaken
from streamserver.accounts.model import Identity
from streamserver.accounts.service import AccountService
from streamserver.catalog.images import ImageStore
from streamserver.catalog.service import CatalogService
from streamserver.catalog.tables import StaffRow
from streamserver.config import AccountsConfig
from streamserver.kit.errors import Forbidden, NotFound, SignInNeeded
from streamserver.kit.sql import Database
from streamserver.messages.catalog import NewShop, Shop, ShopChange
from streamserver.stock.service import StockService
from tests.catalog.conftest import Heard, new_mug, sign_up


async def test_an_account_opens_a_shop_and_finds_it_again(catalog: CatalogService, owner: Identity, shop: Shop) -> None:
    """Whoever opens a shop owns it, and it is listed as theirs."""
    assert await catalog.shop(shop.id) == shop
    assert await catalog.shop_by_handle("kiln") == shop
    assert await catalog.shops_of(owner.require_account().id) == [shop]
    assert [(role.id, role.role) for role in await catalog.roles_of(owner.require_account().id)] == [(shop.id, "owner")]


async def test_a_shop_handle_exists_once(catalog: CatalogService, shop: Shop, stranger: Identity) -> None:
    """A second shop cannot take a handle, whoever asks."""
    with pytest.raises(HandleTaken, match="kiln"):
        await catalog.create_shop(stranger, NewShop(handle="kiln", name="Other", currency="EUR"))


async def test_a_guest_cannot_open_a_shop(catalog: CatalogService) -> None:
    """A shop belongs to an account."""
    with pytest.raises(SignInNeeded):
        await catalog.create_shop(Identity(device="dev_9"), NewShop(handle="ghost", name="Ghost", currency="EUR"))


async def test_enrolment_can_be_kept_to_admins(
    database: Database, stock: StockService, images: ImageStore, people: AccountService, heard: Heard
) -> None:
    """With `accounts.enrolment = "admins"`, an ordinary account cannot open a shop and an admin can."""
    catalog = CatalogService(database, stock, images, people, heard, AccountsConfig(enrolment="admins"))
    admin = Identity(device="dev_1", account=await people.create_admin("chief", "Chief", "correct horse"))
    new = NewShop(handle="kiln", name="Kiln", currency="EUR")
    with pytest.raises(Forbidden, match="people who run this server"):
        await catalog.create_shop(await sign_up(people, "ines"), new)
    assert (await catalog.create_shop(admin, new)).handle == "kiln"


async def test_the_shipping_price_can_change(catalog: CatalogService, owner: Identity, shop: Shop) -> None:
    """What a change leaves out stays as it was."""
    assert await catalog.change_shop(owner, shop.id, ShopChange(shipping=0)) == shop.model_copy(update={"shipping": 0})
    assert (await catalog.shop(shop.id)).shipping == 0


async def test_a_stranger_changes_nothing(catalog: CatalogService, shop: Shop, stranger: Identity) -> None:
    """Neither the shop, nor its staff, nor its products."""
    with pytest.raises(Forbidden):
        await catalog.change_shop(stranger, shop.id, ShopChange(name="Mine now"))
    with pytest.raises(Forbidden):
        await catalog.add_staff(stranger, shop.id, "tomas")
    with pytest.raises(Forbidden):
        await catalog.create_product(stranger, shop.id, new_mug())


async def test_staff_may_sell_but_not_choose_staff(
    catalog: CatalogService, owner: Identity, stranger: Identity, shop: Shop
) -> None:
    """Staff manage products; only the owner says who is staff. Adding someone twice changes nothing."""
    await catalog.add_staff(owner, shop.id, "tomas")
    listed = await catalog.add_staff(owner, shop.id, "tomas")
    assert [person.handle for person in listed.staff] == ["tomas"]
    assert (await catalog.create_product(stranger, shop.id, new_mug())).shop == shop
    assert [role.role for role in await catalog.roles_of(stranger.require_account().id)] == ["staff"]
    with pytest.raises(Forbidden, match="owner"):
        await catalog.add_staff(stranger, shop.id, "ines")


async def test_rights_end_at_once(
    catalog: CatalogService, owner: Identity, stranger: Identity, shop: Shop, heard: Heard
) -> None:
    """A person taken off the staff cannot act any more, and open connections are told to look again."""
    await catalog.add_staff(owner, shop.id, "tomas")
    assert (await catalog.remove_staff(owner, shop.id, "tomas")).staff == []
    with pytest.raises(Forbidden):
        await catalog.require_staff(stranger, shop.id)
    assert heard.rights == [stranger.require_account().id] * 2


async def test_the_owner_is_never_staff(
    catalog: CatalogService, database: Database, owner: Identity, shop: Shop
) -> None:
    """Adding the owner changes nothing; they have every right already."""
    assert (await catalog.add_staff(owner, shop.id, "ines")).staff == []
    async with database.read() as session:
        assert await session.scalar(select(func.count()).select_from(StaffRow)) == 0


async def test_what_does_not_exist_is_not_found(catalog: CatalogService, owner: Identity, shop: Shop) -> None:
    """An unknown shop or person is named as such."""
    with pytest.raises(NotFound):
        await catalog.require_staff(owner, "shop_0000000000000000000000")
    with pytest.raises(NotFound, match="nobody"):
        await catalog.add_staff(owner, shop.id, "nobody")
