"""What other processes say: Redis pub/sub, one channel a room, followed only while somebody here watches it."""

import asyncio
import random
from collections.abc import Iterable
from typing import Any, Protocol, cast

import msgpack
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from streamserver.kit.errors import OneMoment
from streamserver.kit.log import log
from streamserver.kit.redis import connect_listener
from streamserver.kit.tasks import Tasks
from streamserver.realtime.publisher import CONTROL

FOLLOW_TIMEOUT = 5.0
PROBE_SECONDS = 10.0  # of silence before the server is asked whether it is still there


class Listener(Protocol):
    def heard(self, room: str, envelope: list[Any]) -> None:
        """Something was said in `room`: `["event", seq, json]`, `["states", [[key, version, json], …]]` or
        `["offers", [[buyer, variant, hold], …]]`."""
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
        """Listen; returns once every server has confirmed it."""
        for line in self._lines:
            self._tasks.start(line.run(listener), "bus")
        await self._follow(CONTROL)

    async def follow(self, room: str) -> None:
        """Hear everything that is said in `room` from now on. Raises `OneMoment` while Redis does not answer."""
        await self._follow(_channel(room))

    def unfollow(self, room: str) -> None:
        """Stop hearing `room`."""
        for line in self._lines:
            if line.forget(_channel(room)):
                self._tasks.start(line.unsubscribe(_channel(room)), "unfollow")

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
    """`sent` and `seen` count SUBSCRIBE commands and their confirmations on the present connection."""

    __slots__ = ("lost", "ready", "seen", "sent")

    def __init__(self) -> None:
        self.sent = self.seen = 0
        self.lost = False
        self.ready = asyncio.Event()


class Line:
    """A connection to one server, renewed for ever."""

    def __init__(self, url: str) -> None:
        self._client = connect_listener(url)
        self._pubsub: PubSub | None = None
        self._subscriptions: dict[str, Subscription] = {}
        self._speaking = asyncio.Lock()

    async def run(self, listener: Listener) -> None:
        while True:
            try:
                await self._listen(listener)
            except (RedisError, OSError) as error:
                log.warning("bus lost", error=str(error))
            self._hung_up()
            await asyncio.sleep(random.uniform(0.05, 0.5))  # noqa: S311 - only spreads the reconnects

    async def follow(self, channel: str) -> None:
        subscription = self._subscriptions.get(channel)
        if subscription is None:
            subscription = self._subscriptions[channel] = Subscription()
            if self._pubsub is not None:
                subscription.sent = 1
                async with self._speaking:
                    await _say(self._pubsub.subscribe(channel))
        await subscription.ready.wait()

    def forget(self, channel: str) -> bool:
        return self._subscriptions.pop(channel, None) is not None

    async def unsubscribe(self, channel: str) -> None:
        """Tell the server, unless the channel is followed again meanwhile."""
        async with self._speaking:
            if self._pubsub is not None and channel not in self._subscriptions:
                await _say(self._pubsub.unsubscribe(channel))

    async def close(self) -> None:
        self._pubsub = None  # else a late `unsubscribe` would connect anew
        await self._client.aclose()

    async def _listen(self, listener: Listener) -> None:
        async with self._client.pubsub() as pubsub:
            await pubsub.connect()
            self._pubsub = pubsub
            for subscription in self._subscriptions.values():
                subscription.sent = 1
            if self._subscriptions:
                await pubsub.subscribe(*self._subscriptions)
            asked = False
            while True:
                message: dict[str, Any] | None = await cast("Any", pubsub).get_message(timeout=PROBE_SECONDS)
                if message is not None:
                    asked = False
                    self._received(message, listener)
                elif asked:
                    raise ConnectionError("Redis did not answer a ping on the listening connection.")
                else:
                    asked = True
                    await pubsub.ping()

    def _received(self, message: dict[str, Any], listener: Listener) -> None:
        channel = (message["channel"] or b"").decode()
        if message["type"] == "subscribe":
            self._confirmed(channel, listener)
        elif message["type"] == "message" and channel in self._subscriptions:
            try:
                words = msgpack.unpackb(message["data"], raw=True)
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
        subscription.seen += 1
        if subscription.seen < subscription.sent:
            return
        subscription.ready.set()
        # redis-py may renew a broken connection inside a command: then one confirmation more arrives than was asked for
        if subscription.lost or subscription.seen > subscription.sent:
            subscription.lost = False
            subscription.seen = subscription.sent
            if channel == CONTROL:
                listener.missed_control()
            else:
                listener.missed(_room(channel))

    def _hung_up(self) -> None:
        self._pubsub = None
        for subscription in self._subscriptions.values():
            subscription.sent = subscription.seen = 0
            subscription.lost = True
            subscription.ready.clear()


async def _say(command: Any) -> None:
    """Send; a broken connection is noticed, renewed and subscribed anew by its reader."""
    try:
        await command
    except (RedisError, OSError) as error:
        log.warning("bus command failed", error=str(error))


def _channel(room: str) -> str:
    return f"{{room:{room}}}:bus"


def _room(channel: str) -> str:
    return channel.removeprefix("{room:").removesuffix("}:bus")
