"""People who use a running server as anybody can: over HTTP and Socket.IO."""

import asyncio
from types import TracebackType
from typing import Any, Self

import socketio
from aiohttp import ClientSession, CookieJar

from streamserver.kit.ids import new_id

PASSWORD = "a long enough password"
ADDRESS = {"name": "Ada Example", "street": "Mill Lane 4", "postcode": "10115", "city": "Berlin", "country": "DE"}


class Refused(Exception):  # noqa: N818 - an answer, as `kit.errors.Failure` is
    """The server said no: `problem` is its answer."""

    def __init__(self, problem: dict[str, Any]) -> None:
        self.problem = problem
        super().__init__(problem)


class Person:
    """One browser: cookies, an Origin, and at most one room that is being watched."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._http = ClientSession(url, cookie_jar=CookieJar(unsafe=True), headers={"Origin": url})
        self._socket = socketio.AsyncClient(reconnection=False)
        self.left: dict[str, int] = {}
        self.snapshot: dict[str, Any] = {}
        self.news = asyncio.Condition()
        self._socket.on("snapshot", self._see)
        self._socket.on("states", self._count)

    async def __aenter__(self) -> Self:
        await self.get("me")
        return self

    async def __aexit__(self, *_reason: type[BaseException] | BaseException | TracebackType | None) -> None:
        await self._socket.disconnect()
        await self._http.close()

    @property
    def cookies(self) -> CookieJar:
        jar = self._http.cookie_jar
        assert isinstance(jar, CookieJar)
        return jar

    async def get(self, path: str) -> dict[str, Any]:
        return await self._ask("GET", path)

    async def post(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        return await self._ask("POST", path, body)

    async def put(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        return await self._ask("PUT", path, body)

    async def delete(self, path: str) -> dict[str, Any]:
        return await self._ask("DELETE", path)

    async def sign_up(self, handle: str) -> None:
        await self.post("accounts", {"handle": handle, "name": handle.title(), "password": PASSWORD})

    async def sign_in(self, handle: str) -> None:
        await self.post("session", {"handle": handle, "password": PASSWORD})

    async def watch(self, room: str) -> None:
        """Join a room; returns once its snapshot is there."""
        cookies = "; ".join(f"{c.key}={c.value}" for c in self.cookies)
        headers = {"Origin": self._url, "Cookie": cookies}
        await self._socket.connect(self._url, transports=["websocket"], auth={"room": room}, headers=headers)
        async with self.news:
            await self.news.wait_for(lambda: self.snapshot)

    async def say(self, event: str, body: dict[str, Any]) -> dict[str, Any]:
        """Ask through the socket. Raises Refused."""
        answer: dict[str, Any] = await self._socket.call(event, body, timeout=30)
        if "error" in answer:
            raise Refused(answer["error"])
        return answer["ok"]

    async def sees(self, variant: str, left: int) -> None:
        """Return once the screen shows so many units."""
        async with self.news:
            await self.news.wait_for(lambda: self.left.get(variant) == left)

    async def buy(self, holds: list[str]) -> dict[str, Any]:
        """Check out and pay; the order as it is then."""
        wish = {"key": new_id("key"), "holds": holds, "email": "ada@example.org", "address": ADDRESS}
        order = await self.post("orders", wish)
        paying = await self.post(f"orders/{order['id']}/pay", {"revision": order["revision"]})
        await self.post(f"payments/{paying['payment_url'].rsplit('/', 1)[-1]}", {"outcome": "success"})
        return await self.get(f"orders/{order['id']}")

    async def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        async with self._http.request(method, f"/api/v1/{path}", json=body) as response:
            answer: dict[str, Any] = await response.json(content_type=None)
            if response.status >= 400:
                raise Refused(answer)
            return answer

    async def _see(self, snapshot: dict[str, Any]) -> None:
        self.snapshot = snapshot
        await self._count(snapshot)

    async def _count(self, message: dict[str, Any]) -> None:
        async with self.news:
            for state in message["states"]:
                if state["key"].startswith("stock:"):
                    self.left[state["value"]["variant"]] = state["value"]["available"]
            self.news.notify_all()


class Host(Person):
    """Somebody with a shop and a room."""

    shop: dict[str, Any]
    room: str

    async def open(self, handle: str) -> None:
        await self.sign_up(handle)
        wish = {"handle": f"{handle}-shop", "name": "Kiln & Loom", "currency": "EUR", "shipping": 490}
        self.shop = await self.post("shops", wish)
        self.room = (await self.post("rooms", {"title": "Evening show"}))["about"]["id"]

    async def offer(self, title: str, units: int, limit: int = 5) -> dict[str, Any]:
        """A product in the shop, all of it allotted to the room; its anchor."""
        wish = {"title": title, "variants": [{"sku": title, "price": 1900}]}
        product = await self.post(f"shops/{self.shop['id']}/products", wish)
        variant = product["variants"][0]["id"]
        restock = {"operation": new_id("op"), "variant": variant, "delta": units}
        await self.post(f"shops/{self.shop['id']}/stock", restock)
        terms = {"variant": variant, "allotment": units, "limit": limit}
        lineup = await self.post(f"rooms/{self.room}/anchors", {"product": product["id"], "variants": [terms]})
        return next(anchor for anchor in lineup["anchors"] if anchor["product"] == product["id"])

    async def pin(self, anchor: str) -> None:
        version = (await self.get(f"rooms/{self.room}"))["pins"]["version"]
        change = {"operation": new_id("op"), "version": version, "action": "pin", "anchor": anchor}
        await self.put(f"rooms/{self.room}/pins", change)
