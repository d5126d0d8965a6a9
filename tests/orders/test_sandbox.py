"""The built-in payment provider: late, declining and repeating itself like a real one, but never forgetful."""

import asyncio
import secrets

import pytest
from sqlalchemy import select, update

from streamserver.integrations.sandbox.tables import SandboxNoticeRow
from streamserver.kit.errors import NotFound
from streamserver.kit.ids import new_id
from streamserver.messages.orders import Refund, SandboxOutcome
from streamserver.orders.errors import PaymentRefused, WrongState
from streamserver.orders.model import Charge
from tests.orders.conftest import Market, eventually, guest

PAYMENT = new_id("pay")
CHARGE = Charge(PAYMENT, new_id("order"), "7K2M-9QXW", 2890, "EUR", "/orders/order_1")


class Ear:
    """Writes down what it is told; `broken` refuses to listen."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str]] = []
        self.broken = False

    async def payment_authorised(self, payment: str) -> None:
        self._hear("authorised", payment)

    async def payment_declined(self, payment: str) -> None:
        self._hear("declined", payment)

    async def payment_captured(self, payment: str) -> None:
        self._hear("captured", payment)

    async def payment_refunded(self, payment: str) -> None:
        self._hear("refunded", payment)

    def _hear(self, notice: str, payment: str) -> None:
        if self.broken:
            raise ConnectionError
        self.heard.append((notice, payment))


@pytest.fixture
def ear(market: Market) -> Ear:
    ear = Ear()
    market.sandbox.listen(ear)
    return ear


async def test_opening_twice_is_one_payment(market: Market) -> None:
    """Also at once."""
    urls = await asyncio.gather(*(market.sandbox.open(CHARGE) for _ in range(3)))
    assert set(urls) == {f"/pay/sandbox/{PAYMENT}"}
    shown = await market.sandbox.view(PAYMENT)
    assert (shown.amount, shown.status, shown.number) == (2890, "open", "7K2M-9QXW")


async def test_a_choice_is_final(market: Market, ear: Ear) -> None:
    """The same choice again is answered; another one is refused."""
    await market.sandbox.open(CHARGE)
    await market.sandbox.choose(PAYMENT, "decline")
    assert (await market.sandbox.choose(PAYMENT, "decline")).status == "declined"
    with pytest.raises(WrongState, match="already decided"):
        await market.sandbox.choose(PAYMENT, "success")
    assert ear.heard == [("declined", PAYMENT)]


async def test_a_slow_payment_succeeds_by_itself(market: Market) -> None:
    """It stays open until its moment has come; then the order is paid without the buyer doing anything more."""
    mug = await market.product()
    buyer = guest()
    order = await market.place(buyer, await market.hold(buyer, await market.in_room(mug, 1), mug))
    payment = await market.begin_payment(buyer, order)
    assert (await market.sandbox.choose(payment, "slow")).status == "open"
    await time_passes(market)
    await market.sandbox.deliver_due()
    assert (await market.orders.order(buyer, order.id)).status == "paid"


async def test_a_notice_is_repeated_until_the_shop_takes_it(market: Market, ear: Ear) -> None:
    """It is in the table: whoever delivers next tells the shop, also after a crash."""
    ear.broken = True
    await market.sandbox.open(CHARGE)
    await market.sandbox.choose(PAYMENT, "success")
    assert await waiting(market) == ["authorised"]
    ear.broken = False
    await time_passes(market)
    await market.sandbox.deliver_due()
    assert ear.heard == [("authorised", PAYMENT)]
    assert await waiting(market) == []


async def test_a_notice_under_way_is_not_delivered_by_another_process(market: Market, ear: Ear) -> None:
    """Whoever claimed it has some seconds; what is ordinary is told once."""
    ear.broken = True
    await market.sandbox.open(CHARGE)
    await market.sandbox.choose(PAYMENT, "success")
    await time_passes(market)
    ear.broken = False
    await asyncio.gather(*(market.sandbox.deliver_due() for _ in range(3)))
    assert ear.heard == [("authorised", PAYMENT)]


async def test_a_voided_payment_can_no_longer_be_paid(market: Market, ear: Ear) -> None:
    """Not even by the slow payment that was under way."""
    await market.sandbox.open(CHARGE)
    await market.sandbox.choose(PAYMENT, "slow")
    await market.sandbox.void(PAYMENT)
    await time_passes(market)
    await market.sandbox.deliver_due()
    assert ear.heard == []
    assert (await market.sandbox.view(PAYMENT)).status == "voided"


async def test_a_late_payment_is_made_at_once_and_told_later(market: Market, ear: Ear) -> None:
    """After `delay` seconds, and also when the money was let go meanwhile: what was said is under way."""
    await market.sandbox.open(CHARGE)
    assert (await market.sandbox.choose(PAYMENT, "late", 3600)).status == "authorised"
    await time_passes(market, seconds=3500)
    await market.sandbox.deliver_due()
    assert ear.heard == []
    await market.sandbox.void(PAYMENT)
    await time_passes(market, seconds=100)
    await market.sandbox.deliver_due()
    assert ear.heard == [("authorised", PAYMENT)]
    assert (await market.sandbox.view(PAYMENT)).status == "voided"


async def test_every_notice_of_a_payment_can_come_twice(market: Market, ear: Ear) -> None:
    """From the authorisation to the refund."""
    await market.sandbox.open(CHARGE)
    await market.sandbox.choose(PAYMENT, "twice")
    await market.sandbox.capture(PAYMENT)
    await eventually(lambda: is_waiting(market, []))
    await market.sandbox.refund(PAYMENT)
    await eventually(lambda: is_waiting(market, []))
    assert [kind for kind, _ in ear.heard] == ["authorised"] * 2 + ["captured"] * 2 + ["refunded"] * 2


async def test_old_news_can_come_after_newer(market: Market, ear: Ear) -> None:
    """The first card was declined and the second accepted; the shop hears of the first one last. So it goes on."""
    await market.sandbox.open(CHARGE)
    assert (await market.sandbox.choose(PAYMENT, "reordered")).status == "authorised"
    await time_passes(market)
    await market.sandbox.deliver_due()
    await market.sandbox.capture(PAYMENT)
    await eventually(lambda: is_waiting(market, ["authorised"]))
    await time_passes(market)
    await market.sandbox.deliver_due()
    assert [kind for kind, _ in ear.heard] == ["authorised", "declined", "captured", "authorised"]
    assert await waiting(market) == []


async def test_money_moves_in_one_direction(market: Market, ear: Ear) -> None:
    """Nothing is captured before it is authorised, voided once captured, or refunded before; repeats change nothing."""
    await market.sandbox.open(CHARGE)
    with pytest.raises(PaymentRefused):
        await market.sandbox.capture(PAYMENT)
    await market.sandbox.choose(PAYMENT, "success")
    with pytest.raises(PaymentRefused):
        await market.sandbox.refund(PAYMENT)
    for _ in range(2):
        await market.sandbox.capture(PAYMENT)
    with pytest.raises(PaymentRefused):
        await market.sandbox.void(PAYMENT)
    for _ in range(2):
        await market.sandbox.refund(PAYMENT)
    assert (await market.sandbox.view(PAYMENT)).status == "refunded"


async def test_money_that_came_and_went_leaves_the_order_payable(market: Market) -> None:
    """Taken and sent back at the provider's own desk, and the shop hears of the last thing first: the buyer pays anew."""
    mug = await market.product()
    buyer, pool = guest(), await market.in_room(mug, 1)
    order = await market.place(buyer, await market.hold(buyer, pool, mug))
    first = await market.begin_payment(buyer, order)
    await market.sandbox.choose(first, "late")
    await market.sandbox.capture(first)
    await market.sandbox.refund(first)
    await market.orders.settlement.payment_refunded(first)
    await eventually(lambda: is_waiting(market, ["authorised"]))
    second = await market.begin_payment(buyer, order)
    await market.sandbox.choose(second, "success")
    await time_passes(market)
    await market.sandbox.deliver_due()
    assert (await market.orders.order(buyer, order.id)).status == "paid"
    assert [await market.money(payment) for payment in (first, second)] == ["refunded", "captured"]
    assert (await market.units(pool, mug)).sold == 1


