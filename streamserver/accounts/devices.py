"""The device mark: a browser's name for itself, signed, so that a guest's holds and limits stay with it."""

import hashlib
import hmac
from base64 import urlsafe_b64encode

from streamserver.kit.ids import new_id


class DeviceMarks:
    """Signs with the server's secret. A mark says nothing about a person."""

    def __init__(self, secret: bytes) -> None:
        self._key = hmac.digest(secret, b"device mark", hashlib.sha256)

    def new(self) -> str:
        return new_id("dev")

    def sign(self, device: str) -> str:
        """Return the cookie's value: `dev_….signature`."""
        signature = hmac.digest(self._key, device.encode(), hashlib.sha256)
        return f"{device}.{urlsafe_b64encode(signature).decode().rstrip('=')}"

    def read(self, mark: str | None) -> str | None:
        """Return the device that a mark names, or None when we did not sign it."""
        if not mark or not mark.isascii():
            return None
        device, _, _ = mark.partition(".")
        return device if hmac.compare_digest(mark, self.sign(device)) else None
