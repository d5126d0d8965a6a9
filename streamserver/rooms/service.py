"""What viewers and moderators do in a room: look, come back, tap, hold, pin."""

from collections.abc import Sequence
from typing import Protocol

from streamserver.accounts.model import Identity
from streamserver.kit.errors import NotFound
from streamserver.kit.rate import Rate
from streamserver.messages.catalog import Product
from streamserver.messages.live import After
from streamserver.messages.rooms import PinChange, Pins, Right, Snapshot, State, StockState, Tap
from streamserver.messages.stock import Hold, HoldRequest, LeaveRequest, Place, WaitRequest
from streamserver.rooms.book import RoomBook
from streamserver.rooms.documents import Documents, PinAnswer
from streamserver.rooms.errors import PinConflict, PinsFull, WrongState
from streamserver.rooms.model import Document
from streamserver.rooms.presence import Turnout
from streamserver.rooms.rights import Rights
from streamserver.rooms.taps import Taps
from streamserver.stock.model import HoldRecord, Pool, ReserveRequest, room_pool, shop_pool
from streamserver.stock.service import StockService


class Presence(Protocol):
    """Who is watching: implemented by `rooms/presence.py`."""

    async def viewers(self, room: str) -> State: ...

    async def turnout(self, room: str) -> Turnout: ...


