"""One aiohttp application out of all areas, pages and files."""

from collections.abc import Sequence
from pathlib import Path

from aiohttp import web

from streamserver.accounts.devices import DeviceMarks
from streamserver.accounts.service import AccountService
from streamserver.config import Config
from streamserver.http.api import Routes, add_routes
from streamserver.http.assets import Libraries, OwnFiles, Pictures
from streamserver.http.errors import error_answers
from streamserver.http.health import Health
from streamserver.http.middleware import edge
from streamserver.http.openapi import add_description
from streamserver.http.pages import Pages
from streamserver.http.visit import Caller

PROJECT = Path(__file__).parents[2]


def create_app(
    config: Config,
    routes: Sequence[Routes],
    *,
    accounts: AccountService,
    secret: bytes,
    health: Health,
    static: Path = PROJECT / "static",
    node_modules: Path = PROJECT / "node_modules",
) -> web.Application:
    """`secret` signs device marks. Raises `ConfigError` when a page or a library is missing."""
    own = OwnFiles(static)
    libraries = Libraries(node_modules)
    pages = Pages(static, own.base, libraries.import_map)
    caller = Caller(config, accounts, DeviceMarks(secret))
    app = web.Application(
        client_max_size=config.web.max_body,
        middlewares=[edge(caller, error_answers(own.base, pages.policy))],
    )
    add_routes(app, routes)
    add_description(app, routes)
    health.add_to(app)
    pages.add_to(app)
    own.add_to(app)
    libraries.add_to(app)
    Pictures(config.media_folder).add_to(app)
    return app