async def test_money_that_went_back_in_the_middle_sells_nothing(market: Market) -> None:
    """The shop died after its units were sold, and meanwhile its owner refunded at the provider: the units go back too."""
    mug = await market.product()
    buyer, pool = guest(), await market.in_room(mug, 1)
    order = await market.place(buyer, await market.hold(buyer, pool, mug))
    payment = await market.begin_payment(buyer, order)
    market.stock.crash = True
    await market.sandbox.choose(payment, "late")
    await all_told(market)
    market.stock.crash = False
    await market.sandbox.capture(payment)
    await market.sandbox.refund(payment)
    await market.orders.settlement.payment_refunded(payment)
    await all_told(market)
    await market.later()
    await market.orders.settle_due()
    assert (await market.orders.order(buyer, order.id)).status == "cancelled"
    assert (await market.units(pool, mug)).available == 1


@pytest.mark.parametrize("outcome", ["slow", "late", "twice", "reordered"])
async def test_however_the_shop_is_told_it_sells_once(market: Market, outcome: SandboxOutcome) -> None:
    """The order is paid, and after its refund the money and the unit are back, once each."""
    mug = await market.product()
    buyer, pool = guest(), await market.in_room(mug, 1)
    order = await market.place(buyer, await market.hold(buyer, pool, mug))
    payment = await market.begin_payment(buyer, order)
    await market.sandbox.choose(payment, outcome)
    await all_told(market)
    assert (await market.orders.order(buyer, order.id)).status == "paid"
    assert market.provider.captures == [payment]
    assert (await market.units(pool, mug)).sold == 1
    await market.orders.refund(market.seller, order.id, Refund(operation=secrets.token_hex(8), return_units=True))
    await all_told(market)
    assert (await market.orders.order(buyer, order.id)).status == "refunded"
    assert await market.money(payment) == "refunded"
    assert (await market.units(pool, mug)).available == 1


async def test_an_unknown_payment_is_not_there(market: Market) -> None:
    """Its page finds nothing; letting it go is harmless."""
    with pytest.raises(NotFound):
        await market.sandbox.view("pay_guessed")
    await market.sandbox.void("pay_guessed")


async def time_passes(market: Market, seconds: int = 86_400) -> None:
    """Let the sandbox's waiting times pass, in their order."""
    async with market.database.write() as session:
        await session.execute(update(SandboxNoticeRow).values(due_at=SandboxNoticeRow.due_at - seconds * 1000))


async def all_told(market: Market) -> None:
    """Let time pass until the sandbox has nothing left to say."""
    while await waiting(market):
        await time_passes(market)
        await market.sandbox.deliver_due()


async def waiting(market: Market) -> list[str]:
    """What the shop must still be told."""
    async with market.database.read() as session:
        return list(await session.scalars(select(SandboxNoticeRow.kind).order_by(SandboxNoticeRow.due_at)))


async def is_waiting(market: Market, kinds: list[str]) -> bool:
    return await waiting(market) == kinds
