"""Whole stories in real windows, on a real server."""

from collections.abc import AsyncGenerator, Generator
from contextlib import AsyncExitStack

import pytest
from playwright.async_api import Browser, async_playwright, expect

from tests import chromium
from tests.browser.api import Creator, Member
from tests.browser.windows import ARGUMENTS, Windows
from tests.harness import Server

expect.set_options(timeout=10_000)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Generator[Server]:
    running = Server(tmp_path_factory.mktemp("browser") / "data", orders__sandbox_slow_seconds=2)
    yield running
    running.stop()


@pytest.fixture(scope="session")
def chromium_path() -> str:
    path = chromium.find()
    assert path, chromium.MISSING
    return path


@pytest.fixture(scope="session")
async def browser(chromium_path: str) -> AsyncGenerator[Browser]:
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=chromium_path, args=ARGUMENTS)
        yield running
        await running.close()


@pytest.fixture
async def windows(server: Server, browser: Browser) -> AsyncGenerator[Windows]:
    """No page may log an error or break its content policy, whatever happens in the test."""
    opened = Windows(browser, server.url)
    yield opened
    await opened.close()
    assert not opened.complaints


class People:
    """Makes people, each with cookies of their own."""

    def __init__(self, url: str, stack: AsyncExitStack) -> None:
        self._url = url
        self._stack = stack

    async def member(self, name: str) -> Member:
        member = await self._stack.enter_async_context(Member(self._url))
        await member.join(name)
        return member

    async def creator(self) -> Creator:
        creator = await self._stack.enter_async_context(Creator(self._url))
        await creator.open()
        return creator


@pytest.fixture
async def people(server: Server) -> AsyncGenerator[People]:
    async with AsyncExitStack() as stack:
        yield People(server.url, stack)


@pytest.fixture
async def creator(people: People) -> Creator:
    """Somebody whose show is live, with nothing in its line-up yet."""
    creator = await people.creator()
    await creator.start()
    return creator
