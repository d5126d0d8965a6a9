"""The composition root: the only file that builds objects and joins them, one line each, in dependency order."""

import asyncio
import gc
import os
import signal
import socket
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from aiohttp import web
from redis.asyncio import Redis

from streamserver.accounts.secret import server_secret
from streamserver.accounts.service import AccountService
from streamserver.catalog.images import ImageStore
from streamserver.catalog.service import CatalogService
from streamserver.config import Config
from streamserver.http.accounts import account_routes
from streamserver.http.catalog import catalog_routes
from streamserver.http.health import Health
from streamserver.http.holds import hold_routes
from streamserver.http.orders import order_routes
from streamserver.http.payments import sandbox_routes
from streamserver.http.rooms import life_routes, lineup_routes, moderator_routes, room_routes, show_routes
from streamserver.http.server import create_app
from streamserver.http.visit import VISIT
from streamserver.integrations.sandbox.payments import SandboxPayments
from streamserver.kit.log import log
from streamserver.kit.outages import STORES_AWAY
from streamserver.kit.redis import connect
from streamserver.kit.sql import Database
from streamserver.kit.tasks import Tasks
from streamserver.orders.sales import Sales
from streamserver.orders.service import OrderService
from streamserver.realtime.bus import Bus
from streamserver.realtime.gateway import Gateway
from streamserver.realtime.publisher import RedisPublisher
from streamserver.realtime.viewer import Verify
from streamserver.rooms.archive import Archive
from streamserver.rooms.book import RoomBook
from streamserver.rooms.documents import Documents
from streamserver.rooms.hosting import Hosting
from streamserver.rooms.lineup import LineUps
from streamserver.rooms.presence import Presence
from streamserver.rooms.rights import Rights
from streamserver.rooms.service import RoomService
from streamserver.rooms.taps import Taps
from streamserver.rooms.upkeep import Upkeep
from streamserver.stock.archive import LedgerArchive, is_known
from streamserver.stock.bags import Bags
from streamserver.stock.recovery import Recovery, require_verified
from streamserver.stock.service import StockService
from streamserver.stock.space import Space

BACKLOG = 4096  # connections that may wait while a web process is busy; the kernel caps it at net.core.somaxconn
HOUR_MS = 3_600_000
JOBS_NICENESS = 10
GC_THRESHOLD = 50_000  # allocations between collections: 3,000 joins take 0.7 s instead of 1.0


@dataclass(frozen=True, slots=True)
class Services:
    """What every process shares: the domains, joined."""

    config: Config
    database: Database
    stock_redis: Redis
    live_redis: Redis
    secret: bytes
    tasks: Tasks
    people: AccountService
    catalog: CatalogService
    stock: StockService
    payments: SandboxPayments
    orders: OrderService
    presence: Presence
    documents: Documents
    book: RoomBook
    rights: Rights
    taps: Taps
    rooms: RoomService
    lineups: LineUps
    hosting: Hosting

    async def close(self) -> None:
        await self.tasks.close()
        await self.stock.stop()
        await self.taps.close()
        await self.stock_redis.aclose()
        await self.live_redis.aclose()
        await self.database.close()


@dataclass(frozen=True, slots=True)
class Web:
    """What a web process serves."""

    app: web.Application
    gateway: Gateway
    health: Health


def build(config: Config, *, verified: bool = True) -> Services:
    """`verified`: pools are used only where they were compared with SQL; the recovery, which does that, cannot wait for it."""
    secret = server_secret(config.server.data)
    database = Database(config.database_url)
    stock_redis = connect(config.stock_redis_url, require_verified if verified else None)
    live_redis = connect(config.live_redis_url)
    publisher = RedisPublisher(live_redis)
    tasks = Tasks()
    people = AccountService(database, live_redis, config.accounts, publisher)
    stock = StockService(stock_redis, live_redis, config.stock, secret, partial(is_known, database))
    images = ImageStore(config.media_folder, config.media.max_pixels)
    catalog = CatalogService(database, stock, images, people, publisher, config.accounts)
    payments = SandboxPayments(database, config.orders, tasks)
    orders = OrderService(database, stock, catalog, payments, config.orders, secret)
    payments.listen(orders.settlement)
    presence = Presence(live_redis, config.rooms.abandon_minutes)
    documents = Documents(stock_redis, config.rooms)
    book = RoomBook(database, documents, catalog, people, stock)
    rights = Rights(database)
    taps = Taps(live_redis, database, documents)
    rooms = RoomService(documents, book, rights, stock, presence, taps, config.stock.tries_per_buyer)
    lineups = LineUps(database, stock_redis, book, rights, catalog, stock, config.rooms)
    hosting = Hosting(database, book, rights, people, stock, presence, orders, publisher, config)
    return Services(
        config, database, stock_redis, live_redis, secret, tasks, people, catalog, stock, payments, orders, presence, documents,
        book, rights, taps, rooms, lineups, hosting,
    )  # fmt: skip


