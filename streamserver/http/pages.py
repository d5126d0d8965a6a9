"""Pages: HTML shells that load their modules, with a content security policy that lets nothing else run."""

import hashlib
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path

from aiohttp import web

from streamserver.config import ConfigError
from streamserver.http.assets import ASK, Asset
from streamserver.http.visit import VISIT

API_PAGE = "/api"
SHELLS: Mapping[str, str] = {
    "/": "home/home.html",
    "/rooms/{room}": "viewer/viewer.html",
    "/products/{product}": "product/product.html",
    "/checkout": "checkout/checkout.html",
    "/orders": "orders/orders.html",
    "/orders/{order}": "orders/orders.html",
    "/sign-in": "account/account.html",
    "/studio": "studio/studio.html",
    "/studio/{room}": "studio/studio.html",
    "/moderator/{room}": "moderator/moderator.html",
    "/pay/sandbox/{payment}": "pay/pay.html",
    API_PAGE: "api/api.html",
}


class Pages:
    """Every shell of `folder`, filled in once. Raises `ConfigError` when one is missing."""

    def __init__(self, folder: Path, static: str, import_map: str) -> None:
        self.policy = content_policy(import_map)
        self._shells = {path: _fill(folder / shell, static, import_map) for path, shell in SHELLS.items()}

    def add_to(self, app: web.Application) -> None:
        for path in self._shells:
            app.router.add_get(path, self.answer)

    async def answer(self, request: web.Request) -> web.Response:
        """A newcomer gets the device mark with the page, before its scripts send several requests at once."""
        request[VISIT].keep_device()
        resource = request.match_info.route.resource
        path = resource.canonical if resource else "/"
        return self._shells[path].answer(request, ASK, {"Content-Security-Policy": self._policy_of(path)})

    def _policy_of(self, path: str) -> str:
        """Swagger UI styles its own elements inline."""
        return (
            self.policy.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")
            if path == API_PAGE
            else self.policy
        )


def content_policy(import_map: str) -> str:
    """The header's value. The import map is the one inline script, known by its hash."""
    digest = b64encode(hashlib.sha256(import_map.encode()).digest()).decode()
    return (
        f"default-src 'self'; script-src 'self' 'sha256-{digest}'; style-src 'self'; img-src 'self' data: blob:; "
        "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )


def _fill(shell: Path, static: str, import_map: str) -> Asset:
    try:
        text = shell.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigError(f"The page {shell} is missing.") from error
    return Asset.of(
        text.replace("{{static}}", static).replace("{{importmap}}", import_map).encode(), "text/html; charset=utf-8"
    )
