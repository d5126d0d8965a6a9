"""Holds over HTTP: the same as through a socket, for programs and for pages outside a room. Whoever asks here may be repeating a
question that a socket lost, so it always goes to the pool itself."""

from streamserver.catalog.service import CatalogService
from streamserver.http.api import Answer, Call, Routes
from streamserver.kit.errors import OneMoment
from streamserver.messages.base import Nothing
from streamserver.messages.stock import Hold, HoldRequest, LeaveRequest, Place, WaitRequest
from streamserver.rooms.service import RoomService
from streamserver.stock.errors import HoldGone, KeyReused, LimitReached, LineClosed, NotSelling, SoldOut

REFUSALS = (SoldOut, LimitReached, KeyReused, NotSelling, OneMoment)


def hold_routes(rooms: RoomService, catalog: CatalogService) -> Routes:
    api = Routes("holds")

    @api.post("/rooms/{room}/holds", body=HoldRequest, answer=Hold, status=201, scope="buy", failures=REFUSALS)
    async def hold_in_room(call: Call, body: HoldRequest) -> Answer:
        """Set units aside from the room's allotment; 200 repeats an earlier answer."""
        return _answer(await rooms.hold(call.path["room"], call.identity, body, certain=True))

    @api.post("/products/{product}/holds", body=HoldRequest, answer=Hold, status=201, scope="buy", failures=REFUSALS)
    async def hold_in_store(call: Call, body: HoldRequest) -> Answer:
        """Set units aside from the shop's store stock; 200 repeats an earlier answer."""
        product = await catalog.product(call.path["product"])
        return _answer(await rooms.hold_in_store(product, call.identity, body))

    @api.get("/holds/{hold}", answer=Hold)
    async def get_hold(call: Call) -> Hold:
        """One of your holds as it is now."""
        return await rooms.held(call.identity, call.path["hold"])

    @api.delete("/holds/{hold}", answer=Nothing, scope="buy", failures=(HoldGone,))
    async def release(call: Call) -> Nothing:
        """Give a hold back before its deadline."""
        await rooms.release(call.identity, call.path["hold"])
        return Nothing()

    @api.post("/rooms/{room}/line", body=WaitRequest, answer=Place, scope="buy", failures=(LimitReached, LineClosed))
    async def wait(call: Call, body: WaitRequest) -> Place:
        """Take a place in line for what is sold out, or keep it by asking again within a minute."""
        return await rooms.wait(call.path["room"], call.identity, body)

    @api.delete("/rooms/{room}/line/{variant}", answer=Nothing, scope="buy")
    async def leave(call: Call) -> Nothing:
        """Give your place in line up."""
        await rooms.leave_line(call.path["room"], call.identity, LeaveRequest(variant=call.path["variant"]))
        return Nothing()

    _ = hold_in_room, hold_in_store, get_hold, release, wait, leave
    return api


def _answer(hold: Hold) -> Answer:
    return Answer(hold, status=200 if hold.replayed else 201)
