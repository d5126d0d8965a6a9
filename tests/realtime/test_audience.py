"""Whatever the order in which entries, events and fetched events arrive: every viewer is told each event once, in order."""

from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from streamserver.accounts.model import Identity
from streamserver.realtime.audience import Audience, Entry, Waiting
from streamserver.realtime.limits import Bucket
from streamserver.realtime.viewer import Slowness, Viewer


class Paper:
    """A wire that writes down the seqs of events."""

    def __init__(self) -> None:
        self.seqs: list[int] = []

    def write(self, frame: bytes) -> None:
        for event in frame.split(b'42["event",')[1:]:
            data: Any = orjson.loads(event[: event.index(b"}") + 1])
            self.seqs.append(data["seq"])

    def backlog(self) -> int:
        return 0

    def hang_up(self) -> None: ...


PATIENT = Slowness(bound=1_000_000, seconds=1, catch_up=lambda _: None)


async def nobody() -> Identity:
    return Identity("dev_page")


class Room:
    """The truth (`seq` events happened), one audience, and viewers with the seq of their entry."""

    def __init__(self) -> None:
        self.seq = 0
        self.on_the_way: list[int] = []
        self.audience = Audience("room")
        self.entries: dict[Viewer, int | None] = {}
        self.papers: dict[Viewer, Paper] = {}

    def happen(self) -> None:
        self.seq += 1
        self.on_the_way.append(self.seq)

    def arrive(self, *, lost: bool) -> None:
        """The next event leaves the bus; perhaps it never reaches this process."""
        if self.on_the_way:
            seq = self.on_the_way.pop(0)
            if not lost and not self.audience.offer("e", seq, event(seq)):
                self.fetch()

    def fetch(self) -> None:
        self.audience.fill([event(seq) for seq in range(self.audience.seq + 1, self.seq + 1)])

    def come(self) -> None:
        paper = Paper()
        viewer = Viewer(Identity("dev_page"), paper, Bucket(1, 1), PATIENT, nobody)
        self.audience.joining[viewer] = Waiting()
        self.entries[viewer], self.papers[viewer] = None, paper

    def look(self, which: int) -> None:
        """A waiting viewer's snapshot is taken."""
        if waiting := [viewer for viewer, seq in self.entries.items() if seq is None]:
            self.entries[waiting[which % len(waiting)]] = self.seq

    def admit(self, which: int) -> None:
        """A snapshot that was taken some time ago is told."""
        ready = [viewer for viewer in self.audience.joining if self.entries[viewer] is not None]
        if ready:
            viewer = ready[which % len(ready)]
            if not self.audience.admit(viewer, Entry((), "e", self.entries[viewer] or 0, (), self.audience.age)):
                self.fetch()


def event(seq: int) -> bytes:
    return orjson.dumps({"epoch": "e", "seq": seq})


steps = st.one_of(
    st.tuples(st.just("happen"), st.just(0)),
    st.tuples(st.just("arrive"), st.just(0)),
    st.tuples(st.just("lose"), st.just(0)),
    st.tuples(st.just("come"), st.just(0)),
    st.tuples(st.just("look"), st.integers(0, 5)),
    st.tuples(st.just("admit"), st.integers(0, 5)),
)


@given(st.lists(steps, max_size=60))
def test_every_viewer_is_told_each_event_once_and_in_order(history: list[tuple[str, int]]) -> None:
    """Entries overtake events, events overtake entries, some never arrive: once the last event is fetched, a viewer has
    exactly those after its snapshot."""
    room = Room()
    for step, which in history:
        match step:
            case "arrive" | "lose":
                room.arrive(lost=step == "lose")
            case "look":
                room.look(which)
            case "admit":
                room.admit(which)
            case _:
                getattr(room, step)()
    if room.audience.viewers:
        room.fetch()
    for viewer in room.audience.viewers:
        assert room.papers[viewer].seqs == list(range((room.entries[viewer] or 0) + 1, room.seq + 1))


class Narrow(Paper):
    """A wire that is full after one event."""

    viewer: Viewer

    def write(self, frame: bytes) -> None:
        super().write(frame)
        if self.seqs:
            self.viewer.lag()


async def test_who_falls_behind_in_the_middle_keeps_its_place() -> None:
    """Events that were held while it came in: the first fills its wire, so it stands there, and the next entry tells the rest."""
    audience, wire = Audience("room"), Narrow()
    wire.viewer = viewer = Viewer(Identity("dev_page"), wire, Bucket(1, 1), PATIENT, nobody)
    other = Viewer(Identity("dev_page"), Paper(), Bucket(1, 1), PATIENT, nobody)
    audience.joining[other] = Waiting()
    audience.admit(other, Entry((), "e", 0, (), audience.age))
    audience.joining[viewer] = Waiting()
    for seq in (1, 2, 3):
        audience.offer("e", seq, event(seq))
    audience.admit(viewer, Entry((), "e", 0, (), audience.age))
    assert (wire.seqs, viewer.position, viewer.is_behind) == ([1], ("e", 1), True)
    audience.offer("e", 4, event(4))
    assert wire.seqs == [1]
    viewer.left()
