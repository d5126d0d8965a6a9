"""The whole server as a self-hoster starts it, for tests: `run.py serve` with a folder and ports of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from streamserver.cli import bound
from streamserver.config import PREFIX

PROJECT = Path(__file__).parents[1]
START_SECONDS = 60.0
STOP_SECONDS = 30.0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def environment(folder: Path, **settings: str | int | float) -> dict[str, str]:
    """What a command needs to work in `folder`; a setting is written `web__port=8080`."""
    ports = {"web__port": free_port(), "web__metrics_port": free_port()}
    chosen = {"server__data": folder, "web__processes": 1, "web__drain_seconds": 0.5, **ports, **settings}
    clean = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    return clean | {f"{PREFIX}{name}".upper(): str(value) for name, value in chosen.items()}


def run(*arguments: str, env: dict[str, str], text: str = "") -> subprocess.CompletedProcess[str]:
    """One command to its end, `text` on its standard input."""
    command = [sys.executable, str(PROJECT / "run.py"), *arguments]
    return subprocess.run(
        command, env=env, input=text, capture_output=True, text=True, timeout=START_SECONDS, check=False
    )


class Server:
    """A running server. `settings` override config.toml, e.g. `web__processes=2`. It ends with this test process."""

    def __init__(self, folder: Path, **settings: str | int | float) -> None:
        self.data = folder
        self.environment = environment(folder, **settings)
        self.port = int(self.environment[f"{PREFIX}WEB__PORT"])
        self.metrics_port = int(self.environment[f"{PREFIX}WEB__METRICS_PORT"])
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = folder.with_suffix(".log")
        with self._log.open("w") as log:
            command = [sys.executable, "-I", "-S", bound.__file__, str(os.getpid())]
            command += [sys.executable, str(PROJECT / "run.py"), "serve"]
            self._process = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log)
        self.wait_for(lambda: "Ready at" in self.log or self._process.poll() is not None)
        assert self._process.poll() is None, self.log

    @property
    def log(self) -> str:
        return self._log.read_text()

    @property
    def supervisor(self) -> psutil.Process:
        return psutil.Process(self._process.pid)

    def children(self) -> dict[str, psutil.Process]:
        """The processes by name: `web-1` …, `jobs`, `redis`."""
        return {name: child for child in self.supervisor.children() if (name := _name_of(child))}

    def kill(self, name: str) -> psutil.Process:
        """Kill one of the processes, by its id, as the kernel would; returns what was killed."""
        child = self.children()[name]
        child.kill()
        return child

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End the server and return its exit code; a server that has ended already keeps its own."""
        if self._process.poll() is None:
            self._process.send_signal(number)
        return self._process.wait(STOP_SECONDS)

    def wait_for(self, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not condition():
            assert time.monotonic() < deadline, self.log
            time.sleep(0.05)


def _name_of(process: psutil.Process) -> str:
    try:
        words = process.cmdline()
    except psutil.Error:  # it ended a moment ago
        return ""
    return words[words.index("--name") + 1] if "--name" in words else "redis"
