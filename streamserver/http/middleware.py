"""What every request passes, in one layer, since each costs every request: it gets an id, a write must come from our own pages,
failures become answers, and every answer carries the headers that keep browsers safe."""

from collections.abc import Callable

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from multidict import istr

from streamserver.http.visit import VISIT, Caller, Visit

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
SAFETY_HEADERS = (
    (istr("Content-Security-Policy"), "default-src 'none'; frame-ancestors 'none'"),  # pages bring their own
    (istr("X-Content-Type-Options"), "nosniff"),
    (istr("Referrer-Policy"), "same-origin"),  # an order's link carries its key
    (istr("Permissions-Policy"), "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    (istr("Cross-Origin-Opener-Policy"), "same-origin"),
)
X_REQUEST_ID = istr("X-Request-Id")

AnswerError = Callable[[Exception, web.Request, str], web.Response | None]


def edge(caller: Caller, answer_error: AnswerError) -> Middleware:
    """`answer_error` is told the error, its request and the request's id; what it has no answer for is raised on."""

    @web.middleware
    async def pass_edge(request: web.Request, handler: Handler) -> web.StreamResponse:
        visit = request[VISIT] = Visit(caller, request)
        structlog.contextvars.bind_contextvars(
            request=visit.id
        )  # to the end: aiohttp runs each request in its own task
        try:
            if request.method not in SAFE_METHODS:
                visit.check_origin_of_browser()
            response = await handler(request)
        except Exception as error:
            answer = answer_error(error, request, visit.id)
            if answer is None:
                raise
            response = answer
        if not response.prepared:
            visit.set_cookies(response)
            headers = response.headers
            headers[X_REQUEST_ID] = visit.id
            for name, value in SAFETY_HEADERS:
                headers.setdefault(name, value)
        return response

    return pass_edge
