"""Brakes against guessing: sign-ins that fail are counted per client and per handle, in Redis, for five minutes."""

from ipaddress import IPv6Address, ip_address, ip_network
from typing import cast

from redis.asyncio import Redis

from streamserver.kit.errors import TooManyRequests

WINDOW_SECONDS = 300
HANDLE_FACTOR = 5  # one client alone cannot lock somebody else out; many clients together cannot guess for long


class Attempts:
    """`limit` is how many failures one client may have within the window."""

    def __init__(self, live: Redis, limit: int) -> None:
        self._live = live
        self._limit = limit

    async def begin(self, client: str, handle: str) -> None:
        """Count an attempt before its outcome is known: a thousand at once get no further than one after another.

        Raises `TooManyRequests` with `retry_after` in seconds.
        """
        for key, limit in ((_client_key(client), self._limit), (_handle_key(handle), self._limit * HANDLE_FACTOR)):
            count, wait_ms = await self._add(key, 1)
            if count > limit:
                raise TooManyRequests(
                    "Too many sign-ins have failed. Please wait a few minutes and try again.",
                    retry_after=max(1, -(-wait_ms // 1000)),
                )

    async def succeeded(self, client: str, handle: str) -> None:
        """Take back what `begin` counted: only failures slow anybody down."""
        for key in (_client_key(client), _handle_key(handle)):
            await self._add(key, -1)

    async def _add(self, key: str, change: int) -> tuple[int, int]:
        """The new count, and the milliseconds until it starts again."""
        async with self._live.pipeline(transaction=True) as steps:
            steps.set(key, 0, ex=WINDOW_SECONDS, nx=True)
            steps.incrby(key, change)
            steps.pttl(key)
            _, count, wait_ms = cast("tuple[object, int, int]", await steps.execute())
        return count, wait_ms


def _client_key(client: str) -> str:
    """One household or server has a whole /64 of IPv6 addresses: it counts as one client."""
    address = ip_address(client)
    who = ip_network((address, 64), strict=False) if isinstance(address, IPv6Address) else address
    return f"sign_in:client:{who}"


def _handle_key(handle: str) -> str:
    return f"sign_in:handle:{handle[:64]}"
