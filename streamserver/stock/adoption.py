"""What a lost pool must take over from others before it opens: entries that Redis lost before they were archived, and that
somebody else can prove. No I/O. An entry that would take more than there is, is left out and logged: the audit will tell."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from streamserver.kit.log import log
from streamserver.stock.chain import Entry
from streamserver.stock.model import Pool
from streamserver.stock.rebuilding import History


@dataclass(frozen=True, slots=True)
class Sale:
    """A sold order line. `returned_by` is the operation that put its unit back on sale, if one did. `source` is an object."""

    hold: str
    buyer: str
    variant: str
    quantity: int
    price: int
    currency: str
    deadline: int
    source: dict[str, Any]
    payment: str
    attempt: int
    returned_by: str | None


def adopt_transfers(history: History, others: Iterable[tuple[Pool, Entry]]) -> list[Entry]:
    """First halves of what another pool has received from this one, and second halves of what another pool has sent here;
    `others` are entries of other pools. A second half that is delivered again later is known by its id."""
    entries: list[Entry] = []
    known, taken = set(history.operations), Counter[str]()
    for other, entry in others:
        arrives = entry["kind"] == "move_out" and entry["to"] == history.pool
        if not arrives and not (entry["kind"] == "move_in" and entry["from"] == history.pool):
            continue
        transfer, variant, quantity = entry["transfer"], entry["variant"], entry["quantity"]
        operation = f"{'receive' if arrives else 'move'}:{transfer}"
        if operation in known:
            continue
        known.add(operation)
        about = {"transfer": transfer, "variant": variant, "quantity": quantity, "at": entry["at"]}
        if arrives:
            taken[variant] -= quantity
            entries.append({"kind": "move_in", "from": other, **about})
        elif taken[variant] + quantity <= history.available(variant):
            taken[variant] += quantity
            entries += [{"kind": "move_out", "to": other, **about}, {"kind": "delivered", **about}]
        else:
            log.error("a transfer cannot be accounted for", pool=history.pool, transfer=transfer)
    return entries


def adopt_sales(history: History, sales: Sequence[Sale]) -> list[Entry]:
    """Sales, and returns of them, that are committed with their orders. Transfers must have been entered before."""
    entries: list[Entry] = []
    taken: Counter[str] = Counter()
    for sale in sales:
        known = history.holds.get(sale.hold)
        status = known.status if known else ""
        if status == "returned" or (status == "sold" and known and known.payment == sale.payment):
            found = list[Entry]()
        elif status == "held":
            found = [_entry("sell", sale)]
        elif taken[sale.variant] + sale.quantity > history.available(sale.variant):
            log.error("a sale has no units", pool=history.pool, hold=sale.hold, payment=sale.payment)
            continue
        else:
            taken[sale.variant] += sale.quantity
            found = [_entry("retake", sale)] if known else [_entry("hold", sale), _entry("sell", sale)]
        if sale.returned_by and status != "returned":
            taken[sale.variant] -= sale.quantity
            found.append(_entry("return", sale) | {"operation": sale.returned_by})
        entries += found
    return entries


def _entry(kind: str, sale: Sale) -> Entry:
    return {
        "kind": kind, "variant": sale.variant, "quantity": sale.quantity, "hold": sale.hold, "buyer": sale.buyer,
        "price": sale.price, "currency": sale.currency, "deadline": sale.deadline, "key": "", "source": sale.source,
        "payment": "" if kind == "hold" else sale.payment, "attempt": sale.attempt, "at": 0,
    }  # fmt: skip
