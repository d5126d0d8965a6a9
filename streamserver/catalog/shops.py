"""Shops and the people who work for them."""

from collections.abc import Sequence

from sqlalchemy import or_, select
from sqlalchemy.exc import IntegrityError

from streamserver.accounts.errors import HandleTaken
from streamserver.accounts.model import Account, Identity
from streamserver.accounts.service import AccountService
from streamserver.catalog import queries
from streamserver.catalog.model import Role
from streamserver.catalog.tables import ShopRow, StaffRow
from streamserver.config import AccountsConfig
from streamserver.kit.clock import now_ms
from streamserver.kit.errors import Forbidden, NotFound
from streamserver.kit.ids import new_id
from streamserver.kit.sql import Database
from streamserver.messages.accounts import ShopRole
from streamserver.messages.catalog import NewShop, Shop, ShopChange, Staff
from streamserver.messages.live import Publisher


class Shops:
    """The half of the catalog that knows who may do what; `CatalogService` adds what is sold."""

    def __init__(
        self, database: Database, people: AccountService, publisher: Publisher, config: AccountsConfig
    ) -> None:
        self.database = database
        self._people = people
        self._publisher = publisher
        self._config = config

    async def create_shop(self, identity: Identity, new: NewShop) -> Shop:
        """Open a shop. Raises `SignInNeeded`, `Forbidden` (enrolment), `HandleTaken`."""
        owner = identity.require_account()
        if self._config.enrolment == "admins" and not owner.is_admin:
            raise Forbidden("Only the people who run this server can open shops here. Ask them for one.")
        row = ShopRow(id=new_id("shop"), owner=owner.id, created_at=now_ms(), **new.model_dump())
        try:
            async with self.database.write() as session:
                session.add(row)
        except IntegrityError as error:
            raise HandleTaken(f"Another shop has the handle '{new.handle}'. Please choose another one.") from error
        return queries.shop_message(row)

    async def change_shop(self, identity: Identity, shop: str, change: ShopChange) -> Shop:
        await self.require_staff(identity, shop)
        async with self.database.write() as session:
            row = await queries.lock_shop(session, shop)
            for name, value in change.model_dump(exclude_none=True).items():
                setattr(row, name, value)
        return queries.shop_message(row)

    async def shop(self, shop: str) -> Shop:
        """Raises `NotFound`."""
        async with self.database.read() as session:
            return queries.shop_message(await queries.get_shop(session, shop))

    async def shop_by_handle(self, handle: str) -> Shop:
        """Raises `NotFound`."""
        async with self.database.read() as session:
            if row := await session.scalar(select(ShopRow).where(ShopRow.handle == handle)):
                return queries.shop_message(row)
        raise NotFound(f"There is no shop with the handle '{handle}'.")

    async def shops_of(self, account: str) -> list[Shop]:
        """Every shop that `account` owns or works for, oldest first."""
        return [queries.shop_message(row) for row in await self._shop_rows(account)]

    async def roles_of(self, account: str) -> list[ShopRole]:
        """The same shops, with what the account is there."""
        return [
            ShopRole(id=row.id, handle=row.handle, name=row.name, role="owner" if row.owner == account else "staff")
            for row in await self._shop_rows(account)
        ]

    async def _shop_rows(self, account: str) -> Sequence[ShopRow]:
        works_for = select(StaffRow.shop).where(StaffRow.account == account)
        mine = or_(ShopRow.owner == account, ShopRow.id.in_(works_for))
        async with self.database.read() as session:
            return (await session.scalars(select(ShopRow).where(mine).order_by(ShopRow.id))).all()

    # Staff

    async def role_in(self, shop: str, account: str) -> Role | None:
        """Raises `NotFound` when there is no such shop."""
        async with self.database.read() as session:
            return await queries.role_in(session, await queries.get_shop(session, shop), account)

    async def require_staff(self, identity: Identity, shop: str) -> Account:
        """Return who acts for the shop. Raises `SignInNeeded`, `NotFound`, `Forbidden`."""
        account = identity.require_account()
        if await self.role_in(shop, account.id) is None:
            raise Forbidden("Only the people of this shop can do that.")
        return account

    async def staff(self, identity: Identity, shop: str) -> Staff:
        """Who works for the shop besides its owner, in the order they were added."""
        await self.require_staff(identity, shop)
        async with self.database.read() as session:
            wanted = select(StaffRow.account).where(StaffRow.shop == shop).order_by(StaffRow.added_at, StaffRow.account)
            ids = (await session.scalars(wanted)).all()
        people = await self._people.by_ids(ids)
        return Staff(staff=[people[account].person for account in ids if account in people])

    async def add_staff(self, identity: Identity, shop: str, handle: str) -> Staff:
        """Only the owner may; adding someone twice, or the owner, changes nothing. Raises `NotFound`, `Forbidden`."""
        owner = await self._require_owner(identity, shop)
        account = await self._people.by_handle(handle)
        if account.id != owner.id:
            async with self.database.write() as session:
                await queries.lock_shop(session, shop)
                if await session.get(StaffRow, (shop, account.id)) is None:
                    session.add(StaffRow(shop=shop, account=account.id, added_at=now_ms()))
            await self._publisher.rights_changed(account.id)
        return await self.staff(identity, shop)

    async def remove_staff(self, identity: Identity, shop: str, handle: str) -> Staff:
        """Only the owner may; their rights end at once, on open pages too. Raises `NotFound`, `Forbidden`."""
        await self._require_owner(identity, shop)
        account = await self._people.by_handle(handle)
        async with self.database.write() as session:
            if row := await session.get(StaffRow, (shop, account.id)):
                await session.delete(row)
        await self._publisher.rights_changed(account.id)
        return await self.staff(identity, shop)

    async def _require_owner(self, identity: Identity, shop: str) -> Account:
        account = identity.require_account()
        if await self.role_in(shop, account.id) != "owner":
            raise Forbidden("Only the owner of this shop can change its staff.")
        return account
