"""One client's conversation: what it says is understood as the bytes arrive, without a task where its answer needs none."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

import orjson
from aiohttp.web import Request, StreamResponse

from streamserver.kit.tasks import Tasks
from streamserver.messages.live import Fault
from streamserver.realtime import frames
from streamserver.realtime.faults import BAD_FORMAT, TOO_MANY_REQUESTS
from streamserver.realtime.heartbeat import Heartbeat
from streamserver.realtime.limits import Bucket
from streamserver.realtime.viewer import Viewer
from streamserver.realtime.websocket import Handshake, WebSocket

MAX_MESSAGE = 8_192  # bytes: no question is longer, and refusing a long one takes time that others wait for
MAX_WAITING = 16  # packets of one client that wait for an answer under way; then it is not read


class PacketError(Exception):
    """The client does not speak the protocol."""


class Conversation(Protocol):
    """What happens on a socket, in order: `greet`, `greeted`, `answer` …, `left`."""

    async def greet(self, socket: "Connection", auth: object) -> None:
        """The client says who it is. Raises `Failure` to refuse; nothing may be sent yet."""
        ...

    def greeted(self, socket: "Connection") -> None:
        """The client knows that it is connected."""
        ...

    def answer(
        self, socket: "Connection", name: str, arguments: list[object], ack: int | None
    ) -> "asyncio.Task[Any] | None":
        """Answer one question. Returns what the next one must wait for."""
        ...

    def left(self, socket: "Connection") -> None: ...


class EnginePacket(Protocol):
    """A packet as python-engineio makes it."""

    def encode(self) -> str: ...


class Door(Protocol):
    """Where connections come in. `flood_limit`: packets a second, and at once, that one client may send; `max_backlog`: bytes
    that may wait for a client before it counts as slow."""

    conversation: Conversation
    flood_limit: int
    max_backlog: int
    heartbeat: Heartbeat
    tasks: Tasks

    async def rarely_said(self, sid: str, packet: str) -> None:
        """Understand a Socket.IO packet that is no question. Raises `PacketError`."""
        ...

    def left(self, connection: "Connection") -> None:
        """Forget a connection that is gone; told once or twice."""
        ...


class Connection:
    """One connection; to python-engineio it is a socket. `request` is there until the client has introduced itself; `flood`
    counts packets that are no permitted questions: a client beyond it is not worth reading. One packet at a time is acted on."""

    __slots__ = (
        "_acting", "_door", "_slot", "_waiting", "_write", "_ws",
        "closed", "closing", "flood", "request", "sid", "viewer",
    )  # fmt: skip

    def __init__(self, door: Door, sid: str, request: Request) -> None:
        self.sid = sid
        self.request: Request | None = request
        self.viewer: Viewer | None = None
        self.flood = Bucket(door.flood_limit, door.flood_limit)
        self.closing = self.closed = False
        self._door = door
        self._ws: WebSocket | None = None
        self._write: Callable[[bytes], None] = _nowhere
        self._slot = door.heartbeat.join(self)
        self._acting: asyncio.Task[Any] | None = None
        self._waiting: deque[bytes] | None = None

    async def serve(self, request: Request) -> StreamResponse:
        """Begin to talk."""
        handshake = Handshake()
        self._ws = await handshake.take_over(request, self, MAX_MESSAGE, self._door.max_backlog)
        self._write = self._ws.write
        self.write(frames.text(b"0" + orjson.dumps(self._opening())))
        return handshake

    @property
    def write(self) -> Callable[[bytes], None]:
        """Queues finished frames; quietly nothing once the connection is closing."""
        return self._write

    def backlog(self) -> int:
        return 0 if self._ws is None else self._ws.backlog()

    def hang_up(self) -> None:
        if not self.closing:
            self.closing = True
            if self._ws is not None:
                self._ws.close()

    def abort(self) -> None:
        """Cut the line without a word."""
        if self._ws is not None:
            self._ws.abort()

    def flooded(self) -> bool:
        """Count a packet that is no permitted question; beyond a multiple of the rate it was the last one."""
        is_too_much = not self.flood.take()
        if is_too_much:
            self.fail(TOO_MANY_REQUESTS)
        return is_too_much

    def fail(self, why: Fault) -> None:
        """Say why and hang up, whether or not the client has introduced itself."""
        if self.viewer is not None:
            self.viewer.close(why)
        else:
            self.write(frames.DISCONNECT)
            self.hang_up()

    # python-socketio

    async def send(self, pkt: EnginePacket) -> None:
        """What python-socketio itself says: connect, refuse, disconnect."""
        self.write(frames.text(str(pkt.encode()).encode()))

    async def close(self, wait: bool = True, abort: bool = False, reason: str | None = None) -> None:
        self.hang_up()

    # The connection

    def said(self, message: bytes) -> None:
        if self.closing:
            return
        if self._acting is None:
            self._act(message)
        else:
            self._keep(message)

    def said_binary(self) -> None:
        self.fail(BAD_FORMAT)

    def lagged(self) -> None:
        if self.viewer is not None:
            self.viewer.lag()

    def drained(self) -> None:
        if self.viewer is not None:
            self.viewer.drain()

    def lost(self) -> None:
        self.closing = self.closed = True
        self._waiting = None
        if self._acting is None:
            self._leave()

    def beat(self) -> None:
        if self._ws is None or self.viewer is None or not self._ws.heard:
            self.hang_up()  # never introduced itself, or is gone
        else:
            self._ws.heard = False
            self.write(frames.PING)

    def _act(self, message: bytes) -> None:
        """Act on one Engine.IO packet (protocol 4): questions and pongs here, what is rare as python-socketio does."""
        is_question = message.startswith(b"42")
        try:
            if not is_question and self.flooded():
                return
            if is_question and self.viewer is not None:
                task = self._door.conversation.answer(self, *_event(message))
            elif message.startswith(b"4") and not is_question:
                task = self._door.tasks.start(self._understand(message), "packet")
            else:
                task = self._upkeep(message)
        except PacketError:
            self.fail(BAD_FORMAT)
        else:
            if task is not None:
                self._acting = task
                task.add_done_callback(self._acted)

    async def _understand(self, message: bytes) -> None:
        try:
            await self._door.rarely_said(self.sid, message[1:].decode())
        except (PacketError, UnicodeDecodeError):
            self.fail(BAD_FORMAT)

    def _upkeep(self, message: bytes) -> None:
        if message == b"1":
            self.hang_up()
        elif not message.startswith(b"3"):
            raise PacketError

    def _keep(self, message: bytes) -> None:
        if self._waiting is None:
            self._waiting = deque()
        self._waiting.append(message)
        if len(self._waiting) == MAX_WAITING and self._ws is not None:
            self._ws.pause_reading()

    def _acted(self, _: "asyncio.Task[Any]") -> None:
        self._acting = None
        if self.closed:
            self._leave()
            return
        while self._waiting and self._acting is None and not self.closing:
            self._act(self._waiting.popleft())
        if self._waiting is not None and not self._waiting:
            self._waiting = None
            if self._ws is not None:
                self._ws.resume_reading()

    def _leave(self) -> None:
        self._door.heartbeat.leave(self, self._slot)
        self._door.left(self)

    def _opening(self) -> dict[str, Any]:
        return {
            "sid": self.sid,
            "upgrades": [],
            "pingInterval": self._door.heartbeat.interval * 1000,
            "pingTimeout": self._door.heartbeat.interval * 1000,
            "maxPayload": MAX_MESSAGE,
        }


def _nowhere(_: bytes) -> None:
    """There is no connection yet."""


def _event(message: bytes) -> tuple[str, list[object], int | None]:
    """The name, the arguments and the number for the acknowledgement of `42<number>["name", …]`. Another namespace than the
    one there is would stand in front of the number."""
    number, bracket, rest = message[2:].partition(b"[")
    try:
        name, *arguments = orjson.loads(bracket + rest)
        ack = int(number) if number else None
    except ValueError as error:  # orjson's own is one
        raise PacketError from error
    if not isinstance(name, str) or (ack is not None and not number.isdigit()):
        raise PacketError
    return name, arguments, ack
