"""`run.py serve` keeps its processes running, and leaves nothing behind however it ends."""

import signal
from collections.abc import Callable, Iterable
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import psutil
import pytest

from streamserver.cli.child import FIRST_PAUSE, HEALTHY_AFTER, LONGEST_PAUSE, next_pause
from tests.harness import Server, environment, run

Start = Callable[..., Server]


def none_left(processes: Iterable[psutil.Process]) -> bool:
    return not any(process.is_running() for process in processes)


def answers(port: int, path: str = "/readyz") -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def test_it_says_where_it_is_when_it_takes_visitors(server: Server) -> None:
    """The line with the address appears once a visitor would be served, not before."""
    assert f"Ready at {server.url}" in server.log
    assert answers(server.port)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_in_order_when_asked(start_server: Start, number: int) -> None:
    """SIGTERM and Ctrl-C end every process and the supervisor itself, with success."""
    server = start_server(web__processes=2)
    children = server.children()
    assert set(children) == {"redis", "web-1", "web-2", "jobs"}
    assert server.stop(number) == 0
    assert none_left(children.values())


def test_nothing_outlives_a_killed_supervisor(start_server: Start) -> None:
    """The kernel ends the others when the supervisor is killed, so that a new one finds its files and port free."""
    server = start_server()
    children = server.children().values()
    assert server.stop(signal.SIGKILL) == -signal.SIGKILL
    server.wait_for(lambda: none_left(children))


@pytest.mark.parametrize("name", ["web-1", "jobs", "redis"])
def test_a_process_that_dies_is_started_again(start_server: Start, name: str) -> None:
    """A crash of any one process mends itself, and visitors are served again."""
    server = start_server()
    killed = server.kill(name)
    server.wait_for(lambda: server.children().get(name) not in (None, killed))
    server.wait_for(lambda: answers(server.port))


def test_a_server_starts_again_on_the_data_of_one_that_was_killed(start_server: Start) -> None:
    """Neither a stale socket nor a stale lock stands in the way."""
    server = start_server()
    server.stop(signal.SIGKILL)
    assert answers(start_server(server.data).port)


def test_a_second_server_on_the_same_data_is_refused(server: Server) -> None:
    """Two servers would spoil each other's files: the second one says who holds them, and ends."""
    second = run("serve", env=environment(server.data))
    assert second.returncode == 1
    assert f"Process {server.supervisor.pid} already uses the data folder {server.data}" in second.stderr


@pytest.mark.parametrize("setting", ["web__port", "web__metrics_port"])
def test_a_taken_port_is_refused(server: Server, tmp_path: Path, setting: str) -> None:
    """Ports are shared by the web processes; a second server would take half of the visitors, so it is stopped."""
    taken = {"web__port": server.port, "web__metrics_port": server.metrics_port}[setting]
    second = run("serve", env=environment(tmp_path / "other", **{setting: taken}))
    assert second.returncode == 1
    assert f"port {taken}: Another program listens there" in second.stderr
    assert setting.replace("__", ".") in second.stderr


def test_a_database_that_does_not_answer_is_named_without_its_password(tmp_path: Path) -> None:
    """The first thing to break on a new machine gets a sentence, and secrets stay out of it."""
    url = "postgresql+asyncpg://shop:secret-word@127.0.0.1:1/shop"
    ended = run("serve", env=environment(tmp_path, database__url=url))
    assert ended.returncode == 1
    assert "The database postgresql+asyncpg://shop:***@127.0.0.1:1/shop cannot be used" in ended.stderr
    assert "secret-word" not in ended.stderr


def test_metrics_of_all_processes_stand_on_the_private_port(server: Server) -> None:
    """The public port does not show them."""
    assert answers(server.metrics_port, "/metrics")
    assert not answers(server.port, "/metrics")


def test_the_pause_before_a_restart_grows_and_is_forgotten_in_health() -> None:
    """A process that keeps ending is not started in a hot loop; one that ran well starts again at once."""
    assert next_pause(0, lasted=0.1) == FIRST_PAUSE
    assert next_pause(FIRST_PAUSE, lasted=0.1) == FIRST_PAUSE * 2
    assert next_pause(LONGEST_PAUSE, lasted=0.1) == LONGEST_PAUSE
    assert next_pause(LONGEST_PAUSE, lasted=HEALTHY_AFTER) == FIRST_PAUSE
