"""The viewers of one room in this process, and how far they were told. No I/O but writing to viewers.

Events: each viewer has a position of its own, so that rewinding the room's is harmless: what a viewer already knows is
skipped. States: newest version of each key wins, until the next sweep sends what is dirty.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import orjson

from streamserver.messages.rooms import Snapshot
from streamserver.realtime import frames
from streamserver.realtime.metrics import CONFLATED, EVENTS
from streamserver.realtime.viewer import Viewer

MAX_PENDING = 1_000  # events kept while an earlier one is fetched; beyond that they are fetched too


@dataclass(frozen=True, slots=True)
class Entry:
    """What a viewer is given on coming in: ready frames, true at `seq` of `epoch`, prepared since `age` of the room."""

    frames: tuple[bytes, ...]
    epoch: str
    seq: int
    rights: tuple[str, ...]
    age: int


@dataclass(slots=True)
class Waiting:
    """A viewer whose entry is being prepared, and what was sent to the others meanwhile: `(epoch, seq, frame)` of events,
    with seq 0 for states."""

    held: list[tuple[str, int, bytes]] = field(default_factory=list[tuple[str, int, bytes]])


class Audience:
    """`epoch` is None until the first entry tells where the room stands. `losses` counts interruptions of the bus.
    `paused` holds states back."""

    def __init__(self, room: str) -> None:
        self.room = room
        self.viewers: set[Viewer] = set()
        self.joining: dict[Viewer, Waiting] = {}
        self.epoch: str | None = None
        self.seq = 0
        self.losses = 0
        self.paused = False
        self._restarts = 0
        self._pending: dict[int, tuple[str, bytes]] = {}
        self._versions: dict[str, int] = {}
        self._dirty: dict[str, bytes] = {}

    @property
    def is_empty(self) -> bool:
        return not self.viewers and not self.joining

    @property
    def age(self) -> int:
        """Rises with whatever makes entries incomplete that are being prepared."""
        return self.losses + self._restarts

    @property
    def has_rights(self) -> bool:
        return any(viewer.rights for viewer in self.viewers)

    @property
    def has_gap(self) -> bool:
        """Something is known to be missing before what has arrived."""
        return self.epoch is not None and bool(self._pending)

    def admit(self, viewer: Viewer, entry: Entry) -> bool:
        """Give a waiting viewer its entry and what happened since. False: others went past it, or the room stands
        elsewhere than this process believed; then fetch what is missing."""
        waiting = self.joining.pop(viewer, None)
        if waiting is None:
            return True  # left while the entry was prepared
        viewer.rights = entry.rights
        viewer.position = (entry.epoch, entry.seq)
        for frame in entry.frames:
            viewer.send(frame)
        self.viewers.add(viewer)
        if self.epoch is None:
            self.epoch, self.seq = entry.epoch, entry.seq
        for epoch, seq, frame in waiting.held:
            if seq == 0:
                viewer.send(frame)
            else:
                _tell(viewer, epoch, seq, frame)
        complete = entry.epoch == self.epoch and viewer.position[1] >= self.seq
        if entry.epoch == self.epoch:
            self.seq = min(self.seq, viewer.position[1])
        self._advance()
        return complete and entry.age == self.age and not self.has_gap

    def offer(self, epoch: str, seq: int, json: bytes) -> bool:
        """Take one event as it arrives and tell what is in order. False: something before it is missing."""
        if self.epoch == epoch and seq <= self.seq:
            return True
        if len(self._pending) < MAX_PENDING:
            self._pending[seq] = (epoch, json)
        self._advance()
        return not self.has_gap

    def fill(self, missing: Iterable[bytes]) -> None:
        """Take the events that were fetched, each the JSON of an `Event`. What is still pending afterwards belongs to an
        epoch that is over."""
        for json in missing:
            event = orjson.loads(json)
            self.offer(event["epoch"], event["seq"], json)
        self._pending = {seq: known for seq, known in self._pending.items() if known[0] == self.epoch}
        self.paused = False

    def lose_position(self) -> None:
        """The next entry tells where the room stands."""
        self.epoch = None

    def merge(self, values: Iterable[tuple[str, int, bytes]], again: bool = False) -> bool:
        """Take `(key, version, json)` of states; `again` repeats also what was sent before. True: a sweep is due."""
        for key, version, json in values:
            known = self._versions.get(key, -1)
            if version > known or (again and version == known):
                self._versions[key] = version
                if key in self._dirty:
                    CONFLATED.inc()
                self._dirty[key] = json
        return bool(self._dirty)

    def flush(self) -> None:
        """Send every viewer what changed since the last sweep, as one frame."""
        if not self._dirty or self.paused:
            return
        frame = frames.states(self._dirty.values())
        self._dirty.clear()
        for viewer in tuple(self.viewers):
            viewer.send(frame)
        for waiting in self.joining.values():
            waiting.held.append(("", 0, frame))

    def pause(self) -> None:
        """Forget the states before a new snapshot is taken, and hold back what comes until it is told: versions may have
        begun anew, and a state must not be told before a snapshot that is older."""
        self.paused = True
        self._versions.clear()
        self._dirty.clear()

    def restart(self, snapshot: Snapshot) -> None:
        """Nothing connects what was told with what is: give everyone the whole room anew."""
        self.epoch, self.seq = snapshot.epoch, snapshot.seq
        self._restarts += 1
        for state in snapshot.states:
            if state.version >= self._versions.get(state.key, -1):
                self._versions[state.key] = state.version
                self._dirty.pop(state.key, None)
        self._tell_snapshot(snapshot)
        self._advance()
        self.fill(())

    def _tell_snapshot(self, snapshot: Snapshot) -> None:
        ready: dict[tuple[str, ...], bytes] = {}
        for viewer in tuple(self.viewers):
            epoch, seq = viewer.position
            if epoch == snapshot.epoch and seq > snapshot.seq:
                continue  # came in with a newer one
            if viewer.rights not in ready:
                own = snapshot.model_copy(update={"rights": list(viewer.rights)})
                ready[viewer.rights] = frames.RESYNC + frames.said("snapshot", frames.dump(own))
            viewer.send(ready[viewer.rights])
            viewer.position = (snapshot.epoch, snapshot.seq)

    def _advance(self) -> None:
        """Tell pending events that follow on the last one told; drop those that are behind it."""
        for seq in sorted(seq for seq, (epoch, _) in self._pending.items() if epoch == self.epoch):
            if seq > self.seq + 1:
                break
            epoch, json = self._pending.pop(seq)
            if seq == self.seq + 1:
                self.seq = seq
                self._tell_all(epoch, seq, frames.said("event", json))

    def _tell_all(self, epoch: str, seq: int, frame: bytes) -> None:
        for viewer in tuple(self.viewers):
            _tell(viewer, epoch, seq, frame)
        for waiting in self.joining.values():
            waiting.held.append((epoch, seq, frame))


def _tell(viewer: Viewer, epoch: str, seq: int, frame: bytes) -> None:
    if viewer.position[0] == epoch and viewer.position[1] < seq:
        viewer.position = (epoch, seq)
        viewer.send(frame)
        EVENTS.inc()
