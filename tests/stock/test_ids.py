"""What holds are called."""

from hypothesis import given
from hypothesis import strategies as st

from streamserver.stock.ids import HoldIds

texts = st.text(max_size=20)


@given(texts, texts)
def test_whoever_asks_again_means_the_same_hold(buyer: str, key: str) -> None:
    """In every process that has the server's secret."""
    assert HoldIds(b"secret").of("room:a", buyer, key) == HoldIds(b"secret").of("room:a", buyer, key)


def test_another_pool_buyer_or_key_is_another_hold() -> None:
    """And without the secret nobody can tell from a published ledger who was asking."""
    ids = HoldIds(b"secret")
    names = {
        ids.of("room:a", "ana", "k1"),
        ids.of("room:b", "ana", "k1"),
        ids.of("room:a", "bo", "k1"),
        ids.of("room:a", "ana", "k2"),
        HoldIds(b"other secret").of("room:a", "ana", "k1"),
    }
    assert len(names) == 5
    assert {len(name) for name in names} == {len("hold_") + 22}
