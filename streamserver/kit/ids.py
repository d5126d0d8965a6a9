"""Identifiers: sortable by creation time, unguessable, and recognisable by their prefix."""

import secrets
import time

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford base 32: no i, l, o, u
TIME_CHARS, RANDOM_CHARS = 9, 13  # 45 bits of milliseconds, 65 bits of chance


def new_id(kind: str) -> str:
    """Return `kind_` followed by 22 characters, e.g. `room_1k3f…`. Later ids of one kind sort after earlier ones."""
    return f"{kind}_{_base32(time.time_ns() // 1_000_000, TIME_CHARS)}{_base32(secrets.randbits(65), RANDOM_CHARS)}"


def new_secret(kind: str) -> str:
    """Return a bearer secret: `kind_` and 43 URL-safe characters (256 bits)."""
    return f"{kind}_{secrets.token_urlsafe(32)}"


def _base32(number: int, length: int) -> str:
    return "".join(ALPHABET[(number >> (5 * place)) & 31] for place in reversed(range(length)))
