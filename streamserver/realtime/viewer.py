"""One open page: who looks, at which room, and what it has been told."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from streamserver.accounts.model import Identity
from streamserver.messages.live import Fault
from streamserver.realtime import frames
from streamserver.realtime.faults import TOO_SLOW
from streamserver.realtime.limits import Bucket
from streamserver.realtime.metrics import SLOW

Verify = Callable[[], Awaitable[Identity]]


class Wire(Protocol):
    """The connection below a viewer."""

    def write(self, frame: bytes) -> None:
        """Queue one finished frame; quietly nothing once the connection is closing."""
        ...

    def backlog(self) -> int:
        """Bytes that wait for the peer."""
        ...

    def hang_up(self) -> None:
        """Close; what a peer does not read within seconds is thrown away."""
        ...


class Viewer:
    """`position` is the epoch and seq of the last event told; `verify` looks again who this is (raises `Failure`)."""

    __slots__ = ("_closed", "_max_backlog", "_wire", "bucket", "identity", "position", "rights", "room", "verify")

    def __init__(self, identity: Identity, wire: Wire, bucket: Bucket, max_backlog: int, verify: Verify) -> None:
        self.identity = identity
        self.bucket = bucket
        self.verify = verify
        self.room: str | None = None
        self.rights: tuple[str, ...] = ()
        self.position: tuple[str, int] = ("", 0)
        self._wire = wire
        self._max_backlog = max_backlog
        self._closed = False

    def send(self, frame: bytes) -> None:
        """Write a finished frame; whoever left too much unread is disconnected instead."""
        if self._closed:
            return
        if self._wire.backlog() > self._max_backlog:
            SLOW.inc()
            self.close(TOO_SLOW)
        else:
            self._wire.write(frame)

    def reply(self, ack: int | None, body: bytes) -> None:
        """Answer the client's packet `ack`; a client that gave no number wants no answer."""
        if ack is not None:
            self.send(frames.acknowledged(ack, body))

    def close(self, why: Fault) -> None:
        """Say why, then hang up. A stock client comes back by itself only where `why.retry` is true."""
        if self._closed:
            return
        self._closed = True
        self._wire.write(frames.fault(why))
        if not why.retry:
            self._wire.write(frames.DISCONNECT)
        self._wire.hang_up()
