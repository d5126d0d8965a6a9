"""Stops selling before the disk is full: a Redis that must write every sale and cannot, ends."""

import shutil
from pathlib import Path

from streamserver.kit.log import log
from streamserver.stock.service import StockService

ENOUGH = 1.1  # times the least: selling that stops and starts again every second helps nobody


class Space:
    """For `jobs`. `least`: bytes that must be free on the disk of `folder`."""

    def __init__(self, stock: StockService, folder: Path, least: int) -> None:
        self._stock = stock
        self._folder = folder
        self._least = least

    async def run(self) -> None:
        """Pause every pool while there is too little space. Whoever has a hold can still pay."""
        free = shutil.disk_usage(self._folder).free
        if free < self._least:
            for pool in await self._stock.pools(paused=False):
                log.error("selling is paused: the disk is nearly full", pool=pool, free=free, least=self._least)
                await self._stock.pause(pool)
        elif free > self._least * ENOUGH:
            for pool in await self._stock.pools(paused=True):
                log.info("selling goes on", pool=pool, free=free)
                await self._stock.resume(pool)
