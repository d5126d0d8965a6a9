"""One data folder, one server: a lock that the kernel takes back however its holder ends."""

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from streamserver.cli.errors import CannotStartError


class InUseError(CannotStartError):
    """Another process works with this data folder."""


@contextmanager
def data_lock(folder: Path) -> Generator[None]:
    """Hold the data folder, made when missing, for the length of a block. Raises `InUseError`, `CannotStartError`."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = (folder / "lock").open("a+")
    except OSError as error:
        raise CannotStartError(f"The data folder {folder} cannot be written: {error.strerror}.") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InUseError(
                f"Process {holder(folder)} already uses the data folder {folder}. "
                "Stop it first, or choose another folder with server.data."
            ) from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def holder(folder: Path) -> str:
    """The id of the process that last took the lock; empty when nobody ever did."""
    file = folder / "lock"
    return file.read_text() if file.exists() else ""
