"""Buying: setting units aside, giving them back, waiting for what is sold out."""

from typing import Protocol

from streamserver.accounts.model import Identity
from streamserver.messages.base import Message, Nothing
from streamserver.messages.stock import Hold, HoldRequest, LeaveRequest, Place, ReleaseRequest, WaitRequest
from streamserver.realtime.handlers.ask import Handler, joined
from streamserver.realtime.viewer import Viewer


class Holds(Protocol):
    """What these questions need of `rooms.service.RoomService`."""

    async def hold(self, room: str, identity: Identity, request: HoldRequest) -> Hold: ...

    async def release(self, identity: Identity, hold: str, /) -> None: ...

    async def wait(self, room: str, identity: Identity, request: WaitRequest) -> Place: ...

    async def leave_line(self, room: str, identity: Identity, request: LeaveRequest) -> None: ...


def stock_handlers(rooms: Holds) -> dict[str, Handler]:
    async def hold(viewer: Viewer, body: HoldRequest) -> Message:
        return await rooms.hold(joined(viewer), viewer.identity, body)

    async def release(viewer: Viewer, body: ReleaseRequest) -> Message:
        joined(viewer)
        await rooms.release(viewer.identity, body.hold)
        return Nothing()

    async def wait(viewer: Viewer, body: WaitRequest) -> Message:
        return await rooms.wait(joined(viewer), viewer.identity, body)

    async def leave(viewer: Viewer, body: LeaveRequest) -> Message:
        await rooms.leave_line(joined(viewer), viewer.identity, body)
        return Nothing()

    return {
        "hold": Handler(HoldRequest, "buy", hold),
        "release": Handler(ReleaseRequest, "buy", release),
        "wait": Handler(WaitRequest, "buy", wait),
        "leave_line": Handler(LeaveRequest, "buy", leave),
    }
