"""What other processes say: Redis pub/sub, one channel a room, followed only while somebody here watches it. Sharded where the
server has that (`say.lua` has the rule): in a cluster a word then goes to the room's own shard only.

Each connection also follows a channel of its own, on which this process says a word twice a second by another connection.
Whoever does not hear itself is deaf, however alive the connection looks.
"""

import asyncio
import random
import secrets
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, Protocol, cast

import msgpack
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import RedisError

from streamserver.kit.errors import OneMoment
from streamserver.kit.log import log
from streamserver.kit.redis import connect_listener
from streamserver.kit.tasks import Tasks
from streamserver.realtime.metrics import LOST
from streamserver.realtime.publisher import CONTROL, SAY

FOLLOW_TIMEOUT = 5.0
PROBE_SECONDS = 0.5
DEAF_SECONDS = 2.0  # without a word of one's own, or until the first one on a new connection
PAUSES = (0.05, 0.5)  # before a line is renewed: spread, so that a restarted Redis is not met by everybody at once
IS_SHARDED = "return redis.REDIS_VERSION_NUM"


class Listener(Protocol):
    def heard(self, room: str, envelope: list[Any]) -> None:
        """Something was said in `room`: `["event", seq, json]`, `["states", [[key, version, json], …]]`,
        `["reactions", [[kind, count], …]]` or `["offers", [[buyer, variant, hold], …]]`."""
        ...

    def missed(self, room: str) -> None:
        """The connection was lost for a while and is back: words of `room` may be missing."""
        ...

    def told(self, words: list[Any]) -> None:
        """Something was said to every process: `["rights", account, room]` or `["session", session]`."""
        ...

    def missed_control(self) -> None:
        """As `missed`, for the words to every process."""
        ...


class Bus:
    """One listening connection to each different server among `urls`. Words are bytes, numbers and lists of them."""

    def __init__(self, urls: Iterable[str]) -> None:
        self._lines = [Line(url) for url in dict.fromkeys(urls)]
        self._tasks = Tasks()

    async def start(self, listener: Listener) -> None:
        """Listen; returns once every server has confirmed it. Raises `OneMoment` when Redis does not answer."""
        for line in self._lines:
            self._tasks.start(line.run(listener), "bus")
            self._tasks.every(PROBE_SECONDS, line.probe, "probe")
        await self._follow(CONTROL)

    async def follow(self, room: str) -> None:
        """Hear everything that is said in `room` from now on. Raises `OneMoment` while Redis does not answer."""
        await self._follow(_channel(room))

    def unfollow(self, room: str) -> None:
        """Stop hearing `room`."""
        for line in self._lines:
            if line.forget(_channel(room)):
                self._tasks.start(line.unsubscribe(_channel(room)), "unfollow")

    async def say(self, room: str, words: list[Any]) -> None:
        """Tell every process that has viewers of `room`. Raises redis-py's errors."""
        await self._lines[0].say(_channel(room), words)

    async def close(self) -> None:
        await self._tasks.close()
        for line in self._lines:
            await line.close()

    async def _follow(self, channel: str) -> None:
        try:
            async with asyncio.timeout(FOLLOW_TIMEOUT):
                for line in self._lines:
                    await line.follow(channel)
        except TimeoutError:
            raise OneMoment from None


class Subscription:
    """`lost`: it was there, and what was said since may be missing."""

    __slots__ = ("lost", "ready")

    def __init__(self) -> None:
        self.lost = False
        self.ready = asyncio.Event()


