"""Guests: anybody may buy without an account, and nobody as many guests at once."""

from aiohttp import ClientSession, DummyCookieJar

from streamserver.kit.ids import new_id
from tests.harness import Server


async def test_limits_for_guests_cannot_be_slipped_by_sending_no_mark(server: Server) -> None:
    """A newcomer gets a device mark first; whoever never sends one back is a new guest each time, and may not buy."""
    wish = {"key": "never-seen-before", "variant": new_id("var")}
    path = f"/api/v1/rooms/{new_id('room')}/holds"
    async with ClientSession(server.url, cookie_jar=DummyCookieJar()) as stranger:
        async with stranger.post(path, json=wish) as answer:
            assert (await answer.json())["code"] == "unknown_device"
            mark = answer.cookies["device"].value
        headers = {"Cookie": f"device={mark}", "Origin": server.url}
        async with stranger.post(path, json=wish, headers=headers) as answer:
            assert (await answer.json())["code"] == "not_found"
