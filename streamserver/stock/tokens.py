"""Signed proofs of holds. Should Redis lose a hold that was acknowledged, its buyer still has what was promised, and nobody
can make one up: MessagePack with a keyed BLAKE2b mark behind it, in URL-safe base64."""

import base64
import binascii
import hmac
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import msgpack

from streamserver.stock.model import HoldRecord

MARK = 16  # bytes


class HoldTokens:
    """`secret` is the server's."""

    def __init__(self, secret: bytes) -> None:
        key = blake2b(secret, person=b"hold token").digest()
        self._keyed = blake2b(key=key, digest_size=MARK)
        self._pack = msgpack.Packer().pack

    def sign(self, hold: HoldRecord) -> str:
        """About 300 characters."""
        fields = (
            hold.id, hold.pool, hold.buyer, hold.variant, hold.quantity, hold.price, hold.currency, hold.deadline,
            hold.key, hold.source_json,
        )  # fmt: skip
        body: bytes = self._pack(fields)
        return base64.urlsafe_b64encode(body + self._mark(body)).decode()

    def read(self, token: str) -> HoldRecord | None:
        """The hold as it was promised; None for what this server never signed."""
        try:
            raw = base64.urlsafe_b64decode(token.encode())
        except (binascii.Error, UnicodeEncodeError, ValueError):
            return None
        body, mark = raw[:-MARK], raw[-MARK:]
        return _hold(msgpack.unpackb(body)) if hmac.compare_digest(mark, self._mark(body)) else None

    def _mark(self, body: bytes) -> bytes:
        mark = self._keyed.copy()
        mark.update(body)
        return mark.digest()


def _hold(fields: Sequence[Any]) -> HoldRecord:
    id_, pool, buyer, variant, quantity, price, currency, deadline, key, source = fields
    return HoldRecord(id_, pool, buyer, variant, quantity, price, currency, deadline, "held", source, key)
