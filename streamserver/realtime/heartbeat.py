"""One clock for every socket's pings: a timing wheel with a slot for each second of the interval. A timer for each socket cost
as much as all of its other upkeep."""

import asyncio
from typing import Protocol


class Beating(Protocol):
    def beat(self) -> None:
        """An interval has passed: ping, or hang up on a peer that said nothing since the last one."""
        ...


class Heartbeat:
    """`interval`: seconds between two pings of one socket, and how long it has to answer."""

    def __init__(self, interval: int) -> None:
        self.interval = interval
        self._slots: list[set[Beating]] = [set() for _ in range(interval)]
        self._now = 0
        self._timer: asyncio.TimerHandle | None = None

    def join(self, socket: Beating) -> int:
        """Beat for `socket` from an interval on. Returns its slot, for `leave`."""
        if self._timer is None:
            self._wait()
        self._slots[self._now].add(socket)
        return self._now

    def leave(self, socket: Beating, slot: int) -> None:
        self._slots[slot].discard(socket)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _wait(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(1, self._turn)

    def _turn(self) -> None:
        self._wait()
        self._now = (self._now + 1) % self.interval
        for socket in tuple(self._slots[self._now]):
            socket.beat()
