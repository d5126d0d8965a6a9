"""`run.py doctor`: what is right and wrong with this machine and the configuration, each with what to do about it."""

import asyncio
import os
import resource
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Literal

from redis.asyncio import Redis
from redis.exceptions import RedisError
from rich.console import Console
from rich.markup import escape

from streamserver import migrations
from streamserver.cli import metrics, redis_server
from streamserver.cli.database import opened
from streamserver.cli.errors import CannotStartError
from streamserver.cli.lock import InUseError, data_lock, holder
from streamserver.cli.paths import PROJECT
from streamserver.cli.ports import check_port
from streamserver.config import Config

SLOW_FSYNC_MS = 2.0  # every batch of holds waits for one
FSYNC_TRIES = 50
LITTLE_SPACE, NO_SPACE = 1_000_000_000, 100_000_000  # bytes
FEW_FILES = 10_000  # every viewer is one
OLDEST_REDIS = (6, 2)
FIRST_YEAR = 2025  # a clock before it was never set
DRIFT_SECONDS = 1.0
PAGE_PACKAGES = ("lit", "socket.io-client")

Grade = Literal["ok", "warn", "fail"]
MARKS: dict[Grade, str] = {"ok": "[green]✓[/]", "warn": "[yellow]![/]", "fail": "[red]✗[/]"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report; `fix` is what to do unless all is well."""

    grade: Grade
    topic: str
    message: str
    fix: str = ""


def show(findings: Sequence[Finding], console: Console) -> None:
    for finding in findings:
        console.print(f"{MARKS[finding.grade]} [bold]{finding.topic}[/] {escape(finding.message)}", highlight=False)
        if finding.fix:
            console.print(f"    → {escape(finding.fix)}", highlight=False)


async def examine(config: Config) -> list[Finding]:
    """Everything worth knowing before a show, in the order in which to mend it. Changes nothing."""
    folder, lock = _data_folder(config)
    findings = [_python(), _clock(), _files(), _pages(), folder, _space(config), *([lock] if lock else _ports(config))]
    findings += await _redis(config)
    findings += [_fsync(config), await _database(config), _addresses(config)]
    return findings


def _python() -> Finding:
    return Finding("ok", "Python", ".".join(map(str, sys.version_info[:3])))


def _files() -> Finding:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < FEW_FILES:
        return Finding("warn", "Open files", f"at most {hard}: every viewer needs one", "Raise it: ulimit -Hn 100000")
    return Finding("ok", "Open files", f"up to {hard}")


def _pages() -> Finding:
    missing = [name for name in PAGE_PACKAGES if not (PROJECT / "node_modules" / name / "package.json").exists()]
    if missing:
        return Finding("fail", "Pages", f"the packages {', '.join(missing)} are missing", "Run: make install")
    return Finding("ok", "Pages", "their packages are installed")


def _data_folder(config: Config) -> tuple[Finding, Finding | None]:
    """The folder itself, and who works in it just now."""
    folder = config.server.data
    if not folder.exists():
        return Finding("ok", "Data folder", f"{folder} will be made by the first start"), None
    try:
        with data_lock(folder):
            return Finding("ok", "Data folder", str(folder)), None
    except InUseError:
        running = Finding("ok", "Server", f"runs already as process {holder(folder)}")
        return Finding("ok", "Data folder", str(folder)), running
    except CannotStartError as error:
        return Finding("fail", "Data folder", str(error), "Choose one that this user may write: server.data"), None


def _space(config: Config) -> Finding:
    free = shutil.disk_usage(_existing(config.server.data)).free
    message = f"{free / 1e9:.1f} GB free"
    if free < LITTLE_SPACE:
        return Finding("fail" if free < NO_SPACE else "warn", "Disk", message, "Make room, or move server.data.")
    return Finding("ok", "Disk", message)


def _ports(config: Config) -> list[Finding]:
    wanted = [
        (config.web.host, config.web.port, "web.port"),
        (metrics.HOST, config.web.metrics_port, "web.metrics_port"),
    ]
    findings: list[Finding] = []
    for host, port, setting in wanted:
        if not port:
            continue
        try:
            check_port(host, port, setting)
        except CannotStartError as error:
            findings.append(Finding("fail", "Port", str(error), f"Or change {setting} in config.toml."))
        else:
            findings.append(Finding("ok", "Port", f"{port} on {host} is free"))
    return findings


async def _redis(config: Config) -> list[Finding]:
    if config.redis.url != "embedded":
        urls = {config.stock_redis_url: "Redis for stock", config.live_redis_url: "Redis"}
        return [finding for url, topic in urls.items() for finding in await _external_redis(url, topic)]
    try:
        binary = redis_server.find_binary()
    except CannotStartError as error:
        return [Finding("fail", "Redis", str(error))]
    process = await asyncio.create_subprocess_exec(binary, "--version", stdout=asyncio.subprocess.PIPE)
    version = (await process.communicate())[0].decode()
    number = version.partition("v=")[2].partition(" ")[0] or version
    return [Finding("ok", "Redis", f"{number} is started by the server, from {binary}")]


async def _external_redis(url: str, topic: str) -> list[Finding]:
    try:
        async with Redis.from_url(url, decode_responses=True) as client:
            version: str = (await client.info("server"))["redis_version"]
            seconds, micros = await client.time()
            settings = await _settings(client)
    except (RedisError, OSError) as error:
        return [Finding("fail", topic, f"does not answer: {error}", "Start it, or mend redis.url in config.toml.")]
    return [_version(topic, version), _drift(topic, seconds + micros / 1e6), _durability(topic, settings)]


async def _settings(client: Redis) -> dict[str, str]:
    """What concerns durability; nothing where a provider hides it."""
    try:
        return {str(key): str(value) for key, value in (await client.config_get("append*")).items()}
    except RedisError:
        return {}


def _version(topic: str, version: str) -> Finding:
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST_REDIS:
        return Finding("fail", topic, f"version {version} is too old", "Use Redis 6.2 or later, or Valkey.")
    return Finding("ok", topic, f"version {version} answers")


def _clock() -> Finding:
    now = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
    if time.gmtime().tm_year < FIRST_YEAR:
        return Finding("fail", "Clock", f"{now} cannot be right", "Turn on time synchronisation (NTP).")
    return Finding("ok", "Clock", now)


def _drift(topic: str, redis_time: float) -> Finding:
    drift = abs(redis_time - time.time())
    if drift > DRIFT_SECONDS:
        return Finding(
            "warn", "Clock", f"differs from {topic}'s by {drift:.1f} s", "Turn on time synchronisation (NTP)."
        )
    return Finding("ok", "Clock", f"agrees with {topic}'s")


def _durability(topic: str, settings: dict[str, str]) -> Finding:
    if not settings:
        return Finding(
            "warn", topic, "does not tell how it writes to disk", "Have appendonly yes and appendfsync always."
        )
    if settings.get("appendonly") != "yes":
        return Finding("warn", topic, "forgets holds when it restarts", "Set: appendonly yes, appendfsync always")
    if settings.get("appendfsync") != "always":
        return Finding("warn", topic, "may forget the last second of holds", "Set: appendfsync always")
    return Finding("ok", topic, "has every write on disk before it answers")


def _fsync(config: Config) -> Finding:
    """How long one small durable write to the data folder's disk takes."""
    durations: list[float] = []
    with tempfile.TemporaryFile(dir=_existing(config.server.data)) as file:
        for _ in range(FSYNC_TRIES):
            began = time.perf_counter()
            os.write(file.fileno(), bytes(512))
            os.fsync(file.fileno())
            durations.append((time.perf_counter() - began) * 1000)
    median = statistics.median(durations)
    message = f"a durable write takes {median:.2f} ms"
    if median > SLOW_FSYNC_MS:
        return Finding("warn", "Disk", f"{message}: purchases will queue", "Move server.data to a local SSD.")
    return Finding("ok", "Disk", message)


async def _database(config: Config) -> Finding:
    if not config.database.url and not (config.server.data / "streamserver.db").exists():
        return Finding("ok", "Database", "will be made by the first start")
    try:
        async with opened(config.database_url) as database:
            current = await migrations.is_current(database)
    except CannotStartError as error:
        return Finding("fail", "Database", str(error), "Start it, or mend database.url in config.toml.")
    return Finding("ok", "Database", "is up to date" if current else "will be brought up to date by the next start")


def _addresses(config: Config) -> Finding:
    if config.secure:
        hint = (
            ""
            if config.web.trusted_proxies
            else "Name your proxy in web.trusted_proxies, or all visitors look like one."
        )
        return Finding("warn" if hint else "ok", "Address", config.public_url, hint)
    if _is_loopback(config.web.host) and not config.web.public_url:
        return Finding("ok", "Address", f"{config.public_url}, for this machine only")
    fix = "Put a proxy with TLS in front and set web.public_url to its https:// address."
    return Finding("warn", "Address", f"{config.public_url} is not encrypted: browsers refuse cameras there", fix)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that exists."""
    return next(place for place in (folder, *folder.parents) if place.exists())
