"""A WebSocket (RFC 6455) without a task, a queue or a timer of its own: after aiohttp's handshake the connection gets a small
protocol that feeds aiohttp's own reader, and what was said is handed on at once.

Measured on aiohttp 3.14 (a private seam: the version is pinned): a connection that keeps aiohttp's request task takes 13 KB and
9,000 of them leaving at once block the loop for half a second; this one takes 4 KB, and they leave within 50 ms.
"""

import asyncio
import socket
from typing import Any, Protocol

from aiohttp import WSCloseCode, WSMsgType
from aiohttp._websocket.models import WebSocketError  # pyright: ignore[reportPrivateUsage]
from aiohttp._websocket.reader import WebSocketDataQueue, WebSocketReader  # pyright: ignore[reportPrivateUsage]
from aiohttp.web import BaseRequest, WebSocketResponse

from streamserver.kit.log import log
from streamserver.realtime import frames

NO_CAUSE = Exception()
UNSENT = 131_072  # bytes that the kernel takes before the peer does: left alone it keeps megabytes of old news for a slow one


class Ear(Protocol):
    """Whoever is talked to."""

    def said(self, message: bytes) -> None:
        """One text message, whole."""
        ...

    def said_binary(self) -> None: ...

    def lagged(self) -> None:
        """More waits for the peer than the bound."""
        ...

    def drained(self) -> None:
        """The peer has read most of that."""
        ...

    def lost(self) -> None:
        """The connection is gone; told once."""
        ...


class WebSocket(asyncio.Protocol):
    """`bound`: bytes that may wait for the peer before `lagged` is told."""

    __slots__ = ("_closing", "_ear", "_transport", "heard", "reader")

    def __init__(self, ear: Ear, transport: asyncio.Transport, max_message: int, bound: int) -> None:
        self.heard = True  # since somebody last asked
        self._ear = ear
        self._transport = transport
        self._closing = False
        self.reader = WebSocketReader(_Inbox(self), max_message, compress=False, decode_text=False)
        transport.set_write_buffer_limits(high=bound)
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT)

    def write(self, frame: bytes) -> None:
        """Queue finished frames; quietly nothing once the connection is closing."""
        if not self._closing:
            self._transport.write(frame)

    def backlog(self) -> int:
        """Bytes that wait for the peer."""
        return self._transport.get_write_buffer_size()

    def close(self, code: int = WSCloseCode.OK, grace: float = 3.0) -> None:
        """Begin the closing handshake; what the peer has not read within `grace` seconds is thrown away. Until it answers, what
        it says is read and ignored: closing at once would reset the connection and lose our last words."""
        if not self._closing:
            self._transport.write(frames.closing(code))
            self._closing = True
            asyncio.get_running_loop().call_later(grace, self._transport.abort)

    def abort(self) -> None:
        self._transport.abort()

    def pause_reading(self) -> None:
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        if not self._transport.is_closing():
            self._transport.resume_reading()

    # asyncio

    def data_received(self, data: bytes) -> None:
        self.reader.feed_data(data)

    def eof_received(self) -> None:
        """Nothing more will be said; the transport closes itself."""

    def pause_writing(self) -> None:
        self._ear.lagged()

    def resume_writing(self) -> None:
        self._ear.drained()

    def connection_lost(self, exc: Exception | None) -> None:
        self._closing = True
        self._ear.lost()

    # The reader

    def took(self, kind: WSMsgType, data: Any) -> None:
        self.heard = True
        if kind is WSMsgType.CLOSE:
            self.close()
            self._transport.close()
        elif self._closing:
            return
        elif kind is WSMsgType.TEXT:
            self._ear.said(data)
        elif kind is WSMsgType.BINARY:
            self._ear.said_binary()
        elif kind is WSMsgType.PING:
            self.write(frames.pong(data))

    def broke(self, error: BaseException) -> None:
        """The peer does not keep to the protocol, or said too much at once; anything else is our own fault."""
        if isinstance(error, WebSocketError):
            self.close(error.code)
        else:
            log.error("a message failed", exc_info=error)
            self.close(WSCloseCode.INTERNAL_ERROR)


class _Inbox(WebSocketDataQueue):
    """Where aiohttp's reader puts what it has read. It is never full: nothing stays here."""

    def __init__(self, taker: WebSocket) -> None:
        self._taker = taker  # without aiohttp's own fields: an empty deque for each viewer is 0.6 KB

    def feed_data(self, data: Any, size: int) -> None:
        self._taker.took(data.type, data.data)

    def feed_eof(self) -> None: ...

    def set_exception(self, exc: BaseException, exc_cause: BaseException = NO_CAUSE) -> None:
        self._taker.broke(exc)


class Handshake(WebSocketResponse):
    """Answers an upgrade request, and takes the connection away from aiohttp."""

    def __init__(self) -> None:
        super().__init__(compress=False)

    async def take_over(self, request: BaseRequest, ear: Ear, max_message: int, bound: int) -> WebSocket:
        """Raises ConnectionError when the client is gone already."""
        handler, transport = request.protocol, request.transport
        if transport is None:
            raise ConnectionResetError("The client hung up.")
        self._taker = WebSocket(ear, transport, max_message, bound)
        await self.prepare(request)
        if transport.is_closing():
            raise ConnectionResetError("The client hung up.")
        transport.set_protocol(self._taker)
        _detach(handler)
        return self._taker

    async def write_eof(self, data: bytes = b"") -> None:
        """aiohttp believes that the response ends here."""

    def _post_start(self, request: BaseRequest, protocol: str | None, writer: Any) -> None:
        """aiohttp's own would begin to read into a queue; ours also gets what came with the handshake."""
        self._writer = writer
        request.protocol.set_parser(self._taker.reader)
        request.protocol.keep_alive(False)


def _detach(handler: Any) -> None:
    """Let aiohttp's request handler end without closing the connection, and forget it."""
    handler._manager._connections.pop(handler, None)
    handler._force_close = True
    handler.transport = None
