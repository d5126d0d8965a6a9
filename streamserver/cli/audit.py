"""`run.py audit`: a verdict on every pool, against the orders too."""

from collections.abc import Sequence

from redis.asyncio import Redis
from rich.console import Console
from rich.markup import escape
from sqlalchemy import select

from streamserver.config import Config
from streamserver.kit.redis import connect
from streamserver.kit.sql import Database
from streamserver.orders.tables import LineRow, OrderRow
from streamserver.stock.audit import Audit, Verdict
from streamserver.stock.model import HoldRecord, Pool
from streamserver.stock.repair import repair
from streamserver.stock.store import PoolStore


class OrderLines:
    """Order lines against holds. An order with something left to do (`due_at`) may be half a step ahead of its holds."""

    def __init__(self, database: Database, redis: Redis) -> None:
        self._database = database
        self._store = PoolStore(redis)

    async def disagreements(self, pool: Pool, holds: Sequence[HoldRecord]) -> list[str]:
        lines = await self._lines(pool)
        sold = {hold.id: hold for hold in holds if hold.status == "sold"}
        suspects = [h for h in sold if _unexplained(sold[h], lines.get(h, []))]
        suspects += [h for h, found in lines.items() if h not in sold and any(_is_sold(*one) for one in found)]
        if not suspects:
            return []
        now = {hold.id: hold for hold in await self._store.holds(pool, suspects)}
        lines = await self._lines(pool)
        return [sentence for h in suspects if (sentence := _verdict(h, now.get(h), lines.get(h, [])))]

    async def _lines(self, pool: Pool) -> dict[str, list[tuple[LineRow, OrderRow]]]:
        """Hold → its lines with their orders."""
        found: dict[str, list[tuple[LineRow, OrderRow]]] = {}
        query = select(LineRow, OrderRow).join(OrderRow, LineRow.order == OrderRow.id).where(LineRow.pool == pool)
        async with self._database.read() as session:
            for line, order in await session.execute(query):
                found.setdefault(line.hold, []).append((line, order))
        return found


async def examine(config: Config, pool: Pool | None, *, mend: bool) -> tuple[list[Verdict], list[str]]:
    """The verdicts, and what was repaired before them."""
    database, redis = Database(config.database_url), connect(config.stock_redis_url)
    orders = OrderLines(database, redis)
    try:
        verdicts = await Audit(database, redis, orders).run(pool)
        if not mend:
            return verdicts, []
        repairs = [f"{one.pool} {done}" for one in verdicts for done in await repair(redis, one)]
        return await Audit(database, redis, orders).run(pool), repairs
    finally:
        await redis.aclose()
        await database.close()


def show(verdicts: Sequence[Verdict], repairs: Sequence[str], console: Console) -> None:
    for done in repairs:
        console.print(f"[yellow]repaired[/] {escape(done)}", highlight=False)
    for verdict in verdicts:
        mark = "[red]✗[/]" if verdict.findings else "[green]✓[/]"
        names = ("available", "held", "sold")
        units = ", ".join(f"{sum(u[name] for u in verdict.units.values())} {name}" for name in names)
        console.print(
            f"{mark} [bold]{escape(verdict.pool)}[/] {verdict.entries} entries, {len(verdict.units)} variants: {units}",
            highlight=False,
        )
        for finding in verdict.findings:
            console.print(f"    {escape(finding)}", highlight=False)
    wrong = sum(bool(verdict.findings) for verdict in verdicts)
    console.print(f"{len(verdicts)} pools, {wrong} with findings." if verdicts else "There are no pools yet.")


def _is_sold(line: LineRow, order: OrderRow) -> bool:
    """Whether its hold must be sold: unless its unit is on its way back on sale."""
    return line.status == "sold" and not order.units_to_return


def _unexplained(hold: HoldRecord, lines: Sequence[tuple[LineRow, OrderRow]]) -> bool:
    """A sold hold needs a line that is sold for the same payment, or an order that is still being settled."""
    return not any(
        (line.status == "sold" and order.payment == hold.payment)
        or (order.due_at is not None and any(payment.id == hold.payment for payment in order.payments))
        for line, order in lines
    )


def _verdict(hold_id: str, hold: HoldRecord | None, lines: Sequence[tuple[LineRow, OrderRow]]) -> str:
    """What is wrong with a hold and its lines; empty when nothing is."""
    sold = [order for line, order in lines if _is_sold(line, order)]
    if hold is None or hold.status != "sold":
        status = hold.status if hold else "unknown"
        return f"Order {sold[0].number} has sold hold {hold_id}, which is {status}." if sold else ""
    return f"Hold {hold_id} is sold for {hold.payment}, but no order has it." if _unexplained(hold, lines) else ""
