"""Fault 11: whatever is late, doubled, lost or out of order between shop and payment provider, a purchase ends in exactly one
of *sold* (paid, units sold, money captured once) and *money back* (nothing sold for it, nothing kept)."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Literal, cast

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis
from sqlalchemy import select, update

from streamserver.accounts.model import Identity
from streamserver.cli.audit import OrderLines
from streamserver.integrations.sandbox.payments import SandboxPayments
from streamserver.integrations.sandbox.tables import SandboxNoticeRow, SandboxPaymentRow
from streamserver.kit.clock import now_ms
from streamserver.kit.errors import Failure
from streamserver.kit.ids import new_id
from streamserver.messages.orders import NewOrder, Refund
from streamserver.messages.stock import Source
from streamserver.orders.errors import WrongState
from streamserver.orders.model import OVER, PaymentListener, Payments
from streamserver.orders.service import OrderService
from streamserver.orders.settlement import TROUBLED_MS
from streamserver.orders.tables import OrderRow
from streamserver.stock.audit import Audit
from streamserver.stock.model import HoldRecord, ReserveRequest, Terms, room_pool
from streamserver.stock.store import PoolStore
from tests.orders.conftest import eventually
from tests.stock.sale import ADDRESS
from tests.world import World, guest

Fault = Literal["none", "call", "answer"]
DAY_MS = 86_400_000


class Line:
    """The shop's way to the provider, whose methods it has: loses every call, or every answer, while it has a fault."""

    def __init__(self, sandbox: SandboxPayments) -> None:
        self.sandbox = sandbox
        self.fault: Fault = "none"

    def __getattr__(self, method: str) -> Callable[[Any], Awaitable[Any]]:
        async def over(argument: Any) -> Any:
            if self.fault == "call":
                raise ConnectionError
            answer = await getattr(self.sandbox, method)(argument)
            if self.fault == "answer":
                raise ConnectionError
            return answer

        return over


class Post:
    """The provider's way to the shop: takes and keeps every notice, all of them true; a test delivers them as it likes."""

    def __init__(self) -> None:
        self.letters: list[tuple[str, str]] = []

    def __getattr__(self, notice: str) -> Callable[[str], Awaitable[None]]:
        async def keep(payment: str) -> None:
            self.letters.append((notice, payment))

        return keep


