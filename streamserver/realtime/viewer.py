"""One open page: who looks, at which room, and what it has been told."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from streamserver.accounts.model import Identity
from streamserver.messages.live import Fault
from streamserver.realtime import frames
from streamserver.realtime.faults import TOO_SLOW
from streamserver.realtime.limits import Bucket
from streamserver.realtime.metrics import SLOW

Verify = Callable[[], Awaitable[Identity]]
LAPSES = 5  # times a minute that a viewer may fall behind


class Wire(Protocol):
    """The connection below a viewer."""

    @property
    def write(self) -> Callable[[bytes], None]:
        """Queues finished frames; quietly nothing once the connection is closing."""
        ...

    def backlog(self) -> int:
        """Bytes that wait for the peer."""
        ...

    def hang_up(self) -> None:
        """Close; what a peer does not read within seconds is thrown away."""
        ...


class Slowness:
    """How much a viewer that reads slowly is given: beyond `bound` bytes nothing but answers, beyond twice as much nothing;
    after `seconds` behind, or too many lapses, it is sent away. `catch_up` tells it the present once it has read."""

    __slots__ = ("bound", "catch_up", "seconds")

    def __init__(self, bound: int, seconds: float, catch_up: "Callable[[Viewer], None]") -> None:
        self.bound, self.seconds, self.catch_up = bound, seconds, catch_up


class Viewer:
    """`position` is the epoch and seq of the last event told; `is_behind`: it has not read what it was sent, and is told no news
    until it has; `verify` looks again who this is (raises `Failure`)."""

    __slots__ = (
        "_closed", "_lapses", "_patience", "_slowness", "_wire", "_write",
        "bucket", "identity", "is_behind", "position", "rights", "room", "verify",
    )  # fmt: skip

    def __init__(self, identity: Identity, wire: Wire, bucket: Bucket, slowness: Slowness, verify: Verify) -> None:
        self.identity = identity
        self.bucket = bucket
        self.verify = verify
        self.room: str | None = None
        self.rights: tuple[str, ...] = ()
        self.position: tuple[str, int] = ("", 0)
        self.is_behind = False
        self._wire = wire
        self._write = wire.write  # the one call in every pass that is worth a shortcut
        self._slowness = slowness
        self._lapses: Bucket | None = None
        self._patience: asyncio.TimerHandle | None = None
        self._closed = False

    def begin(self, frame: bytes) -> None:
        """Write the present, from which news goes on."""
        self.is_behind = False
        self._write(frame)
        if self._wire.backlog() > self._slowness.bound:
            self.lag()

    def send(self, frame: bytes) -> None:
        """Write finished frames of news."""
        if not self.is_behind:
            self._write(frame)

    def reply(self, ack: int | None, body: bytes) -> None:
        """Answer the client's packet `ack`; a client that gave no number wants no answer."""
        if ack is None or self._closed:
            return
        if self.is_behind and self._wire.backlog() > 2 * self._slowness.bound:
            self._drop()
        else:
            self._wire.write(frames.acknowledged(ack, body))

    def lag(self) -> None:
        """Too much waits to be read."""
        if self.is_behind or self._closed:
            return
        self.is_behind = True
        SLOW.labels("behind").inc()
        self._lapses = self._lapses or Bucket(LAPSES / 60, LAPSES)
        if self._lapses.take():
            self._patience = asyncio.get_running_loop().call_later(self._slowness.seconds, self._drop)
        else:
            self._drop()

    def drain(self) -> None:
        """It was read."""
        if self._patience is not None:
            self._patience.cancel()
        if self.is_behind and not self._closed:
            SLOW.labels("caught_up").inc()
            self._slowness.catch_up(self)

    def close(self, why: Fault) -> None:
        """Say why, then hang up. A stock client comes back by itself only where `why.retry` is true."""
        if self._closed:
            return
        self._closed = True
        self._wire.write(frames.fault(why))
        if not why.retry:
            self._wire.write(frames.DISCONNECT)
        self._wire.hang_up()
        self.left()

    def left(self) -> None:
        """The connection is gone or going."""
        self._closed = True
        if self._patience is not None:
            self._patience.cancel()

    def _drop(self) -> None:
        SLOW.labels("dropped").inc()
        self.close(TOO_SLOW)
