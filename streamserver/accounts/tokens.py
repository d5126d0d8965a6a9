"""API tokens: a bearer secret with the rights that its owner chose, shown once and kept as a digest."""

from typing import cast

from sqlalchemy import select, update

from streamserver.accounts.model import Account, Identity
from streamserver.accounts.sessions import digest
from streamserver.accounts.tables import AccountRow, TokenRow
from streamserver.kit.clock import now_ms
from streamserver.kit.errors import Invalid, NotFound, SignInNeeded
from streamserver.kit.ids import new_id, new_secret
from streamserver.kit.sql import Database
from streamserver.messages.accounts import CreatedToken, NewToken, Scope, Token, TokenList

USE_NOTED_MS = 60_000  # `last_used_at` is true to a minute: a busy token does not write at every request


class Tokens:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def identify(self, secret: str) -> Identity:
        """A token is its own device. Raises `SignInNeeded`."""
        statement = (
            select(TokenRow, AccountRow)
            .join(AccountRow, AccountRow.id == TokenRow.account_id)
            .where(TokenRow.digest == digest(secret), TokenRow.revoked_at.is_(None))
        )
        async with self._database.read() as session:
            found = (await session.execute(statement)).first()
        if found is None:
            raise SignInNeeded("This API token is not valid. It may have been revoked.")
        token, owner = found
        if now_ms() - (token.last_used_at or 0) > USE_NOTED_MS:
            await self._change(token.id, last_used_at=now_ms())
        return Identity(token.id, owner.account, session=token.id, scopes=_scopes(token))

    async def of(self, account: Account) -> TokenList:
        """The account's tokens that work, oldest first."""
        statement = select(TokenRow).where(TokenRow.account_id == account.id, TokenRow.revoked_at.is_(None))
        async with self._database.read() as session:
            rows = await session.scalars(statement.order_by(TokenRow.id))
            return TokenList(tokens=[_message(row) for row in rows])

    async def create(self, account: Account, wish: NewToken) -> CreatedToken:
        """Raises `Invalid` when no scope was chosen."""
        if not wish.scopes:
            raise Invalid(errors=[{"field": "scopes", "message": "Choose at least one thing that the token may do."}])
        secret = new_secret("token")
        row = TokenRow(
            id=new_id("token"), account_id=account.id, digest=digest(secret), name=wish.name,
            scopes=sorted(set(wish.scopes)), created_at=now_ms(), last_used_at=None, revoked_at=None,
        )  # fmt: skip
        async with self._database.write() as session:
            session.add(row)
        return CreatedToken(**dict(_message(row)), secret=secret)

    async def revoke(self, account: Account, token: str) -> None:
        """Raises `NotFound`."""
        async with self._database.read() as session:
            row = await session.get(TokenRow, token)
        if row is None or row.account_id != account.id or row.revoked_at is not None:
            raise NotFound("You have no such API token.")
        await self._change(token, revoked_at=now_ms())

    async def _change(self, token: str, **values: int) -> None:
        async with self._database.write() as session:
            await session.execute(update(TokenRow).where(TokenRow.id == token).values(**values))


def _scopes(row: TokenRow) -> frozenset[Scope]:
    return frozenset(cast("list[Scope]", row.scopes))


def _message(row: TokenRow) -> Token:
    return Token(
        id=row.id, name=row.name, scopes=cast("list[Scope]", row.scopes), created_at=row.created_at,
        last_used_at=row.last_used_at,
    )  # fmt: skip
