"""Export the words as JSON Schema, from which `make messages` writes `static/shared/messages.d.ts`."""

import importlib
import inspect
import pkgutil
from typing import Any

import orjson
from pydantic.json_schema import models_json_schema

import streamserver.messages
from streamserver.messages.base import Message


def all_messages() -> list[type[Message]]:
    """Every message class of the package, by name."""
    found: dict[str, type[Message]] = {}
    for module in pkgutil.iter_modules(streamserver.messages.__path__, "streamserver.messages."):
        classes = inspect.getmembers(importlib.import_module(module.name), inspect.isclass)
        found |= {name: thing for name, thing in classes if issubclass(thing, Message) and thing is not Message}
    return [found[name] for name in sorted(found)]


def json_schema() -> dict[str, Any]:
    """One JSON Schema document with every message under `$defs`, as the server sends them (all fields present)."""
    _, schema = models_json_schema([(message, "serialization") for message in all_messages()], title="Messages")
    for definition in schema["$defs"].values():
        for part in definition.get("properties", {}).values():
            part.pop("title", None)
        definition.pop("description", None)
    return {**schema, "type": "object", "properties": {}, "additionalProperties": False}


if __name__ == "__main__":
    import sys

    sys.stdout.write(orjson.dumps(json_schema(), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS).decode())
