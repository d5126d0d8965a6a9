"""A mixed show: most people watch, some lose their connection and come back, some buy, a moderator pins. What is timed is the age
of what viewers are told: now minus its `at`, which is the server's clock, so both clocks must agree. Told by the same environment
as the burst, plus SHOW_VIEWERS."""

import os
import random
import time
from contextlib import suppress
from typing import Any

import gevent
import socketio
from gevent.event import Event as Signal
from locust import LoadTestShape, events, task
from locust.env import Environment
from locust.exception import StopUser
from locust.runners import STATE_RUNNING, STATE_SPAWNING

from loadtests.locustfile import ROOM, Person
from loadtests.locustfile import Buyer as Buyer  # locust finds its users among the names of this file
from streamserver.kit.ids import new_id

PEOPLE = int(os.environ.get("SHOW_VIEWERS", "150"))
ARRIVAL, LASTING = 10, 30  # seconds
PATIENCE = 10  # seconds for a snapshot, or for what was missed
FAREWELL = 1  # second
STAY = 3, 10  # seconds between two losses of the connection
PIN_PAUSE = 0.5


class Show(LoadTestShape):
    def tick(self) -> tuple[int, float] | None:
        return (PEOPLE, PEOPLE / ARRIVAL) if self.get_run_time() < LASTING else None


class Viewer(Person):
    """Watches through Socket.IO, and returns with what it saw last."""

    weight = 8

    def on_start(self) -> None:
        self.client.get("/api/v1/me", name="me")
        self.position: dict[str, Any] | None = None
        self.joined = Signal()
        self.come("join")

    @task
    def watch(self) -> None:
        gevent.sleep(random.uniform(*STAY))
        if self.environment.runner is None or self.environment.runner.state not in {STATE_SPAWNING, STATE_RUNNING}:
            raise StopUser  # python-socketio may swallow the exception by which locust ends a user
        self.go()
        gevent.sleep(random.uniform(0.1, 2))
        self.come("resume")

    def go(self) -> None:
        """python-socketio waits for its reader, which may wait for a server that has hung up already."""
        with suppress(gevent.Timeout), gevent.Timeout(FAREWELL):
            self.socket.disconnect()

    def come(self, name: str) -> None:
        """Connect; done once the snapshot is there, or what was missed."""
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.client.cookiejar)
        headers = {"Origin": self.host, "Cookie": cookies}
        auth = {"room": ROOM} | ({"after": self.position} if self.position else {})
        self.joined.clear()
        self.socket: Any = socketio.Client(reconnection=False)  # pyright: ignore[reportAttributeAccessIssue] - our stub has the server side only
        for event, hear in (("snapshot", self.begin), ("event", self.happened), ("states", self.count)):
            self.socket.on(event, hear)
        with self.environment.events.request.measure("SOCKET", name):
            self.socket.connect(self.host, transports=["websocket"], auth=auth, headers=headers)
            if not self.joined.wait(PATIENCE):
                raise TimeoutError(name)

    def begin(self, snapshot: dict[str, Any]) -> None:
        self.position = {"epoch": snapshot["epoch"], "seq": snapshot["seq"]}
        self.joined.set()

    def happened(self, event: dict[str, Any]) -> None:
        """What was missed is old by nature: only what came while watching is timed."""
        self.position = {"epoch": event["epoch"], "seq": event["seq"]}
        if self.joined.is_set():
            age = time.time() * 1000 - event["at"]
            self.environment.events.request.fire(
                request_type="AGE", name=event["type"], response_time=age, response_length=0, exception=None, context={}
            )

    def count(self, _: dict[str, Any]) -> None:
        self.joined.set()


class Moderator(Person):
    """The host: pins and unpins."""

    fixed_count = 1

    def on_start(self) -> None:
        who = {"handle": os.environ["BURST_HANDLE"], "password": os.environ["BURST_PASSWORD"]}
        self.ask("POST", "session", who)

    @task
    def pin(self) -> None:
        room = self.ask("GET", f"rooms/{ROOM}", name="rooms/:id")
        anchor = room["lineup"]["anchors"][0]["id"]
        action = "unpin" if room["pins"]["pins"] else "pin"
        change = {"operation": new_id("op"), "version": room["pins"]["version"], "action": action, "anchor": anchor}
        self.ask("PUT", f"rooms/{ROOM}/pins", change, name="rooms/:id/pins")
        gevent.sleep(PIN_PAUSE)


@events.quitting.add_listener
def tell(environment: Environment, **_: object) -> None:
    """The ages, and whether there were any."""
    ages = [entry for (_, method), entry in environment.stats.entries.items() if method == "AGE"]
    for entry in ages:
        p50, p95, p99 = (entry.get_response_time_percentile(share) for share in (0.5, 0.95, 0.99))
        print(f"age of {entry.num_requests} times `{entry.name}`: p50 {p50} ms, p95 {p95} ms, p99 {p99} ms")
    if not ages:
        print("no viewer was told anything")
        environment.process_exit_code = 1
