"""After checkout: cancelling, shipping, delivering, refunding."""

from streamserver.accounts.model import Identity
from streamserver.kit.clock import now_ms
from streamserver.messages.orders import Order, OrderStatus, Refund
from streamserver.orders.book import OrderBook, locked
from streamserver.orders.errors import WrongState
from streamserver.orders.model import STANDING, advance
from streamserver.orders.settlement import STALLED_MS, Settlement, call_off
from streamserver.orders.tables import LineRow, OrderRow


class Selling:
    """Each use case records the decision; moving money and units is driven from there and survives a crash."""

    def __init__(self, book: OrderBook, settlement: Settlement) -> None:
        self._book = book
        self._database = book.database
        self._settlement = settlement

    async def cancel(self, identity: Identity, order_id: str, key: str = "") -> Order:
        """For the buyer until it is paid; for the seller until it is shipped, with money and units going back.
        Raises WrongState, NotFound."""
        order = await self._book.load(order_id)
        seller = await self._book.is_seller(identity, order)
        if seller:
            identity.require_scope("shops")
        else:
            await self._book.of_buyer(identity, order_id, key)
            identity.require_scope("buy")
        return await self._cancel(order_id, as_seller=seller)

    async def _cancel(self, order_id: str, *, as_seller: bool) -> Order:
        lines: list[LineRow] = []
        async with self._database.write() as session:
            order = await locked(session, order_id)
            if order.status == "pending" and order.is_being_paid:
                raise WrongState(STANDING["authorised"], state="authorised")
            if order.status == "pending":
                lines = call_off(order)
            elif as_seller and order.status in {"confirmed", "paid"}:
                order.status = advance(order.status, "cancelled")
                order.return_operation = "cancel"
                order.due_at = now_ms() + STALLED_MS
            elif order.status != "cancelled":
                raise WrongState(STANDING[order.status], state=order.status)
        await self._settlement.release(lines, order.buyers)
        await self._settlement.nudge(order_id)
        return await self._show(order_id, to_seller=as_seller)

    async def ship(self, identity: Identity, order_id: str, tracking: str) -> Order:
        """Raises WrongState unless it is paid; shipping again only changes the tracking."""
        await self._book.of_seller(identity, order_id)
        async with self._database.write() as session:
            order = await locked(session, order_id)
            _move(order, "shipped")
            order.tracking = tracking or order.tracking
        return await self._show(order_id, to_seller=True)

    async def deliver(self, identity: Identity, order_id: str) -> Order:
        """Raises WrongState unless it is shipped."""
        await self._book.of_seller(identity, order_id)
        async with self._database.write() as session:
            _move(await locked(session, order_id), "delivered")
        return await self._show(order_id, to_seller=True)

    async def refund(self, identity: Identity, order_id: str, refund: Refund) -> Order:
        """Money goes back once. Units go back on sale once, when asked for, then or later. Raises WrongState."""
        await self._book.of_seller(identity, order_id)
        async with self._database.write() as session:
            order = await locked(session, order_id)
            _move(order, "refunded")
            if refund.return_units and order.return_operation is None:
                order.return_operation = refund.operation
            order.due_at = now_ms() + STALLED_MS
        await self._settlement.nudge(order_id)
        return await self._show(order_id, to_seller=True)

    async def _show(self, order_id: str, *, to_seller: bool) -> Order:
        return await self._book.show(await self._book.load(order_id), to_seller=to_seller)


def _move(order: OrderRow, to: OrderStatus) -> None:
    """Go there; being there already is done, not wrong."""
    if order.status != to:
        order.status = advance(order.status, to)
