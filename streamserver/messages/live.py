"""Coming in, coming back, and being sent away. `conversation` lists every event of both sides with its answer.

A failed call is acknowledged with `{"error": Problem}`, a good one with `{"ok": answer}`.
"""

from typing import Annotated, Literal, Protocol

from pydantic import Field, StringConstraints

from streamserver.messages.base import Id, Message
from streamserver.messages.rooms import State


class After(Message):
    """Where a returning viewer left off."""

    epoch: Annotated[str, StringConstraints(max_length=64)]
    seq: Annotated[int, Field(ge=0, le=2**53)]


class Join(Message):
    """Also taken from the connect packet's `auth`. `token` is an API token, for clients without a cookie."""

    room: Id
    after: After | None = None
    token: str | None = None


class States(Message):
    """State lane: the newest values of what changed since the last tick."""

    states: list[State]


ReactionKind = Literal["heart", "clap", "wow"]


class React(Message):
    """A viewer likes what they see."""

    kind: ReactionKind


class Reactions(Message):
    """How many viewers reacted, by kind, since this was last told."""

    counts: dict[ReactionKind, Annotated[int, Field(ge=1)]]


class Rights(Message):
    """Sent to a socket whose rights in the room changed."""

    rights: list[str]


class Fault(Message):
    """Said before the server closes a socket. `retry`: whether coming back makes sense."""

    code: Literal["too_many_requests", "too_slow", "signed_out", "restarting", "bad_format"]
    message: str
    retry: bool


class Publisher(Protocol):
    """How a domain tells viewers something; implemented by `realtime/publisher.py`."""

    async def rights_changed(self, account: str, room: str | None = None) -> None:
        """Whoever is `account` must be looked at again, in `room` or everywhere."""
        ...

    async def session_ended(self, session: str) -> None:
        """Close the sockets that were opened with this session."""
        ...