class RoomService:
    def __init__(
        self,
        documents: Documents,
        book: RoomBook,
        rights: Rights,
        stock: StockService,
        presence: Presence,
        taps: Taps,
        tries_per_minute: int,
    ) -> None:
        self._documents = documents
        self._book = book
        self._rights = rights
        self._stock = stock
        self._presence = presence
        self._taps = taps
        self._tries = Rate(tries_per_minute, 60)

    async def snapshot(self, room: str, identity: Identity) -> Snapshot:
        """All a viewer needs. The states are read after the document and carry versions of their own. Raises NotFound."""
        document = await self._book.document(room)
        return Snapshot(
            epoch=document.epoch,
            seq=document.seq,
            at=await self._stock.time(),
            about=document.about,
            life=document.life,
            lineup=document.lineup,
            pins=document.pins,
            states=await self._states(document),
            rights=await self.rights(room, identity),
        )

    async def missing(self, room: str, after: After) -> list[bytes] | None:
        """Finished events after `after`; None means that only a new snapshot helps."""
        return await self._documents.missing(room, after)

    async def states(self, room: str) -> list[State]:
        """The newest value of everything in the state lane. Raises NotFound."""
        return await self._states(await self._book.document(room))

    async def rights(self, room: str, identity: Identity) -> list[Right]:
        if identity.account is None:
            return []
        return await self._rights.of(room, identity.account)

    async def hold(self, room: str, identity: Identity, request: HoldRequest, *, certain: bool = False) -> Hold:
        """Set units aside. `certain`: the pool itself is asked, whatever this process knows. Raises SoldOut, LimitReached,
        KeyReused, NotSelling, NotFound, OneMoment."""
        return await self._hold(room_pool(room), identity, request, first_try=not (certain or request.retry))

    async def hold_in_store(self, product: Product, identity: Identity, request: HoldRequest) -> Hold:
        """The same from the store stock of the product's shop, outside of any show. What the page says is what it costs: a
        price that a crash kept from the pool is brought there first."""
        variant = next((variant for variant in product.variants if variant.id == request.variant), None)
        if product.status != "active" or variant is None:
            raise NotFound("This is not sold here.")
        await self._stock.set_store_terms(product.shop.id, [(variant.id, variant.price, product.shop.currency)])
        return await self._hold(shop_pool(product.shop.id), identity, request, first_try=False)

    async def _hold(self, pool: Pool, identity: Identity, request: HoldRequest, *, first_try: bool) -> Hold:
        identity.require_scope("buy")
        identity.require_known()
        self._tries.require(identity.buyer)
        wanted = ReserveRequest(
            key=request.key,
            buyer=identity.buyer,
            variant=request.variant,
            quantity=request.quantity,
            hold=self._stock.hold_id(pool, identity.buyer, request.key),
            device=identity.device,
        )
        reserved = await self._stock.reserve(pool, wanted, first_try=first_try)
        return self._hold_message(reserved.hold, reserved.left, replayed=reserved.replayed)

    async def held(self, identity: Identity, hold: str) -> Hold:
        """One of the caller's holds as it is now. Raises NotFound."""
        record = await self._stock.hold(hold, identity.buyers)
        units = await self._stock.units(record.pool, [record.variant])
        return self._hold_message(record, units[record.variant].available, replayed=True)

    async def wait(self, room: str, identity: Identity, request: WaitRequest) -> Place:
        """Take a place in line, or keep it. Raises LimitReached, LineClosed, NotFound."""
        identity.require_scope("buy")
        identity.require_known()
        self._tries.require(f"wait {identity.buyer}")
        standing = await self._stock.wait(room_pool(room), request.variant, identity.buyer, identity.device)
        offer = self._hold_message(standing.offer, 0, replayed=True) if standing.offer else None
        return Place(variant=request.variant, place=standing.place, hold=offer)

    async def leave_line(self, room: str, identity: Identity, request: LeaveRequest) -> None:
        """Give one's place up; harmless without one."""
        identity.require_scope("buy")
        await self._stock.leave(room_pool(room), request.variant, identity.buyer)

    async def release(self, identity: Identity, hold_id: str) -> None:
        """Give a hold back early. Raises NotFound, HoldGone."""
        identity.require_scope("buy")
        await self._stock.release(hold_id, identity.buyers)

    async def tap(self, room: str, identity: Identity, tap: Tap) -> None:
        """Record that a viewer opened an anchor. Never waits. Raises TooManyRequests."""
        self._tries.require(f"tap {identity.device}")
        self._taps.add(room, tap.anchor, identity)

    async def pin(self, room: str, identity: Identity, change: PinChange) -> Pins:
        """Pin or unpin, seen at a version. Raises Forbidden, PinConflict, PinsFull, NotFound, WrongState."""
        account = await self._rights.require(room, identity, "pin")
        await self._book.document(room)
        answer = await self._documents.pin(room, change, account.person)
        if answer.pins is None or answer.verdict == "not_found":
            raise NotFound("This product is not in the line-up any more.")
        pins = answer.pins
        if answer.verdict == "ended":
            raise WrongState("The show is over: its pins stay as they were.")
        if answer.verdict == "full":
            raise PinsFull(pins=pins.model_dump())
        if answer.verdict == "conflict":
            raise await self._conflict(room, pins, answer)
        return pins

    def _hold_message(self, record: HoldRecord, left: int, *, replayed: bool) -> Hold:
        return Hold.trusted(
            id=record.id,
            pool=record.pool,
            variant=record.variant,
            quantity=record.quantity,
            price=record.price,
            currency=record.currency,
            deadline=record.deadline,
            status=record.status,
            left=left,
            replayed=replayed,
            token=self._stock.token(record),
        )

    async def _conflict(self, room: str, pins: Pins, answer: PinAnswer) -> PinConflict:
        last = answer.last
        if not last:
            return PinConflict("The line-up changed since you looked.", pins=pins.model_dump())
        document = await self._book.document(room)
        titles = {anchor.id: anchor.title for anchor in document.lineup.anchors}
        seconds = max(0, (await self._stock.time() - last["at"]) // 1000)
        done = "pinned" if last["action"] == "pin" else "unpinned"
        what = titles.get(last["anchor"], "a product that is gone now")
        sentence = f"{last['by']['name']} {done} {what} {_ago(seconds)}. Look again, then decide."
        return PinConflict(sentence, pins=pins.model_dump(), by=last["by"], at=last["at"], anchor=last["anchor"])

    async def _states(self, document: Document) -> list[State]:
        room = document.about.id
        variants = [variant.id for anchor in document.lineup.anchors for variant in anchor.variants]
        return [*await self._stock_states(room, variants), await self._presence.viewers(room)]

    async def _stock_states(self, room: str, variants: Sequence[str]) -> list[State]:
        units = await self._stock.units(room_pool(room), variants)
        return [
            State(
                key=f"stock:{variant}",
                version=u.version,
                value=StockState(variant=variant, available=u.available, epoch=u.epoch, waiting=u.waiting),
            )
            for variant, u in units.items()
        ]


def _ago(seconds: int) -> str:
    if seconds < 2:
        return "just now"
    if seconds < 60:
        return f"{seconds} s ago"
    return f"{seconds // 60} min ago"
