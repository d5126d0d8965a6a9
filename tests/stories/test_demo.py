"""The demo: everything is there at once, and its made-up audience leaves something for people."""

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from streamserver.cli.demo import audience
from tests.harness import PROJECT, Server, environment
from tests.stories.people import Host, Person


async def test_the_audience_never_takes_the_last_three_units(
    server: Server, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However eager, it stops at three; paused, it does nothing."""
    for name, value in {
        "PAUSE_SECONDS": (0.0, 0.02),
        "THINKING_SECONDS": (0.0, 0.02),
        "BUYING": 1.0,
        "PAYING": 1.0,
    }.items():
        monkeypatch.setattr(audience, name, value)
    monkeypatch.setattr(audience, "ARRIVING_SECONDS", (0.0, 0.1))
    variant = (await host.offer("Mug", 8, limit=100))["variants"][0]["id"]
    show = audience.Audience(server.url, host.room)
    async with Person(server.url) as visitor:
        await visitor.watch(host.room)
        crowd = asyncio.create_task(show.run(4))
        await visitor.sees(variant, 3)
        await twenty_more_taps(host)
        assert visitor.left[variant] == 3
        assert show.toggle()
        crowd.cancel()
        await asyncio.gather(crowd, return_exceptions=True)


async def twenty_more_taps(host: Host) -> None:
    before = None
    while True:
        taps = (await host.get(f"rooms/{host.room}/sales"))["taps"]
        before = taps if before is None else before
        if taps >= before + 20:
            return
        await asyncio.sleep(0.1)


async def test_the_demo_is_seeded_once(tmp_path: Path) -> None:
    """A live room with the shop's eight products, one with three units, one sold-out size; a second start finds them again."""
    env = environment(tmp_path / "data")
    url = f"http://127.0.0.1:{env['STREAMSERVER_WEB__PORT']}"
    rooms: list[str] = []
    for _ in range(2):
        command = [sys.executable, str(PROJECT / "run.py"), "demo", "--viewers", "0"]
        process = await asyncio.create_subprocess_exec(*command, env=env, stdout=PIPE)
        assert process.stdout is not None
        told = ""
        while "Stop" not in told:
            line = await process.stdout.readline()
            assert line, told
            told += line.decode()
        async with Person(url) as visitor:
            [card] = (await visitor.get("rooms"))["rooms"]
            snapshot = await visitor.get(f"rooms/{card['about']['id']}")
            await visitor.post("session", {"handle": "maya", "password": "demo-password"})
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
        assert card["products"] == 8
        left = {state["key"].removeprefix("stock:"): state["value"] for state in snapshot["states"]}
        by_product = {
            a["title"]: [left[v["id"]]["available"] for v in a["variants"]] for a in snapshot["lineup"]["anchors"]
        }
        assert by_product["Wood-fired teapot"] == [3]
        assert 0 in by_product["Moon vase"]
        rooms.append(card["about"]["id"])
    assert rooms[0] == rooms[1]
