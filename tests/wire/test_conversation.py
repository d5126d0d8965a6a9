"""What pages really use, socket.io-client from npm, unchanged, against the whole server: with one web process, and with two."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from typing import Any

import psutil
import pytest
from aiohttp import ClientError, ClientSession

from streamserver.kit.ids import new_id
from streamserver.messages.asyncapi import COMMITTED
from tests.browser.api import Creator, Offer
from tests.harness import Server
from tests.stories.people import Person, Refused
from tests.wire.conftest import NodePage, Open

Watch = Callable[..., Awaitable[NodePage]]
PROCESSES = pytest.mark.parametrize("processes", [1, 2])


@pytest.fixture(scope="module", params=[1, 2])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Generator[Server]:
    running = Server(tmp_path_factory.mktemp("wire") / "data", web__processes=request.param)
    yield running
    running.stop()


@pytest.fixture
async def creator(server: Server) -> AsyncGenerator[Creator]:
    """Somebody whose show is live."""
    async with Creator(server.url) as creator:
        await creator.open()
        await creator.start()
        yield creator


@pytest.fixture
async def watch(server: Server, open_page: Open) -> AsyncGenerator[Watch]:
    """Open a page of a guest in a room."""
    async with Person(server.url) as guest:

        async def start(room: str, **auth: Any) -> NodePage:
            return await open_page(server.url, headers_of(server, guest), {"room": room, **auth})

        yield start


def headers_of(server: Server, person: Person) -> dict[str, str]:
    """What a browser sends along."""
    return {"Origin": server.url, "Cookie": "; ".join(f"{cookie.key}={cookie.value}" for cookie in person.cookies)}


def web_processes(server: Server) -> dict[str, psutil.Process]:
    return {name: process for name, process in server.children().items() if name.startswith("web-")}


def serving(server: Server, page: NodePage) -> str:
    """The name of the web process at the other end of a page's connection."""
    node = psutil.Process(page.process.pid)
    own = {end.laddr.port for end in node.net_connections("tcp") if end.raddr and end.raddr.port == server.port}
    for name, process in web_processes(server).items():
        if any(end.raddr and end.raddr.port in own for end in process.net_connections("tcp")):
            return name
    raise AssertionError("the page is not connected")


async def everywhere(server: Server, watch: Watch, room: str) -> list[NodePage]:
    """Pages enough that every web process serves one of them."""
    pages: list[NodePage] = []
    while {serving(server, page) for page in pages} != web_processes(server).keys():
        pages.append(await watch(room))
        await pages[-1].until("snapshot")
    return pages


async def in_the_end(work: Callable[[], Awaitable[object]]) -> None:
    """Do it as soon as the server can."""
    done = False
    while not done:
        try:
            await work()
            done = True
        except (ClientError, Refused):
            await asyncio.sleep(0.1)


def left_of(variant: str, left: int) -> Callable[[Any], bool]:
    """Whether `states` says that so many are left."""

    def told(states: Any) -> bool:
        values = {state["key"]: state["value"] for state in states["states"]}
        return values.get(f"stock:{variant}", {}).get("available") == left

    return told


def wish(offer: Offer) -> dict[str, Any]:
    return {"key": new_id("key"), "variant": offer.variant, "quantity": 1, "retry": False}


async def test_a_page_joins(watch: Watch, creator: Creator) -> None:
    """`auth` names the room; the snapshot is the first word, and is what HTTP would have answered."""
    bowl = await creator.offer("Tea bowl", 3)
    page = await watch(creator.room)
    snapshot = await page.until("snapshot")
    assert [name for name, _ in page.heard] == ["connect", "snapshot"]
    over_http = await creator.get(f"rooms/{creator.room}")
    assert [snapshot[part] for part in ("epoch", "seq", "about", "life", "lineup", "pins")] == [
        over_http[part] for part in ("epoch", "seq", "about", "life", "lineup", "pins")
    ]
    assert left_of(bowl.variant, 3)(snapshot)


async def test_events_arrive_in_order_everywhere(server: Server, watch: Watch, creator: Creator) -> None:
    """Each event once, numbered without a gap, whichever process serves the page."""
    bowl = await creator.offer("Tea bowl", 3)
    pages = await everywhere(server, watch, creator.room)
    start = (await creator.get(f"rooms/{creator.room}"))["seq"]
    for action in ("pin", "unpin") * 5:
        await creator.pin(creator.room, bowl.anchor, action)
    for page in pages:
        await page.until_one("event", lambda event: event["seq"] == start + 10)
        assert page.seqs == list(range(start + 1, start + 11))


async def test_questions_are_acknowledged(server: Server, watch: Watch, creator: Creator) -> None:
    """A good answer, the same one again for the same key, a refusal in words; everybody sees what is left."""
    bowl = await creator.offer("Tea bowl", 1)
    pages = await everywhere(server, watch, creator.room)
    tap = wish(bowl)
    hold = (await pages[0].ask("hold", tap))["ok"]
    assert (hold["variant"], hold["status"], hold["replayed"]) == (bowl.variant, "held", False)
    for page in pages:
        again = (await page.ask("hold", {**tap, "retry": True}))["ok"]
        assert (again["id"], again["replayed"]) == (hold["id"], True)
    assert (await pages[0].ask("hold", wish(bowl)))["error"]["code"] == "sold_out"
    assert await pages[-1].ask("release", {"hold": hold["id"]}) == {"ok": {}}
    await pages[0].until_one("states", left_of(bowl.variant, 1))


