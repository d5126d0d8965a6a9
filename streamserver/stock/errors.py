"""What can go wrong with a hold, in a buyer's words."""

from streamserver.kit.errors import Failure, OneMoment


class SoldOut(Failure):
    """`left` is how many there are, fewer than asked for."""

    code, status = "sold_out", 409
    sentence = "Sold out. Somebody else was faster this time."


class LimitReached(Failure):
    """`limit` is how many of it one buyer may have."""

    code, status = "limit_reached", 409
    sentence = "You already have as many of this as one buyer may take."


class KeyReused(Failure):
    code, status = "key_reused", 409
    sentence = "This key was already used for something else. Use a new key for a new wish."


class NotSelling(Failure):
    code, status = "not_live", 409
    sentence = "Nothing can be bought here right now: the show has not begun, or it is over."


class HoldGone(Failure):
    code, status = "hold_gone", 409
    sentence = "This is no longer set aside for you."


class DuplicatePayment(Failure):
    code, status = "duplicate_payment", 409
    sentence = "This was already paid for. The second payment is returned."


class NotEnoughStock(Failure):
    """`available` is how many the pool has."""

    code, status = "not_enough_stock", 409
    sentence = "There are not that many left in the store."


class TooLate(Failure):
    code, status = "too_late", 409
    sentence = "The show is already over; it can no longer be taken back."


class LineClosed(Failure):
    code, status = "line_closed", 409
    sentence = "The show is over, so nobody's turn comes any more."


class Paused(OneMoment):
    """The server takes on nothing new for a while, since its disk is nearly full."""

    sentence = "The shop is paused for a moment. What is set aside for you stays yours. Try again soon."


class PoolLost(OneMoment):
    """Redis does not have this pool: nobody ever made it, or Redis lost it."""


class PoolAway(OneMoment):
    """The pool is being rebuilt, or lies in the archive."""
