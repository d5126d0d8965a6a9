"""Coming into a room, and what is done in it."""

from typing import Protocol

from streamserver.accounts.model import Identity
from streamserver.kit.errors import Invalid
from streamserver.messages.base import Message, Nothing
from streamserver.messages.live import Join, React
from streamserver.messages.rooms import PinChange, Pins, Tap
from streamserver.realtime.fanout import Fanout
from streamserver.realtime.handlers.ask import Handler, joined
from streamserver.realtime.viewer import Viewer

NOTHING = Nothing()


class RoomActions(Protocol):
    """What these questions need of `rooms.service.RoomService`."""

    async def tap(self, room: str, identity: Identity, tap: Tap) -> None: ...

    async def pin(self, room: str, identity: Identity, change: PinChange) -> Pins: ...


def room_handlers(rooms: RoomActions, fanout: Fanout) -> dict[str, Handler]:
    async def join(viewer: Viewer, body: Join) -> Message:
        if body.token is not None:
            raise Invalid(errors=[{"field": "token", "message": "Give the token when connecting, in `auth`."}])
        fanout.admit(viewer, await fanout.enter(viewer, body))
        return NOTHING

    async def tap(viewer: Viewer, body: Tap) -> Message:
        await rooms.tap(joined(viewer), viewer.identity, body)
        return NOTHING

    async def pin(viewer: Viewer, body: PinChange) -> Message:
        return await rooms.pin(joined(viewer), viewer.identity, body)

    async def react(viewer: Viewer, body: React) -> Message:
        fanout.react(joined(viewer), body.kind)
        return NOTHING

    return {
        "react": Handler(React, "read", react),
        "join": Handler(Join, "read", join),
        "tap": Handler(Tap, "read", tap),
        "pin": Handler(PinChange, "rooms", pin),
    }
