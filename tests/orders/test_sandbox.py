"""The built-in payment provider: late, declining and repeating itself like a real one, but never forgetful."""

import asyncio

import pytest

from streamserver.kit.errors import NotFound
from streamserver.kit.ids import new_id
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
    """It stays open until its moment has come; then the order is paid without anybody looking."""
    mug = await market.product()
    buyer = guest()
    order = await market.place(buyer, await market.hold(buyer, await market.in_room(mug, 1), mug))
    payment = await market.begin_payment(buyer, order)
    assert (await market.sandbox.choose(payment, "slow")).status == "open"

    async def paid() -> bool:
        return (await market.orders.order(buyer, order.id)).status == "paid"

    await eventually(paid)


async def test_a_slow_payment_survives_a_crash(market: Market, ear: Ear) -> None:
    """Its moment is in the table: whoever delivers due notices next tells the shop."""
    ear.broken = True
    await market.sandbox.open(CHARGE)
    await market.sandbox.choose(PAYMENT, "slow")

    async def authorised() -> bool:
        return (await market.sandbox.view(PAYMENT)).status == "authorised"

    await eventually(authorised)
    assert await market.unsent_notices() == 1
    ear.broken = False
    await market.all_notices_due()
    await market.sandbox.deliver_due()
    assert ear.heard == [("authorised", PAYMENT)]
    assert await market.unsent_notices() == 0


async def test_a_voided_payment_can_no_longer_be_paid(market: Market, ear: Ear) -> None:
    """Not even by the slow payment that was under way."""
    await market.sandbox.open(CHARGE)
    await market.sandbox.choose(PAYMENT, "slow")
    await market.sandbox.void(PAYMENT)
    await market.all_notices_due()
    await market.sandbox.deliver_due()
    assert ear.heard == []
    assert (await market.sandbox.view(PAYMENT)).status == "voided"


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


async def test_an_unknown_payment_is_not_there(market: Market) -> None:
    """Its page finds nothing; letting it go is harmless."""
    with pytest.raises(NotFound):
        await market.sandbox.view("pay_guessed")
    await market.sandbox.void("pay_guessed")
