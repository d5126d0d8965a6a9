"""One program that is kept running: started again when it ends, after a pause that grows while it keeps ending."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress

from streamserver.cli.errors import EXIT_CONFIG, CannotStartError
from streamserver.kit.log import log

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 10.0  # seconds
HEALTHY_AFTER = 30.0  # seconds of running that make the next pause short again


def next_pause(pause: float, lasted: float) -> float:
    """Seconds to wait before the next start, when the last pause was `pause` and the program then lasted `lasted`."""
    return FIRST_PAUSE if lasted >= HEALTHY_AFTER or not pause else min(pause * 2, LONGEST_PAUSE)


async def _nothing() -> None:
    pass


class Child:
    """`before` runs before each start; `ended` is told the process id after each end."""

    def __init__(
        self,
        name: str,
        command: Callable[[], Sequence[str]],
        environment: Mapping[str, str],
        *,
        before: Callable[[], Awaitable[None]] = _nothing,
        ended: Callable[[int], None] = lambda _: None,
    ) -> None:
        self.name = name
        self.ends = 0
        self._command = command
        self._environment = environment
        self._before = before
        self._ended = ended
        self._process: asyncio.subprocess.Process | None = None

    async def keep_running(self) -> None:
        """Run until cancelled; the process then runs on, for `stop`. Raises `CannotStartError` when a restart is no use."""
        pause = 0.0
        while True:
            began = time.monotonic()
            code = await self._run_once()
            if code == EXIT_CONFIG:
                raise CannotStartError(
                    f"The {self.name} process cannot use the configuration; its reason stands above."
                )
            pause = next_pause(pause, time.monotonic() - began)
            log.warning("process ended", name=self.name, code=code, restart_in=pause)
            await asyncio.sleep(pause)

    async def stop(self, seconds: float) -> None:
        """Ask the process to end, and make it end after `seconds`. Only once `keep_running` was cancelled."""
        if self._process is None or self._process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), seconds)
        except TimeoutError:
            log.warning("process did not end in time and is killed", name=self.name, seconds=seconds)
            self._process.kill()
            await self._process.wait()

    async def _run_once(self) -> int:
        await self._before()
        # A session of its own: Ctrl-C in the terminal reaches the supervisor alone, which then ends things in order.
        self._process = await asyncio.create_subprocess_exec(
            *self._command(), env=self._environment, stdin=asyncio.subprocess.DEVNULL, start_new_session=True
        )
        code = await self._process.wait()
        self.ends += 1
        self._ended(self._process.pid)
        return code
