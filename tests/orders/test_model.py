"""The rules of orders and payments, without any I/O."""

import itertools

import pytest

from streamserver.orders.errors import WrongState
from streamserver.orders.model import FORWARD, OVER, TRANSITIONS, PaymentStatus, advance, next_step


def test_an_order_that_is_over_goes_nowhere() -> None:
    """*cancelled* and *refunded* are final."""
    assert {status for status, targets in TRANSITIONS.items() if not targets} == OVER


def test_a_refusal_says_where_the_order_stands() -> None:
    """A seller who ships an unpaid order reads that it is not paid."""
    with pytest.raises(WrongState, match="not paid yet") as refused:
        advance("pending", "shipped")
    assert refused.value.details == {"state": "pending"}


@pytest.mark.parametrize("payment", ["open", "authorised", "captured"])
def test_money_that_no_order_waits_for_goes_back(payment: PaymentStatus) -> None:
    """A payment of an old revision, or of an order that is over, is let go or refunded."""
    wanted = "refund" if payment == "captured" else "void"
    assert all(next_step(order, current=False, payment=payment) == wanted for order in TRANSITIONS)
    assert all(next_step(order, current=True, payment=payment) == wanted for order in OVER)


def test_only_a_confirmed_order_takes_money() -> None:
    """Capturing follows confirming, never the other way round."""
    takers = {order for order in TRANSITIONS if next_step(order, current=True, payment="authorised") == "capture"}
    assert takers == {"confirmed"}


def test_payments_only_move_forward() -> None:
    """No two states of a payment lead to each other, so late and repeated notices cannot turn it back."""
    assert not any(a in FORWARD[b] and b in FORWARD[a] for a, b in itertools.combinations_with_replacement(FORWARD, 2))
