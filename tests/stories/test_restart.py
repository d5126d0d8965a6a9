"""Every process dies at once; after a start everything is as it was."""

import asyncio
import shutil
import signal
from contextlib import suppress
from pathlib import Path

import psutil
from aiohttp import ClientError
from redis.asyncio import Redis

from streamserver.kit.ids import new_id
from streamserver.stock.store import PoolStore
from tests.harness import Server, run
from tests.stories.people import Host, Person, Refused


def kill_everything(server: Server) -> None:
    """As a power cut would, as far as processes go."""
    victims = [server.supervisor, *server.children().values()]
    for victim in victims:
        with suppress(psutil.NoSuchProcess):  # children die with the supervisor, sometimes before their own turn
            victim.send_signal(signal.SIGKILL)
    server.stop()
    server.wait_for(lambda: not any(victim.is_running() and victim.status() != "zombie" for victim in victims))


async def test_killed_and_started_again(tmp_path: Path) -> None:
    """Room, pins, holds, orders and stock are as they were, and the show goes on."""
    server = Server(tmp_path / "data", web__processes=2)
    async with Host(server.url) as host, Person(server.url) as buyer:
        await host.open("hanna")
        mug, bowl = await host.offer("Mug", 10), await host.offer("Bowl", 10)
        await host.post(f"rooms/{host.room}/start")
        await host.pin(mug["id"])
        await buyer.sign_up("bertha")
        held = await buyer.post(f"rooms/{host.room}/holds", {"key": new_id("key"), "variant": mug["variants"][0]["id"]})
        bought = await buyer.post(
            f"rooms/{host.room}/holds", {"key": new_id("key"), "variant": bowl["variants"][0]["id"]}
        )
        order = await buyer.buy([bought["id"]])
        assert order["status"] == "paid"
        room, bag = await host.get(f"rooms/{host.room}"), await buyer.get("bag")
        sales = await host.get(f"rooms/{host.room}/sales")
    kill_everything(server)

    server = Server(tmp_path / "data", web__processes=2)
    async with Host(server.url) as host, Person(server.url) as buyer:
        await host.sign_in("hanna")
        await buyer.sign_in("bertha")
        after = await host.get(f"rooms/{room['about']['id']}")
        for part in ("epoch", "seq", "about", "life", "lineup", "pins", "rights"):
            assert after[part] == room[part]
        stock = {state["key"]: state for state in room["states"] if state["key"] != "viewers"}
        assert {state["key"]: state for state in after["states"] if state["key"] != "viewers"} == stock
        assert (await buyer.get("bag"))["parts"] == bag["parts"]
        assert await buyer.get(f"orders/{order['id']}") == order
        assert (await host.get(f"rooms/{room['about']['id']}/sales"))["variants"] == sales["variants"]
        assert (await buyer.buy([held["id"]]))["status"] == "paid"
    server.stop()


async def test_started_again_without_redis_files(tmp_path: Path) -> None:
    """Redis's folder is gone: stock, bag and orders come back from the database, and nobody buys twice what is sold."""
    server = Server(tmp_path / "data")
    async with Host(server.url) as host, Person(server.url) as buyer:
        await host.open("hanna")
        variant = (await host.offer("Mug", 3))["variants"][0]["id"]
        await host.post(f"rooms/{host.room}/start")
        await buyer.sign_up("bertha")
        wishes = [{"key": new_id("key"), "variant": variant} for _ in range(3)]
        bought, held = [await buyer.post(f"rooms/{host.room}/holds", wish) for wish in wishes[:2]]
        order = await buyer.buy([bought["id"]])
        sales = await host.get(f"rooms/{host.room}/sales")
        await archived(server)
    server.stop()
    shutil.rmtree(tmp_path / "data" / "redis")

    server = Server(tmp_path / "data")
    async with Host(server.url) as host, Person(server.url) as buyer:
        await host.sign_in("hanna")
        await buyer.sign_in("bertha")
        assert (await host.get(f"rooms/{sales_room(bought)}/sales"))["variants"] == sales["variants"]
        assert await buyer.get(f"orders/{order['id']}") == order
        again = await buyer.post(f"rooms/{sales_room(bought)}/holds", wishes[1])
        assert (again["id"], again["replayed"], again["status"]) == (held["id"], True, "held")
        assert [item["hold"] for part in (await buyer.get("bag"))["parts"] for item in part["items"]] == [held["id"]]
        assert (await buyer.buy([held["id"]]))["status"] == "paid"
        assert (await buyer.post(f"rooms/{sales_room(bought)}/holds", wishes[2]))["left"] == 0
    audit = await asyncio.to_thread(run, "audit", env=server.environment)
    assert audit.returncode == 0, audit.stdout
    server.stop()


def sales_room(hold: dict[str, str]) -> str:
    return hold["pool"].removeprefix("room:")


async def archived(server: Server) -> None:
    """Return once every ledger is in SQL: what is not may be lost with Redis."""
    async with Redis(unix_socket_path=str(server.data / "redis" / "redis.sock")) as redis:
        while True:
            if not await PoolStore(redis).pools_with_ledger():
                return
            await asyncio.sleep(0.1)


async def test_a_killed_web_process_is_missed_by_nobody(tmp_path: Path) -> None:
    """Its sockets close, another one takes over, and a purchase can be repeated with its key."""
    server = Server(tmp_path / "data", web__processes=1)
    async with Host(server.url) as host, Person(server.url) as buyer:
        await host.open("hanna")
        variant = (await host.offer("Mug", 2))["variants"][0]["id"]
        await host.post(f"rooms/{host.room}/start")
        wish = {"key": new_id("key"), "variant": variant}
        first = await buyer.post(f"rooms/{host.room}/holds", wish)
        killed = server.kill("web-1")
        server.wait_for(lambda: server.children().get("web-1", killed).pid != killed.pid)
        again = await retried(buyer, f"rooms/{host.room}/holds", wish)
        assert (again["id"], again["left"]) == (first["id"], 1)
    server.stop()


async def retried(person: Person, path: str, wish: dict[str, str]) -> dict[str, object]:
    """Ask until the new process listens."""
    while True:
        try:
            return await person.post(path, wish)
        except (ClientError, Refused):
            await asyncio.sleep(0.05)
