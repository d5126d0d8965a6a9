"""Socket.IO v5 over WebSocket: python-socketio's packets and connect flow on a connection of our own.

Measured reasons, on python-socketio 5.18 and python-engineio 4.15 (the seams are private: exact versions are pinned, and
`tests/wire` drives them through the stock JavaScript client):
- the stock socket keeps an unbounded queue, a writer task and a ping task for each client; here frames go straight to the
  transport, questions are answered as their bytes arrive, and one wheel pings (12.6 k → 120 k frames/s on one core);
- the stock driver offers permessage-deflate, 91 KiB and twice the CPU for each browser;
- the stock manager gives every client a private room and scans all rooms when one leaves: 1.1 ms each at 20 k;
- stock dispatch lets a client call the handlers named `connect` and `disconnect`, and logs a malformed packet only.
"""

import asyncio
from collections import deque
from typing import Any

import engineio
import orjson
import socketio
from aiohttp.web import Request, StreamResponse
from socketio.packet import CONNECT, DISCONNECT, Packet

from streamserver.config import RealtimeConfig
from streamserver.kit.errors import Failure, OneMoment
from streamserver.kit.tasks import Tasks
from streamserver.realtime.connection import Connection, Conversation, PacketError
from streamserver.realtime.errors import expected
from streamserver.realtime.heartbeat import Heartbeat

NAMESPACE = "/"
AT_A_TIME = 250  # who leave: 2 ms
FLOOD = 10  # times the permitted rate


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

    async def pre_connect(self, eio_sid: str, namespace: str) -> str | None:
        """Without the stock list of those who are connecting, which is searched for each of them."""
        if self.sid_from_eio_sid(eio_sid, namespace) is not None:
            return None  # connected already
        sid = self.server.eio.generate_id()
        self.basic_enter_room(sid, namespace, None, eio_sid)
        return sid

    async def connect(self, sid: str, namespace: str) -> str:
        return sid

    def basic_enter_room(self, sid: str, namespace: str, room: str | None, eio_sid: str | None = None) -> None:
        if room is None:
            super().basic_enter_room(sid, namespace, room, eio_sid)


class LiveEngine(engineio.AsyncServer):
    """Connections by id; a `Door`."""

    def __init__(self, conversation: Conversation, limits: RealtimeConfig, **options: Any) -> None:
        super().__init__(**options)
        self.conversation = conversation
        self.flood_limit = limits.messages_per_second * FLOOD
        self.max_backlog = limits.max_backlog
        self.heartbeat = Heartbeat(limits.ping_seconds)
        self.tasks = Tasks()
        self._leaving: deque[Connection] = deque()

    async def rarely_said(self, sid: str, packet: str) -> None:
        await self.handlers["message"](sid, packet)

    def left(self, connection: Connection) -> None:
        """Thousands leave together: without a task each, and a few at a time."""
        self._leaving.append(connection)
        if len(self._leaving) == 1:
            asyncio.get_running_loop().call_soon(self._see_off)

    def _see_off(self) -> None:
        for _ in range(min(AT_A_TIME, len(self._leaving))):
            connection = self._leaving.popleft()
            if self.sockets.pop(connection.sid, None):
                self.handlers["left"](connection)
        if self._leaving:
            asyncio.get_running_loop().call_soon(self._see_off)

    async def welcome(self, request: Request) -> StreamResponse:
        """Take over the connection of an upgrade request that was looked at: what python-engineio's own way in would make of it,
        a WSGI environment, nobody reads."""
        connection = Connection(self, self.generate_id(), request)
        self.sockets[connection.sid] = connection
        await self.handlers["connect"](connection.sid, {})
        try:
            return await connection.serve(request)
        except BaseException:
            connection.lost()
            raise


class LiveServer(socketio.AsyncServer):
    """Socket.IO for one `Conversation`: one namespace, text only."""

    def __init__(self, conversation: Conversation, limits: RealtimeConfig) -> None:
        super().__init__(
            async_mode="aiohttp",
            client_manager=OneRoomManager(),
            serializer=LivePacket,
            transports=["websocket"],
            cors_allowed_origins=[],  # the gateway has checked the origin before
            monitor_clients=False,
            conversation=conversation,
            limits=limits,
        )
        self._conversation = conversation
        self.eio.handlers["left"] = self._forget
        self.on("connect", self._greet)

    async def welcome(self, request: Request) -> StreamResponse:
        """Talk to whoever sent this upgrade request."""
        return await self.eio.welcome(request)

    def backlogs(self) -> list[int]:
        """Bytes that wait for each peer."""
        return [connection.backlog() for connection in self._connections]

    def cut(self) -> None:
        """Lose every connection without a word."""
        for connection in self._connections:
            connection.abort()

    async def close(self) -> None:
        self.eio.heartbeat.stop()
        await self.eio.tasks.close()

    @property
    def _connections(self) -> list[Connection]:
        return list(self.eio.sockets.values())

    def _engineio_server_class(self) -> type[LiveEngine]:
        return LiveEngine

    async def _greet(self, sid: str, environ: dict[str, Any], auth: object) -> None:
        socket = self._socket(self.manager.eio_sid_from_sid(sid, NAMESPACE))
        try:
            await self._conversation.greet(socket, auth)
        except Exception as error:
            failure = expected(error)
            if isinstance(failure, OneMoment):
                socket.hang_up()  # a stock client comes back from that, and not from a refusal
            raise _refusal(failure) from error
        finally:
            socket.request = None  # headers and all: nobody asks for them again

    def _forget(self, connection: Connection) -> None:
        self._conversation.left(connection)
        self.environ.pop(connection.sid, None)
        sid = self.manager.sid_from_eio_sid(connection.sid, NAMESPACE)
        if sid is not None:
            self.manager.basic_disconnect(sid, NAMESPACE)

    async def _handle_eio_message(self, eio_sid: str, data: str) -> None:
        packet = _decode(data)
        socket = self._socket(eio_sid)
        if packet.packet_type == CONNECT:
            await self._handle_connect(eio_sid, packet.namespace, packet.data)
            if socket.viewer is not None:
                self._conversation.greeted(socket)
        elif packet.packet_type == DISCONNECT:
            await self._handle_disconnect(eio_sid, packet.namespace, self.reason.CLIENT_DISCONNECT)
        else:
            raise PacketError

    def _socket(self, eio_sid: str) -> Connection:
        return self.eio.sockets[eio_sid]


def _decode(data: str) -> Packet:
    try:
        packet = LivePacket(encoded_packet=data)
    except (ValueError, IndexError) as error:
        raise PacketError from error
    if packet.attachment_count:
        raise PacketError
    return packet


def _refusal(failure: Failure) -> socketio.exceptions.ConnectionRefusedError:
    """What a stock client gets as `connect_error`, with the `Problem` as its `data`."""
    problem = {**failure.problem(), "status": failure.status}
    return socketio.exceptions.ConnectionRefusedError(failure.message, problem)
