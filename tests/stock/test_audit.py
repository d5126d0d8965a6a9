"""The audit: silent about a shop that works, loud about every kind of meddling."""

import asyncio
from collections.abc import Awaitable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any, cast

import msgpack
import pytest
from redis.asyncio import Redis
from sqlalchemy import delete, func, select, update

from streamserver.cli import redis_server
from streamserver.cli.audit import OrderLines
from streamserver.config import Config, ServerConfig
from streamserver.kit.ids import new_id
from streamserver.kit.sql import Database
from streamserver.orders.tables import LineRow
from streamserver.stock.audit import Audit
from streamserver.stock.chain import GENESIS, link
from streamserver.stock.keys import pool_keys
from streamserver.stock.model import shop_pool
from streamserver.stock.repair import repair
from streamserver.stock.store import PoolStore
from streamserver.stock.tables import LedgerBuyerRow, LedgerCursorRow, LedgerRow
from tests.harness import environment, run
from tests.stock.ledger import POOL, open_pool, rewrite_stream, set_counter, stream_of
from tests.stock.sale import Sale, opened
from tests.world import World, guest


@pytest.fixture
async def sale(world: World, database: Database, redis: Redis) -> Sale:
    sale = await opened(world, database, redis)
    await sale.archive()
    return sale


def rows(sale: Sale) -> Any:
    return LedgerRow.pool == sale.pool


async def test_a_shop_that_works_has_no_findings(sale: Sale) -> None:
    """With part of the ledger archived and part of it still in the stream."""
    assert await sale.findings() == []
    await sale.hold(guest())
    await sale.world.services.stock.restock_store(sale.world.shop.id, new_id("op"), sale.variant, 3)
    assert await sale.findings() == []


async def test_a_shop_that_sells_meanwhile_has_no_findings(sale: Sale) -> None:
    """Holds come and go, the archive runs and units move between pools while the audit reads."""
    s, room, shop = sale.world.services, sale.pool, shop_pool(sale.world.shop.id)

    async def trade() -> None:
        for number in range(30):
            buyer = guest()
            await s.rooms.release(buyer, await sale.hold(buyer))
            await s.stock.transfer(f"there_{number}", sale.variant, 1, shop, room)
            await s.stock.transfer(f"back_{number}", sale.variant, 1, room, shop)
            await sale.archive()

    trading = asyncio.create_task(trade())
    while not trading.done():
        assert await sale.findings() == []
    await trading


async def test_an_unarchived_shop_has_no_findings(world: World, database: Database, redis: Redis) -> None:
    """The archive may be behind: nothing is missing as long as the stream has it."""
    room = await world.room(live=True)
    await world.anchor(room, await world.product())
    assert await Audit(database, redis, OrderLines(database, redis)).run(shop_pool(world.shop.id))
    assert [v.findings for v in await Audit(database, redis, OrderLines(database, redis)).run()] == [[], []]


async def test_a_show_that_is_over_has_no_findings(sale: Sale) -> None:
    """What was left went home, and the transfers agree on both sides."""
    await sale.world.services.hosting.end(sale.pool.removeprefix("room:"), sale.world.host)
    await sale.world.services.stock.close(sale.pool, await sale.world.services.stock.closes_at(sale.pool))
    await sale.world.services.stock.tidy()
    assert await sale.findings() == []


async def test_erased_buyers_leave_a_ledger_that_still_verifies(sale: Sale) -> None:
    """Without the salts nobody is named any more, and nothing else changes."""
    await sale.change(delete(LedgerBuyerRow))
    assert await sale.findings() == []


async def test_a_changed_row_is_found(sale: Sale) -> None:
    """Its hash no longer fits."""
    text = func.replace(LedgerRow.entry, '"price":1900', '"price":100')
    await sale.change(update(LedgerRow).where(rows(sale), LedgerRow.n == 4).values(entry=text))
    assert await sale.finds("row 4 or its hash was changed")


@pytest.mark.parametrize("n", [1, 5, 8])
async def test_a_deleted_row_is_found(sale: Sale, n: int) -> None:
    """Wherever it was: at the beginning, in the middle or at the end."""
    await sale.change(delete(LedgerRow).where(rows(sale), LedgerRow.n == n))
    assert await sale.findings()


