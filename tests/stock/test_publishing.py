"""A published ledger: anybody can check it, and whoever changes it is found out."""

from pathlib import Path

import pytest
from redis.asyncio import Redis

from streamserver.kit.sql import Database
from streamserver.stock.archive import LedgerArchive
from streamserver.stock.publishing import check, publish
from streamserver.stock.store import PoolStore
from tests.harness import environment, run
from tests.stock.ledger import POOL, hold, open_pool


@pytest.fixture
async def lines(database: Database, redis: Redis) -> list[str]:
    """Ten units, three holds, one of them sold."""
    store = PoolStore(redis)
    await open_pool(store)
    [first, *_] = await hold(store, ["ana", "bo", "cy"])
    await store.run("confirm", POOL, "pay_1", 1, first)
    await LedgerArchive(database, redis).move(POOL)
    return [line async for line in publish(database, POOL)]


async def test_a_published_ledger_proves_what_was_sold(lines: list[str]) -> None:
    """Without any server, and without naming anybody."""
    found = check(lines)
    assert (found.pool, found.entries, found.findings) == (POOL, 6, [])
    assert {name: found.units["var_a"][name] for name in ("available", "held", "sold")} == {
        "available": 7, "held": 2, "sold": 1,
    }  # fmt: skip
    assert not any(name in line for line in lines for name in ('"ana"', '"bo"', '"cy"', "dev_phone"))


@pytest.mark.parametrize("number", [1, 3, 4])
async def test_a_line_left_out_is_found(lines: list[str], number: int) -> None:
    assert check(lines[:number] + lines[number + 1 :]).findings


async def test_a_changed_line_is_found(lines: list[str]) -> None:
    changed = lines[2].replace('"price":100', '"price":1')
    assert changed != lines[2]
    assert "row 3 or its hash was changed" in check([*lines[:2], changed, *lines[3:]]).findings[0]


async def test_a_shortened_ledger_has_another_newest_hash(lines: list[str]) -> None:
    """The end may be cut off unnoticed by the file alone: the hash that was made known tells."""
    assert check(lines[:-1]).head != check(lines).head


@pytest.mark.parametrize("text", ["", "no JSON", '{"hash": "1"}', '{"hash": "1", "entry": {}}'])
def test_what_is_no_ledger_is_said_so(text: str) -> None:
    assert check(text.splitlines() or []).findings


async def test_the_commands_print_and_check(tmp_path: Path) -> None:
    """What is not there, and what is not a ledger, ends with 1 and a sentence."""
    env = environment(tmp_path / "data")
    (tmp_path / "ledger").write_text("nonsense\n")
    nonsense = run("check-ledger", str(tmp_path / "ledger"), env=env)
    unknown = run("publish-ledger", "room:unknown", env=env)
    assert (unknown.returncode, "no ledger of 'room:unknown'" in unknown.stderr) == (1, True)
    assert (nonsense.returncode, "Line 1 is not a line of a ledger." in nonsense.stdout) == (1, True)
