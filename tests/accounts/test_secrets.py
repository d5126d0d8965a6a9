"""The server's secret, and the device marks that it signs."""

import stat
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from streamserver.accounts.devices import DeviceMarks
from streamserver.accounts.secret import server_secret


def test_the_secret_is_made_once_and_only_the_server_can_read_it(tmp_path: Path) -> None:
    """The same secret is found after a restart; others on the machine cannot open it."""
    secret = server_secret(tmp_path / "data")
    assert len(secret) == 32
    assert server_secret(tmp_path / "data") == secret
    assert stat.S_IMODE((tmp_path / "data" / "secret.key").stat().st_mode) == 0o600


def test_processes_that_start_together_agree(tmp_path: Path) -> None:
    """Four processes on an empty folder find one secret, and leave nothing else behind."""
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as processes:
        assert len(set(processes.map(server_secret, [tmp_path] * 16))) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["secret.key"]


def test_a_damaged_secret_stops_the_start(tmp_path: Path) -> None:
    """A file that was cut short is never signed with."""
    (tmp_path / "secret.key").write_bytes(b"short")
    with pytest.raises(ValueError, match="damaged"):
        server_secret(tmp_path)


def test_a_mark_names_the_device_it_was_made_for() -> None:
    """What was signed can be read back."""
    marks = DeviceMarks(b"secret")
    device = marks.new()
    assert marks.read(marks.sign(device)) == device


@pytest.mark.parametrize("mark", [None, "", ".", "dev_1", "dev_1.", "dev_1.AAAA", "dev_ü.x", "\udcff", "a.b.c"])
def test_a_mark_we_did_not_sign_is_none(mark: str | None) -> None:
    """A made-up mark names nobody."""
    assert DeviceMarks(b"secret").read(mark) is None


def test_a_mark_of_another_server_or_device_is_none() -> None:
    """A signature holds for one device, under one secret."""
    marks = DeviceMarks(b"secret")
    signature = marks.sign("dev_1").partition(".")[2]
    assert marks.read(f"dev_2.{signature}") is None
    assert DeviceMarks(b"other").read(marks.sign("dev_1")) is None
