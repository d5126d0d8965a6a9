"""Answers that need no task: a coroutine is run up to where it first waits, and gets a task only from there on."""

import types
from collections.abc import Coroutine, Generator
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T")


class Done(NamedTuple):
    result: Any


def run_at_once(work: Coroutine[Any, Any, T]) -> Done | Coroutine[Any, Any, T]:
    """Run `work` until it waits: `Done` when it never does, else the rest of it, for a task. It must not ask for the current
    task before it waits (asyncio.timeout does). Raises what `work` raises."""
    try:
        waits_for = work.send(None)
    except StopIteration as end:
        return Done(end.value)
    return _rest(work, waits_for)


async def _rest(work: Coroutine[Any, Any, T], waits_for: Any) -> T:
    return await _go_on(work, waits_for)


@types.coroutine
def _go_on(work: Coroutine[Any, Any, T], waits_for: Any) -> Generator[Any, Any, T]:
    """`yield from`, for a generator that has begun already."""
    while True:
        try:
            heard = yield waits_for
        except BaseException as error:
            step = work.throw
            argument: Any = error
        else:
            step, argument = work.send, heard
        try:
            waits_for = step(argument)
        except StopIteration as end:
            return end.value
