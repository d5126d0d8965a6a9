"""What a client sent, refused in words: a sentence for each field that a person can act on."""

from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from streamserver.kit.errors import BadFormat, Invalid
from streamserver.messages.base import Currency, Handle, Id, Key

MAX_FIELD_PROBLEMS = 20
MAX_FIELD_NAME = 100


def _form(annotated: Any) -> str:
    """The pattern that an annotated string of `messages.base` must match."""
    return annotated.__metadata__[0].pattern


FORMS = {
    _form(Handle): "Use 3 to 30 small letters or digits; '-' and '_' may stand between them.",
    _form(Id): "This is not an id of this server.",
    _form(Key): "Use 8 to 64 letters, digits, '-' or '_'.",
    _form(Currency): "Use a currency's three capital letters, such as EUR.",
}
SENTENCES = {
    "missing": "This is required.",
    "extra_forbidden": "There is no such field.",
    "int_type": "This must be a whole number.",
    "int_from_float": "This must be a whole number.",
    "string_type": "This must be text.",
    "bool_type": "This must be true or false.",
    "list_type": "This must be a list.",
    "model_type": "This must be an object.",
    "string_pattern_mismatch": "This is not written in the expected form.",
    "string_too_short": "Use at least {min_length} characters.",
    "string_too_long": "Use at most {max_length} characters.",
    "greater_than_equal": "This must be at least {ge}.",
    "less_than_equal": "This must be at most {le}.",
    "too_short": "At least {min_length} are needed.",
    "too_long": "At most {max_length} are possible.",
    "literal_error": "This must be {expected}.",
}


def unreadable(error: ValidationError) -> BadFormat | Invalid:
    """Tell what pydantic refused: text that is no JSON, or fields, each with a sentence (`{field: "lines.0.price", …}`)."""
    found = error.errors(include_url=False, include_input=False)
    if found[0]["type"] == "json_invalid":
        return BadFormat(f"The request is not valid JSON in UTF-8: {found[0].get('ctx', {}).get('error')}.")
    return Invalid(errors=[_field_problem(problem) for problem in found[:MAX_FIELD_PROBLEMS]])


def _field_problem(problem: ErrorDetails) -> dict[str, str]:
    context = problem.get("ctx", {})
    known = FORMS.get(str(context.get("pattern"))) or SENTENCES.get(problem["type"], "").format_map(context)
    field = ".".join(str(part) for part in problem["loc"])
    return {"field": field[:MAX_FIELD_NAME], "message": known or problem["msg"].removeprefix("Value error, ")}
