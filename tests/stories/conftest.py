"""Stories are told on a whole server, with two web processes."""

from collections.abc import AsyncGenerator, Generator

import pytest

from tests.harness import Server
from tests.stories.people import Host


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Generator[Server]:
    server = Server(tmp_path_factory.mktemp("story") / "data", web__processes=2)
    yield server
    server.stop()


@pytest.fixture
async def host(server: Server, request: pytest.FixtureRequest) -> AsyncGenerator[Host]:
    """A creator with a shop and a live room."""
    async with Host(server.url) as host:
        await host.open(f"h{abs(hash(request.node.nodeid)) % 10**9}")
        await host.post(f"rooms/{host.room}/start")
        yield host
