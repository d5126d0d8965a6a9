"""Whether what concurrent callers saw can be explained by a simple counter that serves one call after the other.

A history is linearisable when every call can be given one moment between its beginning and its answer, so that a sequential
counter, served in that order, gives the same answers (Herlihy and Wing, 1990). The search is Wing and Gong's, with a memory
of the states that led nowhere (Lowe, 2017).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

Holds = tuple[tuple[str, str], ...]  # (hold, status), in order


@dataclass(frozen=True, slots=True)
class Call:
    """`kind` is *reserve*, *confirm*, *release* or *restock*; `name` is the hold's id, or the operation's of a restock."""

    kind: str
    name: str
    quantity: int = 1


@dataclass(frozen=True, slots=True)
class Operation:
    """A call as its caller saw it. `began` and `ended` are places in one order of all events. A call without an answer
    (`ended` None) may have happened at any moment since it began, or never."""

    call: Call
    began: int
    ended: int | None = None
    answer: Any = None


class Counter(NamedTuple):
    """One SKU: what is available, every hold with its status, what each restock did."""

    available: int = 0
    holds: Holds = ()
    restocks: tuple[tuple[str, int], ...] = ()

    def with_hold(self, name: str, status: str, change: int) -> "Counter":
        holds = dict(self.holds) | {name: status}
        return self._replace(available=self.available + change, holds=tuple(sorted(holds.items())))


def serve(counter: Counter, call: Call) -> tuple[Counter, Any]:
    """What a simple counter does: the counter after the call, and its answer."""
    return RULES[call.kind](counter, call)


def is_linearisable(history: Sequence[Operation], start: Counter) -> bool:
    everybody_answered = sum(1 << n for n, one in enumerate(history) if one.ended is not None)
    open_ends, seen = [(0, start)], {(0, start)}  # which operations are placed so far, as bits, and the counter then
    while open_ends:
        placed, counter = open_ends.pop()
        if placed & everybody_answered == everybody_answered:
            return True
        for n in _could_be_next(history, placed):
            after, answer = serve(counter, history[n].call)
            fits = history[n].ended is None or answer == history[n].answer
            if fits and (step := (placed | 1 << n, after)) not in seen:
                seen.add(step)
                open_ends.append(step)
    return False


def _could_be_next(history: Sequence[Operation], placed: int) -> list[int]:
    """Operations that began before any other that is not placed yet had ended."""
    waiting = [(n, one) for n, one in enumerate(history) if not placed >> n & 1]
    first_end = min((one.ended for _, one in waiting if one.ended is not None), default=None)
    return [n for n, one in waiting if first_end is None or one.began < first_end]


def _reserve(counter: Counter, call: Call) -> tuple[Counter, Any]:
    if call.name in dict(counter.holds):
        return counter, ("replayed", counter.available)
    if not counter.available:
        return counter, ("sold_out", 0)
    return counter.with_hold(call.name, "held", -1), ("held", counter.available - 1)


def _confirm(counter: Counter, call: Call) -> tuple[Counter, Any]:
    status = dict(counter.holds).get(call.name)
    if status == "held":
        return counter.with_hold(call.name, "sold", 0), "sold"
    if status == "released" and counter.available:
        return counter.with_hold(call.name, "sold", -1), "sold"
    return counter, "sold" if status == "sold" else "lost"


def _release(counter: Counter, call: Call) -> tuple[Counter, Any]:
    status = dict(counter.holds).get(call.name)
    if status == "held":
        return counter.with_hold(call.name, "released", 1), "released"
    return counter, status or ""


def _restock(counter: Counter, call: Call) -> tuple[Counter, Any]:
    known = dict(counter.restocks)
    if call.name in known:
        return counter, (known[call.name], counter.available)
    applied = max(call.quantity, -counter.available)
    restocks = tuple(sorted({**known, call.name: applied}.items()))
    after = counter._replace(available=counter.available + applied, restocks=restocks)
    return after, (applied, after.available)


RULES: dict[str, Callable[[Counter, Call], tuple[Counter, Any]]] = {
    "reserve": _reserve, "confirm": _confirm, "release": _release, "restock": _restock,
}  # fmt: skip
