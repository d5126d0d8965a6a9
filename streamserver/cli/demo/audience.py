"""A synthetic audience: guests who watch, tap and buy through the public API, at a pace that people have.

They leave the last three units of everything to real visitors.
"""

import asyncio
import random
from typing import Any

import socketio
from aiohttp import ClientError, ClientSession, CookieJar

from streamserver.kit.ids import new_id
from streamserver.kit.log import log

LEFT_TO_PEOPLE = 3
ARRIVING_SECONDS = (0.0, 10.0)  # they do not all come at once
PAUSE_SECONDS = (4.0, 25.0)  # between two things that one viewer does
THINKING_SECONDS = (3.0, 15.0)  # with a unit in the bag
BUYING = 0.25  # of all taps lead to a hold
PAYING = 0.6  # of all holds are paid; the rest is given back
FIRST_NAMES = ("Ada", "Ben", "Chidi", "Dana", "Elif", "Finn", "Gita", "Hugo", "Ines", "Jonas", "Kim", "Lea")
STREETS = ("Mill Lane", "Harbour Street", "Oak Avenue", "Station Road")

chance = random.Random()  # noqa: S311 - behaviour, not secrets


class Audience:
    """Viewers of one room on the server at `url`."""

    def __init__(self, url: str, room: str) -> None:
        self._url = url
        self._room = room
        self._going = asyncio.Event()
        self._going.set()
        self._one_at_a_time = asyncio.Lock()  # so that two of them cannot both take the fourth-last unit

    def toggle(self) -> bool:
        """Pause or go on; whether they are paused now."""
        (self._going.clear if self._going.is_set() else self._going.set)()
        return not self._going.is_set()

    async def run(self, viewers: int) -> None:
        await asyncio.gather(*(self._attend(number) for number in range(viewers)))

    async def _attend(self, number: int) -> None:
        await asyncio.sleep(chance.uniform(*ARRIVING_SECONDS))
        while True:
            try:
                async with Guest(self._url, self._room, FIRST_NAMES[number % len(FIRST_NAMES)]) as guest:
                    await self._watch(guest)
            except (ClientError, socketio.exceptions.SocketIOError, TimeoutError) as error:
                log.info("a guest lost the connection", error=str(error))
                await asyncio.sleep(chance.uniform(2, 5))

    async def _watch(self, guest: "Guest") -> None:
        while guest.connected:
            await asyncio.sleep(chance.uniform(*PAUSE_SECONDS))
            await self._going.wait()
            anchor = guest.something()
            if anchor is None:
                continue
            await guest.say("tap", {"anchor": anchor["id"]})
            if chance.random() < BUYING and (hold := await self._take(guest, anchor)):
                await asyncio.sleep(chance.uniform(*THINKING_SECONDS))
                await (guest.buy(hold) if chance.random() < PAYING else guest.say("release", {"hold": hold}))

    async def _take(self, guest: "Guest", anchor: dict[str, Any]) -> str | None:
        async with self._one_at_a_time:
            plenty = [v["id"] for v in anchor["variants"] if guest.left.get(v["id"], 0) > LEFT_TO_PEOPLE]
            if not plenty:
                return None
            answer = await guest.say("hold", {"key": new_id("key"), "variant": chance.choice(plenty)})
            hold = answer.get("ok")
            if hold and hold["left"] < LEFT_TO_PEOPLE:  # a real visitor was quicker: step back
                await guest.say("release", {"hold": hold["id"]})
                return None
            return hold["id"] if hold else None


class Guest:
    """One viewer: a browser's cookies, a socket, and what the page would show."""

    def __init__(self, url: str, room: str, name: str) -> None:
        self._url = url
        self._room = room
        self._name = name
        self._http = ClientSession(url, cookie_jar=CookieJar(unsafe=True), headers={"Origin": url})
        self._socket = socketio.AsyncClient(reconnection=False, handle_sigint=False, http_session=self._http)
        self._anchors: dict[str, dict[str, Any]] = {}
        self._pinned: list[str] = []
        self.left: dict[str, int] = {}
        self._socket.on("snapshot", self._see)
        self._socket.on("states", self._count)
        self._socket.on("event", self._follow)

    async def __aenter__(self) -> "Guest":
        await self._http.get("/api/v1/me")
        await self._socket.connect(
            self._url, transports=["websocket"], auth={"room": self._room}, headers={"Origin": self._url}
        )
        return self

    async def __aexit__(self, *_reason: object) -> None:
        await self._socket.disconnect()
        await self._http.close()

    @property
    def connected(self) -> bool:
        return self._socket.connected

    def something(self) -> dict[str, Any] | None:
        """An anchor to look at: mostly a pinned one."""
        ids = self._pinned if self._pinned and chance.random() < 0.6 else list(self._anchors)
        return self._anchors.get(chance.choice(ids)) if ids else None

    async def say(self, event: str, data: dict[str, Any]) -> dict[str, Any]:
        return await self._socket.call(event, data, timeout=10)

    async def buy(self, hold: str) -> None:
        address = {
            "name": f"{self._name} Example", "street": f"{chance.choice(STREETS)} {chance.randint(1, 90)}",
            "postcode": "10115", "city": "Berlin", "country": "DE",
        }  # fmt: skip
        email = f"{self._name.lower()}@example.org"
        placed = {"key": new_id("key"), "holds": [hold], "email": email, "address": address}
        order = await self._post("orders", placed)
        if "revision" in order:
            paying = await self._post(f"orders/{order['id']}/pay", {"revision": order["revision"]})
            if payment := paying.get("payment_url"):
                await self._post(f"payments/{payment.rsplit('/', 1)[-1]}", {"outcome": "success"})

    async def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        async with self._http.post(f"/api/v1/{path}", json=body) as response:
            return await response.json(content_type=None)

    async def _see(self, snapshot: dict[str, Any]) -> None:
        self._anchors = {anchor["id"]: anchor for anchor in snapshot["lineup"]["anchors"]}
        self._pinned = [pin["anchor"] for pin in snapshot["pins"]["pins"]]
        await self._count(snapshot)

    async def _count(self, message: dict[str, Any]) -> None:
        for state in message["states"]:
            if state["key"].startswith("stock:"):
                self.left[state["value"]["variant"]] = state["value"]["available"]

    async def _follow(self, event: dict[str, Any]) -> None:
        if event["type"] == "pins":
            self._pinned = [pin["anchor"] for pin in event["data"]["pins"]]
        elif event["type"] == "lineup":
            known = self._anchors | {anchor["id"]: anchor for anchor in event["data"]["put"]}
            self._anchors = {anchor: known[anchor] for anchor in event["data"]["order"]}
