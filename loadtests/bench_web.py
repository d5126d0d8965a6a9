"""One more web process of a running server, told by the environment as its own are, with two differences: a tap is acknowledged
with nothing done, and a SIGUSR2 makes it print for how many ms its event loop was blocked at most since the last one."""

import asyncio
import signal
import time

import uvloop

from streamserver.accounts.model import Identity
from streamserver.app import run_web
from streamserver.config import Config
from streamserver.kit.log import set_up
from streamserver.messages.rooms import Tap
from streamserver.rooms.service import RoomService
from tests.harness import PROJECT

BEAT = 0.001  # seconds


async def nothing(self: RoomService, room: str, identity: Identity, tap: Tap) -> None:
    """The least that an acknowledged event can be."""


class Heart:
    """Beats from the first signal on, since beating costs a percent of the core."""

    def __init__(self) -> None:
        self._longest = 0.0
        self._task: asyncio.Task[None] | None = None

    def told(self) -> None:
        if self._task is None:
            self._task = asyncio.create_task(self._beat())
        print(self._longest * 1000, flush=True)
        self._longest = 0.0

    async def _beat(self) -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(BEAT)
            self._longest = max(self._longest, time.perf_counter() - began - BEAT)


async def main() -> None:
    set_up("error", as_json=False, process="bench")
    RoomService.tap = nothing
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR2, Heart().told)
    await run_web(Config.load(PROJECT / "config.toml"))


if __name__ == "__main__":
    uvloop.run(main())
