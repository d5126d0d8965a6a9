"""Signing up, in and out."""

import asyncio
from typing import cast

import orjson
import pytest
from argon2 import PasswordHasher
from redis.asyncio import Redis
from sqlalchemy import select, update

from streamserver.accounts.errors import HandleTaken, WrongPassword
from streamserver.accounts.service import AccountService
from streamserver.accounts.tables import AccountRow
from streamserver.config import AccountsConfig
from streamserver.kit.errors import Invalid, NotFound, TooManyRequests
from streamserver.kit.sql import Database
from streamserver.messages.accounts import SignIn, SignUp
from streamserver.realtime.publisher import RedisPublisher
from tests.accounts.conftest import Hear

PASSWORD = "clay and patience"
HERE = "198.51.100.7"


async def sign_up(accounts: AccountService, handle: str = "ines") -> str:
    return (await accounts.sign_up(SignUp(handle=handle, name=handle.title(), password=PASSWORD)))[1]


async def sign_in(accounts: AccountService, handle: str = "ines", password: str = PASSWORD, client: str = HERE) -> str:
    return (await accounts.sign_in(SignIn(handle=handle, password=password), client))[1]


async def test_signing_up_signs_in(accounts: AccountService) -> None:
    """The secret given at sign-up names the new account."""
    identity = await accounts.identify(await sign_up(accounts), "dev_1")
    assert identity.require_account().handle == "ines"
    assert identity.require_account().person.name == "Ines"
    assert identity.buyers == (identity.require_account().id, "dev_1")


async def test_signing_in_gives_a_session_of_its_own(accounts: AccountService) -> None:
    """Each sign-in has its own secret, and each names the same account."""
    first, second = await sign_up(accounts), await sign_in(accounts)
    assert first != second
    identities = [await accounts.identify(secret, "dev_1") for secret in (first, second)]
    assert identities[0].account == identities[1].account
    assert identities[0].session != identities[1].session


async def test_a_handle_exists_once(accounts: AccountService) -> None:
    """Of many who ask for one handle at the same moment, one gets it and the others are told."""
    results = await asyncio.gather(*(sign_up(accounts) for _ in range(4)), return_exceptions=True)
    assert sum(isinstance(result, str) for result in results) == 1
    assert sum(isinstance(result, HandleTaken) for result in results) == 3


@pytest.mark.parametrize("handle", ["admin", "api", "static", "support"])
async def test_names_of_the_server_itself_are_refused(accounts: AccountService, handle: str) -> None:
    """Nobody can sign up under a name that could pass for the server's."""
    with pytest.raises(HandleTaken):
        await sign_up(accounts, handle)


async def test_a_wrong_password_and_an_unknown_name_read_the_same(accounts: AccountService) -> None:
    """An answer never tells who has an account."""
    await sign_up(accounts)
    with pytest.raises(WrongPassword) as wrong:
        await sign_in(accounts, password="not the password")
    with pytest.raises(WrongPassword) as unknown:
        await sign_in(accounts, handle="nobody")
    assert wrong.value.problem() == unknown.value.problem()


async def test_no_password_is_kept(accounts: AccountService, database: Database) -> None:
    """The database holds an Argon2id hash."""
    await sign_up(accounts)
    async with database.read() as session:
        stored = await session.scalar(select(AccountRow.password))
    assert stored is not None
    assert stored.startswith("$argon2id$")
    assert PASSWORD not in stored


async def test_an_old_hash_is_renewed_at_sign_in(accounts: AccountService, database: Database) -> None:
    """When the parameters change, a password is hashed anew the next time it is seen, and still works."""
    await sign_up(accounts)
    old = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
    async with database.write() as session:
        await session.execute(update(AccountRow).values(password=old))
    await sign_in(accounts)
    async with database.read() as session:
        assert await session.scalar(select(AccountRow.password)) != old
    await sign_in(accounts)


@pytest.fixture
def strict(database: Database, redis: Redis) -> AccountService:
    """Three failures are allowed."""
    return AccountService(database, redis, AccountsConfig(sign_in_attempts=3), RedisPublisher(redis))


async def fail(
    accounts: AccountService, times: int, client: str = HERE, handle: str = "ines"
) -> list[type[BaseException]]:
    """How that many sign-ins with a wrong password end, all sent at once."""
    tries = (sign_in(accounts, handle, "not the password", client) for _ in range(times))
    results = await asyncio.gather(*tries, return_exceptions=True)
    return sorted(
        (type(result) for result in results if isinstance(result, BaseException)), key=lambda kind: kind.__name__
    )


async def test_one_client_may_fail_so_often(strict: AccountService) -> None:
    """Guesses sent all at once get no further than guesses sent one by one; the right password has to wait then too."""
    await sign_up(strict)
    assert await fail(strict, 5) == [TooManyRequests] * 2 + [WrongPassword] * 3
    with pytest.raises(TooManyRequests) as refused:
        await sign_in(strict)
    assert 0 < refused.value.details["retry_after"] <= 300


