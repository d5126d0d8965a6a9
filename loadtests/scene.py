"""`make loadtest`: a server of its own with a live room, a scene of it by locust (`burst`, or `show`), and locust's verdict."""

import asyncio
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from loadtests.shop import HANDLE, open_shop
from tests.harness import PROJECT, Server
from tests.stories.people import PASSWORD

SCENES = {"burst": "locustfile.py", "show": "show.py"}
BUYERS, UNITS = 300, 100
LONGEST = 90  # seconds


def main(scene: str) -> int:
    """The exit code is locust's: not 0 when a request failed or a unit is missing."""
    with tempfile.TemporaryDirectory(prefix=f"{scene}-") as folder:
        server = Server(Path(folder) / "data", accounts__guests_per_client=100_000)
        try:
            room, variant = asyncio.run(open_shop(server.url, UNITS))
            told = {"ROOM": room, "VARIANT": variant, "HANDLE": HANDLE, "PASSWORD": PASSWORD, "BUYERS": str(BUYERS)}
            command = [sys.executable, "-m", "locust", "--headless", "--only-summary", "--host", server.url]
            command += ["--locustfile", str(PROJECT / "loadtests" / SCENES[scene]), "--loglevel", "WARNING"]
            environment = os.environ | {f"BURST_{name}": value for name, value in told.items()}
            environment["PYTHONPATH"] = str(PROJECT)
            return subprocess.run(command, env=environment, cwd=PROJECT, timeout=LONGEST, check=False).returncode
        finally:
            server.stop()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
