"""How often somebody may do something: counted in this process, so that saying no costs nothing."""

import time

from streamserver.kit.errors import TooManyRequests


class Rate:
    """At most `limit` times in `seconds` for each key, in fixed windows. Memory: the keys of one window."""

    def __init__(self, limit: int, seconds: float) -> None:
        self._limit = limit
        self._seconds = seconds
        self._counts: dict[str, int] = {}
        self._until = 0.0

    def take(self, key: str) -> bool:
        """Count one more; whether it is within the limit."""
        now = time.monotonic()
        if now >= self._until:
            self._counts.clear()
            self._until = now + self._seconds
        self._counts[key] = count = self._counts.get(key, 0) + 1
        return count <= self._limit

    def require(self, key: str) -> None:
        """Raises TooManyRequests with `retry_after` in seconds."""
        if not self.take(key):
            raise TooManyRequests(retry_after=max(1, round(self._until - time.monotonic())))
