"""The Socket.IO conversation as data: what a client may ask and is answered, and what the server says of itself."""

from dataclasses import dataclass
from typing import Any

from streamserver.messages.accounts import Scope
from streamserver.messages.base import Message, Nothing
from streamserver.messages.live import Fault, Join, React, Reactions, Rights, States
from streamserver.messages.rooms import Event, PinChange, Pins, Snapshot, Tap
from streamserver.messages.stock import Hold, HoldRequest, LeaveRequest, Place, ReleaseRequest, Turn, WaitRequest

Example = dict[str, Any]  # a body as JSON

ROOM, EPOCH = "room_0qkd38h2v1x4m7c9s5b6wn", "0qkd38h2v1x4"
ANCHOR, VARIANT, HOLD = "anchor_0qkd39a7r2e5t8y3p6gdhj", "var_0qkd39a7r2e5t8y3p6gdhk", "hold_0qkd3b4n7m2q5w8e1rtyzx"
AT = 1_765_000_000_000
MAYA = {"handle": "maya", "name": "Maya"}
PINS = {"version": 4, "pins": [{"anchor": ANCHOR, "by": MAYA, "at": AT}]}
ABOUT = {"id": ROOM, "title": "Evening show", "description": "", "creator": MAYA, "scheduled_at": None}
STOCK = {
    "key": f"stock:{VARIANT}",
    "version": 57,
    "value": {"variant": VARIANT, "available": 3, "epoch": 1, "waiting": 0},
}
HELD = {
    "id": HOLD,
    "pool": f"room:{ROOM}",
    "variant": VARIANT,
    "quantity": 1,
    "price": 1900,
    "currency": "EUR",
    "deadline": AT + 300_000,
    "status": "held",
    "left": 3,
    "replayed": False,
    "token": "h1.eyJob2xkIjoi.Zm9yIHNob3c",
}


@dataclass(frozen=True, slots=True)
class Question:
    """An event that a client sends with an ack. `codes`: what the question itself can be refused with; `says` and `hears` are
    examples of its body and of a good answer."""

    name: str
    body: type[Message]
    answer: type[Message]
    scope: Scope
    meaning: str
    says: Example
    hears: Example
    codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Word:
    """An event that the server sends, without an ack. `says` is an example of its body."""

    name: str
    body: type[Message]
    meaning: str
    says: Example


ANY_QUESTION = ("invalid", "forbidden", "too_many_requests", "one_moment", "failed")

QUESTIONS = (
    Question(
        "join",
        Join,
        Nothing,
        "read",
        "Come into a room, or come again with `after` to be told what is missing. The acknowledgement follows what is told.",
        {"room": ROOM, "after": {"epoch": EPOCH, "seq": 41}},
        {},
        ("not_found",),
    ),
    Question(
        "hold",
        HoldRequest,
        Hold,
        "buy",
        "Set units aside for this buyer. Ask again with the same key and `retry` when the answer was lost.",
        {"key": "3q2-7wAAEjRWeJq83vDxIg", "variant": VARIANT, "quantity": 1, "retry": False},
        HELD,
        ("not_joined", "not_found", "sold_out", "limit_reached", "key_reused", "not_live"),
    ),
    Question(
        "release",
        ReleaseRequest,
        Nothing,
        "buy",
        "Give a hold back before its deadline.",
        {"hold": HOLD},
        {},
        ("not_joined", "not_found", "hold_gone"),
    ),
    Question(
        "wait",
        WaitRequest,
        Place,
        "buy",
        "Take a place in line for what is sold out, or keep it by asking again within a minute.",
        {"variant": VARIANT},
        {"variant": VARIANT, "place": 3, "hold": None},
        ("not_joined", "not_found", "limit_reached", "line_closed"),
    ),
    Question(
        "leave_line",
        LeaveRequest,
        Nothing,
        "buy",
        "Give a place in line up.",
        {"variant": VARIANT},
        {},
        ("not_joined", "not_found"),
    ),
    Question(
        "tap",
        Tap,
        Nothing,
        "read",
        "Say that a viewer opened a product.",
        {"anchor": ANCHOR},
        {},
        ("not_joined",),
    ),
    Question(
        "react",
        React,
        Nothing,
        "read",
        "Say that a viewer likes what they see.",
        {"kind": "heart"},
        {},
        ("not_joined",),
    ),
    Question(
        "pin",
        PinChange,
        Pins,
        "rooms",
        "Pin or unpin a product, as seen at a version.",
        {"operation": "op-5d8f21c07b", "version": 3, "action": "pin", "anchor": ANCHOR, "replace": None},
        PINS,
        ("not_joined", "not_found", "pin_conflict", "pins_full", "wrong_state"),
    ),
)

WORDS = (
    Word(
        "snapshot",
        Snapshot,
        "All that a viewer is shown, true at `seq`. The first word on joining without `after`, and the one after `resync`.",
        {
            "epoch": EPOCH,
            "seq": 41,
            "at": AT,
            "about": ABOUT,
            "life": {"status": "live", "started_at": AT, "ending_at": None, "ended_at": None},
            "lineup": {"version": 7, "anchors": []},
            "pins": PINS,
            "states": [STOCK],
            "rights": [],
        },
    ),
    Word(
        "event",
        Event,
        "Event lane: gapless in `seq` within an `epoch`. Whoever sees a gap asks for `join` with `after`.",
        {"epoch": EPOCH, "seq": 42, "at": AT, "media_time": None, "type": "about", "data": ABOUT},
    ),
    Word(
        "states",
        States,
        "State lane: the newest values of what changed. A lower version never replaces a higher one of the same key.",
        {"states": [STOCK]},
    ),
    Word(
        "reactions",
        Reactions,
        "Chatter lane: how many viewers reacted since this was last told, added up over all of them.",
        {"counts": {"heart": 12, "clap": 1}},
    ),
    Word(
        "rights",
        Rights,
        "What this viewer may do in the room, when that changed and on coming back.",
        {"rights": ["pin"]},
    ),
    Word(
        "turn",
        Turn,
        "A unit is set aside for this viewer, who waited in line for it.",
        {"variant": VARIANT, "hold": HOLD},
    ),
    Word("resync", Nothing, "The missing events cannot be told any more: forget everything, a snapshot follows.", {}),
    Word(
        "fault",
        Fault,
        "Why the server closes the connection now, and whether to come back. Where `retry` is false it leaves the namespace too.",
        {"code": "restarting", "message": "The server restarts. You will be reconnected.", "retry": True},
    ),
)
