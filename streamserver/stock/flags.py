"""What this process knows to be sold out, so that a stampede's refusals cost Redis nothing.

A flag means *available = 0 at this epoch*. The epoch rises on every change from 0 to more, so an answer that was under way
while units came back never sets it. It lapses after 200 ms by letting one question through. Retries never come here: whoever
lost the answer for the last unit is told the truth by the script.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass

import orjson

from streamserver.stock.model import Pool

LAPSE = 0.2  # seconds
MOST = 50_000  # variants remembered; beyond it all are forgotten, which is always safe


@dataclass(slots=True)
class Flag:
    """`epoch` is the newest one seen. `until` 0: not sold out, as far as is known."""

    epoch: int = -1
    until: float = 0.0


class SoldOutFlags:
    def __init__(self) -> None:
        self._flags: dict[tuple[Pool, str], Flag] = {}

    def is_sold_out(self, pool: Pool, variant: str) -> bool:
        """Whether to refuse without asking. Once in LAPSE it says no although it is set: that question is the probe."""
        flag = self._flags.get((pool, variant))
        if flag is None or not flag.until:
            return False
        now = time.monotonic()
        if now < flag.until:
            return True
        flag.until = now + LAPSE
        return False

    def learn(self, pool: Pool, variant: str, available: int, epoch: int) -> None:
        """Take what the script or the bus says; what is older than the newest epoch changes nothing."""
        if len(self._flags) > MOST:
            self._flags.clear()
        flag = self._flags.setdefault((pool, variant), Flag())
        if epoch >= flag.epoch:
            flag.epoch = epoch
            flag.until = 0.0 if available else time.monotonic() + LAPSE

    def heard(self, pool: Pool, states: Iterable[bytes]) -> None:
        """The JSON of `messages.rooms.State`s, as the scripts publish them."""
        for text in states:
            value = orjson.loads(text)["value"]
            if "variant" in value:
                self.learn(pool, value["variant"], value["available"], value["epoch"])
