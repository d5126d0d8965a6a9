"""What the ledger says there is: its entries added up, without a look at Redis."""

from dataclasses import dataclass, field
from typing import NamedTuple

from streamserver.messages.stock import HoldStatus
from streamserver.stock.chain import Entry
from streamserver.stock.model import Pool

BALANCE = ("available", "held", "sold", "restocked", "removed", "moved_in", "moved_out")
ENTERING = ("restock", "move_in")
NO_UNITS = (
    "repair",
    "life",
    "wait",
    "leave",
    "delivered",
    "attempt",
    "rebuilt",
)  # notes: no unit moves between counters
WAYS = {
    "hold": ("available", "held"), "offer": ("available", "held"),
    "released": ("held", "available"), "expired": ("held", "available"),
    "sell": ("held", "sold"), "retake": ("available", "sold"), "take": ("available", "sold"), "return": ("sold", "available"),
    "remove": ("available", "removed"), "move_out": ("available", "moved_out"),
    "restock": ("restocked", "available"), "move_in": ("moved_in", "available"),
}  # fmt: skip
STATUS: dict[str, HoldStatus] = {
    "hold": "held", "offer": "held", "wish": "wanted", "released": "released", "expired": "expired", "wish_released": "released",
    "wish_expired": "expired", "sell": "sold", "take": "sold", "retake": "sold", "return": "returned",
}  # fmt: skip
OF_ROOM = {
    "hold": 1,
    "offer": 1,
    "released": -1,
    "expired": -1,
    "take": 1,
    "retake": 1,
    "return": -1,
}  # a room's limit counts what was bought
OF_SHOP = {"hold": 1, "offer": 1, "released": -1, "expired": -1, "sell": -1}  # a store's only what is held


class HoldFacts(NamedTuple):
    """What must be the same on both sides of a hold; `payment` only while it is sold for it."""

    buyer: str
    variant: str
    quantity: int
    status: str
    payment: str


class Transfer(NamedTuple):
    """Units between this pool and `other`."""

    other: Pool
    variant: str
    quantity: int


@dataclass(slots=True)
class Books:
    """One pool's. `overdrawn` are the entries that took more than there was, `unfair` the offers to somebody who was not the
    head of the line, `unreadable` those that say nothing. `lines` has the holds to come, by variant, in order."""

    pool: Pool
    n: int = 0
    units: dict[str, dict[str, int]] = field(default_factory=dict[str, dict[str, int]])
    holds: dict[str, HoldFacts] = field(default_factory=dict[str, HoldFacts])
    counts: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])
    sent: dict[str, Transfer] = field(default_factory=dict[str, Transfer])
    received: dict[str, Transfer] = field(default_factory=dict[str, Transfer])
    lines: dict[str, dict[str, None]] = field(default_factory=dict[str, dict[str, None]])
    overdrawn: list[int] = field(default_factory=list[int])
    unfair: list[int] = field(default_factory=list[int])
    unreadable: list[int] = field(default_factory=list[int])

    def enter(self, n: int, entry: Entry) -> None:
        """Add entry `n`; buyers go by the name that it has for them."""
        self.n = n
        try:
            if entry["kind"] in WAYS:
                self._shift(entry)
            self._follow(entry)
            self._queue(entry)
        except (KeyError, TypeError):
            self.unreadable.append(n)

    def _follow(self, entry: Entry) -> None:
        if entry["kind"] in STATUS:
            self._hold(entry)
        elif entry["kind"] == "move_out":
            self.sent[entry["transfer"]] = Transfer(entry["to"], entry["variant"], entry["quantity"])
        elif entry["kind"] == "move_in":
            self.received[entry["transfer"]] = Transfer(entry["from"], entry["variant"], entry["quantity"])
        elif entry["kind"] not in WAYS and entry["kind"] not in NO_UNITS:
            raise KeyError(entry["kind"])

    def _queue(self, entry: Entry) -> None:
        """Whose turn it is: each who leaves the line has an entry, so an offer goes to whoever stands first."""
        kind = entry["kind"]
        if kind == "life" and entry["state"] == "closing":
            self.lines.clear()
        elif kind in {"wait", "leave", "offer"}:
            line = self.lines.setdefault(entry["variant"], {})
            if kind == "wait":
                line[entry["hold"]] = None
                return
            if kind == "offer" and next(iter(line), None) != entry["hold"]:
                self.unfair.append(self.n)
            line.pop(entry["hold"], None)

    def _shift(self, entry: Entry) -> None:
        source, target = WAYS[entry["kind"]]
        units = self.units.setdefault(entry["variant"], dict.fromkeys(BALANCE, 0))
        units[source] += entry["quantity"] if entry["kind"] in ENTERING else -entry["quantity"]
        units[target] += entry["quantity"]
        if units[source] < 0:
            self.overdrawn.append(self.n)

    def _hold(self, entry: Entry) -> None:
        status = STATUS[entry["kind"]]
        payment = (entry.get("payment") or "") if status == "sold" else ""
        self.holds[entry["hold"]] = HoldFacts(entry["buyer"], entry["variant"], entry["quantity"], status, payment)
        counting = OF_ROOM if self.pool.startswith("room:") else OF_SHOP
        counted = (entry["buyer"], entry["variant"])
        self.counts[counted] = self.counts.get(counted, 0) + counting.get(entry["kind"], 0) * entry["quantity"]
