"""What the soak judges by: memory of web processes by their age, and a viewer's screen against a fresh snapshot."""

import asyncio
import time
from typing import Any

import psutil

from loadtests.spectator import Spectator
from streamserver.messages.rooms import Snapshot
from tests.harness import Server

LOOK_SECONDS = 5.0
WARM_SECONDS = 30.0  # in which a process fills its caches
JUDGED_SECONDS = 30.0  # that a process must have lived beyond that
GROWTH_MB = 8.0  # that is still flat: garbage waits for its collection


class Memory:
    """Resident MB of each web process over its life; `growing` and `summary` are about those that lived long enough."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._seen: dict[int, list[tuple[float, float]]] = {}

    async def watch(self) -> None:
        while True:
            for name, process in self._server.children().items():
                if name.startswith("web"):
                    self._look(process)
            await asyncio.sleep(LOOK_SECONDS)

    @property
    def growing(self) -> list[str]:
        return [f"process {pid} grew by {grown:.1f} MB" for pid, grown in self._grown().items() if grown > GROWTH_MB]

    @property
    def summary(self) -> str:
        grown = self._grown().values()
        most = f"grew by {max(grown):.1f} MB at most" if grown else "none lived long enough to tell"
        return f"{len(grown)} of {len(self._seen)} web processes judged: {most} after {WARM_SECONDS:.0f} s"

    def _look(self, process: psutil.Process) -> None:
        try:
            age, mb = time.time() - process.create_time(), process.memory_info().rss / 1e6
        except psutil.Error:  # it was killed a moment ago
            return
        self._seen.setdefault(process.pid, []).append((age, mb))

    def _grown(self) -> dict[int, float]:
        """The least of the last looks against the least of the first: a peak is no leak."""
        found: dict[int, float] = {}
        for pid, looks in self._seen.items():
            warm = [mb for age, mb in looks if age > WARM_SECONDS]
            if looks[-1][0] > WARM_SECONDS + JUDGED_SECONDS:
                found[pid] = min(warm[-3:]) - min(warm[:3])
        return found


def wrong_now(viewer: Spectator, fresh: dict[str, Any], viewers: int) -> list[str]:
    """What this viewer's screen shows other than a fresh snapshot; all is quiet, and so many watch."""
    snapshot, shown = Snapshot.model_validate(fresh), viewer.document
    if shown is None:
        return ["a viewer never got in"]
    wrong = [
        f"{part}: {getattr(shown, part)} instead of {getattr(snapshot, part)}"
        for part in ("epoch", "seq", "about", "life", "lineup", "pins")
        if getattr(shown, part) != getattr(snapshot, part)
    ]
    for state in fresh["states"]:
        told = viewer.states.get(state["key"], {})
        if (told.get("version"), told.get("value")) != (state["version"], state["value"]):
            wrong.append(f"{state['key']}: {told} instead of {state}")
        if state["key"] == "viewers" and state["value"]["viewers"] != viewers:
            wrong.append(f"{state['value']['viewers']} viewers are counted, {viewers} are here")
    return wrong
