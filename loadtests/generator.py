"""`wsload`, the load generator in C, as the benches use it: thousands of viewers on the generator's core."""

import asyncio
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Self

import orjson

from loadtests.measure import GENERATOR_CORE, pin
from tests.harness import PROJECT

BUILT = PROJECT / ".venv" / "bench"  # where `make bench-fanout` compiles to
LONGEST = 90.0  # seconds until all have joined


class Generator:
    """Viewers who have joined. `joined` is how many did, in how many `seconds`; `arrived` is released for each event that the
    first viewer gets, when wsload was asked to tell (`-x`)."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.arrived = asyncio.Semaphore(0)
        self.joined = 0
        self.seconds = 0.0

    @classmethod
    @asynccontextmanager
    async def opened(cls, port: int, path: str, connections: int, *options: str) -> AsyncGenerator[Self]:
        """Raises RuntimeError when a viewer was refused. On leaving, all connections are reset at once."""
        command = [str(BUILT / "wsload"), *options, str(port), path, str(connections)]
        process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
        pin(process.pid, GENERATOR_CORE)
        viewers = cls(process)
        listening = asyncio.create_task(viewers._listen())
        try:
            async with asyncio.timeout(LONGEST):
                told = await viewers._told.get()
            if told["refused"]:
                raise RuntimeError(f"{told['refused']} of {connections} viewers were refused")
            viewers.joined, viewers.seconds = told["joined"], told["seconds"]
            yield viewers
        finally:
            if process.stdin is not None:
                process.stdin.close()
            await process.wait()
            await listening

    async def measure(self, seconds: float) -> Mapping[str, float]:
        """What happened in so many seconds from now: see the head of wsload.c. Raises RuntimeError when viewers were lost
        or a call failed."""
        assert self._process.stdin is not None  # noqa: S101 - it was asked for
        self._process.stdin.write(f"measure {seconds}\n".encode())
        async with asyncio.timeout(LONGEST + seconds):
            found = await self._told.get()
        if found["closed"] or found["failures"]:
            raise RuntimeError(f"{found['closed']} viewers were lost, {found['failures']} calls failed")
        return found

    async def _listen(self) -> None:
        assert self._process.stdout is not None  # noqa: S101 - it was asked for
        async for line in self._process.stdout:
            if line == b".\n":
                self.arrived.release()
            else:
                self._told.put_nowait(orjson.loads(line))
        self._told.put_nowait(
            {"joined": 0, "refused": "all", "closed": "all", "failures": "all", "seconds": 0}
        )  # it ended