class Purchase:
    """One order of two lines, each the last unit of its own pool. The methods are what can happen to it."""

    def __init__(self, world: World, redis: Redis, buyer: Identity, holds: list[HoldRecord]) -> None:
        self.s, self.host, self.redis, self.buyer, self.holds = world.services, world.host, redis, buyer, holds
        self.line, self.post, self.id = Line(self.s.payments), Post(), ""
        self.orders = self.process()

    def process(self) -> OrderService:
        """One more process of the shop."""
        s, payments = self.s, cast("Payments", self.line)
        return OrderService(s.database, s.stock, s.catalog, payments, s.config.orders, s.secret)

    async def play(self, *script: tuple[Any, ...]) -> None:
        for name, *arguments in script:
            await getattr(self, name)(*arguments)

    async def pay(self) -> None:
        """Ask for a payment of the order as it is now."""
        with suppress(Failure, ConnectionError):
            await self.orders.pay(self.buyer, self.id, (await self.row()).revision)

    async def cancel(self) -> None:
        with suppress(Failure):
            await self.orders.cancel(self.buyer, self.id)

    async def expire(self, number: int) -> None:
        """The deadline and its grace pass."""
        hold = self.holds[number]
        await self.redis.zadd(f"{{{hold.pool}}}:deadlines", {f"{hold.deadline} {hold.id}": 1})
        await PoolStore(self.redis).run("expire", hold.pool, 100)

    async def take(self, number: int) -> None:
        """Somebody else sets the unit aside, if it is there."""
        hold, other = self.holds[number], guest()
        wish = ReserveRequest(new_id("key"), other.buyer, hold.variant, 1, new_id("hold"), other.device)
        with suppress(Failure):
            await self.s.stock.reserve(hold.pool, wish)

    async def desk(self, act: str, number: int, *arguments: str) -> None:
        """At the provider: a payment of the order is decided by its buyer (*choose*), captured or refunded."""
        await eventually(_nobody_is_telling)  # so that letters lie in the order of what happened
        if payments := list(await self.money()):
            with suppress(Failure):
                await getattr(self.s.payments, act)(payments[number % len(payments)], *arguments)

    async def refund_order(self, return_units: bool) -> None:
        with suppress(Failure):
            await self.orders.refund(self.host, self.id, Refund(operation=new_id("op"), return_units=return_units))

    async def jobs(self) -> None:
        """A round, once a stalled order's patience has passed."""
        await self._change(update(OrderRow).where(OrderRow.due_at.is_not(None)).values(due_at=1))
        await self.orders.settle_due()

    async def fail(self, fault: Fault) -> None:
        self.line.fault = fault

    async def deliver(self, number: int) -> None:
        """The notices keep their numbers: one can come often, and old ones after newer."""
        await self.told()
        if letters := self.post.letters:
            await self.read(letters[number % len(letters)])

    async def read(self, letter: tuple[str, str], process: OrderService | None = None) -> None:
        """A fault meanwhile is a crash of the shop: the notice does not come again by itself."""
        notice, payment = letter
        with suppress(ConnectionError):
            await getattr((process or self.orders).settlement, notice)(payment)

    async def read_at_once(self, letters: list[tuple[str, str]], processes: int) -> None:
        shops = [self.process() for _ in range(processes)]
        await asyncio.gather(*(self.read(letter, shop) for letter in letters for shop in shops))

    async def told(self) -> None:
        """Time passes until the sandbox has said all that it has to say."""
        await eventually(_nobody_is_telling)
        await self._change(update(SandboxNoticeRow).values(due_at=SandboxNoticeRow.due_at - DAY_MS))
        await self.s.payments.deliver_due()

    async def end(self, *, at_once: bool = False) -> None:
        """The line works again and every notice arrives, the newest first or all at once and twice; jobs go on until nothing
        is left to do, also after the time to pay is over."""
        self.line.fault = "none"
        await self._settle_down(at_once=at_once)
        await self._change(update(OrderRow).where(OrderRow.status == "pending").values(placed_at=1, due_at=1))
        await self._settle_down(at_once=at_once)

    async def _settle_down(self, *, at_once: bool) -> None:
        read = 0
        for _ in range(10):
            await self.told()
            news, read = self.post.letters[read:], len(self.post.letters)
            if at_once:
                await self.read_at_once(news, processes=2)
            for letter in reversed(news):
                await self.read(letter)
            await self.jobs()
            due_at = (await self.row()).due_at
            if not news and (due_at is None or due_at > now_ms() + TROUBLED_MS):
                return
        raise AssertionError("it never comes to rest")

    async def verdict(self) -> Literal["sold", "money back"]:
        """Exactly one of the two, for every payment and every unit."""
        order, money = await self.row(), await self.money()
        kept = {payment: row.amount for payment, row in money.items() if row.status in {"authorised", "captured"}}
        now = [hold for h in self.holds for hold in await self.s.stock.holds_in(h.pool, [h.id])]
        sold = {hold.id: hold.payment for hold in now if hold.status == "sold"}
        assert sold == {line.hold: order.payment for line in order.lines if line.status == "sold"}
        assert order.due_at is None
        assert "open" not in {row.status for row in money.values()}
        audit = Audit(self.s.database, self.redis, OrderLines(self.s.database, self.redis))
        assert [(await audit.run(hold.pool))[0].findings for hold in self.holds] == [[], []]
        if order.status == "paid":
            assert kept == {order.payment: order.total}
            return "sold"
        assert (order.status in OVER, kept) == (True, {})
        assert not sold or order.status == "refunded"  # the seller decides whether those units go back on sale
        return "money back"

    async def row(self) -> OrderRow:
        async with self.s.database.read() as session:
            return await session.get_one(OrderRow, self.id)

    async def money(self) -> dict[str, SandboxPaymentRow]:
        """The order's payments as the provider knows them, oldest first."""
        query = select(SandboxPaymentRow).where(SandboxPaymentRow.order == self.id).order_by(SandboxPaymentRow.id)
        async with self.s.database.read() as session:
            return {row.id: row for row in await session.scalars(query)}

    async def _change(self, statement: Any) -> None:
        async with self.s.database.write() as session:
            await session.execute(statement)


async def _nobody_is_telling() -> bool:
    return not any(task.get_name().startswith("sandbox notices") for task in asyncio.all_tasks())


Begin = Callable[[], Awaitable[Purchase]]


