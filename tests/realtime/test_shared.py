"""Fetches that callers share."""

import asyncio

import pytest

from streamserver.realtime.shared import Shared


class Source:
    """Counts how often it is read; what it says is the number of the reading. It takes until `go` is set."""

    def __init__(self) -> None:
        self.readings = 0
        self.go = asyncio.Event()

    async def read(self) -> int:
        self.readings += 1
        number = self.readings
        await self.go.wait()
        return number


async def test_callers_of_a_moment_share_one_fetch() -> None:
    source, shared = Source(), Shared()
    source.go.set()
    assert await asyncio.gather(*(shared.fetch("room", source.read) for _ in range(100))) == [1] * 100


async def test_nobody_is_given_what_was_read_before_they_asked() -> None:
    """Who asks while a fetch is under way shares the next one."""
    source, shared = Source(), Shared()
    first = asyncio.create_task(shared.fetch("room", source.read))
    await asyncio.sleep(0.01)
    late = [asyncio.create_task(shared.fetch("room", source.read)) for _ in range(10)]
    await asyncio.sleep(0.01)
    source.go.set()
    assert await first == 1
    assert await asyncio.gather(*late) == [2] * 10


async def test_different_keys_do_not_wait_for_each_other() -> None:
    slow, quick, shared = Source(), Source(), Shared()
    quick.go.set()
    waiting = asyncio.create_task(shared.fetch("slow", slow.read))
    assert await shared.fetch("quick", quick.read) == 1
    slow.go.set()
    await waiting


async def test_an_error_is_everybodys_and_the_next_fetch_is_anew() -> None:
    shared, wrong = Shared(), True

    async def read() -> str:
        if wrong:
            raise KeyError("room")
        return "there"

    found = await asyncio.gather(*(shared.fetch("room", read) for _ in range(3)), return_exceptions=True)
    assert [type(one) for one in found] == [KeyError] * 3
    wrong = False
    assert await shared.fetch("room", read) == "there"


async def test_a_caller_who_leaves_disturbs_nobody() -> None:
    source, shared = Source(), Shared()
    callers = [asyncio.create_task(shared.fetch("room", source.read)) for _ in range(3)]
    await asyncio.sleep(0.01)
    callers[0].cancel()
    source.go.set()
    with pytest.raises(asyncio.CancelledError):
        await callers[0]
    assert await asyncio.gather(*callers[1:]) == [1, 1]
