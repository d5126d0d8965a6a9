"""The description of the conversation, held against the conversation itself."""

import asyncio
import re
from pathlib import Path
from typing import Any, cast

import orjson
import pytest
from pydantic import ValidationError
from redis.asyncio import Redis

import streamserver.app
from streamserver.kit.errors import Failure
from streamserver.kit.ids import new_id
from streamserver.messages.asyncapi import document
from streamserver.messages.base import Message
from streamserver.messages.conversation import ANY_QUESTION, QUESTIONS, WORDS
from streamserver.messages.problems import Problem
from streamserver.realtime.handlers.rooms import room_handlers
from streamserver.realtime.handlers.stock import stock_handlers
from streamserver.realtime.publisher import RedisPublisher
from tests.harness import PROJECT
from tests.realtime.conftest import Live
from tests.realtime.stage import Stage

REALTIME = Path(streamserver.app.__file__).parent / "realtime"
BODIES = [
    *((question.body, question.says) for question in QUESTIONS),
    *((question.answer, question.hears) for question in QUESTIONS),
    *((word.body, word.says) for word in WORDS),
]


def read(body: type[Message], said: Any) -> Message:
    """What was said, as the shape that the description gives it; raises when it has another."""
    return body.from_json(orjson.dumps(said))


async def test_the_committed_copies_are_up_to_date() -> None:
    """`asyncapi.json` and the pages' types are what the words are now."""
    check = await asyncio.create_subprocess_exec("make", "check-messages", cwd=PROJECT)
    assert await check.wait() == 0


def test_every_question_that_is_answered_is_described_and_no_other() -> None:
    """By its name, its body and the scope that an API token needs."""
    handlers = room_handlers(cast("Any", None), cast("Any", None)) | stock_handlers(cast("Any", None))
    answered = {(name, handler.body, handler.scope) for name, handler in handlers.items()}
    assert answered == {(question.name, question.body, question.scope) for question in QUESTIONS}


def test_every_event_that_the_server_can_send_is_described() -> None:
    """No name in the code of `realtime` is missing."""
    code = "\n".join(path.read_text() for path in REALTIME.rglob("*.py"))
    assert set(re.findall(r"\bsaid\(\s*\"(\w+)\"", code)) <= {word.name for word in WORDS}


def test_every_code_that_is_described_exists() -> None:
    known = Failure.known()
    named = {*ANY_QUESTION, *(code for question in QUESTIONS for code in question.codes)}
    assert named == named & known.keys()


@pytest.mark.parametrize(("body", "example"), BODIES)
def test_examples_have_the_shape_that_they_show(body: type[Message], example: dict[str, Any]) -> None:
    assert read(body, example)


def test_every_reference_leads_somewhere() -> None:
    """Operations name messages of the channel, messages name schemas."""
    described = document()
    for reference in re.findall(r"'\$ref': '#/([^']+)'", str(described)):
        found: Any = described
        for step in reference.split("/"):
            found = found[step]


async def test_examples_are_understood(live: Live, stage: Stage) -> None:
    """Each question, asked as its example shows, is answered in the shape that is promised, or refused by a problem."""
    page = await live.page("mara", room=stage.room)
    for question in QUESTIONS:
        room = {"room": stage.room} if "room" in question.says else {}
        answer = await page.ask(question.name, question.says | room)
        if "ok" in answer:
            assert read(question.answer, answer["ok"])
        else:
            problem = cast("Problem", read(Problem, answer["error"]))
            assert problem.code in question.codes or problem.code == "forbidden"


async def test_what_is_said_is_what_is_described(live: Live, stage: Stage, redis: Redis) -> None:
    """A room in which everything happens: no word is undescribed, none is described in vain, each has its shape."""
    publisher, variant = RedisPublisher(redis), new_id("var")
    page = await live.page("mara", room=stage.room)
    await page.first("snapshot")
    await stage.happen("another title")
    await page.first("event")
    await stage.sell(variant, 5, version=1)
    await page.until(lambda: page.stock(variant))
    await page.ask("react", {"kind": "heart"})
    await page.first("reactions")
    stage.moderators.add("acc_mara")
    await publisher.rights_changed("acc_mara", stage.room)
    await page.first("rights")
    await stage.publish(["offers", [["acc_mara", variant, new_id("hold")]]])
    await page.first("turn")
    late = await live.page(room=stage.room, after={"epoch": "gone", "seq": 1})
    await late.first("resync")
    await publisher.session_ended("mara")
    await page.first("fault")

    shapes = {word.name: word.body for word in WORDS}
    said = [(name, body) for name, body in (*page.got, *late.got) if name != "gone"]
    assert {name for name, _ in said} == shapes.keys()
    for name, body in said:
        assert read(shapes[name], body)


def test_another_shape_than_the_described_one_is_noticed() -> None:
    """The comparison above is strict: a field too many, or one too few, is an error."""
    word = next(word for word in WORDS if word.name == "turn")
    for wrong in (word.says | {"more": 1}, {}):
        with pytest.raises(ValidationError):
            read(word.body, wrong)
