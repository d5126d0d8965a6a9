"""What holds are called: an id says which buyer asked which pool with which key, so that asking again finds the hold, and no
other index of keys is needed. Keyed with the server's secret, since ids are in ledgers that are published."""

from hashlib import blake2b

from streamserver.kit.ids import CHARS, spelled
from streamserver.stock.model import Pool


class HoldIds:
    """`secret` is the server's."""

    def __init__(self, secret: bytes) -> None:
        self._secret = blake2b(secret, person=b"hold id").digest()

    def of(self, pool: Pool, buyer: str, key: str) -> str:
        """As long as other ids: 110 bits."""
        text = f"{pool} {buyer} {key}".encode()
        return f"hold_{spelled(blake2b(text, digest_size=CHARS, key=self._secret).digest())}"