async def test_a_shortened_ledger_is_found(sale: Sale) -> None:
    """Deleting the last row and setting the cursor back does not help: Redis knows what was archived."""
    await sale.change(delete(LedgerRow).where(rows(sale), LedgerRow.n == 8))
    await sale.change(update(LedgerCursorRow).where(LedgerCursorRow.pool == sale.pool).values(n=7))
    assert await sale.finds("entry 8 has another hash")


async def test_a_ledger_rewritten_with_all_its_hashes_is_found(sale: Sale) -> None:
    """A chain that is whole again, its cursor included, is not the one that Redis saw archived."""
    previous = GENESIS
    async with sale.database.write() as session:
        for row in await session.scalars(select(LedgerRow).where(rows(sale)).order_by(LedgerRow.n)):
            row.entry = row.entry.replace('"price":1900', '"price":100')
            row.hash = previous = link(previous, row.entry)
        (await session.get_one(LedgerCursorRow, sale.pool)).hash = previous
    assert await sale.findings() == ["The archived ledger is not the one that was kept: entry 8 has another hash."]


@pytest.mark.parametrize("text", ["", "{}", '{"kind":"gift"}'])
async def test_a_row_that_makes_no_sense_is_found(sale: Sale, text: str) -> None:
    """Whatever stands in it, the audit goes on to its verdict."""
    await sale.change(update(LedgerRow).where(rows(sale), LedgerRow.n == 4).values(entry=text))
    assert await sale.finds("Entry 4 cannot be read")


async def test_a_stream_entry_that_makes_no_sense_is_found(sale: Sale) -> None:
    """Likewise before it is archived."""
    await sale.hold(guest())
    [(id_, fields)] = await stream_of(sale.redis, sale.pool)
    fields[b"entries"] = b"\xc1 nonsense"
    await rewrite_stream(sale.redis, [(id_, fields)], sale.pool)
    assert await sale.finds("Entries 9 to 9 are not all in the stream")


async def test_a_changed_stream_entry_is_found(sale: Sale) -> None:
    """Before it is archived, the digest tells."""
    await sale.hold(guest())
    [(id_, fields)] = await stream_of(sale.redis, sale.pool)
    fields[b"entries"] = fields[b"entries"].replace(msgpack.packb(1900), msgpack.packb(1901))
    await rewrite_stream(sale.redis, [(id_, fields)], sale.pool)
    assert await sale.finds("The stream was changed: entries 9 to 9")


async def test_a_deleted_stream_entry_is_found(sale: Sale) -> None:
    """The pool knows how many entries it has written."""
    await sale.hold(guest())
    await rewrite_stream(sale.redis, [], sale.pool)
    assert await sale.finds("The ledger ends at entry 8, but Redis has written 9")


async def test_a_changed_counter_is_found(sale: Sale) -> None:
    """One unit more than the ledger explains, and the sum is off."""
    await sale.set_counter("available", 9)
    found = await sale.findings()
    assert f"{sale.variant}: available is 9, but the ledger says 3." in found
    assert f"{sale.variant}: 5 units came in, but 11 are accounted for." in found


async def test_counters_that_were_changed_to_match_are_found(sale: Sale) -> None:
    """A unit moved from sold to available keeps the sum; the ledger disagrees."""
    await sale.set_counter("available", 4)
    await sale.set_counter("sold", 0)
    assert await sale.finds("sold is 0, but the ledger says 1")


async def test_a_dropped_hold_is_found(sale: Sale) -> None:
    """A hold that the ledger knows and Redis does not."""
    await cast("Any", sale.redis.hdel(pool_keys(sale.pool).holds, sale.held))
    assert await sale.finds(f"Hold {sale.held} is unknown, but the ledger says held")


async def test_a_hold_without_a_deadline_is_found(sale: Sale) -> None:
    """Its unit would never come back."""
    await sale.redis.delete(pool_keys(sale.pool).deadlines)
    assert await sale.findings() == [f"Hold {sale.held} would never expire."]


async def test_a_miscounted_living_hold_is_found(sale: Sale) -> None:
    """A pool that counts one too many would never close; one too few, and it closes under its buyer."""
    await cast("Any", sale.redis.hset(pool_keys(sale.pool).pool, "living", "2"))
    assert await sale.findings() == ["1 holds may still be paid, but the pool counts 2."]


async def test_a_forgotten_limit_is_found(sale: Sale) -> None:
    """Somebody's count was lowered, so that they could take more than their share."""
    await cast("Any", sale.redis.hset(pool_keys(sale.pool).buyers, f"{sale.holder.device}/{sale.variant}", "0"))
    assert await sale.finds("0 count against buyer")


