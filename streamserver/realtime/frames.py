"""Ready bytes: Socket.IO packets in WebSocket text frames. A server's frames are not masked, so viewers share them."""

from collections.abc import Iterable

import orjson

from streamserver.kit.errors import Failure
from streamserver.messages.base import Message, Nothing
from streamserver.messages.live import Fault

TEXT, CLOSE, PONG = 0x81, 0x88, 0x8A  # RFC 6455, section 5.2: FIN and the opcode


def text(payload: bytes) -> bytes:
    """One WebSocket text frame."""
    size = len(payload)
    if size < 126:
        return bytes((TEXT, size)) + payload
    if size < 65_536:
        return bytes((TEXT, 126)) + size.to_bytes(2, "big") + payload
    return bytes((TEXT, 127)) + size.to_bytes(8, "big") + payload


def closing(code: int) -> bytes:
    """A close frame (RFC 6455, section 5.5.1)."""
    return bytes((CLOSE, 2)) + code.to_bytes(2, "big")


def pong(payload: bytes) -> bytes:
    """The answer to a ping frame, which has at most 125 bytes."""
    return bytes((PONG, len(payload))) + payload


def said(name: str, json: bytes) -> bytes:
    """A Socket.IO event (packet type 2 in an Engine.IO message, type 4) with one argument."""
    return text(b'42["%b",%b]' % (name.encode(), json))


def acknowledged(ack: int, json: bytes) -> bytes:
    """The answer to the client's packet `ack`."""
    return text(b"43%d[%b]" % (ack, json))


def states(values: Iterable[bytes]) -> bytes:
    """Several `State` objects, each already JSON, as one message."""
    return said("states", b'{"states":[%b]}' % b",".join(values))


def fault(why: Fault) -> bytes:
    return said("fault", dump(why))


def dump(message: Message) -> bytes:
    return message.to_json()


def good(answer: Message) -> bytes:
    """The body of a good acknowledgement."""
    return NOTHING_GOOD if type(answer) is Nothing else b'{"ok":%b}' % dump(answer)


def bad(failure: Failure) -> bytes:
    """The body of a failed one."""
    return b'{"error":%b}' % problem(failure)


def problem(failure: Failure) -> bytes:
    """`messages.problems.Problem` as JSON."""
    return orjson.dumps({**failure.problem(), "status": failure.status})


NOTHING_GOOD = b'{"ok":{}}'
RESYNC = said("resync", b"{}")
DISCONNECT = text(b"41")  # a stock client does not come back by itself after this packet
PING = text(b"2")
