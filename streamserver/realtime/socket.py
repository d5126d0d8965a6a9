"""Socket.IO v5 over WebSocket: python-socketio's packets and connect flow on a transport of our own.

Measured reasons, on python-socketio 5.18 and python-engineio 4.15 (the seams are private: exact versions are pinned, and
`tests/wire` drives them through the stock JavaScript client):
- the stock socket keeps an unbounded queue, a writer task and a ping task for each client; here frames go straight to the
  transport, which knows how much waits, and timers ping (12.6 k → 120 k frames/s on one core);
- the stock driver offers permessage-deflate, 91 KiB and twice the CPU for each browser;
- the stock manager gives every client a private room and scans all rooms when one leaves: 1.1 ms each at 20 k;
- stock dispatch lets a client call the handlers named `connect` and `disconnect`, and logs a malformed packet only.
"""

import asyncio
from typing import Any, Protocol

import engineio
import orjson
import socketio
from aiohttp import WSMsgType
from aiohttp.web import Request, StreamResponse, WebSocketResponse
from engineio.async_socket import AsyncSocket
from engineio.packet import Packet as EnginePacket
from socketio.packet import CONNECT, DISCONNECT, EVENT, Packet

from streamserver.kit.errors import Failure
from streamserver.kit.tasks import Tasks
from streamserver.messages.live import Fault
from streamserver.realtime import frames
from streamserver.realtime.errors import expected
from streamserver.realtime.faults import BAD_FORMAT, TOO_MANY_REQUESTS
from streamserver.realtime.limits import Bucket
from streamserver.realtime.viewer import Viewer

MAX_MESSAGE = 8_192  # bytes: no question is longer, and refusing a long one takes time that others wait for
PING_INTERVAL, PING_TIMEOUT = 25, 20  # seconds
CLOSE_GRACE = 3.0  # seconds a peer has for the closing handshake and what it has not read yet
NAMESPACE = "/"


class PacketError(Exception):
    """The client does not speak the protocol."""


class Conversation(Protocol):
    """What happens on a socket, in order: `greet`, `greeted`, `answer` …, `left`."""

    async def greet(self, socket: "LiveSocket", request: Request, auth: object) -> None:
        """The client says who it is. Raises `Failure` to refuse; nothing may be sent yet."""
        ...

    def greeted(self, socket: "LiveSocket") -> None:
        """The client knows that it is connected."""
        ...

    async def answer(self, socket: "LiveSocket", name: str, arguments: list[object], ack: int | None) -> None: ...

    def left(self, socket: "LiveSocket") -> None: ...


class JSON:
    """orjson behind the standard library's signatures, as python-socketio calls them."""

    @staticmethod
    def dumps(value: object, **_layout: object) -> str:
        return orjson.dumps(value).decode()

    @staticmethod
    def loads(text: str) -> Any:
        return orjson.loads(text)


class LivePacket(Packet):
    json = JSON
    uses_binary_events = False


class OneRoomManager(socketio.AsyncManager):
    """Knows who is connected; rooms are `fanout`'s."""

    def basic_enter_room(self, sid: str, namespace: str, room: str | None, eio_sid: str | None = None) -> None:
        if room is None:
            super().basic_enter_room(sid, namespace, room, eio_sid)


