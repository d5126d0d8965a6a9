"""The API's description (OpenAPI 3.1), made from the routes themselves; beside it that of the live conversation (AsyncAPI)."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

import orjson
from aiohttp import web
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from streamserver import VERSION
from streamserver.http.api import Route, Routes
from streamserver.http.assets import ASK, Asset
from streamserver.kit.errors import BadFormat, Failure, Forbidden, Invalid, TooLarge
from streamserver.messages import asyncapi
from streamserver.messages.base import Message
from streamserver.messages.problems import Problem

PATH, LIVE_PATH = "/api/openapi.json", "/api/asyncapi.json"
JSON, PROBLEM = "application/json", "application/problem+json"
Schemas = Mapping[Any, dict[str, Any]]  # (model, mode) → a reference to its schema


def add_description(app: web.Application, areas: Sequence[Routes]) -> None:
    _serve(app, PATH, orjson.dumps(describe(list(chain.from_iterable(areas)))))
    _serve(app, LIVE_PATH, asyncapi.to_json())


def _serve(app: web.Application, path: str, document: bytes) -> None:
    description = Asset.of(document, JSON)

    async def answer(request: web.Request) -> web.Response:
        return description.answer(request, ASK)

    app.router.add_get(path, answer)


def describe(routes: Sequence[Route]) -> dict[str, Any]:
    """The whole document, as plain data."""
    refs, definitions = models_json_schema(_models(routes), ref_template="#/components/schemas/{model}")
    paths: dict[str, dict[str, Any]] = defaultdict(dict)
    for route in routes:
        paths[route.path][route.method.lower()] = _operation(route, refs)
    return {
        "openapi": "3.1.0",
        "info": {"title": "streamserver", "version": VERSION, "description": INTRODUCTION},
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": definitions["$defs"],
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "An API token."}},
        },
    }


INTRODUCTION = (
    "Amounts are integer minor units of a currency; times are milliseconds since the epoch. "
    "Errors are `application/problem+json` with a stable `code` and a `message` for people. "
    "Send `Authorization: Bearer <API token>`, or a browser's cookies together with a matching `Origin`.\n\n"
    f"What happens in a show, as it happens, is told over Socket.IO: [AsyncAPI description]({LIVE_PATH})."
)


def _models(routes: Iterable[Route]) -> list[tuple[type[Message], JsonSchemaMode]]:
    found: dict[tuple[type[Message], JsonSchemaMode], None] = {(Problem, "serialization"): None}
    for route in routes:
        found[route.answer, "serialization"] = None
        if route.body:
            found[route.body, "validation"] = None
    return list(found)


def _operation(route: Route, refs: Schemas) -> dict[str, Any]:
    answer = {"description": "Done.", "content": {JSON: {"schema": refs[route.answer, "serialization"]}}}
    described: dict[str, Any] = {
        "tags": [route.tag],
        "operationId": f"{route.tag}_{getattr(route.handler, '__name__', route.method.lower())}",
        "summary": (route.handler.__doc__ or "").strip().split("\n")[0],
        "parameters": _parameters(route),
        "responses": {str(route.status): answer, **_problems(route, refs)},
    }
    if route.scope:
        described["description"] = f"API tokens need the scope `{route.scope}`."
        described["security"] = [{}, {"token": []}]
    if route.body:
        schema = refs[route.body, "validation"]
        described["requestBody"] = {"required": True, "content": {JSON: {"schema": schema}}}
    elif route.raw:
        described["requestBody"] = {"required": True, "content": {"application/octet-stream": {}}}
    return described


def _parameters(route: Route) -> list[dict[str, Any]]:
    text = {"type": "string"}
    in_path = [
        {"name": name, "in": "path", "required": True, "schema": text} for name in re.findall(r"\{(\w+)", route.path)
    ]
    in_query = [
        {"name": name, "in": "query", "description": meaning, "schema": text} for name, meaning in route.query.items()
    ]
    return in_path + in_query


def _problems(route: Route, refs: Schemas) -> dict[str, Any]:
    """What can go wrong by status; several codes may share one."""
    usual: list[type[Failure]] = [BadFormat, Invalid, TooLarge] if route.body else [TooLarge] if route.raw else []
    if route.scope:
        usual.append(Forbidden)
    by_status: dict[int, dict[str, str]] = defaultdict(dict)
    for failure in (*usual, *route.failures):
        by_status[failure.status][failure.code] = failure.sentence
    content = {PROBLEM: {"schema": refs[Problem, "serialization"]}}
    return {
        str(status): {
            "description": "\n".join(f"`{code}`: {sentence}" for code, sentence in sorted(found.items())),
            "content": content,
        }
        for status, found in sorted(by_status.items())
    }
