"""Checkout: holds become an order, and an order gets a payment of exactly what its buyer saw."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from secrets import choice

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from streamserver.accounts.model import Identity
from streamserver.catalog.model import VariantFacts
from streamserver.catalog.service import CatalogService
from streamserver.kit.clock import now_ms
from streamserver.kit.errors import Conflict, Invalid, NotFound
from streamserver.kit.ids import ALPHABET, new_id
from streamserver.kit.money import MAX_AMOUNT
from streamserver.messages.catalog import Shop
from streamserver.messages.orders import NewOrder, Order
from streamserver.messages.stock import Source
from streamserver.orders.book import OrderBook, locked
from streamserver.orders.errors import MixedBag, OrderChanged, WrongState
from streamserver.orders.model import OVER, STANDING, Charge, Payments
from streamserver.orders.settlement import Settlement, call_off, drop_lines
from streamserver.orders.tables import LineRow, OrderRow, PaymentRow
from streamserver.stock.errors import HoldGone, KeyReused, LimitReached, NotSelling, SoldOut
from streamserver.stock.model import HoldRecord
from streamserver.stock.service import StockService

TRIES = 5  # of writing an order down when another request takes the same holds, key or number at that moment


@dataclass(frozen=True, slots=True)
class Placed:
    """`replayed`: this key had placed the order before."""

    order: Order
    replayed: bool


class Checkout:
    """`unpaid_ms` is how long an order may wait for its payment."""

    def __init__(
        self,
        book: OrderBook,
        settlement: Settlement,
        stock: StockService,
        catalog: CatalogService,
        payments: Payments,
        unpaid_ms: int,
    ) -> None:
        self._book = book
        self._database = book.database
        self._settlement = settlement
        self._stock = stock
        self._catalog = catalog
        self._payments = payments
        self._unpaid_ms = unpaid_ms

    # Placing

    async def place(self, identity: Identity, new: NewOrder) -> Placed:
        """Once for each key of a buyer. Raises HoldGone, MixedBag, KeyReused, WrongState, Invalid."""
        async with self._database.read() as session:
            known = await _by_key(session, identity, new)
        if known:
            return Placed(await self._book.show(known), replayed=True)
        holds = await self._living_holds(identity, new)
        facts = await self._catalog.variants({hold.variant for hold in holds})
        shop = await self._one_shop(holds, facts)
        order, replaced = await self._write(identity, new, shop, holds, facts)
        for earlier in replaced or ():
            await self._settlement.nudge(earlier)
        return Placed(await self._book.show(order), replayed=replaced is None)

    async def _living_holds(self, identity: Identity, new: NewOrder) -> list[HoldRecord]:
        ids = list(dict.fromkeys(new.holds))
        known = {hold.id: hold for hold in await self._stock.holds(identity.buyers)}
        if not known.keys() >= set(ids):
            known |= await self._retake(identity, new.tokens)
        own = {hold: record for hold, record in known.items() if record.is_living}
        if gone := [hold for hold in ids if hold not in own]:
            raise HoldGone("Some of this is no longer set aside for you. Look at your bag again.", holds=gone)
        return [own[hold] for hold in ids]

    async def _retake(self, identity: Identity, tokens: Iterable[str]) -> dict[str, HoldRecord]:
        """Holds that were acknowledged and lost: taken again by their tokens, as far as there are units."""
        found: dict[str, HoldRecord] = {}
        for token in tokens:
            with suppress(SoldOut, LimitReached, NotSelling, NotFound):
                hold = await self._stock.retake(token, identity.buyers)
                found[hold.id] = hold
        return found

    async def _one_shop(self, holds: Sequence[HoldRecord], facts: dict[str, VariantFacts]) -> Shop:
        shops = {facts[hold.variant].shop for hold in holds}
        if len(shops) > 1 or len({hold.currency for hold in holds}) > 1:
            raise MixedBag
        shop = await self._catalog.shop(shops.pop())
        if sum(hold.price * hold.quantity for hold in holds) + shop.shipping > MAX_AMOUNT:
            raise Invalid("This is too much for one order. Split it in two.")
        return shop

    async def _write(
        self,
        identity: Identity,
        new: NewOrder,
        shop: Shop,
        holds: Sequence[HoldRecord],
        facts: dict[str, VariantFacts],
    ) -> tuple[OrderRow, list[str] | None]:
        """The order, and the ids of pending ones that it replaces: their holds move into it. None: its key was known."""
        for _ in range(TRIES):
            with suppress(IntegrityError):
                async with self._database.write() as session:
                    known = await _by_key(session, identity, new)
                    if known:
                        return known, None
                    replaced = await _replace(session, [hold.id for hold in holds])
                    order = self._new_row(identity, new, shop, holds, facts)
                    session.add(order)
                return order, replaced
        raise Conflict

    def _new_row(
        self,
        identity: Identity,
        new: NewOrder,
        shop: Shop,
        holds: Sequence[HoldRecord],
        facts: dict[str, VariantFacts],
    ) -> OrderRow:
        placed_at = now_ms()
        return OrderRow(
            id=new_id("order"),
            number=_new_number(),
            buyer=identity.buyer,
            buyers=list(identity.buyers),
            key=new.key,
            digest=_digest(new),
            shop=shop.id,
            currency=holds[0].currency,
            status="pending",
            revision=1,
            shipping=shop.shipping,
            email=new.email,
            address=new.address.model_dump(),
            placed_at=placed_at,
            due_at=placed_at + self._unpaid_ms,
            lines=[_new_line(position, hold, facts[hold.variant]) for position, hold in enumerate(holds)],
            payments=[],
        )

    # Paying

    async def pay(self, identity: Identity, order_id: str, revision: int, key: str = "") -> Order:
        """Open a payment of the order as seen at `revision`, or answer the one that is open. Raises OrderChanged before any
        charge when lines were lost or the revision is an old one; WrongState, NotFound."""
        order = await self._book.of_buyer(identity, order_id, key)
        lost = await self._lost(order)
        async with self._database.write() as session:
            current = await locked(session, order_id)
            if current.status != "pending":
                raise WrongState(STANDING[current.status], state=current.status)
            if lost & {line.hold for line in current.open_lines}:
                drop_lines(current, lost)
            changed = current.revision != revision
            payment = None if changed else _payment_of(current)
        if payment is None:
            await self._settlement.nudge(order_id)
            raise await self._order_changed(order_id)
        return_url = self._book.link(order_id) if key else f"/orders/{order_id}"
        await self._open(current, payment, return_url)
        return await self._book.show(await self._book.load(order_id))

    async def _lost(self, order: OrderRow) -> set[str]:
        """Holds of open lines that cannot be sold to this buyer any more. What settling gave back (*returned*), and what was
        never set aside (*wanted*), can be taken while there are units."""
        lost: set[str] = set()
        for line in order.open_lines:
            found = await self._stock.holds_in(line.pool, [line.hold]) or await self._retake_line(order, line)
            status = found[0].status if found else "expired"
            if status in {"returned", "wanted"}:
                units = await self._stock.units(line.pool, [line.variant])
                status = "held" if units[line.variant].available >= line.quantity else status
            if status != "held":
                lost.add(line.hold)
        return lost

    async def _retake_line(self, order: OrderRow, line: LineRow) -> list[HoldRecord]:
        """A hold that was lost after its order was placed: the order is proof enough."""
        source = Source.model_validate(line.source).model_dump_json(exclude_none=True)
        promised = HoldRecord(
            line.hold, line.pool, order.buyer, line.variant, line.quantity, line.price, order.currency, line.deadline, "held",
            source,
        )  # fmt: skip
        with suppress(SoldOut, LimitReached, NotSelling):
            return [await self._stock.retake_promised(promised)]
        return []

    async def _order_changed(self, order_id: str) -> OrderChanged:
        order = await self._book.show(await self._book.load(order_id))
        sentence = None
        if order.status == "cancelled":
            sentence = "Everything in this order was gone before it was paid, so it was cancelled. Nothing was charged."
        return OrderChanged(sentence, order=order.model_dump(mode="json"))

    async def _open(self, order: OrderRow, payment: PaymentRow, return_url: str) -> None:
        if payment.url is not None:
            return
        url = await self._payments.open(
            Charge(payment.id, order.id, order.number, payment.amount, payment.currency, return_url)
        )
        async with self._database.write() as session:
            row = await session.get_one(PaymentRow, payment.id)
            row.url = url


def _payment_of(order: OrderRow) -> PaymentRow:
    """The payment that the order waits for; a new one when there is none. Raises WrongState while one is settled."""
    if order.payment is None:
        payment = PaymentRow(
            id=new_id("pay"),
            revision=order.revision,
            amount=order.total,
            currency=order.currency,
            status="open",
            url=None,
            opened_at=now_ms(),
        )
        order.payments.append(payment)
        order.payment = payment.id
        return payment
    if order.open_payment is None:
        raise WrongState(STANDING["authorised"], state="authorised")
    return order.open_payment


async def _by_key(session: AsyncSession, identity: Identity, new: NewOrder) -> OrderRow | None:
    """The order that this key placed. Raises KeyReused when that was another one."""
    query = select(OrderRow).where(OrderRow.buyer == identity.buyer, OrderRow.key == new.key)
    order = await session.scalar(query)
    if order and order.digest != _digest(new):
        raise KeyReused
    return order


async def _replace(session: AsyncSession, holds: Sequence[str]) -> list[str]:
    """Call off pending orders that have any of these holds. Raises WrongState when one is being paid, HoldGone when paid."""
    query = select(LineRow.order).where(LineRow.hold.in_(holds), LineRow.status.in_(["open", "sold"])).distinct()
    replaced = sorted((await session.scalars(query)).all())
    for earlier in replaced:
        order = await locked(session, earlier)
        if order.status in OVER:  # another checkout called it off while we waited for the lock
            continue
        if order.status == "authorised" or order.is_being_paid:
            raise WrongState(STANDING["authorised"], state="authorised", order=order.id)
        if order.status != "pending":
            raise HoldGone("You already bought some of this. Look at your orders.", order=order.id)
        call_off(order)
    await session.flush()  # before the new lines: a hold can be in one living order only
    return replaced


def _new_line(position: int, hold: HoldRecord, facts: VariantFacts) -> LineRow:
    return LineRow(
        id=new_id("line"),
        position=position,
        hold=hold.id,
        pool=hold.pool,
        product=facts.product,
        variant=hold.variant,
        sku=facts.sku,
        title=facts.product_title,
        variant_title=facts.title,
        image=facts.image,
        quantity=hold.quantity,
        price=hold.price,
        deadline=hold.deadline,
        status="open",
        room=hold.source.room,
        source=hold.source.model_dump(),
    )


def _new_number() -> str:
    """Eight characters that a person can read out, e.g. `7K2M-9QXW`."""
    chars = "".join(choice(ALPHABET) for _ in range(8)).upper()
    return f"{chars[:4]}-{chars[4:]}"


def _digest(new: NewOrder) -> str:
    """What an idempotency key is bound to."""
    return sha256(new.model_dump_json(exclude={"key", "tokens"}).encode()).hexdigest()
