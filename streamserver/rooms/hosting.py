"""What a host does: plan a room, start it, end it (and take that back), appoint moderators, read the figures."""

from collections.abc import Sequence
from typing import Literal, Protocol, cast

from sqlalchemy import func, select

from streamserver.accounts.model import Account, Identity
from streamserver.accounts.service import AccountService
from streamserver.config import Config
from streamserver.kit.clock import now_ms
from streamserver.kit.errors import Forbidden, Invalid, NotFound
from streamserver.kit.ids import new_id
from streamserver.kit.sql import Database
from streamserver.messages.live import Publisher
from streamserver.messages.rooms import (
    Life,
    Moderator,
    ModeratorList,
    NewRoom,
    Permission,
    RoomCard,
    RoomChange,
    RoomList,
    Sales,
    VariantSales,
    ViewersState,
)
from streamserver.rooms.book import RoomBook
from streamserver.rooms.errors import TooManyRooms, WrongState
from streamserver.rooms.presence import Turnout
from streamserver.rooms.rights import Rights
from streamserver.rooms.service import Presence
from streamserver.rooms.tables import ModeratorRow, RoomRow, TapRow
from streamserver.stock.errors import TooLate
from streamserver.stock.model import room_pool
from streamserver.stock.service import StockService

LIST_SIZE = 50
MAX_ROOMS = 50  # that one host may have planned or running
Filter = Literal["live", "scheduled", "ended", "mine"]
SHOWN: dict[str, tuple[str, ...]] = {"live": ("live", "ending"), "scheduled": ("scheduled",), "ended": ("ended",)}


class SalesBook(Protocol):
    """What orders know of a room's sales."""

    async def room_sales(self, room: str) -> tuple[int, dict[str, int]]:
        """Return (confirmed orders, revenue in minor units by currency)."""
        ...


