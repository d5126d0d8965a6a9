"""What the stock scripts promise, as plain Python over dictionaries: the yardstick of the property tests."""

from dataclasses import dataclass, field

LIVING = {"held", "wanted"}
LASTING, DUE = 3_600_000, 0  # a hold's life in ms: one that outlives the test, one whose deadline is now


@dataclass
class Hold:
    buyer: str
    variant: str
    quantity: int
    lasting: bool
    status: str = "held"
    payment: str | None = None
    attempt: int = 0


@dataclass
class Waiter:
    hold: str
    buyer: str
    device: str
    stays: bool
    lasting: bool


@dataclass
class Model:
    """One pool. Answers are those of the scripts, without packed records."""

    limits: dict[str, int]
    limits_sales: bool  # a room's limit counts what was bought; a store's only what is held
    first_paid: set[str] = field(default_factory=set[str])  # variants of which a tap sets nothing aside
    state: str = "open"
    units: dict[str, dict[str, int]] = field(default_factory=dict[str, dict[str, int]])
    holds: dict[str, Hold] = field(default_factory=dict[str, Hold])
    operations: dict[str, int] = field(default_factory=dict[str, int])
    outbox: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])
    line: dict[str, list[Waiter]] = field(default_factory=dict[str, list[Waiter]])
    joined: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])

    def __post_init__(self) -> None:
        names = ("available", "held", "sold", "restocked", "removed", "moved_in", "moved_out")
        self.units = {variant: dict.fromkeys(names, 0) for variant in self.limits}
        self.line = {variant: [] for variant in self.limits}

    def bought(self, buyer: str, variant: str) -> int:
        mine = (h for h in self.holds.values() if (h.buyer, h.variant) == (buyer, variant))
        counting = {"held", "sold"} if self.limits_sales else {"held"}
        return sum(h.quantity for h in mine if h.status in counting)

    def shift(self, variant: str, source: str, target: str, quantity: int) -> None:
        self.units[variant][source] -= quantity
        self.units[variant][target] += quantity

    def has_already(self, buyer: str, device: str, variant: str) -> int:
        return self.bought(buyer, variant) + (self.bought(device, variant) if device != buyer else 0)

    def serve_line(self, variant: str) -> None:
        line = self.line[variant]
        while self.state == "open" and line and self.units[variant]["available"]:
            head = line.pop(0)
            if head.stays and self.has_already(head.buyer, head.device, variant) < self.limits[variant]:
                self.offer(head, variant)

    def offer(self, waiter: Waiter, variant: str) -> None:
        self.shift(variant, "available", "held", 1)
        self.holds[waiter.hold] = Hold(waiter.buyer, variant, 1, waiter.lasting)

    def freed(self, variants: set[str]) -> None:
        """Units came back: to the line first, then home when nothing is sold here any more."""
        for variant in variants:
            self.serve_line(variant)
            left = self.units[variant]["available"]
            if self.state in {"closing", "closed"} and left:
                self.shift(variant, "available", "moved_out", left)
                self.outbox.append((variant, left))
        if self.state == "closing" and not any(h.status in LIVING for h in self.holds.values()):
            self.state = "closed"

    def expire(self) -> int:
        due = [h for h in self.holds.values() if h.status in LIVING and not h.lasting]
        for hold in due:
            self.let_go(hold, "expired")
        self.freed({hold.variant for hold in due})
        return len(due)

    def let_go(self, hold: Hold, status: str) -> None:
        if hold.status == "held":
            self.shift(hold.variant, "held", "available", hold.quantity)
        hold.status = status

    def reserve(self, lasting: bool, requests: list[tuple[str, str, str, int, str]]) -> list[tuple[str, str, int]]:
        """Per (buyer, device, variant, quantity, hold id): (verdict, hold id, left or limit)."""
        self.expire()
        return [self._reserve_one(lasting, *request) for request in requests]

    def _reserve_one(
        self, lasting: bool, buyer: str, device: str, variant: str, quantity: int, new: str
    ) -> tuple[str, str, int]:
        if known := self.holds.get(new):
            if (known.variant, known.quantity) != (variant, quantity):
                return "key_reused", "", 0
            return "replayed", new, self.units[variant]["available"]
        if self.state != "open":
            return "not_live", "", 0
        if variant not in self.limits:
            return "not_found", "", 0
        if self.has_already(buyer, device, variant) + quantity > self.limits[variant]:
            return "limit_reached", "", self.limits[variant]
        if self.units[variant]["available"] < quantity:
            return "sold_out", "", self.units[variant]["available"]
        self.take(Hold(buyer, variant, quantity, lasting), new)
        return "held", new, self.units[variant]["available"]

    def take(self, hold: Hold, new: str) -> None:
        if hold.variant in self.first_paid:
            hold.status = "wanted"
        else:
            self.shift(hold.variant, "available", "held", hold.quantity)
        self.holds[new] = hold

    def retake(self, lasting: bool, buyer: str, device: str, variant: str, quantity: int, lost: str) -> str:
        if lost in self.holds:
            return "known"
        if self.state != "open":
            return "not_live"
        if self.has_already(buyer, device, variant) + quantity > self.limits[variant]:
            return "limit_reached"
        if self.units[variant]["available"] < quantity:
            return "sold_out"
        self.take(Hold(buyer, variant, quantity, lasting), lost)
        return "held"

    def wait(
        self, buyer: str, device: str, variant: str, hold: str, *, stays: bool, lasting: bool
    ) -> tuple[str, str, int]:
        """(verdict, hold id, place or limit)"""
        if self.state != "open":
            return "not_live", "", 0
        line = self.line[variant]
        for place, waiter in enumerate(line, 1):
            if waiter.buyer == buyer:
                waiter.stays = stays
                return "waiting", waiter.hold, place
        known = self.joined.get((buyer, variant), "")
        if known and self.holds.get(known, Hold("", "", 0, lasting=False, status="")).status == "held":
            return "offered", known, 0
        if self.has_already(buyer, device, variant) >= self.limits[variant]:
            return "limit_reached", "", self.limits[variant]
        self.joined[buyer, variant] = hold
        waiter = Waiter(hold, buyer, device, stays, lasting)
        if self.units[variant]["available"]:
            self.offer(waiter, variant)
            return "offered", hold, 0
        line.append(waiter)
        return "waiting", hold, len(line)

    def be_patient(self) -> None:
        """A rebuilt line keeps everyone's place for a while, and its offers stand as long as they do by default."""
        for waiter in [waiter for line in self.line.values() for waiter in line]:
            waiter.stays = waiter.lasting = True

    def leave(self, buyer: str, variant: str) -> int:
        staying = [waiter for waiter in self.line[variant] if waiter.buyer != buyer]
        left, self.line[variant] = len(self.line[variant]) - len(staying), staying
        return left

    def release(self, hold: str) -> str:
        if hold not in self.holds:
            return ""
        record = self.holds[hold]
        if record.status in LIVING:
            self.let_go(record, "released")
            self.freed({record.variant})
        return record.status

    def confirm(self, payment: str, attempt: int, holds: list[str]) -> tuple[str, list[str]]:
        lost, duplicate, taking, buying = list[str](), list[str](), dict[str, int](), dict[tuple[str, str], int]()
        unique = list(dict.fromkeys(holds))
        for hold in unique:
            record = self.holds.get(hold)
            if record is None:
                lost.append(hold)
            elif record.status == "sold":
                duplicate += [hold] if record.payment != payment else []
            elif record.status != "held":
                wanted = taking.get(record.variant, 0) + record.quantity
                mine = (record.buyer, record.variant)
                bought = self.bought(*mine) + buying.get(mine, 0) + record.quantity
                if wanted > self.units[record.variant]["available"] or bought > self.limits[record.variant]:
                    lost.append(hold)
                else:
                    taking[record.variant], buying[mine] = wanted, buying.get(mine, 0) + record.quantity
        if duplicate or lost:
            return ("duplicate_payment", duplicate) if duplicate else ("lost", lost)
        for hold in unique:
            record = self.holds[hold]
            if record.status != "sold":
                self.shift(record.variant, "held" if record.status == "held" else "available", "sold", record.quantity)
                record.status, record.payment, record.attempt = "sold", payment, attempt
            record.attempt = max(record.attempt, attempt)
        self.freed(set())
        return "sold", []

    def give_back(self, operation: str, hold: str, payment: str, attempt: int | None) -> int:
        if f"return:{operation}" in self.operations:
            return 1
        record = self.holds.get(hold)
        if record is None or record.status != "sold" or record.payment != payment:
            return 0
        if attempt is not None and record.attempt != attempt:
            return 0
        self.shift(record.variant, "sold", "available", record.quantity)
        record.status = "returned"
        self.operations[f"return:{operation}"] = record.quantity
        self.freed({record.variant})
        return 1

    def restock(self, operation: str, variant: str, delta: int) -> tuple[int, int]:
        u = self.units[variant]
        if f"restock:{operation}" not in self.operations:
            applied = max(delta, -u["available"])
            self.operations[f"restock:{operation}"] = applied
            u["available"] += applied
            u["restocked" if applied > 0 else "removed"] += abs(applied)
            answer = applied
            self.freed({variant})
        else:
            answer = self.operations[f"restock:{operation}"]
        return answer, u["available"]

    def move(self, transfer: str, variant: str, quantity: int) -> tuple[int, int]:
        u = self.units[variant]
        if f"move:{transfer}" in self.operations:
            return self.operations[f"move:{transfer}"], u["available"]
        if u["available"] < quantity:
            return 0, u["available"]
        self.shift(variant, "available", "moved_out", quantity)
        self.outbox.append((variant, quantity))
        self.operations[f"move:{transfer}"] = quantity
        self.freed({variant})
        return quantity, u["available"]

    def receive(self, transfer: str, variant: str, quantity: int) -> int:
        u = self.units[variant]
        if f"receive:{transfer}" not in self.operations:
            u["available"] += quantity
            u["moved_in"] += quantity
            self.operations[f"receive:{transfer}"] = quantity
            self.freed({variant})
        return u["available"]

    def close(self) -> None:
        if self.state == "open":
            self.state = "closing"
            self.line = {variant: [] for variant in self.limits}
        self.freed(set(self.limits))
