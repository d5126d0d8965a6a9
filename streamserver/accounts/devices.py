"""The device mark: a browser's name for itself, signed, so that a guest's holds and limits stay with it."""

from hashlib import blake2b
from hmac import compare_digest

from streamserver.kit.ids import new_id


class DeviceMarks:
    """Signs with the server's secret, by keyed BLAKE2b (RFC 7693, 128 bits): a third of HMAC's time. A mark says nothing about
    a person."""

    def __init__(self, secret: bytes) -> None:
        self._key = blake2b(b"device mark", key=secret, digest_size=32).digest()

    def new(self) -> str:
        return new_id("dev")

    def sign(self, device: str) -> str:
        """Return the cookie's value: `dev_….signature`."""
        return f"{device}.{blake2b(device.encode(), key=self._key, digest_size=16).hexdigest()}"

    def read(self, mark: str | None) -> str | None:
        """Return the device that a mark names, or None when we did not sign it."""
        if not mark or not mark.isascii():
            return None
        device, _, _ = mark.partition(".")
        return device if compare_digest(mark, self.sign(device)) else None