async def test_other_clients_are_not_slowed_down(strict: AccountService) -> None:
    """Somebody who fails elsewhere does not lock the owner out at once."""
    await sign_up(strict)
    await fail(strict, 5)
    assert await sign_in(strict, client="203.0.113.9")


async def test_many_clients_together_may_not_guess_one_password(strict: AccountService) -> None:
    """A handle has a limit of its own, whatever addresses the guesses come from."""
    await sign_up(strict)
    for number in range(15):
        assert await fail(strict, 1, client=f"203.0.113.{number}") == [WrongPassword]
    assert await fail(strict, 1, client="203.0.113.99") == [TooManyRequests]


async def test_a_network_of_ipv6_addresses_is_one_client(strict: AccountService) -> None:
    """Whoever has a /64 cannot start anew with each of its addresses."""
    for number in range(3):
        await fail(strict, 1, client=f"2001:db8::{number}")
    assert await fail(strict, 1, client="2001:db8::ffff") == [TooManyRequests]
    assert await fail(strict, 1, client="2001:db8:0:1::1", handle="else") == [WrongPassword]


async def test_success_is_not_counted(strict: AccountService) -> None:
    """An office behind one address can sign in all day."""
    await sign_up(strict)
    for _ in range(8):
        await sign_in(strict)


async def test_signing_out_ends_the_session_and_its_sockets(accounts: AccountService, hear: Hear) -> None:
    """The secret is worth nothing afterwards, and every web process is told to close its sockets."""
    secret, other = await sign_up(accounts), await sign_in(accounts)
    identity = await accounts.identify(secret, "dev_1")
    await accounts.sign_out(identity)
    assert await hear() == ["session", identity.session]
    assert (await accounts.identify(secret, "dev_1")).account is None
    assert (await accounts.identify(other, "dev_1")).account is not None


async def test_all_sessions_of_an_account_can_be_ended(accounts: AccountService, hear: Hear) -> None:
    """One call signs a person out on every device, and nobody else."""
    secrets = [await sign_up(accounts), await sign_in(accounts), await sign_in(accounts)]
    stranger = await sign_up(accounts, "tomas")
    identities = [await accounts.identify(secret, "dev_1") for secret in secrets]
    await accounts.sign_out_everywhere(identities[0].require_account().id)
    assert {(await hear())[1] for _ in secrets} == {identity.session for identity in identities}
    assert [(await accounts.identify(secret, "dev_1")).account for secret in secrets] == [None] * 3
    assert (await accounts.identify(stranger, "dev_1")).account is not None


async def keys_of(redis: Redis, pattern: str = "*") -> list[str]:
    return [key.decode() for key in cast("list[bytes]", await redis.keys(pattern))]


async def test_redis_never_learns_a_secret_and_every_key_expires(accounts: AccountService, redis: Redis) -> None:
    """A copy of Redis lets nobody in, and nothing stays for ever."""
    secret = await sign_up(accounts)
    with pytest.raises(WrongPassword):
        await sign_in(accounts, password="not the password")
    keys = await keys_of(redis)
    assert len(keys) == 4
    for key in keys:
        assert await redis.pttl(key) > 0, key
        assert secret not in key
        assert secret.encode() not in (await redis.dump(key) or b"")


async def test_a_session_in_use_lives_on(accounts: AccountService, redis: Redis) -> None:
    """Using a session more than an hour after it was last renewed gives it its whole time again."""
    secret = await sign_up(accounts)
    [key] = await keys_of(redis, "session:*")
    *who, renewed_at = orjson.loads(await redis.get(key) or b"")
    await redis.set(key, orjson.dumps([*who, renewed_at - 3_700_000]), px=60_000)
    await accounts.identify(secret, "dev_1")
    assert await redis.pttl(key) > 29 * 86_400_000


@pytest.mark.parametrize("secret", [None, "", "session_made-up", "\udcff\udcfe", "x" * 100_000])
async def test_a_secret_that_is_none_makes_a_guest(accounts: AccountService, secret: str | None) -> None:
    """A stranger's cookie, whatever it holds, is a guest's."""
    assert (await accounts.identify(secret, "dev_1")).buyers == ("dev_1",)


async def test_people_are_found_by_handle_and_by_id(accounts: AccountService) -> None:
    """Other parts look people up; who does not exist is said so, or left out."""
    await sign_up(accounts)
    ines = await accounts.by_handle("ines")
    assert await accounts.by_ids([ines.id, "acc_nobody"]) == {ines.id: ines}
    with pytest.raises(NotFound, match="tomas"):
        await accounts.by_handle("tomas")


async def test_an_admin_is_made_by_the_servers_owner(accounts: AccountService) -> None:
    """An admin may have a name that others may not, but no weaker password."""
    assert (await accounts.create_admin("admin", "Admin", PASSWORD)).is_admin
    identity = await accounts.identify(await sign_in(accounts, "admin"), "dev_1")
    assert identity.require_account().is_admin
    with pytest.raises(HandleTaken):
        await accounts.create_admin("admin", "Admin", PASSWORD)
    with pytest.raises(Invalid, match="10 characters"):
        await accounts.create_admin("boss", "Boss", "short")
