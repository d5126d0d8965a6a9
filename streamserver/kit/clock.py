"""Wall time of this process. Deadlines of holds and rooms never come from here: Redis's own clock decides those."""

import time


def now_ms() -> int:
    """Return milliseconds since the Unix epoch, UTC: the one unit of time in tables and on the wire."""
    return time.time_ns() // 1_000_000