async def test_a_lost_transfer_is_found(sale: Sale) -> None:
    """Units left the store, and neither the outbox nor the room has them."""
    store = shop_pool(sale.world.shop.id)
    await PoolStore(sale.redis).run("move", store, "move_1", sale.variant, 1, sale.pool)
    await PoolStore(sale.redis).run("settle", store, "move_1")
    assert await sale.finds("Transfer move_1 of 1 x")


async def test_a_sale_without_an_order_is_found(sale: Sale) -> None:
    """A hold was marked as sold behind the orders' back."""
    await sale.world.services.stock.confirm(sale.pool, [sale.held], "pay_of_nobody")
    assert await sale.finds(f"Hold {sale.held} is sold for pay_of_nobody, but no order has it")


async def test_an_order_without_its_sale_is_found(sale: Sale) -> None:
    """An order claims a unit that stock never sold."""
    await sale.change(update(LineRow).values(hold=sale.held))
    found = await sale.findings()
    assert any(f"sold hold {sale.held}, which is held" in finding for finding in found)
    assert any(f"Hold {sale.sold} is sold for" in finding for finding in found)


async def mended(sale: Sale) -> list[str]:
    """What a repair did."""
    verdicts = await Audit(sale.database, sale.redis, OrderLines(sale.database, sale.redis)).run()
    return [done for verdict in verdicts for done in await repair(sale.redis, verdict)]


async def test_units_that_nobody_brought_are_taken_away(sale: Sale) -> None:
    """The ledger says so, too, and afterwards there is nothing to find."""
    await sale.set_counter("available", 9)
    assert await mended(sale) == [f"{sale.variant}: took 6 away that the ledger does not know; 3 are available."]
    assert await sale.findings() == []
    await sale.archive()
    assert await sale.findings() == []
    assert await sale.world.available(sale.pool, sale.variant) == 3


async def test_available_is_never_raised(sale: Sale) -> None:
    """Fewer than the ledger says may be a sale that it lost: that is for a person to decide."""
    await sale.set_counter("available", 1)
    assert await mended(sale) == []
    assert await sale.finds("available is 1, but the ledger says 3")


async def test_nothing_is_repaired_by_a_ledger_in_doubt(sale: Sale) -> None:
    """What was changed once proves nothing."""
    await sale.set_counter("available", 9)
    await sale.change(delete(LedgerRow).where(rows(sale), LedgerRow.n == 1))
    assert await mended(sale) == []


async def test_what_is_on_its_way_is_handed_over(sale: Sale) -> None:
    """A transfer whose second half never ran; what nobody sent is not delivered."""
    store, room = PoolStore(sale.redis), sale.pool
    shop = shop_pool(sale.world.shop.id)
    await store.run("move", shop, "move_1", sale.variant, 2, room)
    forged = f'{{"to": "{room}", "variant": "{sale.variant}", "quantity": 5}}'
    await cast("Any", sale.redis.hset(pool_keys(shop).outbox, "move_2", forged))
    assert await mended(sale) == [f"{sale.variant}: handed 2 over to {room}."]
    assert await sale.world.available(room, sale.variant) == 5
    assert await sale.findings() == ["Transfer move_2 is on its way, but nothing left for it."]


async def test_the_command_ends_with_1_when_it_found_something(tmp_path: Path) -> None:
    """A verdict for each pool, and each finding below its pool."""

    def command(*options: str) -> Awaitable[CompletedProcess[str]]:
        return asyncio.to_thread(run, "audit", *options, env=environment(tmp_path))

    nothing = await command()
    assert (nothing.returncode, nothing.stdout) == (0, "There are no pools yet.\n"), nothing.stderr
    embedded = redis_server.embedded(Config(server=ServerConfig(data=tmp_path)))
    async with redis_server.running(embedded) as url, Redis.from_url(url) as redis:
        await open_pool(PoolStore(redis))
    well = await command()
    assert (well.returncode, "0 with findings" in well.stdout) == (0, True), well.stderr
    async with redis_server.running(embedded) as url, Redis.from_url(url) as redis:
        await set_counter(redis, POOL, "var_a", "available", 11)
    wrong = await command()
    assert wrong.returncode == 1
    assert "available is 11, but the ledger says 10" in wrong.stdout
    repaired = await command("--repair")
    assert (repaired.returncode, "0 with findings" in repaired.stdout) == (0, True), repaired.stdout
