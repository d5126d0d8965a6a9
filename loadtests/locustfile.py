"""The burst: buyers arrive within seconds, all want the same SKU, some pay, some leave.

Told by the environment: BURST_ROOM, BURST_VARIANT, BURST_HANDLE and BURST_PASSWORD (the room's host, whose figures tell at
the end whether every unit is accounted for), BURST_BUYERS. `make loadtest` sets all of it up.
"""

import os
import random
from typing import Any, cast

import gevent
import requests
import socketio
from locust import FastHttpUser, LoadTestShape, events, task
from locust.env import Environment

from streamserver.kit.ids import new_id
from tests.stories.people import ADDRESS

ROOM, VARIANT = os.environ["BURST_ROOM"], os.environ["BURST_VARIANT"]
BUYERS = int(os.environ.get("BURST_BUYERS", "300"))
ARRIVAL, LASTING = 5, 20  # seconds
EXPECTED = {"sold_out", "limit_reached"}  # honest answers, not failures


class Burst(LoadTestShape):
    """Everybody within five seconds; then nobody new, until the last have paid or left."""

    def tick(self) -> tuple[int, float] | None:
        return (BUYERS, BUYERS / ARRIVAL) if self.get_run_time() < LASTING else None


class Person(FastHttpUser):
    """Somebody with a browser."""

    abstract = True

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None, name: str = "") -> dict[str, Any]:
        """The answer, or the problem that was told."""
        headers = {"Origin": self.host}
        url = f"/api/v1/{path}"
        with self.client.request(
            method, url, json=body, headers=headers, name=name or path, catch_response=True
        ) as response:
            answer = cast("dict[str, Any]", response.json() or {})
            if answer.get("code") in EXPECTED:
                response.success()
            return answer


class Buyer(Person):
    """A guest on a phone, by HTTP alone."""

    weight = 3

    def on_start(self) -> None:
        self.client.get("/api/v1/me")

    @task
    def buy(self) -> None:
        hold = self.hold()
        if hold:
            gevent.sleep(random.uniform(0.1, 2))
            random.choice((self.pay, self.pay, self.release, self.leave))(hold)
        gevent.sleep(LASTING)  # locust would send a new buyer in place of one who has gone

    def hold(self) -> str | None:
        """The id of a hold, or None when there was nothing left."""
        return self.ask("POST", f"rooms/{ROOM}/holds", self.wish(), name="rooms/:id/holds").get("id")

    def wish(self) -> dict[str, Any]:
        return {"key": new_id("key"), "variant": VARIANT}

    def pay(self, hold: str) -> None:
        wish = {"key": new_id("key"), "holds": [hold], "email": "ada@example.org", "address": ADDRESS}
        order = self.ask("POST", "orders", wish)
        due = self.ask("POST", f"orders/{order['id']}/pay", {"revision": order["revision"]}, name="orders/:id/pay")
        payment = due["payment_url"].rsplit("/", 1)[-1]
        self.ask("POST", f"payments/{payment}", {"outcome": "success"}, name="payments/:id")

    def release(self, hold: str) -> None:
        self.ask("DELETE", f"holds/{hold}", name="holds/:id")

    def leave(self, hold: str) -> None:
        """Closes the page: the hold runs out by itself."""


class Watcher(Buyer):
    """A guest who watches the show: the hold goes through Socket.IO."""

    weight = 1

    def on_start(self) -> None:
        super().on_start()
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.client.cookiejar)
        headers = {"Origin": self.host, "Cookie": cookies}
        self.socket: Any = socketio.Client(reconnection=False)  # pyright: ignore[reportAttributeAccessIssue] - our stub has the server side only
        self.socket.connect(self.host, transports=["websocket"], auth={"room": ROOM}, headers=headers)

    def on_stop(self) -> None:
        self.socket.disconnect()

    def hold(self) -> str | None:
        with self.environment.events.request.measure("SOCKET", "hold"):
            answer: dict[str, Any] = self.socket.call("hold", self.wish(), timeout=10)
            if answer.get("error", {}).get("code", "sold_out") not in EXPECTED:
                raise AssertionError(answer)
        return answer.get("ok", {}).get("id")


@events.quitting.add_listener
def check(environment: Environment, **_: object) -> None:
    """Ask as the host: allotted = available + held + sold for everything in the room, and no request failed."""
    with requests.Session() as host:
        host.headers["Origin"] = str(environment.host)
        api = f"{environment.host}/api/v1"
        who = {"handle": os.environ["BURST_HANDLE"], "password": os.environ["BURST_PASSWORD"]}
        host.post(f"{api}/session", json=who, timeout=10).raise_for_status()
        sales = host.get(f"{api}/rooms/{ROOM}/sales", timeout=10).json()
    whole = all(v["allotted"] == v["available"] + v["held"] + v["sold"] for v in sales["variants"])
    failed = environment.stats.total.num_failures
    print(f"\norders {sales['orders']}; units {sales['variants']}")
    print(f"every unit accounted for: {'yes' if whole else 'NO'}; failed requests: {failed}")
    environment.process_exit_code = 0 if whole and not failed else 1