class Hosting:
    def __init__(
        self,
        database: Database,
        book: RoomBook,
        rights: Rights,
        people: AccountService,
        stock: StockService,
        presence: Presence,
        sales_book: SalesBook,
        publisher: Publisher,
        config: Config,
    ) -> None:
        self._database = database
        self._book = book
        self._rights = rights
        self._people = people
        self._stock = stock
        self._presence = presence
        self._sales_book = sales_book
        self._publisher = publisher
        self._config = config

    async def create(self, identity: Identity, wanted: NewRoom) -> str:
        """Plan a room; returns its id. Raises SignInNeeded, Forbidden, TooManyRooms."""
        account = self._may_host(identity)
        room = RoomRow(
            id=new_id("room"), creator=account.id, title=wanted.title, description=wanted.description, status="scheduled",
            scheduled_at=wanted.scheduled_at, created_at=now_ms(), started_at=None, ending_at=None, ended_at=None,
            lineup_version=0,
        )  # fmt: skip
        mine = (RoomRow.creator == account.id, RoomRow.status != "ended")
        async with self._database.write() as session:
            if (await session.scalar(select(func.count()).where(*mine)) or 0) >= MAX_ROOMS:
                raise TooManyRooms(limit=MAX_ROOMS)
            session.add(room)
        await self._book.project(room.id)
        return room.id

    async def change(self, room: str, identity: Identity, wanted: RoomChange) -> None:
        await self._rights.require(room, identity, "host")
        async with self._database.write() as session:
            row = await session.get_one(RoomRow, room)
            for name, value in wanted.model_dump(exclude_unset=True).items():
                if value is None and name != "scheduled_at":
                    raise Invalid(f"'{name}' cannot be empty.")
                setattr(row, name, value)
        await self._book.project(room)

    async def start(self, room: str, identity: Identity) -> Life:
        """Go live; repeating it is harmless. Raises WrongState after the end."""
        await self._rights.require(room, identity, "host")
        async with self._database.write() as session:
            row = await session.get_one(RoomRow, room, with_for_update=True)
            if row.status == "ended":
                raise WrongState("The show is over. Plan a new one to go live again.")
            if row.status == "scheduled":
                row.status, row.started_at = "live", now_ms()
        return (await self._book.project(room)).life

    async def end(self, room: str, identity: Identity) -> Life:
        """Begin the end: it is final after `rooms.undo_seconds`. Raises WrongState unless live."""
        await self._rights.require(room, identity, "host")
        return await self.begin_end(room)

    async def begin_end(self, room: str) -> Life:
        """The pool knows first: from that moment on, whatever else fails, nothing is sold after it."""
        async with self._database.read() as session:
            row = await session.get_one(RoomRow, room)
        if row.status not in {"live", "ending"}:
            raise WrongState("Only a running show can be ended.")
        ending_at = await self._stock.end_at(room_pool(room), self._config.rooms.undo_seconds * 1000)
        await self.set_ending(room, ending_at)
        return (await self._book.project(room)).life

    async def undo_end(self, room: str, identity: Identity) -> Life:
        """Take the end back. Raises TooLate, WrongState."""
        await self._rights.require(room, identity, "host")
        async with self._database.read() as session:
            status = (await session.get_one(RoomRow, room)).status
        if status == "ended":
            raise TooLate
        if status != "ending":
            raise WrongState("This show is not about to end.")
        await self._stock.reopen(room_pool(room))
        await self.set_ending(room, None)
        return (await self._book.project(room)).life

    async def set_ending(self, room: str, ending_at: int | None) -> None:
        """Write down what the pool knows: when it closes, or that it does not."""
        async with self._database.write() as session:
            row = await session.get_one(RoomRow, room, with_for_update=True)
            if row.status in {"live", "ending"}:
                row.status, row.ending_at = ("ending", ending_at) if ending_at else ("live", None)

    async def rooms(self, identity: Identity, shown: Filter) -> RoomList:
        """Newest first; upcoming ones soonest first. *mine* also lists rooms that one moderates."""
        query = select(RoomRow).limit(LIST_SIZE)
        if shown == "mine":
            account = identity.require_account()
            moderated = select(ModeratorRow.room).where(ModeratorRow.account == account.id)
            query = query.where((RoomRow.creator == account.id) | RoomRow.id.in_(moderated))
        else:
            query = query.where(RoomRow.status.in_(SHOWN[shown]))
        order = RoomRow.scheduled_at.nulls_last() if shown == "scheduled" else RoomRow.id.desc()
        async with self._database.read() as session:
            rows = await session.scalars(query.order_by(order, RoomRow.id))
        return RoomList(rooms=[await self._card(row.id) for row in rows])

    async def _card(self, room: str) -> RoomCard:
        document = await self._book.document(room)
        viewers = (await self._presence.viewers(room)).value
        covers = [anchor.image for anchor in document.lineup.anchors if anchor.image]
        return RoomCard(
            about=document.about,
            life=document.life,
            cover=covers[0] if covers else None,
            products=len(document.lineup.anchors),
            viewers=viewers.viewers if isinstance(viewers, ViewersState) else 0,
        )

    async def moderators(self, room: str, identity: Identity) -> ModeratorList:
        await self._rights.require(room, identity, "host")
        async with self._database.read() as session:
            rows = list(await session.scalars(select(ModeratorRow).where(ModeratorRow.room == room)))
        people = await self._people.by_ids([row.account for row in rows])
        listed = [
            Moderator(person=people[row.account].person, permissions=cast("list[Permission]", row.permissions))
            for row in rows
        ]
        return ModeratorList(moderators=sorted(listed, key=lambda moderator: moderator.person.handle))

    async def grant(
        self, room: str, identity: Identity, handle: str, permissions: Sequence[Permission]
    ) -> ModeratorList:
        """Give an account exactly these permissions; none takes all of them away, also on its open sockets."""
        host = await self._rights.require(room, identity, "host")
        account = await self._people.by_handle(handle)
        if account.id == host.id:
            raise Invalid("You are the host: you have every right already.")
        async with self._database.write() as session:
            row = await session.get(ModeratorRow, (room, account.id))
            if row and not permissions:
                await session.delete(row)
            elif row:
                row.permissions = list(permissions)
            elif permissions:
                session.add(ModeratorRow(room=room, account=account.id, permissions=list(permissions)))
            else:
                raise NotFound("This person does not moderate here.")
        await self._publisher.rights_changed(account.id, room)
        return await self.moderators(room, identity)

    async def sales(self, room: str, identity: Identity) -> Sales:
        """The room's figures, for its host and moderators. Raises Forbidden."""
        account = identity.require_account()
        if not await self._rights.of(room, account):
            raise Forbidden("Only the host and moderators see these figures.")
        document = await self._book.document(room)
        variants = [(anchor, variant) for anchor in document.lineup.anchors for variant in anchor.variants]
        units = await self._stock.units(room_pool(room), [variant.id for _, variant in variants])
        orders, revenue = await self._sales_book.room_sales(room)
        viewers = (await self._presence.viewers(room)).value
        async with self._database.read() as session:
            taps = await session.scalar(select(func.count()).select_from(TapRow).where(TapRow.room == room))
            row = await session.get_one(RoomRow, room)
        turnout = _final_turnout(row) or await self._presence.turnout(room)
        return Sales(
            viewers=viewers.viewers if isinstance(viewers, ViewersState) else 0,
            peak_viewers=turnout.peak,
            unique_viewers=turnout.unique,
            taps=taps or 0,
            holds=sum(u.held for u in units.values()),
            orders=orders,
            revenue=revenue,
            variants=[
                VariantSales(
                    variant=variant.id,
                    sku=variant.sku,
                    title=f"{anchor.title} {variant.title}".strip(),
                    allotted=units[variant.id].moved_in,
                    available=units[variant.id].available,
                    held=units[variant.id].held,
                    sold=units[variant.id].sold,
                )
                for anchor, variant in variants
            ],
        )

    def _may_host(self, identity: Identity) -> Account:
        account = identity.require_account()
        identity.require_scope("rooms")
        if self._config.accounts.enrolment == "admins" and not account.is_admin:
            raise Forbidden("On this server only its owner opens shows. Ask them to open one for you.")
        return account


def _final_turnout(row: RoomRow) -> Turnout | None:
    if row.peak_viewers is None or row.unique_viewers is None:
        return None
    return Turnout(row.peak_viewers, row.unique_viewers)
