"""The conversation as an AsyncAPI 3.0 document (https://www.asyncapi.com/docs/reference/specification/v3.0.0), from the server's
point of view: it receives questions and sends words. `make messages` writes it to `asyncapi.json`."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from streamserver import VERSION
from streamserver.messages.base import Message
from streamserver.messages.conversation import ANY_QUESTION, EPOCH, QUESTIONS, ROOM, WORDS, Question, Word
from streamserver.messages.live import Join
from streamserver.messages.problems import Problem

COMMITTED = Path(__file__).with_name("asyncapi.json")
CHANNEL = "#/channels/room"
INTRODUCTION = (
    "What happens in a show, as it happens: Socket.IO v5 over WebSocket. The stock client connects with "
    '`io({transports: ["websocket"], auth: {room, after}})`; long polling is refused by name. Only text is understood: '
    "a binary message ends the connection with the fault `bad_format`.\n\n"
    'Each question is an event with one object and an acknowledgement, `{"ok": …}` or `{"error": Problem}`; a problem has '
    "a stable `code` and a `message` for people. Amounts are integer minor units of a currency; times are milliseconds "
    "since the epoch.\n\n"
    "Events are numbered without gaps, states are versioned and the newest wins. A client keeps the `epoch` and `seq` of "
    "the last event and sends them as `after` when it comes back: it is told what it missed, or `resync` and a snapshot."
)
WHO = (
    "Guests may come in with nothing; holding needs the cookies that this server's pages set. A browser's `Origin` must be this "
    "server's own. An API token goes into the header, or into `auth` as `token`."
)
Schemas = Mapping[Any, dict[str, Any]]  # (model, mode) → a reference to its schema


def document() -> dict[str, Any]:
    """The whole description, as plain data; the same for every server of this version."""
    refs, definitions = models_json_schema(_models(), ref_template="#/components/schemas/{model}")
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "streamserver", "version": VERSION, "description": INTRODUCTION},
        "defaultContentType": "application/json",
        "servers": {"this": _server()},
        "channels": {"room": _channel(refs)},
        "operations": _operations(),
        "components": {"schemas": definitions["$defs"], "securitySchemes": _security_schemes()},
    }


def to_json() -> bytes:
    """As it is committed."""
    return orjson.dumps(document(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _models() -> list[tuple[type[Message], JsonSchemaMode]]:
    asked: list[tuple[type[Message], JsonSchemaMode]] = [(question.body, "validation") for question in QUESTIONS]
    told = [Problem, *(question.answer for question in QUESTIONS), *(word.body for word in WORDS)]
    return asked + [(message, "serialization") for message in dict.fromkeys(told)]


def _server() -> dict[str, Any]:
    return {
        "host": "{host}",
        "pathname": "/socket.io/",
        "protocol": "wss",
        "protocolVersion": "13",
        "description": "Socket.IO v5, Engine.IO v4. Without TLS, which only a server on one's own machine is, `ws`.",
        "variables": {"host": {"default": "127.0.0.1:8080", "description": "Where the pages of the shop are."}},
        "security": [{"$ref": f"#/components/securitySchemes/{name}"} for name in _security_schemes()],
    }


def _security_schemes() -> dict[str, Any]:
    cookie = {"type": "httpApiKey", "in": "cookie", "name": "session"}
    return {
        "session": {**cookie, "description": "Set by signing in; `__Host-session` over TLS."},
        "token": {"type": "http", "scheme": "bearer", "description": "An API token."},
    }


def _channel(refs: Schemas) -> dict[str, Any]:
    handshake = {"type": "object", "properties": {"EIO": {"const": "4"}, "transport": {"const": "websocket"}}}
    messages = _greeting(refs)
    for question in QUESTIONS:
        messages[question.name] = _asked(question, refs)
        messages[_answer(question)] = _answered(question, refs)
    for word in WORDS:
        messages[word.name] = _said(word, refs)
    return {
        "address": "/",
        "title": "A room",
        "description": f"The one namespace; a connection is in one room at a time. {WHO}",
        "messages": messages,
        "bindings": {"ws": {"method": "GET", "query": handshake, "bindingVersion": "0.1.0"}},
    }


def _greeting(refs: Schemas) -> dict[str, Any]:
    refused = {
        "type": "object",
        "required": ["message", "data"],
        "properties": {"message": {"type": "string"}, "data": refs[Problem, "serialization"]},
    }
    sid = {"type": "object", "required": ["sid"], "properties": {"sid": {"type": "string"}}}
    gone = "There is nothing here. The link may be old, or it was removed."
    return {
        "connect": _message(
            "connect",
            "`auth` of the connect packet. It may be left out: then `join` follows.",
            refs[Join, "validation"],
            [{"room": ROOM}, {"room": ROOM, "after": {"epoch": EPOCH, "seq": 41}}],
        ),
        "connected": _message("connect", "The server has let the client in.", sid, [{"sid": "b2rGx8lUDFX1cLXaAAAB"}]),
        "connect_error": _message(
            "connect_error",
            "The server has not, and says why. While it cannot tell, it closes the socket: the stock client comes back.",
            refused,
            [{"message": gone, "data": {"code": "not_found", "message": gone, "status": 404}}],
        ),
    }


def _asked(question: Question, refs: Schemas) -> dict[str, Any]:
    return _message(question.name, question.meaning, refs[question.body, "validation"], [question.says])


def _answered(question: Question, refs: Schemas) -> dict[str, Any]:
    answer, problem = refs[question.answer, "serialization"], refs[Problem, "serialization"]
    codes = ", ".join(f"`{code}`" for code in (*question.codes, *ANY_QUESTION))
    schema = {"oneOf": [_only("ok", answer), _only("error", problem)]}
    slow = {
        "code": "too_many_requests",
        "message": "That was too fast. Please wait a moment and try again.",
        "status": 429,
    }
    told = f"The acknowledgement of `{question.name}`. Codes to expect in `error`: {codes}."
    return _message(question.name, told, schema, [{"ok": question.hears}, {"error": slow}])


def _said(word: Word, refs: Schemas) -> dict[str, Any]:
    return _message(word.name, word.meaning, refs[word.body, "serialization"], [word.says])


def _message(name: str, meaning: str, payload: dict[str, Any], examples: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """`name` is the event's on the wire."""
    shown = [{"payload": example} for example in examples]
    return {"name": name, "summary": meaning, "payload": payload, "examples": shown}


def _only(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": [name], "properties": {name: schema}, "additionalProperties": False}


def _operations() -> dict[str, Any]:
    operations = {
        "connect": _operation("receive", "connect", "Come in, usually into a room.", ["connected", "connect_error"])
    }
    for question in QUESTIONS:
        asked = _operation("receive", question.name, question.meaning, [_answer(question)])
        operations[question.name] = {**asked, "description": f"API tokens need the scope `{question.scope}`."}
    for word in WORDS:
        operations[word.name] = _operation("send", word.name, word.meaning)
    return operations


def _operation(action: str, message: str, meaning: str, replies: Sequence[str] = ()) -> dict[str, Any]:
    operation = {"action": action, "channel": {"$ref": CHANNEL}, "summary": meaning, "messages": _named([message])}
    return {**operation, "reply": {"channel": {"$ref": CHANNEL}, "messages": _named(replies)}} if replies else operation


def _named(messages: Iterable[str]) -> list[dict[str, str]]:
    return [{"$ref": f"{CHANNEL}/messages/{name}"} for name in messages]


def _answer(question: Question) -> str:
    return f"{question.name}_answer"


if __name__ == "__main__":
    import sys

    sys.stdout.write(to_json().decode())
