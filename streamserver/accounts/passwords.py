"""Passwords: Argon2id, in threads, and as slow for a name that does not exist."""

import asyncio
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

# The OWASP Password Storage Cheat Sheet's setting for Argon2id on one lane; 19 MiB and one core each, so that a rush of
# sign-ins does not take the processor from buyers.
HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
AT_ONCE = 2


class Passwords:
    def __init__(self, hasher: PasswordHasher = HASHER) -> None:
        self._hasher = hasher
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._nobodys = hasher.hash(secrets.token_urlsafe())

    async def hash(self, password: str) -> str:
        async with self._turns:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def check(self, stored: str | None, password: str) -> bool:
        """Whether `password` belongs to the hash `stored`; None takes as long and is never right."""
        async with self._turns:
            right = await asyncio.to_thread(self._verify, stored or self._nobodys, password)
        return right and stored is not None

    def outdated(self, stored: str) -> bool:
        """Whether `stored` was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(stored)

    def _verify(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False