async def test_what_is_wrong_with_a_question_is_told(watch: Watch, creator: Creator) -> None:
    """By a code for programs, a sentence for people, and the field to mend; the conversation goes on."""
    page = await watch(creator.room)
    await page.until("snapshot")
    assert (await page.ask("nonsense", {}))["error"]["code"] == "unknown_event"
    assert (await page.ask("tap"))["error"]["code"] == "invalid"
    problem = (await page.ask("hold", {"key": "key-12345678", "variant": "mug"}))["error"]
    assert (problem["code"], [error["field"] for error in problem["errors"]]) == ("invalid", ["variant"])
    assert (await page.ask("pin", {}))["error"]["code"] in {"forbidden", "invalid"}


async def test_whoever_returns_is_told_what_was_missed(server: Server, watch: Watch, creator: Creator) -> None:
    """With `after`: the events since, in order, and the newest states; no second snapshot, whichever process answers."""
    bowl = await creator.offer("Tea bowl", 3)
    pages = await everywhere(server, watch, creator.room)
    start = (await creator.get(f"rooms/{creator.room}"))["seq"]
    for page in pages:
        await page.do("leave")
        await page.until("disconnect")
    for action in ("pin", "unpin", "pin"):
        await creator.pin(creator.room, bowl.anchor, action)
    await creator.hold(f"rooms/{creator.room}", bowl.variant)
    for page in pages:
        await page.do("comeBack")
        await page.until_one("states", left_of(bowl.variant, 2))
        assert page.seqs == [start + 1, start + 2, start + 3]
        assert (len(page.all("snapshot")), page.all("resync")) == (1, [])


@pytest.mark.parametrize("after", [{"epoch": "gone", "seq": 3}, {"epoch": None, "seq": 9_999}])
async def test_an_unknown_position_is_answered_by_resync(
    watch: Watch, creator: Creator, after: dict[str, str | int | None]
) -> None:
    """An epoch that is over, or a number that was never told: `resync`, then a snapshot, and events from there on."""
    now = await creator.get(f"rooms/{creator.room}")
    page = await watch(creator.room, after={**after, "epoch": after["epoch"] or now["epoch"]})
    assert (await page.until("snapshot"))["seq"] == now["seq"]
    assert [name for name, _ in page.heard] == ["connect", "resync", "snapshot"]
    await creator.offer("Tea bowl", 1)
    assert (await page.until("event"))["seq"] == now["seq"] + 1


async def test_binary_is_refused(watch: Watch, creator: Creator) -> None:
    """The server speaks text only: a fault says that the message cannot be read, and the namespace is closed for good."""
    page = await watch(creator.room)
    await page.until("snapshot")
    await page.do("sendBytes", "tap")
    fault = await page.until("fault")
    assert (fault["code"], fault["retry"]) == ("bad_format", False)
    assert await page.until("disconnect") == "io server disconnect"


async def test_a_refusal_arrives_as_connect_error(watch: Watch) -> None:
    """With the sentence as its message and the problem as its data."""
    page = await watch(new_id("room"))
    error = await page.until("connect_error")
    assert (error["data"]["code"], error["data"]["status"]) == ("not_found", 404)
    assert error["message"] == error["data"]["message"]


async def test_another_origin_does_not_connect(server: Server, open_page: Open, creator: Creator) -> None:
    page = await open_page(server.url, {"Origin": "https://elsewhere.example"}, {"room": creator.room})
    assert "websocket error" in (await page.until("connect_error"))["message"]


async def test_a_killed_process_costs_nobody_anything(server: Server, watch: Watch, creator: Creator) -> None:
    """The client comes back by itself, to whoever is there; it has every event once, and its key brings its hold."""
    bowl = await creator.offer("Tea bowl", 3)
    page = await watch(creator.room)
    start = (await page.until("snapshot"))["seq"]
    tap = wish(bowl)
    hold = (await page.ask("hold", tap))["ok"]
    killed = serving(server, page)
    server.kill(killed)
    assert await page.until("disconnect") == "transport close"
    await in_the_end(lambda: creator.pin(creator.room, bowl.anchor))

    await page.until_one("event", lambda event: event["type"] == "pins")
    assert page.seqs == [start + 1]
    again = (await page.ask("hold", {**tap, "retry": True}))["ok"]
    assert (again["id"], again["replayed"]) == (hold["id"], True)
    assert (len(page.all("snapshot")), page.all("resync")) == (1, [])
    await asyncio.to_thread(server.wait_for, lambda: killed in server.children())


@PROCESSES
async def test_a_restart_is_announced_and_outlived(
    start_server: Callable[..., Server], open_page: Open, processes: int
) -> None:
    """Everybody is told to come back; the server starts again on its data, and the page goes on where it was."""
    server = start_server(web__processes=processes)
    async with Creator(server.url) as creator:
        await creator.open()
        await creator.start()
        bowl = await creator.offer("Tea bowl", 3)
        page = await open_page(server.url, headers_of(server, creator), {"room": creator.room})
        await page.until("snapshot")
        tap = wish(bowl)
        hold = (await page.ask("hold", tap))["ok"]
        await asyncio.to_thread(server.stop)
        fault = await page.until("fault")
        assert (fault["code"], fault["retry"]) == ("restarting", True)

        await asyncio.to_thread(start_server, server.data, web__processes=processes, web__port=server.port)
        await page.until_one("states", left_of(bowl.variant, 2))
        assert (await page.ask("hold", {**tap, "retry": True}))["ok"]["id"] == hold["id"]
        assert (len(page.all("snapshot")), page.all("resync")) == (1, [])


async def test_the_conversation_is_described_beside_the_api(server: Server) -> None:
    """The AsyncAPI document that is served is the one that is committed."""
    async with ClientSession() as http, http.get(f"{server.url}/api/asyncapi.json") as answer:
        assert answer.content_type == "application/json"
        assert await answer.read() == COMMITTED.read_bytes()