@pytest.fixture
async def begin(world: World, redis: Redis) -> Begin:
    """Places an order, whose notices go to its post."""
    variants = [(await world.product(title)).variants[0].id for title in ("Mug", "Bowl")]

    async def begin() -> Purchase:
        buyer, stock, holds = guest(), world.services.stock, list[HoldRecord]()
        for variant in variants:
            pool = room_pool(new_id("room"))
            await stock.set_terms(pool, [Terms(variant, 1900, "EUR", 5, Source(kind="room"))])
            await stock.open(pool)
            await stock.restock(pool, new_id("op"), variant, 1)
            wish = ReserveRequest(new_id("key"), buyer.buyer, variant, 1, new_id("hold"), buyer.device)
            holds.append((await stock.reserve(pool, wish)).hold)
        purchase = Purchase(world, redis, buyer, holds)
        new = NewOrder(key=new_id("key"), holds=[h.id for h in holds], email="ada@example.com", address=ADDRESS)
        purchase.id = (await purchase.orders.place(buyer, new)).order.id
        world.services.payments.listen(cast("PaymentListener", purchase.post))
        return purchase

    return begin


numbers, lines = st.integers(0, 7), st.integers(0, 1)
steps = st.one_of(
    st.tuples(st.just("pay")),
    st.tuples(st.just("desk"), st.just("choose"), numbers, st.sampled_from(["success", "decline"])),
    st.tuples(st.just("deliver"), numbers),
    st.tuples(st.sampled_from(["expire", "take"]), lines),
    st.tuples(st.just("fail"), st.sampled_from(["none", "call", "answer"])),
    st.tuples(st.sampled_from(["jobs", "cancel"])),
    st.tuples(st.just("desk"), st.sampled_from(["capture", "refund"]), numbers),
    st.tuples(st.just("refund_order"), st.booleans()),
)

Script = list[tuple[Any, ...]]
CHOSEN = ("desk", "choose", 0, "success")
CAPTURED_UNHEARD: Script = [CHOSEN, ("fail", "answer"), ("deliver", 0), ("desk", "refund", 0)]
REFUNDED_UNHEARD: Script = [CHOSEN, ("desk", "capture", 0), ("desk", "refund", 0), ("pay",)]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(steps, max_size=14), st.booleans())
@example(CAPTURED_UNHEARD, False)
@example(REFUNDED_UNHEARD, False)
async def test_every_purchase_ends_in_sold_or_money_back(begin: Begin, script: Script, at_once: bool) -> None:
    """Whatever buyers, others, line, post and desk do in whatever order, and however the notices arrive."""
    purchase = await begin()
    await purchase.play(("pay",), *script)
    await purchase.end(at_once=at_once)
    await purchase.verdict()


async def test_notices_of_two_payments_at_once(begin: Begin) -> None:
    """A line was lost while the provider could not be reached: the old payment, of the old total, is authorised and so is the
    new one. Three processes hear of both at the same moment, twice each; one payment is captured, the old one let go."""
    purchase = await begin()
    lost = [("expire", 1), ("take", 1), ("fail", "call"), ("pay",), ("fail", "none")]
    await purchase.play(("pay",), ("desk", "choose", 0, "success"), *lost, ("pay",), ("desk", "choose", 1, "success"))
    assert len(purchase.post.letters) == 2
    await purchase.read_at_once(purchase.post.letters * 2, processes=3)
    await purchase.end(at_once=True)
    assert await purchase.verdict() == "sold"
    assert [row.status for row in (await purchase.money()).values()] == ["voided", "captured"]


async def test_a_late_authorisation_buys_what_is_left(begin: Begin) -> None:
    """The holds expired meanwhile, but nobody took the units."""
    purchase = await begin()
    await purchase.play(("pay",), ("desk", "choose", 0, "late"), ("expire", 0), ("expire", 1))
    await purchase.end()
    assert await purchase.verdict() == "sold"


async def test_a_late_authorisation_for_what_is_gone_is_voided(begin: Begin) -> None:
    """The buyer sees a cancelled order whose lines are gone, and reads so when they try to pay it again."""
    purchase = await begin()
    lost = [("expire", 0), ("take", 0), ("expire", 1), ("take", 1)]
    await purchase.play(("pay",), ("desk", "choose", 0, "late"), *lost)
    await purchase.end()
    assert await purchase.verdict() == "money back"
    assert [row.status for row in (await purchase.money()).values()] == ["voided"]
    shown = await purchase.orders.order(purchase.buyer, purchase.id)
    assert (shown.status, [line.status for line in shown.lines]) == ("cancelled", ["gone", "gone"])
    with pytest.raises(WrongState, match="was cancelled"):
        await purchase.orders.pay(purchase.buyer, purchase.id, shown.revision)
