"""How domains tell viewers something: words on the `control` channel, which every web process hears."""

from pathlib import Path

import msgpack
from redis.asyncio import Redis

from streamserver.kit.redis import load_script

CONTROL = "control"
SAY = load_script(Path(__file__).parent, "say")


class RedisPublisher:
    """Implements `messages.live.Publisher` on the live server."""

    def __init__(self, live: Redis) -> None:
        self._live = live

    async def rights_changed(self, account: str, room: str | None = None) -> None:
        await self._say("rights", account, room)

    async def session_ended(self, session: str) -> None:
        await self._say("session", session)

    async def _say(self, *words: str | None) -> None:
        await SAY(self._live, [CONTROL], [msgpack.packb(words)])
