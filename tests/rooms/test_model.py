"""Snapshot plus events equals fresh snapshot: first as a rule over plain data."""

from hypothesis import given
from hypothesis import strategies as st

from streamserver.messages.accounts import Person
from streamserver.messages.rooms import About, Anchor, AnchorShop, Life, LineUp, Pin, Pins
from streamserver.rooms.model import Document, apply, changes, without_pins_of

ANA = Person(handle="ana", name="Ana")
IDS = [f"anchor_{letter * 22}" for letter in "abcdef"]


def anchor(identifier: str, title: str) -> Anchor:
    shop = AnchorShop(id="shop_" + "s" * 22, handle="kiln", name="Kiln")
    return Anchor(
        id=identifier, product="prod_" + "p" * 22, title=title, image=None, currency="EUR", options=[], mode="hold", shop=shop,
        variants=[],
    )  # fmt: skip


titles = st.sampled_from(["Mug", "Bowl", "Plate"])
lineups = st.builds(
    LineUp,
    version=st.integers(0, 9),
    anchors=st.lists(st.builds(anchor, st.sampled_from(IDS), titles), max_size=5, unique_by=lambda a: a.id),
)
pins = st.builds(
    Pins,
    version=st.integers(0, 9),
    pins=st.lists(st.builds(Pin, anchor=st.sampled_from(IDS), by=st.just(ANA), at=st.integers(0, 9)), max_size=3),
)
documents = st.builds(
    Document,
    about=st.builds(
        About,
        id=st.just("room_" + "r" * 22),
        title=titles,
        description=titles,
        creator=st.just(ANA),
        scheduled_at=st.none(),
    ),
    life=st.builds(Life, status=st.sampled_from(["scheduled", "live", "ending", "ended"])),
    lineup=lineups,
    pins=pins,
)


@given(documents, documents)
def test_changes_lead_from_any_document_to_any_other(old: Document, new: Document) -> None:
    """Whatever happened between two documents, the named changes turn the one into the other."""
    reached = old
    for change in changes(old, new):
        reached = apply(reached, change)
    assert reached == new


@given(documents)
def test_an_unchanged_document_has_no_events(document: Document) -> None:
    """Projecting again is silent."""
    assert changes(document, document) == []


@given(lineups, pins)
def test_pins_never_point_at_nothing(lineup: LineUp, before: Pins) -> None:
    """An anchor that leaves the line-up takes its pin along, and the version tells."""
    after = without_pins_of(before, lineup.anchors)
    there = {a.id for a in lineup.anchors}
    assert [pin for pin in before.pins if pin.anchor in there] == after.pins
    assert (after.version > before.version) == (after.pins != before.pins)
