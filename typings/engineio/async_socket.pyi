from engineio import AsyncServer
from engineio.packet import Packet

class AsyncSocket:
    sid: str
    connected: bool
    upgraded: bool
    closing: bool
    closed: bool
    def __init__(self, server: AsyncServer, sid: str) -> None: ...
    async def send(self, pkt: Packet) -> None: ...
    async def close(self, wait: bool = True, abort: bool = False, reason: str | None = None) -> None: ...
