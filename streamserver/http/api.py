"""REST routes as data: each says what it takes, what it answers and what can go wrong; the API's description reads the same.

api = Routes("rooms")

@api.post("/rooms/{room}/holds", body=HoldRequest, answer=Hold, status=201, scope="buy", failures=(SoldOut,))
async def hold(call: Call, body: HoldRequest) -> Hold: ...
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar, overload

from aiohttp import web
from multidict import CIMultiDict
from pydantic import ValidationError

from streamserver.accounts.model import Identity
from streamserver.http.visit import VISIT, Visit
from streamserver.kit.errors import BadFormat, Failure, NotFound, TooLarge
from streamserver.messages.accounts import Scope
from streamserver.messages.base import Message
from streamserver.messages.reading import unreadable

PREFIX = "/api/v1"
MAX_JSON = 32_768  # bytes; refusing ten bodies of a megabyte, field by field, held everyone up for a second
HEADERS = CIMultiDict({"Content-Type": "application/json", "Cache-Control": "no-store"})
MAX_LARGE_JSON = 1_048_576  # a product with 100 variants and the longest description stays below a quarter of it

B = TypeVar("B", bound=Message)
A = TypeVar("A", bound=Message)


class Answer(NamedTuple):
    """A message with another status than its route's, e.g. 200 for what was done before."""

    message: Message
    status: int = 200


class Call:
    """One request, as a handler sees it. `path` and `query` are the address's parts."""

    __slots__ = ("identity", "request", "visit")

    def __init__(self, request: web.Request, visit: Visit, identity: Identity) -> None:
        self.request = request
        self.visit = visit
        self.identity = identity

    @property
    def path(self) -> Mapping[str, str]:
        return self.request.match_info

    @property
    def query(self) -> Mapping[str, str]:
        return self.request.query

    @property
    def client(self) -> str:
        """The caller's own address, behind whatever proxies are trusted."""
        return self.visit.client

    def set_session(self, secret: str) -> None:
        """Give the browser `secret` as its session cookie."""
        self.visit.set_session(secret)

    def clear_session(self) -> None:
        self.visit.set_session("")

    async def read(self, limit: int | None = None) -> bytes:
        """Return the raw body, at most `limit` bytes (default: the server's). Raises `TooLarge`."""
        most = min(limit or self.request.client_max_size, self.request.client_max_size)
        if (self.request.content_length or 0) > most:
            raise TooLarge(limit=most)
        content = self.request.content
        body = bytearray()
        while not content.at_eof():
            body += content.read_nowait() if content.is_eof() else await content.readany()
            if len(body) > most:
                raise TooLarge(limit=most)
        return bytes(body)


WithoutBody = Callable[[Call], Awaitable[A | Answer]]
WithBody = Callable[[Call, B], Awaitable[A | Answer]]


@dataclass(frozen=True, slots=True)
class Route:
    """`query` describes the query parameters by name. `scope` None: needs no particular right of an API token. `large`: the
    body may have up to a megabyte."""

    method: str
    path: str
    tag: str
    handler: Callable[..., Awaitable[Message | Answer]]
    answer: type[Message]
    body: type[Message] | None = None
    status: int = 200
    scope: Scope | None = "read"
    failures: Sequence[type[Failure]] = ()
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    raw: bool = False
    large: bool = False

    async def __call__(self, request: web.Request) -> web.Response:
        if "\0" in request.path:
            raise NotFound  # PostgreSQL takes no such text, and nothing is named so
        visit = request[VISIT]
        identity = await visit.identify()
        if self.scope:
            identity.require_scope(self.scope)
        if self.method != "GET":
            visit.keep_device(identity.device)
        call = Call(request, visit, identity)
        limit = MAX_LARGE_JSON if self.large else MAX_JSON
        arguments = [await _read(call, self.body, limit)] if self.body else []
        done = await self.handler(call, *arguments)
        message, status = (done.message, done.status) if isinstance(done, Answer) else (done, self.status)
        return web.Response(body=message.to_json(), status=status, headers=HEADERS)


class Verb:
    """`api.get`, `api.post` …: registers the decorated function as a route. Whatever writes must name its scope, since a
    token that may only read would otherwise write."""

    def __init__(self, method: str, tag: str, found: list[Route]) -> None:
        self._method, self._tag, self._found = method, tag, found

    @overload
    def __call__(
        self,
        path: str,
        *,
        answer: type[A],
        status: int = 200,
        scope: Scope | None = "read",
        failures: Sequence[type[Failure]] = (),
        query: Mapping[str, str] = ...,
        raw: bool = False,
    ) -> Callable[[WithoutBody[A]], WithoutBody[A]]: ...

    @overload
    def __call__(
        self,
        path: str,
        *,
        body: type[B],
        answer: type[A],
        status: int = 200,
        scope: Scope | None = "read",
        failures: Sequence[type[Failure]] = (),
        query: Mapping[str, str] = ...,
        large: bool = False,
    ) -> Callable[[WithBody[B, A]], WithBody[B, A]]: ...

    def __call__(self, path: str, **terms: Any) -> Callable[[Any], Any]:
        if self._method != "GET" and "scope" not in terms:
            raise TypeError(f"{self._method} {path} must name its scope, or None")

        def register(handler: Callable[..., Awaitable[Message | Answer]]) -> Callable[..., Awaitable[Message | Answer]]:
            self._found.append(Route(self._method, PREFIX + path, self._tag, handler, **terms))
            return handler

        return register


class Routes:
    """The routes of one area; `tag` groups them on the API's page."""

    def __init__(self, tag: str) -> None:
        self.tag = tag
        self._found: list[Route] = []
        self.get = Verb("GET", tag, self._found)
        self.post = Verb("POST", tag, self._found)
        self.put = Verb("PUT", tag, self._found)
        self.patch = Verb("PATCH", tag, self._found)
        self.delete = Verb("DELETE", tag, self._found)

    def __iter__(self) -> Iterator[Route]:
        return iter(self._found)


def add_routes(app: web.Application, areas: Sequence[Routes]) -> None:
    for area in areas:
        for route in area:
            app.router.add_route(route.method, route.path, route.__call__)


async def _read(call: Call, body: type[B], limit: int) -> B:
    kind = call.request.headers.get("Content-Type", "")
    if kind.partition(";")[0].strip().lower() != "application/json":
        raise BadFormat("Send the request as JSON, with the header Content-Type: application/json.")
    text = await call.read(limit)
    try:
        return body.from_json(text)
    except ValidationError as error:
        raise unreadable(error) from error
