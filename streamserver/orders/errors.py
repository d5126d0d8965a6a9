"""What can go wrong between bag and door, in a buyer's or seller's words."""

from streamserver.kit.errors import Failure


class MixedBag(Failure):
    code, status = "mixed_bag", 409
    sentence = "These come from different shops or in different currencies. Check them out one shop at a time."


class OrderChanged(Failure):
    """`order` is the order as it is now."""

    code, status = "order_changed", 409
    sentence = "Your order has changed since you looked. Nothing was charged; check the new total, then pay."


class WrongState(Failure):
    """`state` is where the order or payment stands."""

    code, status = "wrong_state", 409
    sentence = "That is not possible at this point. Reload to see where it stands now."


class PaymentRefused(Failure):
    """Raised by a payment provider: what was asked for can never work with this payment."""

    code, status = "payment_refused", 409
    sentence = "The payment provider refused. Look at the order again before you retry."
