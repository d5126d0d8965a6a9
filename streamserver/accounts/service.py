"""Who someone is: accounts, their sign-ins, and their API tokens."""

from collections.abc import Iterable

from pydantic import ValidationError
from redis.asyncio import Redis
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from streamserver.accounts.attempts import Attempts
from streamserver.accounts.errors import HandleTaken, WrongPassword
from streamserver.accounts.model import Account, Identity
from streamserver.accounts.passwords import Passwords
from streamserver.accounts.sessions import Sessions
from streamserver.accounts.tables import AccountRow
from streamserver.accounts.tokens import Tokens
from streamserver.config import AccountsConfig
from streamserver.kit.clock import now_ms
from streamserver.kit.errors import Invalid, NotFound
from streamserver.kit.ids import new_id
from streamserver.kit.sql import Database
from streamserver.messages.accounts import CreatedToken, NewToken, SignIn, SignUp, TokenList
from streamserver.messages.live import Publisher

RESERVED = frozenset({  # names that could pass for the server or its people, or be taken for an address
    "about", "account", "accounts", "admin", "administrator", "api", "app", "checkout", "help", "home", "host",
    "images", "login", "me", "moderator", "official", "orders", "pay", "payments", "products", "root", "rooms",
    "security", "seller", "session", "shop", "shops", "sign-in", "sign-up", "static", "streamserver", "studio",
    "support", "system", "tokens", "vendor", "www",
})  # fmt: skip


class AccountService:
    """`live` is the Redis that holds sessions and counts attempts."""

    def __init__(self, database: Database, live: Redis, config: AccountsConfig, publisher: Publisher) -> None:
        self._database = database
        self._publisher = publisher
        self._passwords = Passwords()
        self._sessions = Sessions(live, config.session_days)
        self._attempts = Attempts(live, config.sign_in_attempts)
        self._tokens = Tokens(database)

    async def sign_up(self, wish: SignUp) -> tuple[Account, str]:
        """Make an account and sign it in; return it with the secret for the session cookie. Raises `HandleTaken`."""
        if wish.handle in RESERVED:
            raise HandleTaken("This name is kept for the server itself. Please choose another.")
        account = await self._create(wish, is_admin=False)
        return account, await self._sessions.start(account)

    async def create_admin(self, handle: str, name: str, password: str) -> Account:
        """Make an account that may do everything. Raises `HandleTaken` and `Invalid`."""
        try:
            wish = SignUp(handle=handle, name=name, password=password)
        except ValidationError as error:
            raise Invalid(
                "A handle has 3 to 30 small letters, digits, '-' or '_'; a password has at least 10 characters."
            ) from error
        return await self._create(wish, is_admin=True)

    async def sign_in(self, wish: SignIn, client: str) -> tuple[Account, str]:
        """Return the account and the secret for the session cookie; `client` is the caller's address.

        An unknown handle and a wrong password take the same time and read the same. Raises `WrongPassword`, and
        `TooManyRequests` with `retry_after` in seconds.
        """
        await self._attempts.begin(client, wish.handle)
        async with self._database.read() as session:
            row = await _row_of(session, wish.handle)
        right = await self._passwords.check(row.password if row else None, wish.password)
        if row is None or not right:
            raise WrongPassword
        await self._attempts.succeeded(client, wish.handle)
        if self._passwords.outdated(row.password):
            await self._set_password(row.id, await self._passwords.hash(wish.password))
        return row.account, await self._sessions.start(row.account)

    async def sign_out(self, identity: Identity) -> None:
        """End the sign-in that `identity` came with, and its sockets. Guests and API tokens have none: nothing happens."""
        if identity.account and identity.session and identity.scopes is None:
            await self._end(identity.session, identity.account.id)

    async def sign_out_everywhere(self, account: str) -> None:
        """End every sign-in of an account, on all its devices. API tokens live on."""
        for session in await self._sessions.of(account):
            await self._end(session, account)

    async def identify(self, session: str | None, device: str, *, is_known: bool = True) -> Identity:
        """Who has this session's secret, in the browser `device`; a guest without one, or once it has ended. `is_known`: the
        browser sent its mark along."""
        found = await self._sessions.find(session) if session else None
        if found is None:
            return Identity(device, is_known=is_known)
        return Identity(device, account=found[1], session=found[0], is_known=is_known)

    async def identify_token(self, secret: str) -> Identity:
        """Whose API token this is, with its scopes. Raises `SignInNeeded` when it is none or was revoked."""
        return await self._tokens.identify(secret)

    async def tokens(self, account: Account) -> TokenList:
        return await self._tokens.of(account)

    async def create_token(self, account: Account, wish: NewToken) -> CreatedToken:
        """Make an API token; its secret is in this answer and nowhere else."""
        return await self._tokens.create(account, wish)

    async def revoke_token(self, account: Account, token: str) -> None:
        """End a token and the sockets opened with it. Raises `NotFound` when it is not one of the account's."""
        await self._tokens.revoke(account, token)
        await self._publisher.session_ended(token)

    async def by_handle(self, handle: str) -> Account:
        """Raises `NotFound`."""
        async with self._database.read() as session:
            row = await _row_of(session, handle)
        if row is None:
            raise NotFound(f"There is nobody here with the name '{handle}'.")
        return row.account

    async def by_ids(self, ids: Iterable[str]) -> dict[str, Account]:
        """The accounts of `ids` that exist, by id."""
        async with self._database.read() as session:
            rows = await session.scalars(select(AccountRow).where(AccountRow.id.in_(set(ids))))
            return {row.id: row.account for row in rows}

    async def _create(self, wish: SignUp, *, is_admin: bool) -> Account:
        password = await self._passwords.hash(wish.password)
        row = AccountRow(
            id=new_id("acc"), handle=wish.handle, name=wish.name, password=password, is_admin=is_admin,
            created_at=now_ms(),
        )  # fmt: skip
        try:
            async with self._database.write() as session:
                if await _row_of(session, wish.handle):
                    raise HandleTaken
                session.add(row)
        except IntegrityError as error:  # two sign-ups at the same moment
            raise HandleTaken from error
        return row.account

    async def _set_password(self, account: str, password: str) -> None:
        async with self._database.write() as session:
            await session.execute(update(AccountRow).where(AccountRow.id == account).values(password=password))

    async def _end(self, session: str, account: str) -> None:
        await self._sessions.end(session, account)
        await self._publisher.session_ended(session)


async def _row_of(session: AsyncSession, handle: str) -> AccountRow | None:
    return await session.scalar(select(AccountRow).where(AccountRow.handle == handle))
