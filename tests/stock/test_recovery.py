"""Redis empty or behind: pools come back from SQL as they were, and nobody buys before."""

from collections.abc import Sequence
from typing import Any, cast

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from sqlalchemy import select

from streamserver.app import build, recover
from streamserver.config import StockConfig
from streamserver.kit.errors import NotFound, OneMoment
from streamserver.kit.ids import new_id
from streamserver.kit.sql import Database, Table
from streamserver.messages.orders import NewOrder
from streamserver.messages.stock import HoldRequest
from streamserver.orders.errors import OrderChanged
from streamserver.stock.adoption import Sale as Sold
from streamserver.stock.archive import LedgerArchive
from streamserver.stock.bags import Bags
from streamserver.stock.errors import HoldGone, PoolLost
from streamserver.stock.keys import pool_keys
from streamserver.stock.model import Pool, shop_pool
from streamserver.stock.recovery import VERIFIED, Recovery
from streamserver.stock.tables import LedgerRow
from tests.stock.sale import ADDRESS, Sale, opened
from tests.stock.test_scripts import Pair, pools, steps
from tests.world import World, guest

KINDS = ("room", "shop")


@pytest.fixture
async def sale(world: World, database: Database, redis: Redis) -> Sale:
    """A live room with a sold unit, a held one and one that was given back."""
    return await opened(world, database, redis)


async def balance(sale: Sale) -> dict[str, Any]:
    """Units of room and store, without versions."""
    stock, found = sale.world.services.stock, dict[str, Any]()
    for pool in (sale.pool, shop_pool(sale.world.shop.id)):
        u = (await stock.units(pool, [sale.variant]))[sale.variant]
        found[pool] = (u.available, u.held, u.sold, u.restocked, u.removed, u.moved_in, u.moved_out)
    return found


async def lose_everything(sale: Sale) -> None:
    await sale.redis.flushall()


async def recovered(sale: Sale) -> None:
    await recover(sale.world.services.config)


async def test_an_empty_redis_comes_back_as_it_was(sale: Sale) -> None:
    """Units, holds, limits and keys; the audit finds nothing, and selling goes on."""
    before = await balance(sale)
    await sale.archive()
    await lose_everything(sale)
    await recovered(sale)
    assert await balance(sale) == before
    assert await sale.findings() == []
    [held] = await sale.world.services.stock.holds_in(sale.pool, [sale.held])
    assert (held.status, held.buyer) == ("held", sale.holder.buyer)
    assert [hold.id for hold in await sale.world.services.stock.holds(sale.holder.buyers)] == [sale.held]
    await sale.hold(guest())
    await sale.archive()
    assert await sale.findings() == []


async def test_screens_believe_the_new_generation(sale: Sale) -> None:
    """Versions and epochs begin above all that was told before the loss."""
    stock = sale.world.services.stock
    before = (await stock.units(sale.pool, [sale.variant]))[sale.variant]
    await sale.archive()
    await lose_everything(sale)
    await recovered(sale)
    after = (await stock.units(sale.pool, [sale.variant]))[sale.variant]
    assert after.version > before.version + 1000
    assert after.epoch > before.epoch + 1000


async def test_nobody_buys_from_a_redis_that_is_not_verified(sale: Sale) -> None:
    """Connections are refused until every pool was compared with SQL."""
    await sale.archive()
    await lose_everything(sale)
    fresh = build(sale.world.services.config)
    with pytest.raises(RedisConnectionError):
        await fresh.stock.time()
    await recovered(sale)
    assert await fresh.stock.time()
    await fresh.close()


async def test_a_connection_from_before_is_told_one_moment(sale: Sale) -> None:
    """Whoever was connected when Redis was emptied meets no pool, and no new one in its place."""
    await sale.archive()
    await lose_everything(sale)
    stock, rooms = sale.world.services.stock, sale.world.services.rooms
    wish = HoldRequest(key=new_id("key"), variant=sale.variant, retry=True)
    with pytest.raises(OneMoment):
        await rooms.hold(sale.pool.removeprefix("room:"), guest(), wish)
    with pytest.raises(PoolLost):
        await stock.open(sale.pool)
    with pytest.raises(OneMoment):
        await stock.holds_in(sale.pool, [sale.held])
    with pytest.raises(OneMoment):
        await stock.confirm(sale.pool, [sale.held], "pay_1")


async def test_a_redis_that_fell_behind_is_rebuilt(sale: Sale) -> None:
    """Older than what SQL has: it would sell again what is sold."""
    kept = {key: await sale.redis.dump(key) for key in pool_keys(sale.pool) if await sale.redis.exists(key)}
    await sale.hold(guest())
    before = await balance(sale)
    await sale.archive()
    await sale.redis.delete(*pool_keys(sale.pool))
    for key, content in kept.items():
        await sale.redis.restore(key, 0, cast("bytes", content))
    await sale.redis.delete(VERIFIED)
    await recovered(sale)
    assert await balance(sale) == before
    assert await sale.findings() == []


