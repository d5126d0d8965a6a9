"""How an error looks: `application/problem+json` (RFC 9457) over HTTP, the same fields in a Socket.IO ack's `error`."""

from pydantic import ConfigDict

from streamserver.messages.base import Message


class FieldProblem(Message):
    field: str
    message: str


class Problem(Message):
    """`code` is stable; `message` is a sentence for a person; further fields depend on the code."""

    model_config = ConfigDict(extra="allow")

    code: str
    message: str
    status: int | None = None
    errors: list[FieldProblem] | None = None
