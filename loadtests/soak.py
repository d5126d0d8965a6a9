"""`make soak`: minutes of a show with two web processes, one of which is killed each minute. Viewers join and leave, a tenth of
them reads slowly, a moderator pins, stock changes, some buy. Ends with a verdict; the exit code is 1 unless all of it is good."""

import argparse
import asyncio
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any

import aiohttp
import uvloop

from loadtests.shop import HANDLE
from loadtests.spectator import Spectator
from loadtests.steady import Memory, wrong_now
from streamserver.kit.ids import new_id
from tests.harness import Server, run
from tests.stories.people import Host, Refused

VIEWERS = 150
SLOW = 10  # one in so many
UNITS = 100_000
STAY = 20.0, 120.0  # seconds that a viewer watches
PIN_PAUSE, STOCK_PAUSE, BUY_PAUSE = 0.5, 0.3, 0.2
KILL_SECONDS = 60.0
SETTLE = 30  # seconds in which everybody must come to see the same, while the last holds run out
AWAY = (aiohttp.ClientError, OSError, TimeoutError, ValueError)  # a web process died under the request


class Keeper(Host):
    """A host who changes what is in the line-up."""

    async def patch(self, path: str, body: dict[str, Any]) -> None:
        await self._ask("PATCH", path, body)


