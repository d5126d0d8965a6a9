"""Metrics of all processes on one private port. Each process writes its own into files that are added up here."""

import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from prometheus_client import CollectorRegistry, multiprocess, start_http_server

HOST = "127.0.0.1"


class Metrics:
    """`folder` is emptied: counters begin at zero with each start of the server."""

    def __init__(self, folder: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self.folder = folder

    @property
    def environment(self) -> dict[str, str]:
        return {"PROMETHEUS_MULTIPROC_DIR": str(self.folder)}

    def process_ended(self, process: int) -> None:
        """Drop what counted only while `process` lived, such as its open sockets."""
        multiprocess.mark_process_dead(process, str(self.folder))

    @contextmanager
    def served(self, port: int) -> Generator[None]:
        """Answer on `HOST` for the length of a block; not at all when `port` is 0."""
        if not port:
            yield
            return
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry, path=str(self.folder))
        server, thread = start_http_server(port, HOST, registry)
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
