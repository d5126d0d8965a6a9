"""What every request passes: its id, the caller's real address, who is calling, where the page came from, and the headers
that keep browsers safe."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from streamserver.accounts.devices import DeviceMarks
from streamserver.accounts.model import Identity
from streamserver.accounts.service import AccountService
from streamserver.config import Config
from streamserver.http.errors import REQUEST_ID, BadOrigin
from streamserver.kit.ids import new_id
from streamserver.kit.rate import Rate

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
YEAR_SECONDS = 365 * 86_400
SAFETY_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",  # pages bring their own
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # an order's link carries its key
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}
IDENTITY = web.RequestKey("identity", Identity)
NEW_SESSION = web.RequestKey("new_session", str)  # "" ends the session in the browser
NEW_DEVICE = web.RequestKey("new_device", str)


@dataclass(frozen=True)
class Caller:
    """How to tell who is calling: set up once for an application."""

    config: Config
    accounts: AccountService
    devices: DeviceMarks

    @cached_property
    def new_guests(self) -> Rate:
        return Rate(self.config.accounts.guests_per_client, 60)

    @cached_property
    def proxies(self) -> tuple[IPv4Network | IPv6Network, ...]:
        return tuple(ip_network(network) for network in self.config.web.trusted_proxies)

    @cached_property
    def session_cookie(self) -> str:
        return self._cookie("session")

    @cached_property
    def device_cookie(self) -> str:
        return self._cookie("device")

    def _cookie(self, name: str) -> str:
        """Over TLS the prefix makes browsers refuse a cookie that a neighbouring host name has set."""
        return f"__Host-{name}" if self.config.secure else name

    def trusts(self, address: str) -> bool:
        return any(ip_address(address) in network for network in self.proxies)


CALLER = web.AppKey("caller", Caller)


async def identify_request(request: web.Request) -> Identity:
    """Tell who calls, by bearer token or else by cookies. Raises `SignInNeeded` for a token that is not valid."""
    if IDENTITY not in request:
        caller = request.app[CALLER]
        if (token := _bearer(request)) is not None:
            request[IDENTITY] = await caller.accounts.identify_token(token)
        else:
            device = _known_device(request) or caller.devices.new()
            request[IDENTITY] = await caller.accounts.identify(request.cookies.get(caller.session_cookie), device)
    return request[IDENTITY]


def check_origin(request: web.Request) -> None:
    """Refuse what another site's page may have sent: without a bearer token, Origin must be ours. Raises `BadOrigin`."""
    if _bearer(request) is None and request.headers.get("Origin") not in request.app[CALLER].config.origins:
        raise BadOrigin


def keep_device(request: web.Request, device: str | None = None) -> None:
    """Have the answer give a newcomer's browser its mark, for `device` when the request was identified as one already."""
    if _bearer(request) is None and _known_device(request) is None:
        devices = request.app[CALLER].devices
        request[NEW_DEVICE] = devices.sign(device or devices.new())


def client_address(request: web.Request) -> str:
    """The nearest address on the request's way that is no trusted proxy: whatever stands left of it could be made up."""
    caller = request.app[CALLER]
    address = _address(request.remote or "") or "0.0.0.0"  # noqa: S104 - names whoever comes by a unix socket
    hops = ",".join(request.headers.getall("X-Forwarded-For", ())).split(",")
    while hops and caller.trusts(address) and (hop := _address(hops.pop().strip())):
        address = hop
    return address


@web.middleware
async def name_request(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give the request an id, for its log lines and its answer."""
    request[REQUEST_ID] = new_id("req")
    with structlog.contextvars.bound_contextvars(request=request[REQUEST_ID]):
        response = await handler(request)
    if not response.prepared:
        response.headers["X-Request-Id"] = request[REQUEST_ID]
    return response


@web.middleware
async def add_safety(request: web.Request, handler: Handler) -> web.StreamResponse:
    response = await handler(request)
    if not response.prepared:
        for name, value in SAFETY_HEADERS.items():
            response.headers.setdefault(name, value)
    return response


@web.middleware
async def set_cookies(request: web.Request, handler: Handler) -> web.StreamResponse:
    response = await handler(request)
    if response.prepared:
        return response
    caller = request.app[CALLER]
    if device := request.get(NEW_DEVICE):
        _set_cookie(response, caller, caller.device_cookie, device, YEAR_SECONDS)
    if session := request.get(NEW_SESSION):
        _set_cookie(response, caller, caller.session_cookie, session, YEAR_SECONDS)
    elif session == "":
        _set_cookie(response, caller, caller.session_cookie, "", 0)
    return response


@web.middleware
async def refuse_foreign_writes(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A write that a browser sent (it has a cookie of ours, or an Origin) must come from our own pages."""
    caller = request.app[CALLER]
    ours = {caller.session_cookie, caller.device_cookie}
    if request.method not in SAFE_METHODS and (ours & request.cookies.keys() or "Origin" in request.headers):
        check_origin(request)
    return await handler(request)


def _set_cookie(response: web.StreamResponse, caller: Caller, name: str, value: str, max_age: int) -> None:
    """The server ends a session when it was not used; the cookie itself may outlive it."""
    response.set_cookie(
        name, value, max_age=max_age, path="/", httponly=True, samesite="Lax", secure=caller.config.secure
    )


def _known_device(request: web.Request) -> str | None:
    caller = request.app[CALLER]
    return caller.devices.read(request.cookies.get(caller.device_cookie))


def _bearer(request: web.Request) -> str | None:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else None


def _address(text: str) -> str | None:
    """The address in its one usual form; None when it is none."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return str((isinstance(address, IPv6Address) and address.ipv4_mapped) or address)