async def test_sales_that_redis_lost_before_they_were_archived_stay_sold(sale: Sale) -> None:
    """The order is in SQL: the pool takes the sale over before it opens."""
    await sale.archive()
    late = guest()
    await sale.hold(late)
    await sale.pay(late)
    before = await balance(sale)
    await lose_everything(sale)
    await recovered(sale)
    assert await balance(sale) == before
    assert await sale.findings() == []


async def test_units_that_only_their_receiver_knows_are_not_doubled(sale: Sale) -> None:
    """The room's ledger was archived, the store's not: what arrived has left."""
    await sale.archive()
    shop, stock = shop_pool(sale.world.shop.id), sale.world.services.stock
    await stock.transfer("late", sale.variant, 2, shop, sale.pool)
    await sale.archive_only(sale.pool)
    before = await balance(sale)
    await lose_everything(sale)
    await recovered(sale)
    assert await balance(sale) == before
    assert await sale.findings() == []


async def test_units_on_their_way_arrive_after_the_loss(sale: Sale) -> None:
    """The store's ledger was archived, the room's not: the outbox delivers again."""
    await sale.archive()
    shop, stock = shop_pool(sale.world.shop.id), sale.world.services.stock
    await stock.transfer("late", sale.variant, 2, shop, sale.pool)
    await sale.archive_only(shop)
    before = await balance(sale)
    await lose_everything(sale)
    await recovered(sale)
    await stock.tidy()
    assert await balance(sale) == before
    assert await sale.findings() == []


async def test_a_lost_hold_is_taken_again_by_its_token(sale: Sale) -> None:
    """It was acknowledged and not archived: its buyer still has it, at its price, once."""
    await sale.archive()
    stock, buyer = sale.world.services.stock, guest()
    hold = await stock.hold(await sale.hold(buyer), buyer.buyers)
    token = stock.token(hold)
    await lose_everything(sale)
    await recovered(sale)
    assert await stock.holds_in(sale.pool, [hold.id]) == []
    again = await stock.retake(token, buyer.buyers)
    assert (again.id, again.price, again.quantity, again.status) == (hold.id, hold.price, hold.quantity, "held")
    assert (await stock.retake(token, buyer.buyers)).id == hold.id
    assert (await stock.hold(hold.id, buyer.buyers)).status == "held"
    await sale.archive()
    assert await sale.findings() == []


async def test_a_token_serves_its_own_buyer_only(sale: Sale) -> None:
    """And only as it was signed."""
    stock, buyer = sale.world.services.stock, guest()
    token = stock.token(await stock.hold(await sale.hold(buyer), buyer.buyers))
    for other, text in ((guest(), token), (buyer, token[:-6] + "AAAA=="), (buyer, "nonsense"), (buyer, "é")):
        with pytest.raises(NotFound):
            await stock.retake(text, other.buyers)


async def test_a_pool_that_is_over_rests_in_sql_and_comes_back_for_a_refund(sale: Sale, database: Database) -> None:
    """Its holds cost Redis nothing, its figures stay; whoever needs it waits one moment."""
    s, pool = sale.world.services, sale.pool
    await s.rooms.release(sale.holder, sale.held)
    await s.stock.close(pool, await s.stock.end_at(pool, 0))
    await sale.archive()
    await s.stock.tidy()
    ledgers = LedgerArchive(database, sale.redis)
    await ledgers.rest(-1000)
    left = {key.decode() for key in cast("list[bytes]", await sale.redis.keys(f"{{{pool}}}*"))}
    assert left - {f"{{{pool}}}:doc", f"{{{pool}}}:log"} <= {pool_keys(pool)[0], pool_keys(pool)[1]} | room_keys(pool)
    assert await sale.findings() == []
    [payment] = [row["payment"] for row in await sold_entries(database, pool)]
    with pytest.raises(OneMoment):
        await s.stock.give_back(pool, sale.sold, "refund_1", payment)
    await recovered(sale)
    assert await s.stock.give_back(pool, sale.sold, "refund_1", payment)
    await s.stock.tidy()
    await sale.archive()
    assert await world_total(sale) == 10


async def test_a_resting_pool_that_redis_lost_comes_back_too(sale: Sale, database: Database) -> None:
    """The audit goes on finding nothing, and a refund still puts its unit back."""
    s, pool = sale.world.services, sale.pool
    await s.rooms.release(sale.holder, sale.held)
    await s.stock.close(pool, await s.stock.end_at(pool, 0))
    await s.stock.tidy()
    await sale.archive()
    await s.stock.tidy()
    await LedgerArchive(database, sale.redis).rest(-1000)
    await lose_everything(sale)
    await recovered(sale)
    assert await sale.findings() == []
    [payment] = [row["payment"] for row in await sold_entries(database, pool)]
    assert await s.stock.give_back(pool, sale.sold, "refund_1", payment)


