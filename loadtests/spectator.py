"""A viewer's page without a page: Socket.IO over aiohttp's WebSocket. It comes back by itself with `after`, keeps what it was
told, and notices when it is told something older. A slow one stops reading now and then."""

import asyncio
import random
from contextlib import suppress
from typing import Any, cast

import aiohttp
import orjson

from streamserver.messages.rooms import About, Event, Life, LineUpPatch, Pins, Snapshot
from streamserver.rooms.model import Change, Document, apply

PATH = "/socket.io/?EIO=4&transport=websocket"
PARTS = {"about": About, "life": Life, "lineup": LineUpPatch, "pins": Pins}
PAUSE = 0.1, 2.0  # seconds before coming back
NAP = 5.0, 20.0  # that a slow one does not read
AWAKE = 1.0, 5.0


class Spectator:
    """`document` and `states` are what it would show; `wrong` lists what it should never have been told."""

    def __init__(self, http: aiohttp.ClientSession, url: str, room: str, *, slow: bool = False) -> None:
        self._http = http
        self._url = url
        self._room = room
        self._slow = slow
        self._woken = asyncio.Event()
        self._ws: aiohttp.ClientWebSocketResponse | None = None
        self._asked = 0
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self.here = False
        self.document: Document | None = None
        self.states: dict[str, dict[str, Any]] = {}
        self.rights: list[str] = []
        self.wrong: list[str] = []
        self.visits = self.resyncs = 0

    async def watch(self) -> None:
        """Until cancelled. Whatever ends the connection, it comes back."""
        while True:
            with suppress(aiohttp.ClientError, OSError, TimeoutError):
                await self._visit()
            self.here = False
            self._fail_answers()
            await asyncio.sleep(random.uniform(*PAUSE))

    async def ask(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        """The acknowledgement. Raises ConnectionError when the connection ended before it, TimeoutError after ten seconds."""
        if self._ws is None or not self.here:
            raise ConnectionError
        self._asked += 1
        number = self._asked
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        try:
            await self._ws.send_str(f"42{number}{orjson.dumps([name, body]).decode()}")
            async with asyncio.timeout(10):
                return await answer
        finally:
            self._answers.pop(number, None)

    async def close(self) -> None:
        await self._http.close()

    def wake(self) -> None:
        """No more naps, and an end to this one."""
        self._slow = False
        self._woken.set()

    async def _visit(self) -> None:
        async with self._http.ws_connect(self._url + PATH, headers={"Origin": self._url}, max_msg_size=0) as self._ws:
            self.visits += 1
            napping = asyncio.create_task(self._nap(self._ws))
            try:
                async for message in self._ws:
                    await self._hear(self._ws, message.data)
            finally:
                napping.cancel()

    async def _nap(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        """The kernel's buffers fill up, then the server's."""
        transport: Any = cast("Any", ws)._conn.transport  # aiohttp has no public way to stop reading
        while self._slow:
            await asyncio.sleep(random.uniform(*AWAKE))
            transport.pause_reading()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), random.uniform(*NAP))
            transport.resume_reading()

    async def _hear(self, ws: aiohttp.ClientWebSocketResponse, text: str) -> None:
        if text.startswith("0"):
            after = {"epoch": self.document.epoch, "seq": self.document.seq} if self.document else None
            auth = {"room": self._room} | ({"after": after} if after else {})
            await ws.send_str("40" + orjson.dumps(auth).decode())
        elif text == "2":
            await ws.send_str("3")
        elif text.startswith("42"):
            name, body = orjson.loads(text[2:])
            self._told(name, body)
        elif text.startswith("43"):
            number, _, answer = text[2:].partition("[")
            if waiting := self._answers.get(int(number)):
                waiting.set_result(orjson.loads(f"[{answer}")[0])
        elif text.startswith(("41", "44")):
            await ws.close()

    def _told(self, name: str, body: dict[str, Any]) -> None:
        self.here |= name in {"snapshot", "states"}
        if name == "snapshot":
            self._begin(Snapshot.model_validate(body))
            self._count(body["states"])
        elif name == "event":
            self._happened(Event.model_validate(body))
        elif name == "states":
            self._count(body["states"])
        elif name == "resync":
            self.resyncs += 1
        elif name == "rights":
            self.rights = body["rights"]

    def _begin(self, s: Snapshot) -> None:
        known = self.document
        if known and known.epoch == s.epoch and s.seq < known.seq:
            self.wrong.append(f"a snapshot at {s.seq} after event {known.seq}")
        self.document = Document(s.about, s.life, s.lineup, s.pins, s.epoch, s.seq)

    def _happened(self, event: Event) -> None:
        known = self.document
        if known is None or event.epoch != known.epoch or event.seq != known.seq + 1:
            self.wrong.append(f"event {event.seq} of {event.epoch} after {known and (known.seq, known.epoch)}")
            return
        told = apply(known, Change(event.type, PARTS[event.type].model_validate(event.data.model_dump())))
        self.document = Document(told.about, told.life, told.lineup, told.pins, event.epoch, event.seq)

    def _count(self, states: list[dict[str, Any]]) -> None:
        for state in states:
            known = self.states.get(state["key"])
            if known and state["version"] < known["version"]:
                self.wrong.append(f"{state['key']} version {state['version']} after {known['version']}")
            elif known and state["version"] == known["version"] and state["value"] != known["value"]:
                self.wrong.append(
                    f"{state['key']} twice at version {state['version']}: {known['value']}, {state['value']}"
                )
            else:
                self.states[state["key"]] = state

    def _fail_answers(self) -> None:
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(ConnectionError())
