"""The door of the live conversation: who may come in, what they may ask, how everyone is sent away on a restart."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from typing import Any, NamedTuple, Protocol

from aiohttp import web

from streamserver.accounts.model import Identity
from streamserver.config import Config
from streamserver.kit.errors import Failure, OneMoment, TooManyRequests
from streamserver.kit.tasks import Tasks
from streamserver.messages.live import Join
from streamserver.realtime import frames
from streamserver.realtime.attendance import Attendance, Reports
from streamserver.realtime.audience import Entry
from streamserver.realtime.bus import Bus
from streamserver.realtime.connection import Connection
from streamserver.realtime.control import Control
from streamserver.realtime.entries import RoomReader
from streamserver.realtime.errors import UnknownEvent, WebSocketOnly, expected
from streamserver.realtime.fanout import Fanout
from streamserver.realtime.faults import RESTARTING
from streamserver.realtime.handlers.ask import Handler, decode, read
from streamserver.realtime.handlers.rooms import RoomActions, room_handlers
from streamserver.realtime.handlers.stock import Holds, stock_handlers
from streamserver.realtime.limits import Bucket
from streamserver.realtime.metrics import REFUSED
from streamserver.realtime.prompt import Done, run_at_once
from streamserver.realtime.socket import LiveServer
from streamserver.realtime.viewer import Slowness, Verify, Viewer
from streamserver.stock.model import room_pool

PATH = "/socket.io/"
LOOK_AGAIN = 60.0  # seconds
TOO_FAST = frames.bad(TooManyRequests(retry_after=1))
PROMPT = {
    "hold",
    "tap",
    "react",
}  # questions whose answer may need no task: most holds of a burst are refused by a flag

Authenticate = Callable[[web.Request], Verify]
ByToken = Callable[[str], Awaitable[Identity]]


class Entrant(NamedTuple):
    """Who asked for a socket, and how to look again."""

    identity: Identity
    verify: Verify


ENTRANT = web.RequestKey("entrant", Entrant)


class StockNews(Protocol):
    """`stock.flags.SoldOutFlags`: learns from every count that passes by."""

    def heard(self, pool: str, states: Iterable[bytes]) -> None: ...


class Rooms(RoomReader, RoomActions, Holds, Protocol):
    """`rooms.service.RoomService`, as far as viewers reach it."""


class Gateway:
    """Implements `connection.Conversation`. `authenticate` looks at an upgrade request (origin, cookie, bearer token) and returns
    how to tell who that is, without the request; `by_token` tells it of a token given in `auth`. All raise `Failure`, and look
    anew each time: they are asked again after the bus was lost."""

    def __init__(
        self,
        config: Config,
        rooms: Rooms,
        presence: Reports,
        stock: StockNews,
        bus: Bus,
        authenticate: Authenticate,
        by_token: ByToken,
    ) -> None:
        self._stock = stock
        self._limits = config.realtime
        self._drain_seconds = config.web.drain_seconds
        self._bus = bus
        self._authenticate = authenticate
        self._by_token = by_token
        self._attendance = Attendance(presence)
        self._fanout = Fanout(config.realtime.tick_ms, rooms, self._attendance, bus)
        self._control = Control(rooms, self._fanout)
        self._handlers: dict[str, Handler] = room_handlers(rooms, self._fanout) | stock_handlers(rooms)
        self._server = LiveServer(self, self._limits)
        self._slowness = Slowness(self._limits.max_backlog, self._limits.slow_seconds, self._fanout.catch_up)
        self._entries: dict[Viewer, Entry] = {}
        self._answers: set[asyncio.Task[bytes]] = set()
        self._tasks = Tasks()
        self._draining = False

    def attach(self, app: web.Application) -> None:
        """Serve `/socket.io/`; what is refused there gets a problem (RFC 9457)."""
        app.router.add_route("*", PATH, self._upgrade)

    async def start(self) -> None:
        """Begin to listen on the bus and to report viewers. Raises `OneMoment` when Redis does not answer."""
        await self._bus.start(self)
        self._attendance.start()
        self._tasks.every(LOOK_AGAIN, self._look_again, "sessions")

    async def close(self) -> None:
        """Send everyone away, spread over half the time to drain; let every question under way get its answer. Closes the
        bus too."""
        self._draining = True
        loop, spread = asyncio.get_running_loop(), self._drain_seconds / 2
        for viewer in self._control.viewers:
            loop.call_later(random.uniform(0, spread), viewer.close, RESTARTING)  # noqa: S311 - only spreads them
        if self._control.viewers:
            await asyncio.sleep(spread)
        if self._answers:
            await asyncio.wait(self._answers, timeout=self._drain_seconds)
        for part in (self._tasks, self._server, self._control, self._fanout, self._attendance, self._bus):
            await part.close()

    async def greet(self, socket: Connection, auth: object) -> None:
        if socket.request is None:
            raise OneMoment  # introduced itself before
        identity, verify = socket.request[ENTRANT]
        join = decode(Join, auth) if auth else None
        if join is not None and join.token is not None:
            verify = partial(self._by_token, join.token)
            identity = await verify()
        rate = self._limits.messages_per_second
        viewer = Viewer(identity, socket, Bucket(rate, rate), self._slowness, verify)
        if join is not None:
            identity.require_scope("read")
            self._entries[viewer] = await self._fanout.enter(viewer, join)
        socket.viewer = viewer

    def greeted(self, socket: Connection) -> None:
        viewer = socket.viewer
        if viewer is None or viewer in self._control.viewers:
            return
        self._control.add(viewer)
        if entry := self._entries.pop(viewer, None):
            self._fanout.admit(viewer, entry)

    def answer(
        self, socket: Connection, name: str, arguments: list[object], ack: int | None
    ) -> "asyncio.Task[bytes] | None":
        """It is answered to the end even when the client is gone: a purchase that has begun is never cut off."""
        viewer = socket.viewer
        if viewer is None:
            return None
        if not viewer.bucket.take():
            REFUSED.labels(TooManyRequests.code).inc()
            viewer.reply(ack, TOO_FAST)
            socket.flooded()
            return None
        answer = self._body(viewer, name, arguments)
        if name in PROMPT:
            begun = run_at_once(answer)
            if isinstance(begun, Done):
                viewer.reply(ack, begun.result)
                return None
            answer = begun
        task = self._tasks.start(answer, f"answer to {name[:20]}")
        self._answers.add(task)
        task.add_done_callback(partial(self._answered, viewer, ack))
        return task

    def backlogs(self) -> list[int]:
        """Bytes that wait for each socket's peer."""
        return self._server.backlogs()

    def cut(self) -> None:
        """Lose every connection without a word."""
        self._server.cut()

    def left(self, socket: Connection) -> None:
        viewer = socket.viewer
        if viewer is not None:
            socket.viewer = None
            viewer.left()
            self._entries.pop(viewer, None)
            self._control.viewers.discard(viewer)
            self._fanout.leave(viewer)

    def heard(self, room: str, envelope: list[Any]) -> None:
        if envelope[0] == b"states":
            self._stock.heard(room_pool(room), (json for _, _, json in envelope[1]))
        self._fanout.heard(room, envelope)

    def missed(self, room: str) -> None:
        self._fanout.missed(room)

    def told(self, words: list[Any]) -> None:
        self._control.told(words)

    def missed_control(self) -> None:
        self._control.missed()

    async def _look_again(self) -> None:
        """A word that ended a session may have been lost on its way: ask about everybody's from time to time."""
        self._control.missed()

    def _answered(self, viewer: Viewer, ack: int | None, task: "asyncio.Task[bytes]") -> None:
        self._answers.discard(task)
        if not task.cancelled() and task.exception() is None:
            viewer.reply(ack, task.result())

    async def _upgrade(self, request: web.Request) -> web.StreamResponse:
        try:
            _require_websocket(request)
            if self._draining:
                raise OneMoment
            verify = self._authenticate(request)
            request[ENTRANT] = Entrant(await verify(), verify)
        except Failure as failure:
            REFUSED.labels(failure.code).inc()
            body = frames.problem(failure)
            return web.Response(body=body, status=failure.status, content_type="application/problem+json")
        return await self._server.welcome(request)

    def _handler(self, name: str) -> Handler:
        if name not in self._handlers:
            raise UnknownEvent
        return self._handlers[name]

    async def _body(self, viewer: Viewer, name: str, arguments: Sequence[object]) -> bytes:
        try:
            handler = self._handler(name)
            return frames.good(await handler.run(viewer, read(handler, viewer, arguments)))
        except Exception as error:
            return frames.bad(expected(error))


def _require_websocket(request: web.Request) -> None:
    query = request.query
    is_upgrade = request.method == "GET" and request.headers.get("Upgrade", "").lower() == "websocket"
    if query.get("transport") != "websocket" or query.get("EIO") != "4" or "sid" in query or not is_upgrade:
        raise WebSocketOnly