class LiveSocket(AsyncSocket):
    """One connection. `flood` counts every packet; a client beyond it is not worth reading."""

    def __init__(self, server: "LiveEngine", sid: str) -> None:
        super().__init__(server, sid)
        self.engine = server
        self.viewer: Viewer | None = None
        self.flood = Bucket(server.flood_limit, server.flood_limit)
        self._ws = WebSocketResponse(max_msg_size=MAX_MESSAGE, compress=False)
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def serve(self, request: Request) -> StreamResponse:
        """Talk until either side hangs up."""
        await self._ws.prepare(request)
        self._transport = request.transport  # pyright: ignore[reportAttributeAccessIssue] # aiohttp hides it as a base class
        self.connected = self.upgraded = True
        self.write(frames.text(b"0" + orjson.dumps(self._opening())))
        self._wait_to_ping()
        try:
            await self._read()
        finally:
            self._stop_timer()
            self.closed = True
        return self._ws

    def write(self, frame: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(frame)

    def backlog(self) -> int:
        return 0 if self._transport is None else self._transport.get_write_buffer_size()

    def hang_up(self) -> None:
        if self.closing or self._transport is None:
            return
        self.closing = True
        self._stop_timer()
        self.engine.tasks.start(self._ws.close(drain=False), "closing handshake")
        asyncio.get_running_loop().call_later(CLOSE_GRACE, self._transport.abort)

    def fail(self, why: Fault) -> None:
        """Say why and hang up, whether or not the client has introduced itself."""
        if self.viewer is not None:
            self.viewer.close(why)
        else:
            self.write(frames.DISCONNECT)
            self.hang_up()

    async def send(self, pkt: EnginePacket) -> None:
        """What python-socketio itself says: connect, refuse, disconnect."""
        self.write(frames.text(str(pkt.encode()).encode()))

    async def close(self, wait: bool = True, abort: bool = False, reason: str | None = None) -> None:
        self.hang_up()

    async def _read(self) -> None:
        while not self.closing:
            message = await self._ws.receive()
            if message.type not in {WSMsgType.TEXT, WSMsgType.BINARY}:
                break
            if not self.flood.take():
                self.fail(TOO_MANY_REQUESTS)
            elif message.type is WSMsgType.BINARY or not await self._understood(str(message.data)):
                self.fail(BAD_FORMAT)

    async def _understood(self, packet: str) -> bool:
        """Act on one Engine.IO packet (protocol 4)."""
        kind = packet[:1]
        if kind == "4":
            try:
                await self.engine.message(self, packet[1:])
            except PacketError:
                return False
        elif kind == "3":
            self._wait_to_ping()
        elif kind == "1":
            self.hang_up()
        return kind in {"1", "3", "4"}

    def _opening(self) -> dict[str, Any]:
        return {
            "sid": self.sid,
            "upgrades": [],
            "pingInterval": PING_INTERVAL * 1000,
            "pingTimeout": PING_TIMEOUT * 1000,
            "maxPayload": MAX_MESSAGE,
        }

    def _wait_to_ping(self) -> None:
        self._stop_timer()
        self._timer = asyncio.get_running_loop().call_later(PING_INTERVAL, self._ping)

    def _ping(self) -> None:
        if self.viewer is None:
            self.hang_up()  # never introduced itself
        else:
            self.write(frames.PING)
            self._timer = asyncio.get_running_loop().call_later(PING_TIMEOUT, self.hang_up)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()


class LiveEngine(engineio.AsyncServer):
    """Sockets by id. `flood_limit`: packets a second, and at once, that one client may send."""

    def __init__(self, flood_limit: int, **options: Any) -> None:
        super().__init__(**options)
        self.flood_limit = flood_limit
        self.tasks = Tasks()

    async def message(self, socket: LiveSocket, data: str) -> None:
        """Hand one Socket.IO packet up. Raises `PacketError`."""
        await self.handlers["message"](socket.sid, data)

    async def _handle_connect(self, environ: dict[str, Any], transport: str, jsonp_index: int | None = None) -> Any:
        socket = LiveSocket(self, self.generate_id())
        self.sockets[socket.sid] = socket
        try:
            await self.handlers["connect"](socket.sid, environ)
            return await socket.serve(environ["aiohttp.request"])
        finally:
            await asyncio.shield(self.tasks.start(self._left(socket), "leaving"))

    async def _left(self, socket: LiveSocket) -> None:
        await self.handlers["disconnect"](socket.sid, self.reason.TRANSPORT_CLOSE)
        self.sockets.pop(socket.sid, None)


class LiveServer(socketio.AsyncServer):
    """Socket.IO for one `Conversation`: one namespace, text only."""

    def __init__(self, conversation: Conversation, flood_limit: int) -> None:
        super().__init__(
            async_mode="aiohttp",
            client_manager=OneRoomManager(),
            serializer=LivePacket,
            transports=["websocket"],
            cors_allowed_origins=[],  # the gateway has checked the origin before
            monitor_clients=False,
            flood_limit=flood_limit,
        )
        self._conversation = conversation
        self.on("connect", self._greet)
        self.on("disconnect", self._left)

    async def close(self) -> None:
        await self.eio.tasks.close()

    def _engineio_server_class(self) -> type[LiveEngine]:
        return LiveEngine

    async def _greet(self, sid: str, environ: dict[str, Any], auth: object) -> None:
        socket = self._socket(self.manager.eio_sid_from_sid(sid, NAMESPACE))
        try:
            await self._conversation.greet(socket, environ["aiohttp.request"], auth)
        except Exception as error:
            raise _refusal(expected(error)) from error

    async def _left(self, sid: str, _reason: str) -> None:
        self._conversation.left(self._socket(self.manager.eio_sid_from_sid(sid, NAMESPACE)))

    async def _handle_eio_message(self, eio_sid: str, data: str) -> None:
        packet = _decode(data)
        socket = self._socket(eio_sid)
        if packet.packet_type == CONNECT:
            await self._handle_connect(eio_sid, packet.namespace, packet.data)
            if socket.viewer is not None:
                self._conversation.greeted(socket)
        elif packet.packet_type == DISCONNECT:
            await self._handle_disconnect(eio_sid, packet.namespace, self.reason.CLIENT_DISCONNECT)
        elif packet.packet_type == EVENT and socket.viewer is not None:
            name, arguments = _event(packet)
            await self._conversation.answer(socket, name, arguments, packet.id)
        else:
            raise PacketError

    def _socket(self, eio_sid: str) -> LiveSocket:
        return self.eio.sockets[eio_sid]


def _decode(data: str) -> Packet:
    try:
        packet = LivePacket(encoded_packet=data)
    except (ValueError, IndexError) as error:
        raise PacketError from error
    if packet.attachment_count:
        raise PacketError
    return packet


def _event(packet: Packet) -> tuple[str, list[object]]:
    """The name and the arguments."""
    match packet.data:
        case [str(name), *arguments] if packet.namespace in {None, NAMESPACE}:
            return name, arguments
        case _:
            raise PacketError


def _refusal(failure: Failure) -> socketio.exceptions.ConnectionRefusedError:
    """What a stock client gets as `connect_error`, with the `Problem` as its `data`."""
    problem = {**failure.problem(), "status": failure.status}
    return socketio.exceptions.ConnectionRefusedError(failure.message, problem)
