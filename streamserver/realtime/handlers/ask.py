"""What every question has in common: its shape, the scope an API token needs for it, and the answer."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import ValidationError

from streamserver.kit.errors import Invalid
from streamserver.messages.accounts import Scope
from streamserver.messages.base import Message
from streamserver.messages.reading import unreadable
from streamserver.realtime.errors import NotJoined
from streamserver.realtime.viewer import Viewer

Body = TypeVar("Body", bound=Message)


@dataclass(frozen=True, slots=True)
class Handler:
    """`run` gets the viewer and the decoded message; a `Failure` it raises is the answer."""

    body: type[Message]
    scope: Scope
    run: Callable[[Viewer, Any], Awaitable[Message]]


def read(handler: Handler, viewer: Viewer, arguments: Sequence[object]) -> Message:
    """The one argument, when this viewer may ask that. Raises `Invalid`, `Forbidden`."""
    viewer.identity.require_scope(handler.scope)
    if len(arguments) != 1:
        raise Invalid("Send exactly one object with this event.", errors=[])
    return decode(handler.body, arguments[0])


def decode(body: type[Body], argument: object) -> Body:
    """Read what a client sent, strictly. Raises `Invalid` with one entry for each field to mend."""
    try:
        return body.from_python(argument)
    except ValidationError as error:
        raise unreadable(error) from None


def joined(viewer: Viewer) -> str:
    """The viewer's room. Raises `NotJoined`."""
    if viewer.room is None:
        raise NotJoined
    return viewer.room
