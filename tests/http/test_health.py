"""What a load balancer asks."""

from pathlib import Path

import pytest
from redis.asyncio import Redis

from streamserver.http.health import Health
from streamserver.kit.redis import connect
from streamserver.kit.sql import Database
from tests.http.conftest import Client


async def test_a_server_with_its_stores_is_ready(client: Client) -> None:
    """Each store is named with what was found."""
    async with client.get("/readyz") as response:
        checks = {"database": "ok", "stock": "ok", "live": "ok"}
        assert (response.status, await response.json()) == (200, {"status": "ready", "checks": checks})


async def test_a_draining_server_gets_no_new_people_but_is_alive(client: Client, health: Health) -> None:
    """It finishes what it has; nobody restarts it meanwhile."""
    health.draining = True
    async with client.get("/readyz") as response:
        assert (response.status, (await response.json())["status"]) == (503, "draining")
    async with client.get("/healthz") as response:
        assert (response.status, await response.json()) == (200, {"status": "ok"})


@pytest.fixture
async def health(database: Database, redis: Redis, request: pytest.FixtureRequest, tmp_path: Path) -> Health:
    """For the test about it, one store is away."""
    away = connect(f"unix://{tmp_path}/nobody.sock")
    return Health(database, {"stock": redis, "live": away if "away" in request.node.name else redis})


async def test_a_server_whose_store_is_away_is_not_ready(client: Client) -> None:
    """It says which one."""
    async with client.get("/readyz") as response:
        assert response.status == 503
        assert (await response.json())["checks"]["live"] == "unreachable"
