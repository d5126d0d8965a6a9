"""What a viewer may ask, and what it is told when that cannot be."""

import asyncio
from typing import Any

import pytest

from streamserver.kit.ids import new_id
from tests.realtime.conftest import Live, Serve
from tests.realtime.stage import Stage

VARIANT, ANCHOR = new_id("var"), new_id("anchor")
HOLD = {"key": "key-12345678", "variant": VARIANT, "quantity": 2, "retry": False}


async def test_a_hold_is_acknowledged(live: Live, stage: Stage) -> None:
    page = await live.page(room=stage.room)
    answer = await page.ask("hold", HOLD)
    assert (answer["ok"]["variant"], answer["ok"]["status"], answer["ok"]["quantity"]) == (VARIANT, "held", 2)


async def test_failures_come_as_problems(live: Live, stage: Stage) -> None:
    """The code, a sentence and the HTTP status, as REST would answer."""
    page = await live.page(room=stage.room)
    answer = await page.ask("release", {"hold": new_id("hold")})
    assert answer["error"]["code"] == "not_found"
    assert answer["error"]["status"] == 404
    assert answer["error"]["message"]


@pytest.mark.parametrize(
    ("event", "body"),
    [
        ("hold", HOLD),
        ("release", {"hold": new_id("hold")}),
        ("tap", {"anchor": ANCHOR}),
        ("pin", {"operation": "key-12345678", "version": 0, "action": "pin", "anchor": ANCHOR}),
    ],
)
async def test_nothing_can_be_done_before_joining(live: Live, event: str, body: dict[str, Any]) -> None:
    page = await live.page()
    assert (await page.ask(event, body))["error"]["code"] == "not_joined"


@pytest.mark.parametrize(
    ("event", "body", "field"),
    [
        ("hold", {**HOLD, "quantity": "2"}, "quantity"),
        ("hold", {**HOLD, "quantity": 2.0}, "quantity"),
        ("hold", {**HOLD, "quantity": 0}, "quantity"),
        ("hold", {**HOLD, "quantity": True}, "quantity"),
        ("hold", {**HOLD, "variant": "no id"}, "variant"),
        ("hold", {**HOLD, "price": 1}, "price"),
        ("hold", {"variant": VARIANT}, "key"),
        ("tap", {"anchor": None}, "anchor"),
        ("join", {"room": ANCHOR, "after": {"epoch": "e1"}}, "after.seq"),
        ("join", {"room": ANCHOR, "token": "token-1"}, "token"),
    ],
)
async def test_wrong_fields_are_named(live: Live, stage: Stage, event: str, body: dict[str, Any], field: str) -> None:
    """No unknown field, no quiet conversion."""
    page = await live.page(room=stage.room)
    error = (await page.ask(event, body))["error"]
    assert error["code"] == "invalid"
    assert [one["field"] for one in error["errors"]] == [field]


@pytest.mark.parametrize("body", [None, (), ({}, {}), [], "text", 3])
async def test_anything_but_one_object_is_invalid(live: Live, stage: Stage, body: Any) -> None:
    page = await live.page(room=stage.room)
    assert (await page.ask("tap", body))["error"]["code"] == "invalid"
    assert stage.taps == 0


@pytest.mark.parametrize("event", ["buy", "message", "*"])
async def test_unknown_events_are_said_to_be_unknown(live: Live, stage: Stage, event: str) -> None:
    page = await live.page(room=stage.room)
    assert (await page.ask(event, {}))["error"]["code"] == "unknown_event"


async def test_trouble_of_the_server_is_not_shown(live: Live, stage: Stage) -> None:
    """An error that nobody foresaw reads *failed*; the socket lives on."""
    page = await live.page(room=stage.room)
    stage.broken = True
    error = (await page.ask("hold", HOLD))["error"]
    assert error["code"] == "failed"
    assert "foresaw" not in error["message"]
    stage.broken = False
    assert "ok" in await page.ask("hold", HOLD)


async def test_an_api_token_does_only_what_it_may(live: Live, stage: Stage) -> None:
    """A token in `auth` says who this is; one with the scope *read* cannot buy."""
    page = await live.page(room=stage.room, token="token-1")
    error = (await page.ask("hold", HOLD))["error"]
    assert (error["code"], error["scope"]) == ("forbidden", "buy")


async def test_a_slow_purchase_blocks_nobody_else(live: Live, stage: Stage) -> None:
    slow, other = await live.page(room=stage.room), await live.page(room=stage.room)
    stage.slow = 1.0
    purchase = asyncio.create_task(slow.ask("hold", HOLD))
    await other.ask("tap", {"anchor": ANCHOR})
    assert not purchase.done()
    assert "ok" in await purchase


async def test_a_purchase_is_finished_although_the_buyer_is_gone(live: Live, stage: Stage) -> None:
    """The answer finds nobody, but what was begun is not cut off."""
    page = await live.page(room=stage.room)
    stage.slow = 0.3
    await page.client.emit("hold", HOLD)
    await asyncio.sleep(0.1)
    await page.client.disconnect()
    async with asyncio.timeout(5):
        while not stage.holds:  # noqa: ASYNC110 - the stage has no event to wait for
            await asyncio.sleep(0.01)


async def test_asking_too_fast_is_refused_and_only_that(serve: Serve, stage: Stage) -> None:
    """Beyond the rate questions are refused with when to come back; nobody else notices, and the socket stays."""
    live = await serve(messages_per_second=5)
    page, other = await live.page(room=stage.room), await live.page(room=stage.room)
    answers = [await page.ask("tap", {"anchor": ANCHOR}) for _ in range(12)]
    codes = [answer["error"]["code"] for answer in answers if "error" in answer]
    assert codes
    assert set(codes) == {"too_many_requests"}
    assert await other.ask("tap", {"anchor": ANCHOR}) == {"ok": {}}


async def test_a_flood_ends_the_socket(serve: Serve, stage: Stage) -> None:
    """Ten times the rate at once: told why, and told not to come back."""
    live = await serve(messages_per_second=5)
    page = await live.page(room=stage.room)
    for _ in range(80):
        await page.client.emit("tap", {"anchor": ANCHOR})
    fault = await page.first("fault")
    assert (fault["code"], fault["retry"]) == ("too_many_requests", False)
    await page.first("gone")
