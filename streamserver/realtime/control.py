"""Words to every process: rights that changed, sessions that ended."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, Protocol

from streamserver.accounts.model import Identity
from streamserver.kit.errors import Failure, NotFound, OneMoment
from streamserver.kit.tasks import Tasks
from streamserver.realtime.fanout import Fanout
from streamserver.realtime.faults import SIGNED_OUT
from streamserver.realtime.recovery import persist
from streamserver.realtime.viewer import Viewer

REMEMBER_SECONDS = 60.0  # longer than an upgrade may take until its viewer is known here


class RightsReader(Protocol):
    async def rights(self, room: str, identity: Identity) -> Sequence[str]: ...


class Control:
    """Knows every viewer of this process, joined or not."""

    def __init__(self, rooms: RightsReader, fanout: Fanout) -> None:
        self._rooms = rooms
        self._fanout = fanout
        self._ended: dict[str, float] = {}
        self._one_by_one = asyncio.Lock()  # so that an older answer never follows a newer one
        self._tasks = Tasks()
        self.viewers: set[Viewer] = set()

    def add(self, viewer: Viewer) -> None:
        """Watch over a new viewer. Its session may have ended since it was looked up."""
        self.viewers.add(viewer)
        if viewer.identity.session in self._ended:
            viewer.close(SIGNED_OUT)

    def told(self, words: list[Any]) -> None:
        match words:
            case [b"rights", account, room]:
                self._rights_changed(account.decode(), room and room.decode())
            case [b"session", session]:
                self._session_ended(session.decode())
            case _:
                raise ValueError(f"unknown word {words[0]!r}")

    def missed(self) -> None:
        """Nobody knows what was said meanwhile: look at every signed-in viewer again."""
        self._tasks.start(self._look_again(list(self.viewers)), "look at sessions again")

    async def close(self) -> None:
        await self._tasks.close()

    def _rights_changed(self, account: str, room: str | None) -> None:
        touched = [
            viewer
            for viewer in self.viewers
            if viewer.identity.account is not None
            and viewer.identity.account.id == account
            and (room is None or viewer.room == room)
        ]
        self._tasks.start(self._regrant(touched), "rights")

    def _session_ended(self, session: str) -> None:
        now = time.monotonic()
        self._ended = {ended: at for ended, at in self._ended.items() if at > now - REMEMBER_SECONDS}
        self._ended[session] = now
        for viewer in list(self.viewers):
            if viewer.identity.session == session:
                viewer.close(SIGNED_OUT)

    async def _look_again(self, viewers: Iterable[Viewer]) -> None:
        signed_in = [viewer for viewer in viewers if viewer.identity.session is not None]
        for viewer in signed_in:
            await persist(partial(_verify, viewer), "session")
        await self._regrant(signed_in)

    async def _regrant(self, viewers: Iterable[Viewer]) -> None:
        for viewer in viewers:
            await persist(partial(self._regrant_one, viewer), "rights")

    async def _regrant_one(self, viewer: Viewer) -> None:
        async with self._one_by_one:
            room = viewer.room
            if room is None:
                return
            try:
                rights = await self._rooms.rights(room, viewer.identity)
            except NotFound:
                return
            if viewer.room == room and not self._fanout.regranted(viewer, rights):
                raise OneMoment  # still coming in: its entry may hold the older rights


async def _verify(viewer: Viewer) -> None:
    """Sign the viewer out when its session is over. Other trouble than that is raised."""
    try:
        same = (await viewer.verify()).session == viewer.identity.session
    except OneMoment:
        raise
    except Failure:
        same = False
    if not same:
        viewer.close(SIGNED_OUT)
