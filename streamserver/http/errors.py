"""Every failure as an answer: a problem (RFC 9457) for programs, a short page for people, never a stack trace."""

import html
from collections.abc import Callable, Sequence

import orjson
from aiohttp import ClientPayloadError, web

from streamserver.kit.errors import BadFormat, Failure, NotFound, OneMoment, TooLarge
from streamserver.kit.log import log
from streamserver.kit.outages import STORES_AWAY

BROKEN_BODY = (web.RequestPayloadError, ClientPayloadError)


class BadOrigin(Failure):
    code, status = "bad_origin", 403
    sentence = "This was sent from another site's page. Open this shop in your browser and try again there."


class WrongMethod(Failure):
    """`allowed` lists the methods that this address knows."""

    code, status = "wrong_method", 405
    sentence = "This address does not work that way."


class Unexpected(Failure):
    """Stands for any error that nobody foresaw; `request` is the id under which the log has the details."""

    code, status = "failed", 500
    sentence = "Something went wrong on our side. Please try again in a moment."


def problem_response(failure: Failure) -> web.Response:
    """`application/problem+json` of `messages.problems.Problem`."""
    body = orjson.dumps({**failure.problem(), "status": failure.status})
    return web.Response(
        body=body, status=failure.status, content_type="application/problem+json", headers=_headers(failure)
    )


def page_response(failure: Failure, static: str, policy: str) -> web.Response:
    """A page in the shop's own style that says the same."""
    message = html.escape(failure.message)
    text = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{message}</title>"
        f'<link rel="stylesheet" href="{static}/shared/tokens.css"><link rel="stylesheet" href="{static}/shared/base.css">'
        f'</head><body><main class="page"><h1>{message}</h1><p><a href="/">Back to the shop</a></p></main></body></html>'
    )
    return web.Response(
        text=text,
        status=failure.status,
        content_type="text/html",
        headers={**_headers(failure), "Content-Security-Policy": policy},
    )


def error_answers(static: str, policy: str) -> Callable[[Exception, web.Request, str], web.Response | None]:
    """How to answer whatever a handler raised: as a problem below `/api/`, as a page elsewhere. `static` is the path of the
    style sheets, `policy` the content security policy of pages. None for an aiohttp answer that is no error."""

    def answer(error: Exception, request: web.Request, request_id: str) -> web.Response | None:
        failure = as_failure(error, request, request_id)
        if failure is None:
            return None
        return problem_response(failure) if is_api(request.path) else page_response(failure, static, policy)

    return answer


def is_api(path: str) -> bool:
    """Whether whoever asks for `path` is a program."""
    return path.startswith(("/api/", "/socket.io")) or path in {"/healthz", "/readyz"}


def as_failure(error: Exception, request: web.Request, request_id: str) -> Failure | None:
    """What to tell about `error`; None for an aiohttp answer that is no error, such as a redirect."""
    match error:
        case Failure():
            return error
        case web.HTTPNotFound():
            return NotFound()
        case web.HTTPMethodNotAllowed():
            return WrongMethod(allowed=sorted(error.allowed_methods))
        case web.HTTPRequestEntityTooLarge():
            return TooLarge()
        case web.HTTPClientError():
            return BadFormat("The request could not be read.")
        case web.HTTPException() if error.status < 500:
            return None
        case _ if isinstance(error, BROKEN_BODY):
            return BadFormat("The request's body ended early or is damaged.")
        case _ if isinstance(error, STORES_AWAY):
            log.error("a store cannot be reached", path=request.path, error=repr(error))
            return OneMoment(retry_after=2)
        case _:
            log.error("request failed", method=request.method, path=request.path, exc_info=error)
            return Unexpected(request=request_id)


def _headers(failure: Failure) -> dict[str, str]:
    headers = {"Cache-Control": "no-store"}
    if "retry_after" in failure.details:
        headers["Retry-After"] = str(failure.details["retry_after"])
    if failure.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(failure, WrongMethod):
        allowed: Sequence[str] = failure.details["allowed"]
        headers["Allow"] = ", ".join(allowed)
    return headers
