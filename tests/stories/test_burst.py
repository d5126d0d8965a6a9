"""The burst: hundreds tap *Buy* for the last units, and exactly the units that exist are sold."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any, cast

import orjson
from redis.asyncio import Redis
from sqlalchemy import select

from streamserver.kit.ids import new_id
from streamserver.kit.sql import Database
from streamserver.stock.model import room_pool
from streamserver.stock.store import PoolStore
from streamserver.stock.tables import LedgerRow
from tests.harness import Server, run
from tests.stories.people import Host, Person, Refused

BUYERS, UNITS = 500, 100


async def gathered(server: Server, stack: AsyncExitStack, count: int) -> list[Person]:
    return [await stack.enter_async_context(Person(server.url)) for _ in range(count)]


async def processes_with_viewers(server: Server, room: str) -> int:
    """How many web processes report viewers; the reports come within a second."""
    async with redis_of(server) as redis:
        while True:
            reports = cast("dict[bytes, bytes]", await redis.hgetall(f"{{room:{room}}}:viewers"))
            counts = [int(value.split(b":")[0]) for name, value in reports.items() if name.startswith(b"p:")]
            if sum(counts) == BUYERS // 2:
                return len(counts)
            await asyncio.sleep(0.1)


def redis_of(server: Server) -> Redis:
    return Redis(unix_socket_path=str(server.data / "redis" / "redis.sock"))


async def held_by_ledger(server: Server, room: str) -> set[str]:
    """The holds in the ledger: what is in the stream, and then what is in SQL already."""
    async with redis_of(server) as redis:
        entries = await PoolStore(redis).ledger(room_pool(room))
    database = Database(f"sqlite+aiosqlite:///{server.data / 'streamserver.db'}")
    async with database.read() as session:
        texts = await session.scalars(select(LedgerRow.entry).where(LedgerRow.pool == room_pool(room)))
        entries += [orjson.loads(text) for text in texts]
    await database.close()
    return {entry["hold"] for entry in entries if entry["kind"] == "hold"}


async def attempt(person: Person, room: str, variant: str, *, by_socket: bool) -> tuple[str, Any]:
    wish = {"key": new_id("key"), "variant": variant}
    try:
        hold = await (person.say("hold", wish) if by_socket else person.post(f"rooms/{room}/holds", wish))
    except Refused as refusal:
        return "refused", refusal.problem
    return "held", hold


async def test_500_buyers_on_100_units(server: Server, host: Host) -> None:
    """Half by HTTP, half by Socket.IO, over two web processes: 100 holds, 400 honest refusals, one ledger, zero on every
    screen within a second."""
    anchor = await host.offer("Moon vase", UNITS)
    variant = anchor["variants"][0]["id"]
    async with AsyncExitStack() as stack:
        watching = await gathered(server, stack, BUYERS // 2)
        for start in range(0, len(watching), 50):
            await asyncio.gather(*(person.watch(host.room) for person in watching[start : start + 50]))
        others = await gathered(server, stack, BUYERS // 2)
        assert await processes_with_viewers(server, host.room) == 2
        answers = await asyncio.gather(
            *(attempt(person, host.room, variant, by_socket=True) for person in watching),
            *(attempt(person, host.room, variant, by_socket=False) for person in others),
        )
        async with asyncio.timeout(1):
            await asyncio.gather(*(person.sees(variant, 0) for person in watching))

    held = [hold for verdict, hold in answers if verdict == "held"]
    refused = [problem for verdict, problem in answers if verdict == "refused"]
    assert len({hold["id"] for hold in held}) == UNITS
    assert {problem["code"] for problem in refused} == {"sold_out"}
    assert len(refused) == BUYERS - UNITS
    async with redis_of(server) as redis:
        units = (await PoolStore(redis).units(room_pool(host.room), [variant]))[variant]
    assert await held_by_ledger(server, host.room) == {hold["id"] for hold in held}
    assert (units.available, units.held, units.sold) == (0, UNITS, 0)
    audit = await asyncio.to_thread(run, "audit", env=server.environment)
    assert audit.returncode == 0, audit.stdout


async def test_the_last_unit_goes_to_one_of_two(server: Server, host: Host) -> None:
    """Two tap at once: one has it, the other is told *sold out*, and both screens show zero."""
    variant = (await host.offer("Teapot", 1))["variants"][0]["id"]
    async with Person(server.url) as one, Person(server.url) as two:
        await asyncio.gather(one.watch(host.room), two.watch(host.room))
        answers = await asyncio.gather(
            attempt(one, host.room, variant, by_socket=True), attempt(two, host.room, variant, by_socket=False)
        )
        assert sorted(verdict for verdict, _ in answers) == ["held", "refused"]
        await asyncio.gather(one.sees(variant, 0), two.sees(variant, 0))


async def test_a_retry_of_the_last_unit_is_told_yours(server: Server, host: Host) -> None:
    """Whoever lost the answer asks again with the same key, by another way, and gets the same hold."""
    variant = (await host.offer("Bowl", 1))["variants"][0]["id"]
    async with Person(server.url) as buyer:
        await buyer.watch(host.room)
        wish = {"key": new_id("key"), "variant": variant}
        first = await buyer.say("hold", wish)
        again = await buyer.post(f"rooms/{host.room}/holds", wish | {"retry": True})
        assert (again["id"], again["replayed"]) == (first["id"], True)
