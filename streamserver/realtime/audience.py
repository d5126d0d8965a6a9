"""The viewers of one room in this process, and how far they were told. No I/O but writing to viewers.

Events: each viewer has a position of its own, so that rewinding the room's is harmless: what a viewer already knows is
skipped. States: newest version of each key wins, until the next tick tells what is dirty. What is told goes out in passes over
all viewers, one write for each, with a rest after every few hundred so that nobody else waits.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import orjson

from streamserver.messages.rooms import Snapshot
from streamserver.realtime import frames
from streamserver.realtime.metrics import CONFLATED, EVENTS
from streamserver.realtime.viewer import Viewer

MAX_PENDING = 1_000  # events kept while an earlier one is fetched; beyond that they are fetched too
CHUNK = 500  # writes without a rest: some 4 ms

Word = tuple[str, int, bytes]  # epoch, seq and frame of an event; seq 0 for states


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
    """A viewer whose entry is being prepared, and what was told to the others meanwhile."""

    held: list[Word] = field(default_factory=list[Word])


def at_once(steps: Iterator[None]) -> None:
    """Tell without a rest."""
    for _ in steps:
        pass


class Audience:
    """`epoch` is None until the first entry tells where the room stands. `losses` counts interruptions of the bus.
    `paused` holds states back. `run` is given each pass, to step through it with rests."""

    def __init__(self, room: str, run: Callable[[Iterator[None]], None] = at_once) -> None:
        self.room = room
        self.viewers: set[Viewer] = set()
        self.hosts = 0  # viewers with rights
        self.joining: dict[Viewer, Waiting] = {}
        self.epoch: str | None = None
        self.seq = 0
        self.losses = 0
        self.counted = 0  # viewers that attendance knows of
        self.paused = False
        self._run = run
        self._restarts = 0
        self._pending: dict[int, tuple[str, bytes]] = {}
        self._versions: dict[str, int] = {}
        self._dirty: dict[str, bytes] = {}
        self._reactions: Counter[str] = Counter()
        self._outgoing: list[Word] = []
        self._passing: Iterator[None] | None = None

    @property
    def is_empty(self) -> bool:
        return not self.viewers and not self.joining

    @property
    def age(self) -> int:
        """Rises with whatever makes entries incomplete that are being prepared."""
        return self.losses + self._restarts

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
        viewer.position = (entry.epoch, entry.seq)
        viewer.begin(b"".join(entry.frames))
        self.viewers.add(viewer)
        self.regrant(viewer, entry.rights)
        if self.epoch is None:
            self.epoch, self.seq = entry.epoch, entry.seq
        EVENTS.inc(sum(_tell(viewer, word) for word in waiting.held))
        complete = entry.epoch == self.epoch and viewer.position[1] >= self.seq
        if entry.epoch == self.epoch:
            self.seq = min(self.seq, viewer.position[1])
        self._advance()
        return complete and entry.age == self.age and not self.has_gap

    def regrant(self, viewer: Viewer, rights: Sequence[str]) -> None:
        self.hosts += bool(rights) - bool(viewer.rights)
        viewer.rights = tuple(rights)

    def wait_again(self, viewer: Viewer) -> None:
        """Somebody who is here gets an entry anew."""
        self.leave(viewer)
        self.joining[viewer] = Waiting()

    def leave(self, viewer: Viewer) -> None:
        if viewer in self.viewers:
            self.viewers.remove(viewer)
            self.regrant(viewer, ())
        self.joining.pop(viewer, None)

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
        """Take `(key, version, json)` of states; `again` repeats also what was sent before. True: a tick is due."""
        for key, version, json in values:
            known = self._versions.get(key, -1)
            if version > known or (again and version == known):
                self._versions[key] = version
                if key in self._dirty:
                    CONFLATED.inc()
                self._dirty[key] = json
        return bool(self._dirty)

    def react(self, counts: Mapping[str, int]) -> None:
        """Take how often viewers reacted."""
        self._reactions.update(counts)

    def flush(self) -> None:
        """Tell everybody what changed since the last tick."""
        words: list[Word] = []
        if self._dirty and not self.paused:
            words.append(("", 0, frames.states(self._dirty.values())))
            self._dirty.clear()
        if self._reactions:
            words.append(("", 0, frames.said("reactions", orjson.dumps({"counts": self._reactions}))))
            self._reactions = Counter()
        self._tell_all(words)

    def pause(self) -> None:
        """Forget the states before a new snapshot is taken, and hold back what comes until it is told: versions may have
        begun anew, and a state must not be told before a snapshot that is older."""
        self.paused = True
        self._versions.clear()
        self._dirty.clear()

    def restart(self, snapshot: Snapshot) -> None:
        """Nothing connects what was told with what is: give everyone the whole room anew."""
        if self._passing is not None:
            at_once(self._passing)  # else somebody would be told older things after the snapshot
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
            if viewer.is_behind or (epoch == snapshot.epoch and seq > snapshot.seq):
                continue  # gets a newer one, or came in with it
            if viewer.rights not in ready:
                own = snapshot.model_copy(update={"rights": list(viewer.rights)})
                ready[viewer.rights] = frames.RESYNC + frames.said("snapshot", frames.dump(own))
            viewer.send(ready[viewer.rights])
            viewer.position = (snapshot.epoch, snapshot.seq)

    def _advance(self) -> None:
        """Tell pending events that follow on the last one told; drop those that are behind it."""
        if not self._pending:
            return
        words: list[Word] = []
        for seq in sorted(seq for seq, (epoch, _) in self._pending.items() if epoch == self.epoch):
            if seq > self.seq + 1:
                break
            epoch, json = self._pending.pop(seq)
            if seq == self.seq + 1:
                self.seq = seq
                words.append((epoch, seq, frames.said("event", json)))
        self._tell_all(words)

    def _tell_all(self, words: list[Word]) -> None:
        for waiting in self.joining.values():
            waiting.held += words
        self._outgoing += words
        if self._outgoing and self._passing is None:
            self._passing = self._passes()
            self._run(self._passing)

    def _passes(self) -> Iterator[None]:
        """One pass after the other, until there is nothing to tell. Yields for a rest."""
        try:
            while self._outgoing:
                together, self._outgoing = _Together(self._outgoing), []
                for number, viewer in enumerate(tuple(self.viewers), 1):
                    if viewer in self.viewers and not viewer.is_behind:
                        together.tell(viewer)
                    if number % CHUNK == 0:
                        yield
                EVENTS.inc(together.told)
        finally:
            self._passing = None


class _Together:
    """Words that are told in one pass: in one write, to whoever was told exactly what is before them. `told` counts events."""

    def __init__(self, words: list[Word]) -> None:
        self.told = 0
        self._words = words
        events = [(epoch, seq) for epoch, seq, _ in words if seq]
        self._is_straight = all(after == (before[0], before[1] + 1) for before, after in pairwise(events))
        self._before = (events[0][0], events[0][1] - 1) if events else None
        self._last = events[-1] if events else None
        self._count = len(events)
        self._frame = b"".join(frame for _, _, frame in words)

    def tell(self, viewer: Viewer) -> None:
        if self._last is None:
            viewer.send(self._frame)
        elif self._is_straight and viewer.position == self._before:
            viewer.position = self._last
            viewer.send(self._frame)
            self.told += self._count
        else:
            for word in self._words:
                self.told += _tell(viewer, word)


def _tell(viewer: Viewer, word: Word) -> bool:
    """Whether this was an event, and news to the viewer. Who fell behind over an earlier word keeps that position."""
    epoch, seq, frame = word
    if viewer.is_behind:
        return False
    if seq == 0:
        viewer.send(frame)
    elif viewer.position[0] == epoch and viewer.position[1] < seq:
        viewer.position = (epoch, seq)
        viewer.send(frame)
        return True
    return False
