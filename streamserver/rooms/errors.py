"""What can go wrong in a room, in a host's or viewer's words."""

from streamserver.kit.errors import Conflict, Failure


class WrongState(Failure):
    code, status = "wrong_state", 409
    sentence = "That cannot be done with this show any more."


class PinConflict(Failure):
    """`pins` is how they are now; `by`, `at` and `anchor` say who changed them last, when, and what."""

    code, status = "pin_conflict", 409
    sentence = "The pins changed since you looked."


class PinsFull(Failure):
    """`pins` is how they are now: name one of them in `replace`."""

    code, status = "pins_full", 409
    sentence = "Three products are pinned already. Choose which one to replace."


class LineUpFull(Failure):
    """`limit` is how many fit."""

    code, status = "line_up_full", 409
    sentence = "The line-up is full. Remove a product first."


class AlreadyInLineUp(Failure):
    code, status = "already_in_line_up", 409
    sentence = "This product is in the line-up already."


class LineUpConflict(Conflict):
    """`lineup` is how it is now."""

    code = "lineup_conflict"
    sentence = "Somebody else changed the line-up. Look at the new order, then sort again."


class TooManyRooms(Failure):
    """`limit` is how many one host may have planned or running."""

    code, status = "too_many_rooms", 409
    sentence = "You have planned as many shows as one host may. End or start some of them first."
