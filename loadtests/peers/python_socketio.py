"""python-socketio as most people write it. Told its port and the bytes of a snapshot that each viewer gets (0: none). On SIGUSR2
it floods its one room with messages of 200 bytes; `tap` is acknowledged with nothing."""

import asyncio
import signal
import sys
from typing import Any

import socketio
import uvloop
from aiohttp import web

MESSAGE = {"pad": "x" * 178}  # 42["stock",{"pad":"…"}]
FLOOD: list[asyncio.Task[None]] = []


async def main(port: int, snapshot: int) -> None:
    sio: Any = socketio.AsyncServer(async_mode="aiohttp")
    app = web.Application()
    sio.attach(app)

    async def connect(sid: str, *_: object) -> None:
        await sio.enter_room(sid, "r")
        if snapshot:
            await sio.emit("snapshot", {"pad": "x" * snapshot}, to=sid)

    async def tap(*_: object) -> dict[str, object]:
        return {}

    async def flood() -> None:
        while True:
            await sio.emit("stock", MESSAGE, room="r")
            await asyncio.sleep(0)

    sio.on("connect", connect)
    sio.on("tap", tap)
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR2, lambda: FLOOD.append(asyncio.create_task(flood())))
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, backlog=4096).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), int(sys.argv[2])))
