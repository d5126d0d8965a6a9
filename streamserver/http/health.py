"""`/healthz`: this process runs. `/readyz`: it can serve, so send it people."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import orjson
from aiohttp import web
from redis.asyncio import Redis
from sqlalchemy import text

from streamserver.kit.log import log
from streamserver.kit.sql import Database

CHECK_SECONDS = 2.0


class Health:
    """Looks at the stores a process needs. Set `draining` when it is about to stop: no new people then."""

    def __init__(self, database: Database, redis: Mapping[str, Redis]) -> None:
        self.draining = False
        self._checks: dict[str, Callable[[], Awaitable[object]]] = {"database": lambda: _ask(database)}
        for name, client in redis.items():
            self._checks[name] = client.ping

    def add_to(self, app: web.Application) -> None:
        app.router.add_get("/healthz", self.alive)
        app.router.add_get("/readyz", self.ready)

    async def alive(self, _request: web.Request) -> web.Response:
        return _answer({"status": "ok"}, 200)

    async def ready(self, _request: web.Request) -> web.Response:
        """200 `{"status": "ready", "checks": {name: "ok"}}`, or 503 with `draining` or `waiting`."""
        results = await asyncio.gather(*(self._check(name) for name in self._checks))
        checks = dict(zip(self._checks, results, strict=True))
        well = all(result == "ok" for result in results)
        status = "draining" if self.draining else "ready" if well else "waiting"
        return _answer({"status": status, "checks": checks}, 200 if status == "ready" else 503)

    async def _check(self, name: str) -> str:
        try:
            await asyncio.wait_for(self._checks[name](), CHECK_SECONDS)
        except Exception as error:
            log.warning("a store does not answer", store=name, error=repr(error))
            return "unreachable"
        return "ok"


async def _ask(database: Database) -> None:
    async with database.read() as session:
        await session.execute(text("SELECT 1"))


def _answer(body: dict[str, object], status: int) -> web.Response:
    return web.Response(
        body=orjson.dumps(body), status=status, content_type="application/json", headers={"Cache-Control": "no-store"}
    )