def room_keys(pool: Pool) -> set[str]:
    """What the room itself keeps beside its pool."""
    return {f"{{{pool}}}:{name}" for name in ("document", "events", "operations", "viewers", "host")}


async def sold_entries(database: Database, pool: Pool) -> list[dict[str, Any]]:
    async with database.read() as session:
        texts = await session.scalars(select(LedgerRow.entry).where(LedgerRow.pool == pool))
        return [entry for entry in map(orjson.loads, texts) if entry["kind"] == "sell"]


async def world_total(sale: Sale) -> int:
    stock = sale.world.services.stock
    return sum(
        [
            (await stock.units(pool, [sale.variant]))[sale.variant].available
            for pool in (sale.pool, shop_pool(sale.world.shop.id))
        ]
    )


class SameTerms:
    """Whoever decides on terms has not changed its mind."""

    def __init__(self, pair: Pair) -> None:
        self._pair = pair

    async def restore_terms(self, name: str) -> None:
        await self._pair.set_terms()


class NoOrders:
    async def sales(self, pool: Pool) -> Sequence[Sold]:
        return []


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pools, st.lists(steps | st.just(("lose",)), max_size=25))
async def test_a_rebuilt_pool_behaves_as_if_nothing_had_happened(
    redis: Redis, tmp_path_factory: pytest.TempPathFactory, pool: str, script: list[tuple[Any, ...]]
) -> None:
    """Wherever in a history the pool is lost and comes back, every later answer is the one that the model gives."""
    database = Database(f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('lost') / 'test.db'}")
    async with database.engine.begin() as connection:
        await connection.run_sync(Table.metadata.create_all)
    pair, ledgers = Pair(redis, pool), LedgerArchive(database, redis)
    terms = SameTerms(pair)
    config = StockConfig(grace_seconds=0)
    recovery = Recovery(database, redis, Bags(redis), ledgers, config, dict.fromkeys(KINDS, terms), NoOrders())
    await pair.set_up()
    await cast("Any", redis.sadd("pools", pool))
    for name, *arguments in [("restock", "start", "var_a", 6), ("restock", "start_b", "var_b", 2), *script]:
        if name == "lose":
            await ledgers.move(pool)
            await redis.flushall()
            await recovery.run()
            pair.model.be_patient()
        else:
            real, expected = await getattr(pair, name)(*arguments)
            assert real == expected, name
        await pair.check()
    await database.close()


async def test_a_lost_hold_is_checked_out_by_its_token(sale: Sale) -> None:
    """The buyer's page sends the tokens of what it checks out: nothing is noticed, and it is paid once."""
    await sale.archive()
    s, buyer = sale.world.services, guest()
    token = s.stock.token(await s.stock.hold(await sale.hold(buyer), buyer.buyers))
    lost = (await s.stock.holds(buyer.buyers))[0].id
    await lose_everything(sale)
    await recovered(sale)
    placed = await s.orders.place(buyer, new_order(lost, token))
    assert [line.status for line in placed.order.lines] == ["open"]
    with pytest.raises(HoldGone):
        await s.orders.place(guest(), new_order(lost, token))


async def test_an_order_whose_hold_was_lost_is_paid_all_the_same(sale: Sale) -> None:
    """The order is in SQL, and proof enough while there are units."""
    await sale.archive()
    s, buyer = sale.world.services, guest()
    order = (await s.orders.place(buyer, new_order(await sale.hold(buyer)))).order
    await lose_everything(sale)
    await recovered(sale)
    paying = await s.orders.pay(buyer, order.id, order.revision)
    await s.payments.choose(str(paying.payment_url).rpartition("/")[2], "success")
    assert (await s.orders.order(buyer, order.id)).status == "paid"
    await sale.archive()
    assert await sale.findings() == []


async def test_what_was_lost_and_sold_to_others_is_said_before_any_charge(sale: Sale) -> None:
    """No units are left for the promise: the order changes, and nothing is opened to pay."""
    await sale.archive()
    s, buyer = sale.world.services, guest()
    order = (await s.orders.place(buyer, new_order(await sale.hold(buyer)))).order
    await lose_everything(sale)
    await recovered(sale)
    for _ in range(await sale.world.available(sale.pool, sale.variant)):
        await sale.hold(guest())
    with pytest.raises(OrderChanged, match="Nothing was charged"):
        await s.orders.pay(buyer, order.id, order.revision)


def new_order(hold: str, *tokens: str) -> NewOrder:
    return NewOrder(key=new_id("key"), holds=[hold], tokens=list(tokens), email="a@example.org", address=ADDRESS)
