"""A PostgreSQL of the test run's own: the one on this machine, else the one in the pgserver wheel."""

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

START_SECONDS = 30.0


@contextmanager
def running() -> Generator[str]:
    """Yield the URL of an empty database that lives as long as the block."""
    user = _unprivileged_user()
    with tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        binaries = _binaries(folder, copied=user is not None)
        if user:
            shutil.chown(folder, user)
        initdb = [
            binaries / "initdb",
            "-D",
            folder / "data",
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--no-sync",
        ]
        subprocess.run(initdb, user=user, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        options = ["-c", "listen_addresses=", "-c", f"unix_socket_directories={folder}", "-c", "fsync=off"]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(
                [binaries / "postgres", "-D", folder / "data", *options], user=user, cwd=folder, stderr=log
            )
        try:
            _wait_until_ready(folder, server)
            yield f"postgresql+asyncpg://postgres@/postgres?host={folder}"
        finally:
            server.send_signal(signal.SIGINT)  # ends at once, whoever is connected
            server.wait()


def _unprivileged_user() -> str | None:
    """PostgreSQL refuses to run as root, so root lends it a user."""
    if os.getuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _binaries(folder: Path, *, copied: bool) -> Path:
    """Where initdb and postgres are. The wheel's are `copied` for a user who may not look into our virtual environment."""
    if (initdb := shutil.which("initdb")) and shutil.which("postgres"):
        return Path(initdb).resolve().parent
    if debian := sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb")):
        return debian[-1].parent
    wheel = importlib.util.find_spec("pgserver")
    assert wheel, "PostgreSQL is on neither PATH nor in the virtual environment: run `make test`, which installs one"
    assert wheel.origin
    packages = Path(wheel.origin).parent.parent
    if copied:
        for part in ("pgserver/pginstall", "pgserver.libs"):
            shutil.copytree(packages / part, folder / part, dirs_exist_ok=True)
        packages = folder
    return packages / "pgserver" / "pginstall" / "bin"


def _wait_until_ready(folder: Path, server: subprocess.Popen[bytes]) -> None:
    """The last line of the lock file says `ready` once connections are taken."""
    status = folder / "data" / "postmaster.pid"
    deadline = time.monotonic() + START_SECONDS
    while not (status.exists() and status.read_text().rstrip().endswith("ready")):
        assert server.poll() is None, (folder / "log").read_text()
        assert time.monotonic() < deadline, "PostgreSQL did not start in time"
        time.sleep(0.05)
