"""What orders promise: sold lines, for a pool that must be rebuilt."""

from collections.abc import Sequence

from sqlalchemy import select

from streamserver.kit.sql import Database
from streamserver.orders.tables import LineRow, OrderRow
from streamserver.stock.adoption import Sale
from streamserver.stock.model import Pool


class Sales:
    """Implements `stock.recovery.SalesBook`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def sales(self, pool: Pool) -> Sequence[Sale]:
        """Every line that was sold for good, also those whose unit went back on sale since."""
        query = (
            select(LineRow, OrderRow)
            .join(OrderRow, LineRow.order == OrderRow.id)
            .where(LineRow.pool == pool, LineRow.status.in_(["sold", "returned"]), OrderRow.payment.is_not(None))
            .order_by(LineRow.id)
        )
        async with self._database.read() as session:
            return [_sale(line, order) for line, order in await session.execute(query)]


def _sale(line: LineRow, order: OrderRow) -> Sale:
    returned = line.status == "returned" and order.return_operation
    return Sale(
        hold=line.hold,
        buyer=order.buyer,
        variant=line.variant,
        quantity=line.quantity,
        price=line.price,
        currency=order.currency,
        deadline=line.deadline,
        source=line.source,
        payment=order.payment or "",
        attempt=order.attempt,
        returned_by=f"{order.return_operation}:{line.hold}" if returned else None,
    )