class Show:
    """A live room and its audience. `wrong` keeps what viewers who left had been told wrongly."""

    def __init__(self, server: Server, host: Keeper, anchors: list[dict[str, Any]]) -> None:
        self.server = server
        self.viewers: dict[Spectator, asyncio.Task[None]] = {}
        self.wrong: list[str] = []
        self.counts = {"joined": 0, "pins": 0, "restocks": 0, "holds": 0, "killed": 0}
        self._host = host
        self._anchors = anchors

    async def join(self) -> Spectator:
        http = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True), headers={"Origin": self.server.url})
        slow = self.counts["joined"] % SLOW == 0
        self.counts["joined"] += 1
        with suppress(*AWAY):
            await (
                await http.get(f"{self.server.url}/api/v1/me")
            ).read()  # the device mark, without which nobody may hold
        viewer = Spectator(http, self.server.url, self._host.room, slow=slow)
        self.viewers[viewer] = asyncio.create_task(viewer.watch())
        return viewer

    async def leave(self, viewer: Spectator) -> None:
        task = self.viewers.pop(viewer)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await viewer.close()
        self.wrong += viewer.wrong

    async def differing(self) -> list[str]:
        """What screens show other than a fresh snapshot; nothing as soon as all agree."""
        found: list[str] = []
        for _ in range(SETTLE):
            await asyncio.sleep(1)
            fresh = await self._host.get(f"rooms/{self._host.room}")
            await asyncio.sleep(1)  # the news on their way
            found = [sentence for viewer in self.viewers for sentence in wrong_now(viewer, fresh, VIEWERS)]
            if not found:
                break
        return found

    async def come_and_go(self) -> None:
        """Somebody new for everybody who leaves."""
        await asyncio.sleep(random.uniform(*STAY) / VIEWERS)
        await self.leave(random.choice(list(self.viewers)))
        await self.join()

    async def pin(self) -> None:
        """Pin what is not, or unpin what is."""
        await asyncio.sleep(PIN_PAUSE)
        room = await self._host.get(f"rooms/{self._host.room}")
        anchor = random.choice(self._anchors)["id"]
        pinned = {pin["anchor"] for pin in room["pins"]["pins"]}
        action = "unpin" if anchor in pinned else "pin"
        change = {"operation": new_id("op"), "version": room["pins"]["version"], "action": action, "anchor": anchor}
        await self._host.put(f"rooms/{self._host.room}/pins", change)
        self.counts["pins"] += 1

    async def restock(self) -> None:
        """Another allotment of one product: units move between shop and room."""
        await asyncio.sleep(STOCK_PAUSE)
        anchor = random.choice(self._anchors)
        variant = anchor["variants"][0]["id"]
        terms = {"variant": variant, "allotment": UNITS // 2 + random.randrange(1000), "limit": 100}
        await self._host.patch(f"rooms/{self._host.room}/anchors/{anchor['id']}", {"variants": [terms]})
        self.counts["restocks"] += 1

    async def buy(self) -> None:
        """One viewer holds a unit, and gives back every other."""
        await asyncio.sleep(BUY_PAUSE)
        viewer = random.choice(list(self.viewers))
        variant = random.choice(self._anchors)["variants"][0]["id"]
        answer = await viewer.ask("hold", {"key": new_id("key"), "variant": variant})
        if "ok" in answer:
            self.counts["holds"] += 1
            if random.random() < 0.5:
                await viewer.ask("release", {"hold": answer["ok"]["id"]})

    async def kill(self) -> None:
        """A web process, without a word, each in its turn."""
        await asyncio.sleep(KILL_SECONDS)
        number = self.counts["killed"] % 2 + 1
        self.server.kill(f"web-{number}")
        self.counts["killed"] += 1


async def again(step: Callable[[], Awaitable[None]]) -> None:
    """For ever. What a dying web process cuts off is tried again, as a person would; so is what somebody else changed first."""
    while True:
        with suppress(*AWAY, Refused, KeyError):
            await step()


async def soak(minutes: float) -> bool:
    """True when nothing was wrong."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="soak-")))
        limits: dict[str, str | int | float] = {
            "accounts__guests_per_client": 1_000_000,
            "realtime__max_backlog": 65_536,
        }
        server = Server(folder / "data", web__processes=2, stock__hold_seconds=30, **limits)
        stack.callback(server.stop)
        host = await stack.enter_async_context(Keeper(server.url))
        await host.open(HANDLE)
        anchors = [await host.offer(f"Vase {n}", UNITS, limit=100) for n in range(4)]
        await host.post(f"rooms/{host.room}/start")
        show = Show(server, host, anchors)
        await asyncio.gather(*(show.join() for _ in range(VIEWERS)))
        memory = Memory(server)
        steps = [show.come_and_go, show.pin, show.restock, show.buy, show.buy, show.buy, show.kill]
        tasks = [asyncio.create_task(again(step)) for step in steps]
        tasks.append(asyncio.create_task(memory.watch()))
        await _count_down(minutes * 60, show)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for viewer in show.viewers:
            viewer.wake()
        differing = await show.differing()
        for viewer in list(show.viewers):
            await show.leave(viewer)
        audit = await asyncio.to_thread(run, "audit", env=server.environment)
        return _verdict(show, differing, memory, audit)


async def _count_down(seconds: float, show: Show) -> None:
    ends = time.monotonic() + seconds
    while (left := ends - time.monotonic()) > 0:
        await asyncio.sleep(min(30.0, left))
        here = sum(viewer.here for viewer in show.viewers)
        print(f"{max(0, ends - time.monotonic()):4.0f} s left, {here} viewers here, {show.counts}", flush=True)


def _verdict(show: Show, differing: list[str], memory: Memory, audit: subprocess.CompletedProcess[str]) -> bool:
    for sentence in [*show.wrong[:10], *differing[:10], *memory.growing]:
        print(f"  {sentence}")
    if audit.returncode:
        print(audit.stdout + audit.stderr)
    verdicts = {
        f"things told wrongly: {len(show.wrong)}": not show.wrong,
        f"viewers who differ from a fresh snapshot: {len(differing)}": not differing,
        f"memory, {memory.summary}": not memory.growing,
        "audit": audit.returncode == 0,
        f"something happened: {show.counts}": show.counts["pins"] > 0 and show.counts["holds"] > 0,
    }
    for what, good in verdicts.items():
        print(f"{'good' if good else 'BAD '}  {what}")
    return all(verdicts.values())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    sys.exit(not uvloop.run(soak(parser.parse_args().minutes)))
