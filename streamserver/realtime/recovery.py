"""Work that must be done in the end, however often Redis or the database are not there."""

import asyncio
import random
from collections.abc import Awaitable, Callable

from streamserver.kit.errors import OneMoment
from streamserver.kit.log import log


async def persist(work: Callable[[], Awaitable[object]], name: str) -> None:
    """Repeat `work` until it succeeds, up to two seconds apart. A `Failure` other than `OneMoment` is the caller's to
    catch: any error counts as *not yet*."""
    pause = 0.1
    while True:
        try:
            await work()
        except Exception as error:
            log.warning("will be tried again", what=name, error=repr(error), expected=isinstance(error, OneMoment))
        else:
            return
        await asyncio.sleep(random.uniform(pause / 2, pause))  # noqa: S311 - only spreads the tries
        pause = min(pause * 2, 2.0)
