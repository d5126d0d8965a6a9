"""The least that an aiohttp server can do with a JSON POST: read it and answer `{}`. Told its port."""

import sys

import uvloop
from aiohttp import web


async def nothing(request: web.Request) -> web.Response:
    await request.json()
    return web.json_response({})


if __name__ == "__main__":
    app = web.Application()
    app.router.add_post("/", nothing)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None, loop=uvloop.new_event_loop())
