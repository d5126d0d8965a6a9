"""Who is watching: each process reports its own count of a room, and the sum is one state of that room."""

import secrets
from pathlib import Path

from redis.asyncio import Redis

from streamserver.kit.redis import load_script
from streamserver.messages.rooms import State, ViewersState

REPORT_LIFE_MS = 10_000  # a process that says nothing for this long is gone, and its viewers with it


class Presence:
    """Counts sockets: a person's second tab counts too. `abandon_minutes` is how long `host_seen` must be remembered."""

    def __init__(self, live: Redis, abandon_minutes: int) -> None:
        self._live = live
        self._remember_s = abandon_minutes * 60 * 2
        self._process = secrets.token_hex(8)
        self._script = load_script(Path(__file__).parent, "presence")

    async def report(self, room: str, count: int, host: bool) -> None:
        """This process has `count` viewers in `room`; `host`: somebody with rights is among them. Repeat it before
        `REPORT_LIFE_MS` is over."""
        await self._run(room, self._process, count, host)

    async def viewers(self, room: str) -> State:
        """The number of viewers now, without processes that went silent."""
        version, total = await self._run(room, "", 0, host=False)
        return State(key="viewers", version=version, value=ViewersState(viewers=total))

    async def host_seen(self, room: str) -> int | None:
        """When somebody with rights was last in the room (Redis's clock, ms); None when that is long ago or never was."""
        seen = await self._live.get(f"{{room:{room}}}:host_seen")
        return None if seen is None else int(seen)

    async def _run(self, room: str, process: str, count: int, host: bool) -> tuple[int, int]:
        tag = f"{{room:{room}}}"
        keys = (f"{tag}:viewers", f"{tag}:host_seen")
        args = (process, count, int(host), REPORT_LIFE_MS, self._remember_s, f"{tag}:bus")
        version, total = await self._script(self._live, keys, args)
        return version, total
