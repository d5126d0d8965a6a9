"""Identifiers: sortable by creation time, unguessable, and recognisable by their prefix."""

import os
import secrets
import time
from functools import lru_cache

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford base 32: no i, l, o, u
TIME_CHARS, RANDOM_CHARS = 9, 13  # 45 bits of milliseconds, 65 bits of chance
CHARS = TIME_CHARS + RANDOM_CHARS
FROM_BYTE = (ALPHABET * 8).encode()  # five bits of each byte: an id in 1.3 µs instead of 3.3, and a request makes two


def new_id(kind: str) -> str:
    """Return `kind_` followed by 22 characters, e.g. `room_1k3f…`. Later ids of one kind sort after earlier ones."""
    return f"{kind}_{_moment(time.time_ns() // 1_000_000)}{spelled(os.urandom(RANDOM_CHARS))}"


def spelled(chance: bytes) -> str:
    """A character of an id for each byte."""
    return chance.translate(FROM_BYTE).decode()


def new_secret(kind: str) -> str:
    """Return a bearer secret: `kind_` and 43 URL-safe characters (256 bits)."""
    return f"{kind}_{secrets.token_urlsafe(32)}"


@lru_cache(maxsize=1)
def _moment(ms: int) -> str:
    return "".join(ALPHABET[(ms >> (5 * place)) & 31] for place in reversed(range(TIME_CHARS)))
