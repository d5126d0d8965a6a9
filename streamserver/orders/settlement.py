"""From an authorised payment to a paid order, once, whatever crashes or comes twice.

Every step is: look under the order's row lock, act outside of it (the call can be repeated), write down under the lock.
`drive` takes steps until none is left. A crash leaves `due_at` behind, and `settle_due` drives on from what is recorded.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from sqlalchemy import select

from streamserver.kit.clock import now_ms
from streamserver.kit.errors import NotFound
from streamserver.kit.log import log
from streamserver.kit.sql import Database
from streamserver.orders.book import locked
from streamserver.orders.errors import PaymentRefused
from streamserver.orders.model import FORWARD, Payments, PaymentStatus, Step, advance, next_step
from streamserver.orders.tables import LineRow, OrderRow, PaymentRow
from streamserver.stock.errors import DuplicatePayment, HoldGone
from streamserver.stock.service import StockService

STALLED_MS = 5_000  # an order that is not driven on for so long is taken over
TROUBLED_MS = 30_000  # one that fails is left alone for so long
BATCH = 100


def drop_lines(order: OrderRow, lost: set[str]) -> None:
    """Take lost holds out of an unpaid order: a new revision, which no earlier payment pays. Nothing left: cancelled."""
    for line in order.open_lines:
        if line.hold in lost:
            line.status = "gone"
    order.revision += 1
    order.payment = None
    order.status = "pending" if order.open_lines else "cancelled"
    order.due_at = now_ms() + STALLED_MS


def call_off(order: OrderRow) -> list[LineRow]:
    """Cancel an unpaid order; its payment, if any, will be let go. Returns the lines this took out. Raises WrongState."""
    order.status = advance(order.status, "cancelled")
    lines = order.open_lines
    for line in lines:
        line.status = "gone"
    order.due_at = now_ms() + STALLED_MS
    return lines


class Settlement:
    """The `PaymentListener` of every provider. `unpaid_ms` is how long an order may wait for its payment."""

    def __init__(self, database: Database, stock: StockService, payments: Payments, unpaid_ms: int) -> None:
        self._database = database
        self._stock = stock
        self._payments = payments
        self._unpaid_ms = unpaid_ms
        self._steps: dict[Step, Callable[[OrderRow, str], Awaitable[bool]]] = {
            "settle": self._settle,
            "capture": self._capture,
            "void": self._void,
            "refund": self._refund,
        }

    # Notices

    async def payment_authorised(self, payment: str) -> None:
        await self._notice(payment, "authorised")

    async def payment_declined(self, payment: str) -> None:
        await self._notice(payment, "declined")

    async def payment_captured(self, payment: str) -> None:
        await self._notice(payment, "captured")

    async def payment_refunded(self, payment: str) -> None:
        await self._notice(payment, "refunded")

    async def _notice(self, payment: str, status: PaymentStatus) -> None:
        async with self._database.read() as session:
            order = await session.scalar(select(PaymentRow.order).where(PaymentRow.id == payment))
        if order is None:
            log.warning("notice of an unknown payment", payment=payment, status=status)
            return
        await self._record(order, payment, status)
        await self.drive(order)

    async def _record(self, order_id: str, payment_id: str, status: PaymentStatus) -> bool:
        """Write down what happened to a payment, and what that means to its order. False: it was known or overtaken."""
        async with self._database.write() as session:
            order = await locked(session, order_id)
            payment = next(payment for payment in order.payments if payment.id == payment_id)
            repeated = payment.status == status
            if not repeated and status not in FORWARD[payment.status]:
                return False
            payment.status = status
            if order.payment == payment_id:
                _follow(order, status)
            if not repeated:
                order.due_at = now_ms() + STALLED_MS
        return not repeated

    # Driving

    async def settle_due(self) -> None:
        """Finish what a crash or a lost notice left behind, and cancel what was never paid. `jobs` calls it often."""
        query = select(OrderRow.id).where(OrderRow.due_at <= now_ms()).order_by(OrderRow.due_at).limit(BATCH)
        async with self._database.read() as session:
            due = (await session.scalars(query)).all()
        for order in due:
            try:
                await self._cancel_unpaid(order)
                await self.drive(order)
            except Exception:
                log.exception("order could not be settled", order=order)
                await self._postpone(order)

    async def drive(self, order_id: str) -> None:
        """Take steps until nothing is left to do, or until somebody else is seen doing it."""
        while True:
            order = await self._load(order_id)
            await self._return_units(order)
            todo = _first_step(order)
            if todo is None:
                return await self._rest(order_id)
            payment, step = todo
            if not await self._steps[step](order, payment):
                return None

    async def nudge(self, order_id: str) -> None:
        """Drive now, if that works: what was decided is recorded already, and `jobs` tries again."""
        try:
            await self.drive(order_id)
        except Exception:
            log.exception("order could not be driven on", order=order_id)

    async def _settle(self, order: OrderRow, payment: str) -> bool:
        claimed = await self._claim(order.id, payment)
        if claimed is None:
            return False
        lost = await self._confirm(claimed, payment)
        if not await self._conclude(claimed, payment, lost):
            return False
        return bool(lost) or await self._collect(claimed, payment)

    async def _claim(self, order_id: str, payment: str) -> OrderRow | None:
        """Take the order for settling. None: another process has it, or it waits for another payment now."""
        async with self._database.write() as session:
            order = await locked(session, order_id)
            fresh = order.status == "pending"
            stalled = order.status == "authorised" and (order.due_at or 0) <= now_ms()
            if order.payment != payment or not (fresh or stalled):
                return None
            order.status = "authorised"
            order.attempt += 1
            order.due_at = now_ms() + STALLED_MS
        return order

    async def _confirm(self, order: OrderRow, payment: str) -> set[str]:
        """Sell the open lines' holds, all or none. Returns the holds that stood in the way."""
        pools: dict[str, list[LineRow]] = {}
        for line in sorted(order.open_lines, key=lambda line: line.pool):
            pools.setdefault(line.pool, []).append(line)
        sold: list[LineRow] = []
        for pool, lines in pools.items():
            lost = await self._sell(pool, [line.hold for line in lines], payment, order.attempt)
            if lost:
                await self._give_back(sold, f"{payment}:{order.attempt}", payment, order.attempt)
                return lost
            sold += lines
        return set()

    async def _sell(self, pool: str, holds: list[str], payment: str, attempt: int) -> set[str]:
        try:
            return set((await self._stock.confirm(pool, holds, payment, attempt)).lost)
        except DuplicatePayment as duplicate:
            return set(duplicate.details["holds"])

    async def _conclude(self, claimed: OrderRow, payment: str, lost: set[str]) -> bool:
        """Write down how settling went. False: this attempt was overtaken, so it changes nothing and keeps no units."""
        async with self._database.write() as session:
            order = await locked(session, claimed.id)
            mine = order.status == "authorised" and order.payment == payment and order.attempt == claimed.attempt
            unwanted = order.payment != payment or order.status == "cancelled"
            if mine and lost:
                drop_lines(order, lost)
            elif mine:
                order.status = advance(order.status, "confirmed")
                for line in order.open_lines:
                    line.status = "sold"
                order.due_at = now_ms() + STALLED_MS
        if unwanted and not mine and not lost:
            await self._give_back(claimed.open_lines, f"{payment}:{claimed.attempt}", payment, claimed.attempt)
        return mine

    async def _capture(self, order: OrderRow, payment: str) -> bool:
        """Take over from whoever confirmed the order and did not come back. False: they are still on it."""
        return (order.due_at or 0) <= now_ms() and await self._collect(order, payment)

    async def _collect(self, order: OrderRow, payment: str) -> bool:
        """Take the money of an order that is confirmed in SQL. An authorisation that lapsed cancels the order."""
        try:
            await self._payments.capture(payment)
        except PaymentRefused:
            log.warning("capture refused", order=order.id, payment=payment)
            return await self._lapse(order.id, payment)
        await self._record(order.id, payment, "captured")
        await self._stock.forget(order.buyers, [line.hold for line in order.lines])
        return True

    async def _lapse(self, order_id: str, payment: str) -> bool:
        async with self._database.write() as session:
            order = await locked(session, order_id)
            if order.status == "confirmed":
                order.status = advance(order.status, "cancelled")
                order.return_operation = f"lapsed:{payment}"
        await self._record(order_id, payment, "voided")
        return True

    async def _void(self, order: OrderRow, payment: str) -> bool:
        try:
            await self._payments.void(payment)
        except PaymentRefused:  # it was captured in the meantime: the next step is a refund
            return await self._record(order.id, payment, "captured")
        return await self._record(order.id, payment, "voided")

    async def _refund(self, order: OrderRow, payment: str) -> bool:
        await self._payments.refund(payment)
        return await self._record(order.id, payment, "refunded")

    # Units and rest

    async def _return_units(self, order: OrderRow) -> None:
        """Put the sold units of an order that is over back on sale, when that was decided."""
        sold = order.units_to_return
        if order.return_operation is None or order.payment is None or not sold:
            return
        await self._give_back(sold, order.return_operation, order.payment)
        async with self._database.write() as session:
            for line in (await locked(session, order.id)).units_to_return:
                line.status = "returned"

    async def _give_back(
        self, lines: Sequence[LineRow], operation: str, payment: str, attempt: int | None = None
    ) -> None:
        """`attempt`: only what no later attempt relies on."""
        for line in lines:
            await self._stock.give_back(line.pool, line.hold, f"{operation}:{line.hold}", payment, attempt)

    async def release(self, lines: Sequence[LineRow], buyers: Sequence[str]) -> None:
        """Give the holds of a cancelled order back at once, rather than at their deadlines."""
        for line in lines:
            with suppress(NotFound, HoldGone):
                await self._stock.release(line.hold, buyers)

    async def _cancel_unpaid(self, order_id: str) -> None:
        async with self._database.write() as session:
            order = await locked(session, order_id)
            unpaid = order.status == "pending" and _first_step(order) is None
            if not unpaid or order.placed_at + self._unpaid_ms > now_ms():
                return
            lines = call_off(order)
        await self.release(lines, order.buyers)

    async def _rest(self, order_id: str) -> None:
        """Nothing is left to do: look again only when an unpaid order has waited too long."""
        async with self._database.write() as session:
            order = await locked(session, order_id)
            if _first_step(order) is None and not order.units_to_return:
                order.due_at = order.placed_at + self._unpaid_ms if order.status == "pending" else None

    async def _postpone(self, order_id: str) -> None:
        async with self._database.write() as session:
            (await locked(session, order_id)).due_at = now_ms() + TROUBLED_MS

    async def _load(self, order_id: str) -> OrderRow:
        async with self._database.read() as session:
            return await session.get_one(OrderRow, order_id)


def _follow(order: OrderRow, payment: PaymentStatus) -> None:
    """What became of its current payment changes an order."""
    if order.status == "pending" and payment in {"declined", "refunded"}:
        order.payment = None  # the buyer may try again
    elif order.status == "confirmed" and payment == "captured":
        order.status = advance(order.status, "paid")
    elif order.status in {"paid", "shipped", "delivered"} and payment == "refunded":
        order.status = advance(order.status, "refunded")


def _first_step(order: OrderRow) -> tuple[str, Step] | None:
    """The first payment of the order that something must happen to, and what."""
    for payment in order.payments:
        if step := next_step(order.status, current=order.payment == payment.id, payment=payment.status):
            return payment.id, step
    return None
