"""What the sandbox tells the shop when something becomes of a payment, as plain data."""

from streamserver.messages.orders import SandboxOutcome
from streamserver.orders.model import PaymentStatus

Notices = tuple[tuple[PaymentStatus, int], ...]  # each what is said, and how many ms later

OLD_NEWS_MS = 1_000  # what is out of order comes in so much later than what it should have preceded

PLAIN: dict[PaymentStatus, Notices] = {
    "authorised": (("authorised", 0),),
    "declined": (("declined", 0),),
    "captured": (("captured", 0),),
    "refunded": (("refunded", 0),),
    "voided": (),  # it is always the shop who does that
}
TWICE: dict[PaymentStatus, Notices] = {status: told * 2 for status, told in PLAIN.items()}
REORDERED: dict[PaymentStatus, Notices] = {
    **PLAIN,
    "authorised": (("authorised", 0), ("declined", OLD_NEWS_MS)),  # a first card was declined, a second one accepted
    "captured": (("captured", 0), ("authorised", OLD_NEWS_MS)),
}
ODD: dict[SandboxOutcome | None, dict[PaymentStatus, Notices]] = {"twice": TWICE, "reordered": REORDERED}


def notices(outcome: SandboxOutcome | None, status: PaymentStatus) -> Notices:
    """What the shop is told when a payment for which the buyer chose `outcome` becomes `status`."""
    return ODD.get(outcome, PLAIN)[status]
