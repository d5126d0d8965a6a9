"""A pool as its ledger tells it: every key that a script needs, from nothing but the entries. No I/O."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgpack
import orjson

from streamserver.stock.books import BALANCE, STATUS, Books
from streamserver.stock.chain import Entry
from streamserver.stock.keys import PoolKeys
from streamserver.stock.model import Pool
from streamserver.stock.packing import pack_hold, pack_units

LEAP = 2**32  # versions and epochs of a new generation are above all that the lost one can have told

Flat = list[Any]  # fields and values, or scores and members, one after the other


@dataclass(slots=True)
class Told:
    """A hold as its entries tell it; `source` is an object."""

    buyer: str
    variant: str
    quantity: int
    price: int
    currency: str
    deadline: int
    source: dict[str, Any]
    key: str
    taken_at: int
    status: str
    payment: str = ""
    attempt: int = 0

    @property
    def is_living(self) -> bool:
        return self.status in {"held", "wanted"}


@dataclass(slots=True)
class Waiting:
    n: int
    buyer: str
    variant: str
    source: dict[str, Any]


@dataclass(slots=True)
class History:
    """What the entries so far amount to. People go by their pseudonyms until `named`."""

    pool: Pool
    books: Books
    state: str = "waiting"
    closes_at: int = 0
    holds: dict[str, Told] = field(default_factory=dict[str, Told])
    waiting: dict[str, Waiting] = field(default_factory=dict[str, Waiting])
    joined: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    operations: dict[str, int] = field(default_factory=dict[str, int])
    outbox: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])

    @classmethod
    def of(cls, pool: Pool) -> "History":
        return cls(pool, Books(pool))

    @property
    def people(self) -> set[str]:
        found = {hold.buyer for hold in self.holds.values()} | {one.buyer for one in self.waiting.values()}
        found |= {buyer for buyer, _ in self.joined}
        sources = [hold.source for hold in self.holds.values()] + [one.source for one in self.waiting.values()]
        return found | {source["device"] for source in sources if "device" in source}

    def enter(self, n: int, entry: Entry) -> None:
        """Add entry `n`. Raises KeyError and TypeError for one that makes no sense."""
        self.books.enter(n, entry)
        kind = entry["kind"]
        if kind in {"hold", "offer", "wish"}:
            self._begin(entry)
        elif kind in STATUS:
            self._go_on(self.holds[entry["hold"]], entry)
        elif kind == "attempt":
            self.holds[entry["hold"]].attempt = entry["attempt"]
        elif kind in {"restock", "remove"}:
            sign = 1 if kind == "restock" else -1
            self.operations[f"restock:{entry['operation']}"] = sign * entry["quantity"]
        elif kind in {"move_out", "move_in", "delivered"}:
            self._move(kind, entry)
        elif kind == "wait":
            self.waiting[entry["hold"]] = Waiting(n, entry["buyer"], entry["variant"], entry["source"])
            self.joined[entry["buyer"], entry["variant"]] = entry["hold"]
        elif kind == "leave":
            self.waiting.pop(entry["hold"], None)
        elif kind in {"life", "rebuilt"}:
            self.state, self.closes_at = entry["state"], entry["closes_at"]
            if self.state == "closing":
                self.waiting.clear()

    def enter_all(self, first: int, entries: Iterable[Entry]) -> None:
        for n, entry in enumerate(entries, first):
            self.enter(n, entry)

    def _begin(self, entry: Entry) -> None:
        self.waiting.pop(entry["hold"], None)
        self.holds[entry["hold"]] = Told(
            entry["buyer"], entry["variant"], entry["quantity"], entry["price"], entry["currency"], entry["deadline"],
            entry["source"], entry["key"], entry["at"], STATUS[entry["kind"]],
        )  # fmt: skip

    def _go_on(self, hold: Told, entry: Entry) -> None:
        hold.status = STATUS[entry["kind"]]
        if hold.status == "sold":
            hold.payment, hold.attempt = entry["payment"], entry["attempt"]
        elif hold.status == "returned":
            self.operations[f"return:{entry['operation']}"] = entry["quantity"]

    def _move(self, kind: str, entry: Entry) -> None:
        transfer = entry["transfer"]
        if kind == "delivered":
            self.outbox.pop(transfer, None)
        elif kind == "move_in":
            self.operations[f"receive:{transfer}"] = entry["quantity"]
        else:
            self.operations[f"move:{transfer}"] = entry["quantity"]
            self.outbox[transfer] = {"to": entry["to"], "variant": entry["variant"], "quantity": entry["quantity"]}

    def name(self, names: Mapping[str, str]) -> None:
        """Call people by their own ids again; who was erased stays a pseudonym, and so nobody."""
        for hold in self.holds.values():
            hold.buyer = names.get(hold.buyer, hold.buyer)
            hold.source = _named(hold.source, names)
        for one in self.waiting.values():
            one.buyer = names.get(one.buyer, one.buyer)
            one.source = _named(one.source, names)
        self.joined = {(names.get(buyer, buyer), variant): hold for (buyer, variant), hold in self.joined.items()}
        self.books.counts = {(names.get(b, b), variant): n for (b, variant), n in self.books.counts.items()}

    def keys(self, generation: int, now: int, grace_ms: int, offer_ms: int, patience_ms: int) -> dict[str, Flat]:
        """The content of each key of the pool, by its name in `PoolKeys`."""
        found: dict[str, Flat] = {name: [] for name in PoolKeys._fields}
        found["pool"] += ["living", sum(hold.is_living for hold in self.holds.values())]
        waiting = Counter(one.variant for one in self.waiting.values())
        for variant in self.books.units.keys() | waiting.keys():
            units = self.books.units.get(variant, dict.fromkeys(BALANCE, 0))
            counters = units | {"version": generation * LEAP, "epoch": generation * LEAP, "waiting": waiting[variant]}
            found["units"] += [variant, pack_units(counters)]
        for id_, hold in self.holds.items():
            source, device = _without_device(hold.source)
            found["holds"] += [id_, pack_hold(hold, source, device)]
            if hold.is_living:
                found["deadlines"] += [hold.deadline + grace_ms, f"{hold.deadline} {id_}"]
        for id_, one in self.waiting.items():
            source, device = _without_device(one.source)
            terms = (now + patience_ms, offer_ms, grace_ms)
            found["line"] += [0, f"{one.variant}/{one.n:012}/{id_}"]
            found["waiters"] += [
                id_,
                msgpack.packb((one.variant, one.buyer, device or one.buyer, source, *terms, one.n)),
            ]
        found["waiters"] += _flat((f"{buyer}/{variant}", hold) for (buyer, variant), hold in self.joined.items())
        found["buyers"] += _flat((f"{buyer}/{variant}", count) for (buyer, variant), count in self.books.counts.items())
        found["operations"] += _flat(self.operations.items())
        found["outbox"] += _flat((id_, orjson.dumps(sent)) for id_, sent in self.outbox.items())
        return found

    def available(self, variant: str) -> int:
        return self.books.units.get(variant, dict.fromkeys(BALANCE, 0))["available"]


def _without_device(source: dict[str, Any]) -> tuple[str, str]:
    """JSON of everything else, and the device."""
    rest = {name: value for name, value in source.items() if name != "device"}
    return orjson.dumps(rest).decode(), source.get("device") or ""


def _flat(pairs: Iterable[tuple[str, Any]]) -> Flat:
    return [part for pair in pairs for part in pair]


def _named(source: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return source | {"device": names.get(source["device"], source["device"])} if "device" in source else source
