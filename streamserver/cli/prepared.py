"""Redis and the database for a command that works beside a running server as well as without one."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager

from streamserver.cli import redis_server
from streamserver.cli.database import migrate
from streamserver.cli.lock import InUseError, data_lock
from streamserver.config import Config


@asynccontextmanager
async def prepared(config: Config) -> AsyncGenerator[Config]:
    """Yield the configuration with Redis's address in it. When no server runs, its embedded Redis does for the length of
    the block, and the tables are brought up to date first. Raises `CannotStartError`."""
    async with AsyncExitStack() as stack:
        try:
            stack.enter_context(data_lock(config.server.data))
        except InUseError:
            pass  # that server has done all this
        else:
            await migrate(config.database_url)
            if config.redis.url == "embedded":
                await stack.enter_async_context(redis_server.running(redis_server.embedded(config)))
        yield redis_server.located(config)
