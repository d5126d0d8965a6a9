"""The document that viewers of a room share, and the events that lead from one state of it to the next. No I/O.

*Snapshot plus events equals fresh snapshot*: `apply(old, change) == new` for every change that `changes(old, new)` names.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from streamserver.messages.base import Message
from streamserver.messages.rooms import About, Anchor, Life, LineUp, LineUpPatch, Pin, Pins, Right

MAX_PINS = 3
ALL_RIGHTS: tuple[Right, ...] = ("host", "pin", "lineup", "chat", "ban")
Part = Literal["about", "life", "lineup", "pins"]
Data = About | Life | LineUpPatch | Pins


@dataclass(frozen=True, slots=True)
class Document:
    """`seq` is the number of the last event in it; `epoch` names the log that the numbers belong to."""

    about: About
    life: Life
    lineup: LineUp = field(default_factory=lambda: LineUp(version=0, anchors=[]))
    pins: Pins = field(default_factory=lambda: Pins(version=0, pins=[]))
    epoch: str = ""
    seq: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    type: Part
    data: Data


def changes(old: Document | None, new: Document) -> list[Change]:
    """Name what leads from `old` to `new`; nothing for equal parts."""
    found: list[Change] = []
    if old is None or old.about != new.about:
        found.append(Change("about", new.about))
    if old is None or old.life != new.life:
        found.append(Change("life", new.life))
    if old is None or old.lineup != new.lineup:
        found.append(Change("lineup", patch(old.lineup if old else None, new.lineup)))
    if old is None or old.pins != new.pins:
        found.append(Change("pins", new.pins))
    return found


def patch(old: LineUp | None, new: LineUp) -> LineUpPatch:
    before = {anchor.id: anchor for anchor in old.anchors} if old else {}
    after = {anchor.id: anchor for anchor in new.anchors}
    return LineUpPatch(
        version=new.version,
        put=[anchor for anchor in new.anchors if before.get(anchor.id) != anchor],
        removed=[anchor for anchor in before if anchor not in after],
        order=list(after),
    )


def apply(document: Document, change: Change) -> Document:
    """What a viewer does with an event: the page's `reduce` is the same in JavaScript."""
    data: Message = change.data
    if isinstance(data, About):
        return replace(document, about=data)
    if isinstance(data, Life):
        return replace(document, life=data)
    if isinstance(data, Pins):
        return replace(document, pins=data)
    known: dict[str, Anchor] = {anchor.id: anchor for anchor in [*document.lineup.anchors, *data.put]}
    return replace(document, lineup=LineUp(version=data.version, anchors=[known[anchor] for anchor in data.order]))


def without_pins_of(pins: Pins, anchors: Sequence[Anchor]) -> Pins:
    """Drop pins whose anchors have left the line-up."""
    there = {anchor.id for anchor in anchors}
    kept: list[Pin] = [pin for pin in pins.pins if pin.anchor in there]
    return pins if len(kept) == len(pins.pins) else Pins(version=pins.version + 1, pins=kept)
