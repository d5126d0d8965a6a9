"""What people see while Redis is away."""

from pathlib import Path

import pytest
from redis.asyncio import Redis

from streamserver.kit.redis import connect
from tests.http.conftest import Client

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def redis(tmp_path: Path) -> Redis:
    """Nobody listens there."""
    return connect(f"unix://{tmp_path}/nobody.sock")


async def test_a_signed_in_person_is_asked_to_wait_and_not_taken_for_a_guest(client: Client) -> None:
    """Who they are cannot be known right now; a page that asks again soon will hear."""
    async with client.get("/api/v1/me", headers={"Cookie": "session=anything"}) as response:
        assert (response.status, (await response.json())["code"]) == (503, "one_moment")
        assert int(response.headers["Retry-After"]) > 0


async def test_pages_are_there_all_the_same(client: Client) -> None:
    """A page needs no store: it opens, and its parts say what they wait for."""
    async with client.get("/", headers={"Cookie": "session=anything"}) as response:
        assert response.status == 200