def build_recovery(s: Services, ledgers: LedgerArchive) -> Recovery:
    """`s` was built without `verified`."""
    terms = {"room": s.book, "shop": s.catalog}
    bags = Bags(s.live_redis)
    return Recovery(s.database, s.stock_redis, bags, ledgers, s.config.stock, terms, Sales(s.database))


async def recover(config: Config) -> None:
    """Compare Redis with SQL once, and rebuild what is behind: for whoever uses pools while no `jobs` process runs."""
    services = build(config, verified=False)
    try:
        await build_recovery(services, LedgerArchive(services.database, services.stock_redis)).run()
    finally:
        await services.close()


def build_web(s: Services) -> Web:
    areas = [  # aiohttp tries routes in this order, and a hold is what hurries
        hold_routes(s.rooms, s.catalog),
        account_routes(s.people, s.catalog),
        catalog_routes(s.catalog),
        room_routes(s.rooms, s.hosting),
        life_routes(s.hosting),
        show_routes(s.rooms),
        moderator_routes(s.hosting),
        lineup_routes(s.lineups),
        order_routes(s.orders),
        sandbox_routes(s.payments),
    ]
    health = Health(s.database, {"stock": s.stock_redis, "live": s.live_redis})
    app = create_app(s.config, areas, accounts=s.people, secret=s.secret, health=health)
    bus = Bus([s.config.live_redis_url, s.config.stock_redis_url])
    gateway = Gateway(s.config, s.rooms, s.presence, s.stock.flags, bus, _authenticate, s.people.identify_token)
    gateway.attach(app)
    return Web(app, gateway, health)


def _authenticate(request: web.Request) -> Verify:
    """A socket's session is looked at again after the bus was lost."""
    visit = request[VISIT]
    visit.check_origin()
    return visit.look()


async def run_web(config: Config) -> None:
    """Serve until SIGTERM, then drain: not ready any more, sockets told, open requests finished."""
    services = build(config)
    served = build_web(services)
    runner = web.AppRunner(served.app, access_log=None, shutdown_timeout=config.web.drain_seconds)
    await runner.setup()
    await served.gateway.start()
    family, *_ = socket.getaddrinfo(config.web.host, config.web.port, type=socket.SOCK_STREAM)[0]
    address = (config.web.host, config.web.port)
    listener = socket.create_server(address, family=family, reuse_port=True, backlog=BACKLOG)
    await web.SockSite(runner, listener, backlog=BACKLOG).start()
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD)
    await _until_stopped()
    served.health.draining = True
    await served.gateway.close()
    await runner.cleanup()
    await services.close()


async def run_jobs(config: Config) -> None:
    """What happens without anybody asking. All of it may run twice at once: every step repeats harmlessly. Buyers come first
    where there are few cores: moving the ledger costs as much as selling."""
    os.nice(JOBS_NICENESS)
    s, unverified = build(config), build(config, verified=False)
    ledgers = LedgerArchive(unverified.database, unverified.stock_redis)
    recovery = build_recovery(unverified, ledgers)
    upkeep = Upkeep(s.database, s.book, s.hosting, s.stock, s.presence, config.rooms)
    archive = Archive(s.database, s.documents)
    space = Space(s.stock, config.server.data, config.stock.min_free_space)
    tasks = Tasks()
    with suppress(*STORES_AWAY):
        await recovery.run()  # the others could only be told to wait for it
    tasks.every(0.2, recovery.run, "recovery")
    tasks.every(1, s.stock.tidy, "stock")
    tasks.every(1, upkeep.run, "rooms")
    tasks.every(1, s.taps.move, "taps")
    tasks.every(2, s.orders.settle_due, "orders")
    tasks.every(1, s.payments.deliver_due, "payments")
    tasks.every(5, archive.run, "room events")
    tasks.every(1, ledgers.run, "ledgers")
    tasks.every(60, partial(ledgers.rest, config.stock.rest_hours * HOUR_MS), "resting pools")
    tasks.every(1, space.run, "space")
    log.info("jobs running")
    await _until_stopped()
    await tasks.close()
    await unverified.close()
    await s.close()


async def _until_stopped() -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    await stopped.wait()
