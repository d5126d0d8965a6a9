"""API tokens."""

import pytest
from sqlalchemy import select

from streamserver.accounts.model import Account
from streamserver.accounts.service import AccountService
from streamserver.accounts.tables import TokenRow
from streamserver.kit.errors import Forbidden, Invalid, NotFound, SignInNeeded
from streamserver.kit.sql import Database
from streamserver.messages.accounts import NewToken, SignUp
from tests.accounts.conftest import Hear


@pytest.fixture
async def ines(accounts: AccountService) -> Account:
    return (await accounts.sign_up(SignUp(handle="ines", name="Ines", password="clay and patience")))[0]


async def test_a_token_acts_for_its_owner_within_its_scopes(accounts: AccountService, ines: Account) -> None:
    """It is its owner, but may do only what was ticked."""
    token = await accounts.create_token(ines, NewToken(name="stock sync", scopes=["read", "shops"]))
    identity = await accounts.identify_token(token.secret)
    assert identity.account == ines
    assert identity.session == token.id
    identity.require_scope("shops")
    with pytest.raises(Forbidden, match="buy"):
        identity.require_scope("buy")


async def test_the_secret_is_shown_once(accounts: AccountService, ines: Account, database: Database) -> None:
    """Neither the list nor the database has it."""
    token = await accounts.create_token(ines, NewToken(name="stock sync", scopes=["read"]))
    assert token.secret not in (await accounts.tokens(ines)).model_dump_json()
    async with database.read() as session:
        assert token.secret not in str((await session.execute(select(TokenRow.__table__))).all())


async def test_the_list_tells_which_tokens_are_used(accounts: AccountService, ines: Account) -> None:
    """A token that was never used has no time."""
    used, idle = [await accounts.create_token(ines, NewToken(name=name, scopes=["read"])) for name in ("used", "idle")]
    await accounts.identify_token(used.secret)
    listed = {token.id: token.last_used_at for token in (await accounts.tokens(ines)).tokens}
    assert listed[used.id] is not None
    assert listed[idle.id] is None


async def test_a_revoked_token_is_worth_nothing_at_once(accounts: AccountService, ines: Account, hear: Hear) -> None:
    """It leaves the list, is refused, and its sockets are closed."""
    token = await accounts.create_token(ines, NewToken(name="stock sync", scopes=["read"]))
    await accounts.revoke_token(ines, token.id)
    assert await hear() == ["session", token.id]
    assert (await accounts.tokens(ines)).tokens == []
    with pytest.raises(SignInNeeded, match="revoked"):
        await accounts.identify_token(token.secret)
    with pytest.raises(NotFound):
        await accounts.revoke_token(ines, token.id)


async def test_nobody_revokes_another_persons_token(accounts: AccountService, ines: Account) -> None:
    """To others it does not exist."""
    token = await accounts.create_token(ines, NewToken(name="stock sync", scopes=["read"]))
    tomas, _ = await accounts.sign_up(SignUp(handle="tomas", name="Tomas", password="glaze and glory"))
    with pytest.raises(NotFound):
        await accounts.revoke_token(tomas, token.id)
    assert await accounts.identify_token(token.secret)


async def test_a_token_must_be_for_something(accounts: AccountService, ines: Account) -> None:
    """One without scopes could do nothing."""
    with pytest.raises(Invalid) as refused:
        await accounts.create_token(ines, NewToken(name="empty", scopes=[]))
    assert refused.value.details["errors"][0]["field"] == "scopes"


@pytest.mark.parametrize("secret", ["", "token_made-up", "\udcff"])
async def test_a_made_up_token_is_refused(accounts: AccountService, secret: str) -> None:
    """A wrong token is never a guest: whoever sent it wants to know."""
    with pytest.raises(SignInNeeded):
        await accounts.identify_token(secret)
