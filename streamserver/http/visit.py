"""One request as a visit: what it brings to say who sends it, and what its answer gives the browser to bring next time."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property, partial
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from aiohttp import web

from streamserver.accounts.devices import DeviceMarks
from streamserver.accounts.model import Identity
from streamserver.accounts.service import AccountService
from streamserver.config import Config
from streamserver.http.errors import BadOrigin
from streamserver.kit.ids import new_id
from streamserver.kit.rate import Rate

YEAR_SECONDS = 365 * 86_400


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


class Visit:
    """`bearer` is an API token, `session` and `mark` are the cookies, as they were sent; `device` the browser that the mark
    names, None unless we signed it. All of it is read once, since every request needs most of it."""

    __slots__ = (
        "_caller", "_headers", "_identity", "_new_device", "_new_session", "_remote",
        "bearer", "device", "id", "mark", "origin", "session",
    )  # fmt: skip

    def __init__(self, caller: Caller, request: web.Request) -> None:
        headers = request.headers
        cookies = read_cookies(headers.get("Cookie", ""))
        self.id = new_id("req")
        self.bearer = _bearer(headers.get("Authorization"))
        self.origin = headers.get("Origin")
        self.session = cookies.get(caller.session_cookie)
        self.mark = cookies.get(caller.device_cookie)
        self.device = caller.devices.read(self.mark)
        self._caller = caller
        self._headers = headers
        self._remote = request.remote or ""
        self._identity: Identity | None = None
        self._new_device: str | None = None
        self._new_session: str | None = None

    async def identify(self) -> Identity:
        """Tell who calls, by bearer token or else by cookies; looked up once. Raises `SignInNeeded` for a token that is not
        valid."""
        if self._identity is None:
            self._identity = await self.look()()
        return self._identity

    def look(self) -> Callable[[], Awaitable[Identity]]:
        """How to tell it, also later: it keeps nothing of the request but what names the caller."""
        accounts = self._caller.accounts
        if self.bearer is not None:
            return partial(accounts.identify_token, self.bearer)
        device = self.device or self._caller.devices.new()
        return partial(accounts.identify, self.session, device, is_known=self.device is not None)

    def check_origin(self) -> None:
        """Refuse what another site's page may have sent: without a bearer token, Origin must be ours. Raises `BadOrigin`."""
        if self.bearer is None and self.origin not in self._caller.config.origins:
            raise BadOrigin

    def check_origin_of_browser(self) -> None:
        """The same for whatever a browser has sent: it brings a cookie of ours, or says its Origin."""
        if self.session is not None or self.mark is not None or self.origin is not None:
            self.check_origin()

    def keep_device(self, device: str | None = None) -> None:
        """Have the answer give a newcomer's browser its mark, for `device` when it was identified as one already. A client
        address that brings too many newcomers gets none for a while: limits for guests count marks."""
        if self.bearer is None and self.device is None and self._caller.new_guests.take(self.client):
            devices = self._caller.devices
            self._new_device = devices.sign(device or devices.new())

    def set_session(self, secret: str) -> None:
        """Have the answer give the browser its session cookie; "" takes it away."""
        self._new_session = secret

    def set_cookies(self, response: web.StreamResponse) -> None:
        if self._new_device is not None:
            self._set_cookie(response, self._caller.device_cookie, self._new_device)
        if self._new_session is not None:
            self._set_cookie(response, self._caller.session_cookie, self._new_session)

    @property
    def client(self) -> str:
        """The nearest address on its request's way that is no trusted proxy: whatever stands left of it could be made up."""
        address = _address(self._remote) or "0.0.0.0"  # noqa: S104 - names whoever comes by a unix socket
        hops = ",".join(self._headers.getall("X-Forwarded-For", ())).split(",")
        while hops and self._caller.trusts(address) and (hop := _address(hops.pop().strip())):
            address = hop
        return address

    def _set_cookie(self, response: web.StreamResponse, name: str, value: str) -> None:
        """The server ends a session when it was not used; the cookie itself may outlive it. An empty one ends now."""
        age = YEAR_SECONDS if value else 0
        response.set_cookie(
            name, value, max_age=age, path="/", httponly=True, samesite="Lax", secure=self._caller.config.secure
        )


VISIT = web.RequestKey("visit", Visit)


def read_cookies(header: str) -> dict[str, str]:
    """Name → value; the last of a name counts. Ours are never quoted: aiohttp's parser takes three times as long."""
    cookies: dict[str, str] = {}
    for pair in header.split(";"):
        name, _, value = pair.partition("=")
        cookies[name.strip()] = value.strip()
    return cookies


def _bearer(authorization: str | None) -> str | None:
    if authorization is None:
        return None
    kind, _, token = authorization.partition(" ")
    return token.strip() if kind.lower() == "bearer" else None


def _address(text: str) -> str | None:
    """The address in its one usual form; None when it is none."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return str((isinstance(address, IPv6Address) and address.ipv4_mapped) or address)
