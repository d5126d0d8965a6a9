"""The commands a self-hoster types beside `serve`."""

import json
from http.client import HTTPConnection
from pathlib import Path

from tests.harness import Server, environment, run

PASSWORD = "a long enough password\n"


def test_an_admin_can_be_made_before_the_first_start(tmp_path: Path) -> None:
    """`create-admin` brings its own database and Redis when no server runs."""
    env = environment(tmp_path)
    made = run("create-admin", "ada", env=env, text=PASSWORD)
    assert made.returncode == 0, made.stderr
    assert "'ada' may now sign in" in made.stdout


def test_an_admin_can_be_made_beside_a_running_server(server: Server) -> None:
    """The account works at once."""
    assert run("create-admin", "ada", env=server.environment, text=PASSWORD).returncode == 0
    connection = HTTPConnection("127.0.0.1", server.port, timeout=10)
    words = json.dumps({"handle": "ada", "password": PASSWORD.strip()})
    connection.request("POST", "/api/v1/session", words, {"Content-Type": "application/json", "Origin": server.url})
    assert connection.getresponse().status == 200
    connection.close()


def test_a_taken_handle_and_a_short_password_are_answered_with_a_sentence(tmp_path: Path) -> None:
    """No traceback for what a person can mend."""
    env = environment(tmp_path)
    run("create-admin", "ada", env=env, text=PASSWORD)
    for handle, password in (("ada", PASSWORD), ("bob", "short\n")):
        refused = run("create-admin", handle, env=env, text=password)
        assert refused.returncode == 1
        assert refused.stderr
        assert "Traceback" not in refused.stderr


def test_importing_into_a_shop_that_does_not_exist_says_so(tmp_path: Path) -> None:
    """The shop is opened in the studio first."""
    file = tmp_path / "products.csv"
    file.write_text("Title,URL handle,SKU,Price\nMug,mug,MUG-1,12.00\n")
    refused = run("import-products", str(file), "--shop", "nobodys", env=environment(tmp_path / "data"))
    assert refused.returncode == 1
    assert "nobodys" in refused.stderr


def test_doctor_is_content_with_a_fresh_machine(tmp_path: Path) -> None:
    """Before the first start, everything is either fine or a warning."""
    seen = run("doctor", env=environment(tmp_path))
    assert seen.returncode == 0, seen.stdout
    assert "✗" not in seen.stdout


def test_doctor_names_what_is_wrong_and_what_to_do(tmp_path: Path) -> None:
    """An unreachable Redis fails the examination, with the setting to look at."""
    seen = run("doctor", env=environment(tmp_path, redis__url="redis://127.0.0.1:1/0"))
    assert seen.returncode == 1
    assert "does not answer" in seen.stdout
    assert "redis.url" in seen.stdout


def test_doctor_knows_that_the_server_runs(server: Server) -> None:
    """Its ports are then taken by itself, which is no fault."""
    seen = run("doctor", env=server.environment)
    assert seen.returncode == 0, seen.stdout
    assert f"runs already as process {server.supervisor.pid}" in seen.stdout