class Line:
    """A connection to one server, renewed for ever. It is redis-py's plain connection: its PubSub renews a broken one inside
    any command, unseen."""

    def __init__(self, url: str) -> None:
        # Also for the probe: given a socket time-out, redis-py sends through `wait_for`, which loses cancellations on Python 3.11
        self._client = connect_listener(url)
        self._own = f"probe:{secrets.token_hex(8)}"
        self._connection: AbstractConnection | None = None
        self._sharded = False
        self._subscriptions: dict[str, Subscription] = {}

    async def run(self, listener: Listener) -> None:
        while True:
            try:
                async with asyncio.timeout(DEAF_SECONDS) as patience:
                    await self._listen(listener, patience)
            except TimeoutError:
                _lost("deaf", f"not a word of one's own in {DEAF_SECONDS:.0f} s")
            except (
                Exception
            ) as error:  # whatever an answer looks like: a line that ended unseen would leave viewers behind
                _lost("broken", repr(error))
            self._hung_up()
            await asyncio.sleep(random.uniform(*PAUSES))  # noqa: S311 - only spreads the reconnects

    async def probe(self) -> None:
        """Say a word to oneself. Only hearing it counts: why it could not be said does not matter."""
        with suppress(RedisError, OSError):
            async with asyncio.timeout(DEAF_SECONDS):
                await SAY(self._client, [self._own], [b""])

    async def say(self, channel: str, words: list[Any]) -> None:
        await SAY(self._client, [channel], [msgpack.packb(words)])

    async def follow(self, channel: str) -> None:
        subscription = self._subscriptions.get(channel)
        if subscription is None:
            subscription = self._subscriptions[channel] = Subscription()
            await self._command("SUBSCRIBE", channel)
        await subscription.ready.wait()

    def forget(self, channel: str) -> bool:
        return self._subscriptions.pop(channel, None) is not None

    async def unsubscribe(self, channel: str) -> None:
        """Tell the server, unless the channel is followed again meanwhile."""
        if channel not in self._subscriptions:
            await self._command("UNSUBSCRIBE", channel)

    async def close(self) -> None:
        await self._client.aclose()

    async def _listen(self, listener: Listener, patience: asyncio.Timeout) -> None:
        connection: AbstractConnection = self._client.connection_pool.make_connection()
        try:
            await connection.connect()
            await connection.send_command("EVAL", IS_SHARDED, 0)
            self._sharded = await _read(connection) is not None
            self._connection = connection
            await self._command("SUBSCRIBE", self._own, *self._subscriptions)
            while True:
                kind, channel, data = await _read(connection)
                if kind in {b"subscribe", b"ssubscribe"}:
                    self._confirmed(channel.decode(), listener)
                elif kind in {b"message", b"smessage"}:
                    if channel.decode() == self._own:
                        patience.reschedule(asyncio.get_running_loop().time() + DEAF_SECONDS)
                    else:
                        self._heard(channel.decode(), data, listener)
        finally:
            self._connection = None
            await connection.disconnect(nowait=True)

    def _heard(self, channel: str, data: bytes, listener: Listener) -> None:
        if channel not in self._subscriptions:
            return
        try:
            words = msgpack.unpackb(data, raw=True)
            if channel == CONTROL:
                listener.told(words)
            else:
                listener.heard(_room(channel), words)
        except Exception:
            log.exception("a word on the bus was not understood", channel=channel)

    def _confirmed(self, channel: str, listener: Listener) -> None:
        subscription = self._subscriptions.get(channel)
        if subscription is None:
            return
        # Confirmed twice: it was forgotten and followed again so quickly that the first one belonged to its predecessor.
        missed = subscription.lost or subscription.ready.is_set()
        subscription.lost = False
        subscription.ready.set()
        if not missed:
            return
        if channel == CONTROL:
            listener.missed_control()
        else:
            listener.missed(_room(channel))

    def _hung_up(self) -> None:
        for subscription in self._subscriptions.values():
            subscription.lost = True
            subscription.ready.clear()

    async def _command(self, name: str, *channels: str) -> None:
        """One command a channel, since channels of several slots cannot share one in a cluster. Without a connection nothing
        is sent: a new one begins by subscribing to all; a broken one is noticed by its reader."""
        connection = self._connection
        if connection is None or not connection.is_connected:
            return
        command = f"S{name}" if self._sharded else name
        try:
            await connection.send_packed_command(connection.pack_commands((command, channel) for channel in channels))
        except (RedisError, OSError) as error:
            log.warning("bus command failed", error=str(error))


async def _read(connection: AbstractConnection) -> Any:
    return await cast("Any", connection).read_response()


def _lost(reason: str, error: str) -> None:
    LOST.labels(reason).inc()
    log.warning("bus lost", reason=reason, error=error)


def _channel(room: str) -> str:
    return f"{{room:{room}}}:bus"


def _room(channel: str) -> str:
    return channel.removeprefix("{room:").removesuffix("}:bus")
