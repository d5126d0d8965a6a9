"""Buying: setting units aside, and giving them back."""

from typing import Protocol

from streamserver.accounts.model import Identity
from streamserver.messages.base import Message, Nothing
from streamserver.messages.stock import Hold, HoldRequest, ReleaseRequest
from streamserver.realtime.handlers.ask import Handler, joined
from streamserver.realtime.viewer import Viewer


class Holds(Protocol):
    """What these questions need of `rooms.service.RoomService`."""

    async def hold(self, room: str, identity: Identity, request: HoldRequest) -> Hold: ...

    async def release(self, identity: Identity, hold: str, /) -> None: ...


def stock_handlers(rooms: Holds) -> dict[str, Handler]:
    async def hold(viewer: Viewer, body: HoldRequest) -> Message:
        return await rooms.hold(joined(viewer), viewer.identity, body)

    async def release(viewer: Viewer, body: ReleaseRequest) -> Message:
        joined(viewer)
        await rooms.release(viewer.identity, body.hold)
        return Nothing()

    return {
        "hold": Handler(HoldRequest, "buy", hold),
        "release": Handler(ReleaseRequest, "buy", release),
    }
