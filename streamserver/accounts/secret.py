"""The server's secret: what device marks and order links are signed with."""

import os
import secrets
from pathlib import Path

SECRET_BYTES = 32


def server_secret(data: Path) -> bytes:
    """Return the 32 bytes of `data/secret.key`, made when first asked for, readable by the server's user only.

    Processes that start together agree on one: each links its own finished file to the name, and only the first
    succeeds. Raises `ValueError` when the file is not a key.
    """
    path = data / "secret.key"
    if not path.exists():
        _create(path)
    secret = path.read_bytes()
    if len(secret) != SECRET_BYTES:
        raise ValueError(
            f"{path} is damaged: it must have {SECRET_BYTES} bytes. Restore it from a backup, or delete it."
        )
    return secret


def _create(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}-{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(SECRET_BYTES))
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(draft)
    except FileExistsError:
        pass  # another process was first: its key counts
    finally:
        draft.unlink()
