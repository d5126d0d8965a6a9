"""Sign-ins of browsers, in Redis. What is kept names a session by a digest: a copy of Redis lets nobody in."""

import hashlib
from typing import cast

import orjson
from redis.asyncio import Redis

from streamserver.accounts.model import Account
from streamserver.kit.clock import now_ms
from streamserver.kit.ids import new_secret

DAY_MS = 86_400_000
RENEW_MS = 3_600_000  # an expiry is moved on at most once an hour: reading a session is one GET, nearly always


def digest(secret: str) -> str:
    """How a secret is named where it is kept. Any bytes that a header may hold are taken, since strangers send them."""
    return hashlib.sha256(secret.encode(errors="surrogateescape")).hexdigest()


class Sessions:
    """A session ends `days` after its last use."""

    def __init__(self, live: Redis, days: int) -> None:
        self._live = live
        self._life_ms = days * DAY_MS

    async def start(self, account: Account) -> str:
        """Return the secret for the cookie."""
        secret = new_secret("session")
        await self._keep(digest(secret), account)
        return secret

    async def find(self, secret: str) -> tuple[str, Account] | None:
        """The session's id and whose it is."""
        session = digest(secret)
        kept = await self._live.get(_key(session))
        if kept is None:
            return None
        identity, handle, name, is_admin, renewed_at = orjson.loads(kept)
        account = Account(identity, handle, name, is_admin)
        if now_ms() - renewed_at > RENEW_MS:
            await self._keep(session, account, only_if_there=True)
        return session, account

    async def end(self, session: str, account: str) -> None:
        await self._live.delete(_key(session))
        await self._live.zrem(_all_key(account), session)

    async def of(self, account: str) -> list[str]:
        """Every session of an account that may still be open."""
        found = cast("list[bytes]", await self._live.zrangebyscore(_all_key(account), now_ms(), "+inf"))
        return [session.decode() for session in found]

    async def _keep(self, session: str, account: Account, *, only_if_there: bool = False) -> None:
        """List the session first: one that is open is always found by `of`."""
        now, all_key = now_ms(), _all_key(account.id)
        kept = orjson.dumps([account.id, account.handle, account.name, account.is_admin, now])
        async with self._live.pipeline(transaction=False) as steps:  # two keys, so perhaps two servers of a cluster
            steps.zadd(all_key, {session: now + self._life_ms})
            steps.zremrangebyscore(all_key, "-inf", now)
            steps.pexpire(all_key, self._life_ms)
            steps.set(_key(session), kept, px=self._life_ms, xx=only_if_there)
            await steps.execute()


def _key(session: str) -> str:
    return f"session:{session}"


def _all_key(account: str) -> str:
    return f"sessions_of:{account}"
