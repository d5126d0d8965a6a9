"""`run.py serve`: starts Redis, the web processes and the jobs process, keeps them running, and ends them in order."""

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Coroutine
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from streamserver.cli import metrics, redis_server
from streamserver.cli.child import Child
from streamserver.cli.database import migrate
from streamserver.cli.errors import CannotStartError
from streamserver.cli.lock import data_lock
from streamserver.cli.paths import PROJECT
from streamserver.cli.ports import check_port
from streamserver.config import Config
from streamserver.kit.log import log

GRACE = 5.0  # seconds beyond web.drain_seconds before a process that does not end is killed
REDIS_STOP = 30.0  # seconds; it has every write on disk already and only closes its files
TRIES = 3  # ends of one process, before the server was ever ready, that are too many
FREE_SPACE = 64_000_000  # bytes that Redis needs on the disk to be worth starting again
POLL = 0.1  # seconds


async def serve(config: Config, config_path: Path, ready: asyncio.Event | None = None) -> None:
    """Run the server until SIGTERM or SIGINT; sets `ready` once it takes visitors. Raises `CannotStartError`."""
    with data_lock(config.server.data):
        check_port(config.web.host, config.web.port, "web.port")
        if config.web.metrics_port:
            check_port(metrics.HOST, config.web.metrics_port, "web.metrics_port")
        collected = metrics.Metrics(config.server.data / "metrics")
        with collected.served(config.web.metrics_port):
            await Supervisor(config, config_path, collected, ready or asyncio.Event()).run()


class Supervisor:
    """The processes of one server."""

    def __init__(self, config: Config, config_path: Path, collected: metrics.Metrics, ready: asyncio.Event) -> None:
        self._config = config
        self._config_path = config_path
        self._metrics = collected
        self._ready = ready
        self._environment = os.environ | collected.environment
        self._redis = self._embedded_redis() if config.redis.url == "embedded" else None
        count = config.web.processes or len(os.sched_getaffinity(0))
        self._workers = [self._worker("web", f"web-{number}") for number in range(1, count + 1)]
        self._workers.append(self._worker("jobs", "jobs"))
        self._tasks: list[asyncio.Task[None]] = []
        self._over = asyncio.Event()

    async def run(self) -> None:
        """Start everything and return after a signal, with everything ended. Raises `CannotStartError`."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._over.set)
        self._spawn(self._start())
        try:
            await self._over.wait()
            for task in self._tasks:
                if task.done():
                    task.result()
        finally:
            await self._end()

    async def _start(self) -> None:
        await migrate(self._config.database_url)
        if self._redis:
            redis, server = self._redis
            self._spawn(redis.keep_running())
            await redis_server.wait_until_ready(server, lambda: redis.ends == 0)
        for worker in self._workers:
            self._spawn(worker.keep_running())
        await self._until_ready()
        sys.stdout.write(f"Ready at {self._config.public_url}\n")
        sys.stdout.flush()
        self._ready.set()

    async def _end(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        limit = self._config.web.drain_seconds + GRACE
        await asyncio.gather(*(worker.stop(limit) for worker in self._workers))
        if self._redis:
            await self._redis[0].stop(REDIS_STOP)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        task.add_done_callback(self._end_when_failed)
        self._tasks.append(task)

    def _end_when_failed(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception():
            self._over.set()

    async def _until_ready(self) -> None:
        while not await asyncio.to_thread(_is_ready, self._config):
            for worker in self._workers:
                if worker.ends >= TRIES:
                    raise CannotStartError(f"The {worker.name} process keeps ending; its reason stands above.")
            await asyncio.sleep(POLL)

    def _worker(self, command: str, name: str) -> Child:
        arguments = [sys.executable, str(PROJECT / "run.py"), command, "--name", name, "--parent", str(os.getpid())]
        arguments += ["--config", str(self._config_path)]
        return Child(name, lambda: arguments, self._environment, ended=self._metrics.process_ended)

    def _embedded_redis(self) -> tuple[Child, redis_server.Embedded]:
        server = redis_server.embedded(self._config)

        async def before() -> None:
            await _until_space(self._config.server.data)
            server.prepare()

        return Child("redis", server.command, os.environ, before=before), server


def _is_ready(config: Config) -> bool:
    """Whether a web process takes visitors. Wildcard addresses are asked by way of loopback."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(config.web.host, config.web.host)  # noqa: S104 - a comparison
    connection = HTTPConnection(host, config.web.port, timeout=2)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


async def _until_space(folder: Path) -> None:
    """Redis ends when it cannot write; on a full disk it would do so again and again."""
    while (free := shutil.disk_usage(folder).free) < FREE_SPACE:
        log.error("the disk is full: waiting for space before Redis starts", folder=str(folder), free=free)
        await asyncio.sleep(1)
