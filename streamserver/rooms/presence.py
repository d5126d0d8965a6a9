"""Who is watching: each process reports its own count of a room, and the sum is one state of that room."""

import secrets
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

from redis.asyncio import Redis

from streamserver.kit.redis import load_script
from streamserver.messages.rooms import State, ViewersState

REPORT_LIFE_MS = 3_000  # a process that says nothing for this long is gone, and its viewers with it
KEPT_S = 7 * 86_400  # peak and people, since the last time that they changed


class Report(NamedTuple):
    """This process has `viewers` in `room`; `host`: somebody with rights is there; `people` (accounts or devices) came since
    the last report."""

    room: str
    viewers: int
    host: bool
    people: Collection[str] = ()


class Turnout(NamedTuple):
    """`peak`: most sockets at once; `unique`: people, give or take 0.8 % (HyperLogLog, standard error). Both since the room was
    first watched, its waiting time included."""

    peak: int
    unique: int


class Presence:
    """Counts sockets: a person's second tab counts too. `abandon_minutes` is how long `host_seen` must be remembered."""

    def __init__(self, live: Redis, abandon_minutes: int) -> None:
        self._live = live
        self._remember_s = abandon_minutes * 60 * 2
        self._process = secrets.token_hex(8)
        self._script = load_script(Path(__file__).parent, "presence")

    async def report(self, *reports: Report) -> None:
        """All in one write. Repeat them before `REPORT_LIFE_MS` is over. Raises the first error after everything was tried."""
        calls = [self._call(self._process, report) for report in reports]
        for result in await self._script.many(self._live, calls):
            if isinstance(result, Exception):
                raise result

    async def viewers(self, room: str) -> State:
        """The number of viewers now, without processes that went silent."""
        version, total = await self._script(self._live, *self._call("", Report(room, 0, host=False)))
        return State(key="viewers", version=version, value=ViewersState(viewers=total))

    async def turnout(self, room: str) -> Turnout:
        peak = await self._live.get(f"{{room:{room}}}:peak")
        return Turnout(int(peak or 0), await self._live.pfcount(f"{{room:{room}}}:people"))

    async def host_seen(self, room: str) -> int | None:
        """When somebody with rights was last in the room (Redis's clock, ms); None when that is long ago or never was."""
        seen = await self._live.get(f"{{room:{room}}}:host_seen")
        return None if seen is None else int(seen)

    def _call(self, process: str, report: Report) -> tuple[Sequence[str], Sequence[str | int]]:
        tag = f"{{room:{report.room}}}"
        keys = [f"{tag}:{name}" for name in ("viewers", "host_seen", "peak", "people")]
        life = (REPORT_LIFE_MS, self._remember_s, f"{tag}:bus", KEPT_S)
        return keys, (process, report.viewers, int(report.host), *life, *report.people)
