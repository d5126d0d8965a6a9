"""Clerks at work: processes that a test starts, and strikes or lets finish."""

import asyncio
import json
import os
import signal
import sys
from dataclasses import asdict, replace

import psutil

from tests.faults.buyers import Journal, Line
from tests.faults.clerk import Job
from tests.harness import PROJECT

SECONDS = 30.0  # for a whole job


class Clerk:
    """One process. `journal` grows while it is `watch`ed."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.journal = Journal()

    async def watch(self, lines: int) -> None:
        """Return after so many lines of its journal, or at its end."""
        assert self._process.stdout
        async with asyncio.timeout(SECONDS):
            while len(self.journal.lines) < lines and (text := await self._process.stdout.readline()):
                self.journal.note(Line(**json.loads(text)))

    async def end(self) -> int:
        """The rest of its journal, and then its exit code: below zero the signal that ended it."""
        await self.watch(sys.maxsize)
        return await self._process.wait()

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)

    async def stalled(self) -> None:
        """Return once it has stopped itself."""
        async with asyncio.timeout(SECONDS):
            while True:
                if psutil.Process(self._process.pid).status() == psutil.STATUS_STOPPED:
                    return
                await asyncio.sleep(0.01)

    def go_on(self) -> None:
        self._process.send_signal(signal.SIGCONT)


async def start_clerk(job: Job) -> Clerk:
    text = json.dumps(asdict(replace(job, parent=os.getpid())))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.faults.clerk", text, cwd=PROJECT, stdout=asyncio.subprocess.PIPE
    )
    return Clerk(process)
