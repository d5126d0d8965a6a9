"""The commands of `run.py`. Each loads what it needs itself: a web process restarts a second sooner without the others' parts."""

import asyncio
import os
import resource
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import uvloop
from rich.console import Console

from streamserver.cli.bound import die_with_parent
from streamserver.cli.errors import EXIT_CONFIG, CannotStartError
from streamserver.cli.paths import PROJECT
from streamserver.cli.redis_server import located
from streamserver.config import PREFIX, Config, ConfigError
from streamserver.kit import log
from streamserver.kit.errors import Failure

if TYPE_CHECKING:
    from streamserver.stock.audit import Verdict

app = typer.Typer(
    help="A self-hosted live-shopping server.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
ConfigPath = Annotated[Path, typer.Option("--config", envvar=f"{PREFIX}CONFIG", help="The configuration file.")]
ChildName = Annotated[str, typer.Option("--name")]
ParentId = Annotated[int, typer.Option("--parent")]
DEFAULT = PROJECT / "config.toml"


def main() -> None:
    """Run the command in `sys.argv`; what is expected to go wrong ends it with a sentence instead of a traceback."""
    try:
        app()
    except ConfigError as error:
        _give_up(str(error), EXIT_CONFIG)
    except (CannotStartError, Failure) as error:
        _give_up(str(error), 1)


@app.command()
def serve(
    config: ConfigPath = DEFAULT,
    host: Annotated[str | None, typer.Option(help="Address to listen on, instead of web.host.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on, instead of web.port.")] = None,
) -> None:
    """Run the server until it is stopped with Ctrl-C or SIGTERM."""
    for key, value in (("HOST", host), ("PORT", port)):
        if value is not None:
            os.environ[f"{PREFIX}WEB__{key}"] = str(value)  # reaches the children too
    from streamserver.cli import supervisor

    loaded = _load(config, "supervisor")
    _allow_many_sockets()
    asyncio.run(supervisor.serve(loaded, config.resolve()))


@app.command()
def demo(
    config: ConfigPath = DEFAULT,
    viewers: Annotated[int, typer.Option(help="How many made-up viewers watch and buy.", min=0, max=500)] = 12,
) -> None:
    """Run the server with a shop, people, a live show and a made-up audience, in a data folder of its own."""
    from streamserver.cli import demo as demo_show

    demo_show.prepare_environment(Config.load(config))
    loaded = _load(config, "demo")
    _allow_many_sockets()
    asyncio.run(demo_show.run(loaded, config.resolve(), viewers))


@app.command()
def doctor(config: ConfigPath = DEFAULT) -> None:
    """Check this machine and the configuration, and say how to mend what is wrong."""
    from streamserver.cli.doctor import examine, show

    findings = asyncio.run(examine(Config.load(config)))
    show(findings, Console())
    if any(finding.grade == "fail" for finding in findings):
        raise typer.Exit(1)


@app.command()
def audit(
    config: ConfigPath = DEFAULT,
    pool: Annotated[str | None, typer.Option(help="Only this pool, e.g. room:<id> or shop:<id>.")] = None,
    repair: Annotated[bool, typer.Option("--repair", help="Mend what can be mended without overselling.")] = False,
) -> None:
    """Prove that no unit was lost or sold twice and that nobody changed the ledger, pool by pool."""
    from streamserver.cli.audit import examine, show
    from streamserver.cli.prepared import prepared

    async def work() -> "tuple[list[Verdict], list[str]]":
        async with prepared(_load(config, "command")) as ready:
            return await examine(ready, pool, mend=repair)

    verdicts, repairs = asyncio.run(work())
    show(verdicts, repairs, Console())
    if any(verdict.findings for verdict in verdicts):
        raise typer.Exit(1)


@app.command()
def publish_ledger(
    pool: Annotated[str, typer.Argument(help="For example room:<id>; `audit` lists all.")], config: ConfigPath = DEFAULT
) -> None:
    """Print a pool's archived ledger, one entry a line, with nobody named: for everyone to check."""
    from streamserver.cli.prepared import prepared
    from streamserver.kit.sql import Database
    from streamserver.stock.publishing import publish

    async def work() -> int:
        async with prepared(_load(config, "command")) as ready:
            database = Database(ready.database_url)
            try:
                return len([print(line) async for line in publish(database, pool)])
            finally:
                await database.close()

    if not asyncio.run(work()):
        _give_up(f"There is no ledger of '{pool}'. `run.py audit` lists all pools.", 1)


@app.command()
def check_ledger(file: Annotated[Path, typer.Argument(help="What publish-ledger printed.", exists=True)]) -> None:
    """Check a published ledger: that it is whole, and that nothing was sold that was not there."""
    from streamserver.stock.publishing import check

    with file.open() as lines:
        found = check(lines)
    for finding in found.findings:
        print(finding)
    sold = sum(units["sold"] for units in found.units.values())
    print(f"{found.pool}: {found.entries} entries, {sold} units sold. Newest hash: {found.head}")
    if found.findings:
        raise typer.Exit(1)


@app.command()
def create_admin(
    handle: str,
    config: ConfigPath = DEFAULT,
    name: Annotated[str | None, typer.Option(help="The name that people see; the handle when left out.")] = None,
) -> None:
    """Make an account that may do everything. The password is asked for, or read from standard input."""
    password = _read_password()

    async def work(config: Config) -> str:
        from streamserver.app import build

        services = build(config)
        try:
            await services.people.create_admin(handle, name or handle, password)
        finally:
            await services.close()
        return f"'{handle}' may now sign in at {config.public_url}/sign-in and do everything."

    _run_prepared(config, work)


@app.command()
def import_products(
    file: Annotated[Path, typer.Argument(help="A product file as Shopify exports it.", exists=True, dir_okay=False)],
    shop: Annotated[str, typer.Option(help="The handle of the shop that sells them.")],
    config: ConfigPath = DEFAULT,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")] = False,
) -> None:
    """Read products from a Shopify CSV file. The same file twice changes nothing."""

    async def work(config: Config) -> str:
        from streamserver.app import build
        from streamserver.catalog.importer import import_file
        from streamserver.catalog.shopify_rows import UnreadableFileError

        services = build(config)
        try:
            return str(await import_file(services.catalog, shop, file, dry_run))
        except (OSError, UnreadableFileError) as error:
            raise CannotStartError(f"{file} cannot be imported: {error}") from error
        finally:
            await services.close()

    _run_prepared(config, work)


@app.command(hidden=True)
def web(name: ChildName, parent: ParentId, config: ConfigPath = DEFAULT) -> None:
    """Serve pages, API and sockets; started by `serve`."""
    die_with_parent(parent)
    loaded = located(_load(config, name))
    from streamserver.app import run_web

    uvloop.run(run_web(loaded))


@app.command(hidden=True)
def jobs(name: ChildName, parent: ParentId, config: ConfigPath = DEFAULT) -> None:
    """Do what nobody waits for; started by `serve`."""
    die_with_parent(parent)
    loaded = located(_load(config, name))
    from streamserver.app import run_jobs

    uvloop.run(run_jobs(loaded))


def _load(path: Path, process: str) -> Config:
    loaded = Config.load(path)
    log.set_up(loaded.server.log_level, loaded.server.log_json, process)
    return loaded


def _run_prepared(path: Path, work: Callable[[Config], Coroutine[Any, Any, str]]) -> None:
    from streamserver.app import recover
    from streamserver.cli.prepared import prepared

    async def run() -> str:
        async with prepared(_load(path, "command")) as config:
            await recover(config)
            return await work(config)

    print(asyncio.run(run()))


def _read_password() -> str:
    if sys.stdin.isatty():
        return typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return sys.stdin.readline().rstrip("\r\n")


def _allow_many_sockets() -> None:
    """Every viewer is an open file; many systems allow 1,024 until asked for more."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _give_up(message: str, code: int) -> None:
    print(message, file=sys.stderr)
    sys.exit(code)
