"""A shop on PostgreSQL, for comparison."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Self

import asyncpg  # pyright: ignore[reportMissingTypeStubs] - asyncpg ships none

from loadtests.engines import UNITS, VARIANT, wish

TABLES = """
CREATE TABLE stock (variant text PRIMARY KEY, available bigint CHECK (available >= 0));
CREATE TABLE holds (key text PRIMARY KEY, id text, buyer text, variant text, quantity int);
"""


class HotRow:
    """One transaction takes a unit from the row everybody wants and writes the hold."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool

    @classmethod
    @asynccontextmanager
    async def opened(cls, url: str, clients: int) -> AsyncGenerator[Self]:
        async with asyncpg.create_pool(url.replace("+asyncpg", ""), min_size=clients, max_size=clients) as pool:
            await pool.execute(TABLES)
            await pool.execute("INSERT INTO stock VALUES ($1, $2)", VARIANT, UNITS)
            yield cls(pool)

    async def buy(self) -> None:
        r = wish()
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute("UPDATE stock SET available = available - $1 WHERE variant = $2", 1, r.variant)
            row = (r.key, r.hold, r.buyer, r.variant, r.quantity)
            await connection.execute("INSERT INTO holds VALUES ($1, $2, $3, $4, $5)", *row)
