"""Rooms over HTTP: their life, line-up, pins and moderators. Holds are in `http/holds.py`."""

from streamserver.http.api import Call, Routes
from streamserver.kit.errors import Invalid
from streamserver.messages.base import Nothing
from streamserver.messages.live import After
from streamserver.messages.rooms import (
    AnchorChange,
    EventList,
    Life,
    LineUp,
    LineUpOrder,
    ModeratorGrant,
    ModeratorList,
    NewAnchor,
    NewRoom,
    PinChange,
    Pins,
    RoomChange,
    RoomList,
    Sales,
    Snapshot,
    Tap,
)
from streamserver.rooms.errors import AlreadyInLineUp, LineUpConflict, LineUpFull, PinConflict, PinsFull, WrongState
from streamserver.rooms.hosting import Filter, Hosting
from streamserver.rooms.lineup import LineUps
from streamserver.rooms.service import RoomService
from streamserver.stock.errors import NotEnoughStock, TooLate

FILTERS: tuple[Filter, ...] = ("live", "scheduled", "ended", "mine")


def room_routes(rooms: RoomService, hosting: Hosting) -> Routes:
    api = Routes("rooms")

    @api.get("/rooms", answer=RoomList, query={"status": "live (the default), scheduled, ended or mine"})
    async def list_rooms(call: Call) -> RoomList:
        """Rooms to watch, or with *mine* those that you run or moderate."""
        status = call.query.get("status", "live")
        if status not in FILTERS:
            raise Invalid(f"'status' must be one of: {', '.join(FILTERS)}.")
        return await hosting.rooms(call.identity, status)

    @api.post("/rooms", body=NewRoom, answer=Snapshot, status=201, scope="rooms")
    async def create_room(call: Call, body: NewRoom) -> Snapshot:
        """Plan a show."""
        return await rooms.snapshot(await hosting.create(call.identity, body), call.identity)

    @api.get("/rooms/{room}", answer=Snapshot)
    async def get_room(call: Call) -> Snapshot:
        """All that a viewer is shown, true at `seq`."""
        return await rooms.snapshot(call.path["room"], call.identity)

    @api.patch("/rooms/{room}", body=RoomChange, answer=Snapshot, scope="rooms")
    async def change_room(call: Call, body: RoomChange) -> Snapshot:
        """Change title, description or time."""
        await hosting.change(call.path["room"], call.identity, body)
        return await rooms.snapshot(call.path["room"], call.identity)

    return api


def life_routes(hosting: Hosting) -> Routes:
    api = Routes("rooms")

    @api.post("/rooms/{room}/start", answer=Life, scope="rooms", failures=(WrongState,))
    async def start_room(call: Call) -> Life:
        """Go live: from now on viewers can buy."""
        return await hosting.start(call.path["room"], call.identity)

    @api.post("/rooms/{room}/end", answer=Life, scope="rooms", failures=(WrongState,))
    async def end_room(call: Call) -> Life:
        """Begin to end the show; until `ending_at` it can be taken back."""
        return await hosting.end(call.path["room"], call.identity)

    @api.delete("/rooms/{room}/end", answer=Life, scope="rooms", failures=(TooLate, WrongState))
    async def undo_end(call: Call) -> Life:
        """Take the end back."""
        return await hosting.undo_end(call.path["room"], call.identity)

    @api.get("/rooms/{room}/sales", answer=Sales)
    async def sales(call: Call) -> Sales:
        """The show's figures, for its host and moderators."""
        return await hosting.sales(call.path["room"], call.identity)

    return api


def show_routes(rooms: RoomService) -> Routes:
    """What happens during a show."""
    api = Routes("rooms")

    @api.get(
        "/rooms/{room}/events",
        answer=EventList,
        query={"epoch": "the log that the number belongs to", "after": "the last sequence number that you have"},
    )
    async def missing_events(call: Call) -> EventList:
        """The events that followed, or `resync`: then take a new snapshot."""
        after = call.query.get("after", "")
        if not after.isdecimal() or len(after) > 15:
            raise Invalid("'after' must be a sequence number.")
        found = await rooms.missing(call.path["room"], After(epoch=call.query.get("epoch", ""), seq=int(after)))
        return EventList.of(found)

    @api.put("/rooms/{room}/pins", body=PinChange, answer=Pins, scope="rooms", failures=(PinConflict, PinsFull))
    async def pin(call: Call, body: PinChange) -> Pins:
        """Pin or unpin a product, as seen at a version."""
        return await rooms.pin(call.path["room"], call.identity, body)

    @api.post("/rooms/{room}/taps", body=Tap, answer=Nothing, scope=None)
    async def tap(call: Call, body: Tap) -> Nothing:
        """Say that a viewer opened a product."""
        await rooms.tap(call.path["room"], call.identity, body)
        return Nothing()

    return api


def moderator_routes(hosting: Hosting) -> Routes:
    api = Routes("moderators")

    @api.get("/rooms/{room}/moderators", answer=ModeratorList, scope="rooms")
    async def list_moderators(call: Call) -> ModeratorList:
        """Who helps in this room, and with what."""
        return await hosting.moderators(call.path["room"], call.identity)

    @api.put("/rooms/{room}/moderators/{handle}", body=ModeratorGrant, answer=ModeratorList, scope="rooms")
    async def grant(call: Call, body: ModeratorGrant) -> ModeratorList:
        """Give somebody exactly these permissions."""
        return await hosting.grant(call.path["room"], call.identity, call.path["handle"], body.permissions)

    @api.delete("/rooms/{room}/moderators/{handle}", answer=ModeratorList, scope="rooms")
    async def revoke(call: Call) -> ModeratorList:
        """Take all permissions away, at once."""
        return await hosting.grant(call.path["room"], call.identity, call.path["handle"], ())

    return api


def lineup_routes(lineups: LineUps) -> Routes:
    api = Routes("line-up")

    @api.post(
        "/rooms/{room}/anchors",
        body=NewAnchor,
        large=True,
        answer=LineUp,
        status=201,
        scope="rooms",
        failures=(AlreadyInLineUp, LineUpFull, NotEnoughStock, WrongState),
    )
    async def add_anchor(call: Call, body: NewAnchor) -> LineUp:
        """Add a product to the line-up; its allotments leave the shop's store for the room."""
        return await lineups.add(call.path["room"], call.identity, body)

    @api.patch(
        "/rooms/{room}/anchors/{anchor}",
        body=AnchorChange,
        large=True,
        answer=LineUp,
        scope="rooms",
        failures=(NotEnoughStock, WrongState),
    )
    async def change_anchor(call: Call, body: AnchorChange) -> LineUp:
        """Set price, limit and allotment of its variants. Only the shop's staff can."""
        return await lineups.change(call.path["room"], call.identity, call.path["anchor"], body)

    @api.delete("/rooms/{room}/anchors/{anchor}", answer=LineUp, scope="rooms", failures=(WrongState,))
    async def remove_anchor(call: Call) -> LineUp:
        """Take a product out of the line-up; units left go back to the store."""
        return await lineups.remove(call.path["room"], call.identity, call.path["anchor"])

    @api.put("/rooms/{room}/lineup", body=LineUpOrder, answer=LineUp, scope="rooms", failures=(LineUpConflict,))
    async def sort(call: Call, body: LineUpOrder) -> LineUp:
        """Put the line-up in a new order, as seen at a version."""
        return await lineups.sort(call.path["room"], call.identity, body)

    return api
