"""What makes the ledger hard to change afterwards: two chains over the same entries, one kept by each side.

- The *digest* is Redis's. Every script call hashes the digest before it together with the entries it writes, keeps the result
  with the pool and puts it beside them in the stream. Who changes, drops or adds a stream entry before it is archived, breaks
  it. SHA-1, because scripts have nothing else; a forger would need a second preimage, and within the second or so until the
  entry is archived.
- The *hash* is SQL's: SHA-256 over the hash before it and the entry's text as it is stored, digest included. Who changes or
  deletes a row breaks it. Whoever recomputes all later rows meets the newest archived hash, which the pool in Redis keeps.

Both sides rewritten together, with every hash after the change, would agree again: against that, publish a hash now and then.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgpack
import orjson

GENESIS = "0" * 64  # the hash before the first entry

Entry = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """What one script call wrote to the stream: its packed entries, the last of them number `last`, and the digest then."""

    generation: int
    last: int
    packed: bytes
    digest: str

    def entries(self) -> list[Entry]:
        """In order; none when somebody made them unreadable."""
        try:
            first, at, entries = msgpack.unpackb(self.packed)
            return [_named(n, at, *entry) for n, entry in enumerate(entries, first)]
        except (ValueError, TypeError, msgpack.UnpackException):
            return []

    def follows(self, digest: str) -> bool:
        """Whether it continues the stream that had this digest."""
        return self.digest == hashlib.sha1(digest.encode() + self.packed, usedforsecurity=False).hexdigest()


def _named(n: int, at: int, kind: str, what: Any, hold: Any = None, more: Entry | None = None) -> Entry:
    """An entry with names, from {kind, fields} or {kind, hold id, {wish, promise}, further fields} as pool.lua packs them."""
    fields: Entry = what if hold is None else {"hold": what, **_of_hold(*hold), **(more or {})}
    if "device" in fields:
        fields["source"] = with_device(fields["source"], fields.pop("device"))
    return {**fields, "n": n, "at": at, "kind": kind}


def _of_hold(wish: Sequence[Any], promise: Sequence[Any]) -> Entry:
    buyer, variant, quantity, key, device = wish
    price, currency, source, _at, deadline, _status, payment, _attempt = promise
    return {
        "variant": variant, "quantity": quantity, "buyer": buyer, "price": price, "currency": currency, "deadline": deadline,
        "key": key, "source": source, "device": device, **({"payment": payment} if payment else {}),
    }  # fmt: skip


def with_device(source: str, device: str) -> str:
    """The JSON of where a hold came from: what its terms say, and the browser if one is known."""
    return f'{source[:-1]},"device":{orjson.dumps(device).decode()}}}' if device else source


def canonical(pool: str, generation: int, entry: Entry) -> str:
    """The one text of an entry that is hashed: JSON, keys in order."""
    return orjson.dumps({"pool": pool, "generation": generation, **entry}, option=orjson.OPT_SORT_KEYS).decode()


def link(previous: str, text: str) -> str:
    """The hash of an entry that follows `previous`."""
    return hashlib.sha256(f"{previous}{text}".encode()).hexdigest()


class Chain:
    """Reads archived rows in order and notes every break once: it goes on from what the broken row says of itself."""

    def __init__(self, pool: str) -> None:
        self._pool = pool
        self.n = 0
        self.hash = GENESIS
        self.digest = ""
        self.breaks: list[str] = []

    def read(self, generation: int, n: int, text: str, kept: str) -> Entry:
        """Check one row (`kept` is its stored hash); returns its entry."""
        entry = _parsed(text)
        if n != self.n + 1:
            self.breaks.append(f"rows {self.n + 1} to {n - 1} are missing")
        elif link(self.hash, text) != kept:
            self.breaks.append(f"row {n} or its hash was changed")
        if (entry.get("pool"), entry.get("generation"), entry.get("n")) != (self._pool, generation, n):
            self.breaks.append(f"row {n} belongs elsewhere")
        self.n, self.hash = n, kept
        self.digest = entry.get("digest", self.digest)
        return entry


def _parsed(text: str) -> Entry:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
