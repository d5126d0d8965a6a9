"""Answers without a task: run up to where they first wait, and finished by a task from there."""

import asyncio

import pytest

from streamserver.realtime.prompt import Done, run_at_once


async def test_what_never_waits_is_done_at_once() -> None:
    async def answer() -> int:
        return 4

    assert run_at_once(answer()) == Done(4)


async def test_what_waits_goes_on_in_a_task() -> None:
    """It sees every result and error that it waits for, as if it had been a task from the start."""
    first, second = asyncio.get_running_loop().create_future(), asyncio.get_running_loop().create_future()

    async def answer() -> str:
        seen = await first
        with pytest.raises(KeyError):
            await second
        await asyncio.sleep(0)
        return f"{seen} and more"

    rest = run_at_once(answer())
    assert not isinstance(rest, Done)
    task = asyncio.create_task(rest)
    await asyncio.sleep(0)
    first.set_result("one")
    await asyncio.sleep(0.01)
    second.set_exception(KeyError())
    assert await task == "one and more"


async def test_an_error_at_once_is_raised() -> None:
    async def answer() -> None:
        raise KeyError

    with pytest.raises(KeyError):
        run_at_once(answer())


async def test_cancelling_the_task_reaches_the_coroutine() -> None:
    """It may clean up."""
    cleaned = asyncio.Event()

    async def answer() -> None:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            cleaned.set()

    rest = run_at_once(answer())
    assert not isinstance(rest, Done)
    task = asyncio.create_task(rest)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert cleaned.is_set()
