"""`run.py demo`: the whole server with a shop, people, a live room, and an audience that behaves like one."""

import asyncio
import os
import signal
import sys
from pathlib import Path

from streamserver.cli import supervisor
from streamserver.cli.demo.audience import Audience
from streamserver.cli.demo.seed import PASSWORD, Seeded, seed
from streamserver.cli.redis_server import located
from streamserver.config import PREFIX, Config
from streamserver.kit.log import log

SETTINGS = {
    "SERVER__LOG_LEVEL": "warning",
    "ROOMS__ABANDON_MINUTES": "10080",  # the demo's host is not there, and the show goes on
    "STOCK__HOLD_SECONDS": "120",
}


def prepare_environment(config: Config) -> None:
    """A data folder of the demo's own, and settings that suit it, for this process and its children."""
    for name, value in {**SETTINGS, "SERVER__DATA": str(config.server.data / "demo")}.items():
        os.environ.setdefault(PREFIX + name, value)


async def run(config: Config, config_path: Path, viewers: int) -> None:
    """Serve until stopped; once ready, fill the shop and let the audience in."""
    ready = asyncio.Event()
    show = asyncio.create_task(_show(config, ready, viewers))
    try:
        await supervisor.serve(config, config_path, ready)
    finally:
        show.cancel()
        await asyncio.gather(show, return_exceptions=True)


async def _show(config: Config, ready: asyncio.Event, viewers: int) -> None:
    await ready.wait()
    try:
        seeded = await seed(located(config))
        audience = Audience(config.public_url, seeded.room)
        _introduce(config, seeded, viewers)
        _listen_for_pause(audience)
        await audience.run(viewers)
    except Exception:
        log.exception("the demo's show stopped; the server itself goes on")


def _introduce(config: Config, seeded: Seeded, viewers: int) -> None:
    url = config.public_url
    places = {
        "Watch and buy": f"{url}/rooms/{seeded.room}",
        "All shows": f"{url}/",
        "Studio": f"{url}/studio/{seeded.room}   sign in as {seeded.host} / {PASSWORD}",
        "Moderator's desk": f"{url}/moderator/{seeded.room}   sign in as {seeded.moderator} / {PASSWORD}",
        "A buyer": f"{url}/sign-in   {seeded.buyer} / {PASSWORD}, or buy as a guest",
        "API": f"{url}/api",
        "Audience": f"{viewers} viewers; P and Enter (or SIGUSR1 to process {os.getpid()}) pauses and resumes them",
        "Stop": "Ctrl-C",
    }
    for what, place in places.items():
        print(f"{what:<18}{place}", flush=True)


def _listen_for_pause(audience: Audience) -> None:
    def toggle() -> None:
        print("The audience is paused." if audience.toggle() else "The audience goes on.", flush=True)

    def typed() -> None:
        if sys.stdin.readline().strip().lower() == "p":
            toggle()

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR1, toggle)
    if sys.stdin.isatty():
        loop.add_reader(sys.stdin, typed)
