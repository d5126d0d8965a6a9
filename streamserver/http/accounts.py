"""Accounts, sessions, API tokens over HTTP."""

from typing import Protocol

from streamserver.accounts.errors import HandleTaken, WrongPassword
from streamserver.accounts.model import Account, Identity
from streamserver.accounts.service import AccountService
from streamserver.http.api import Call, Routes
from streamserver.kit.errors import Forbidden, NotFound, SignInNeeded, TooManyRequests
from streamserver.messages.accounts import CreatedToken, Me, NewToken, ShopRole, SignIn, SignUp, TokenList
from streamserver.messages.base import Nothing


class ShopRoles(Protocol):
    """Where an account works; the catalog knows."""

    async def roles_of(self, account: str) -> list[ShopRole]: ...


def account_routes(accounts: AccountService, shops: ShopRoles) -> Routes:
    api = Routes("accounts")

    @api.post("/accounts", body=SignUp, answer=Me, status=201, scope=None, failures=(HandleTaken,))
    async def sign_up(call: Call, body: SignUp) -> Me:
        """Make an account and sign in."""
        account, secret = await accounts.sign_up(body)
        return await enter(call, account, secret)

    @api.post("/session", body=SignIn, answer=Me, scope=None, failures=(WrongPassword, TooManyRequests))
    async def sign_in(call: Call, body: SignIn) -> Me:
        """Sign in. The browser gets a session cookie that scripts cannot read."""
        account, secret = await accounts.sign_in(body, call.client)
        return await enter(call, account, secret)

    @api.delete("/session", answer=Nothing, scope=None)
    async def sign_out(call: Call) -> Nothing:
        """Sign out. Sockets opened with this session are closed."""
        await accounts.sign_out(call.identity)
        call.clear_session()
        return Nothing()

    @api.get("/me", answer=Me)
    async def me(call: Call) -> Me:
        """Say who the caller is. A newcomer's browser gets its device mark."""
        call.visit.keep_device(call.identity.device)
        return await describe(call.identity)

    @api.get("/tokens", answer=TokenList, scope=None, failures=(SignInNeeded, Forbidden))
    async def tokens(call: Call) -> TokenList:
        """List the caller's API tokens, without their secrets."""
        return await accounts.tokens(person(call))

    @api.post("/tokens", body=NewToken, answer=CreatedToken, status=201, scope=None, failures=(SignInNeeded, Forbidden))
    async def create_token(call: Call, body: NewToken) -> CreatedToken:
        """Make an API token. Its secret is shown this once."""
        return await accounts.create_token(person(call), body)

    @api.delete("/tokens/{token}", answer=Nothing, scope=None, failures=(SignInNeeded, Forbidden, NotFound))
    async def revoke_token(call: Call) -> Nothing:
        """Revoke an API token. Sockets opened with it are closed."""
        await accounts.revoke_token(person(call), call.path["token"])
        return Nothing()

    async def enter(call: Call, account: Account, secret: str) -> Me:
        await accounts.sign_out(call.identity)  # whoever used this browser before
        call.set_session(secret)
        return await describe(Identity(call.identity.device, account))

    async def describe(identity: Identity) -> Me:
        account = identity.account
        return Me(
            account=account.person if account else None,
            device=identity.device,
            is_admin=bool(account and account.is_admin),
            shops=await shops.roles_of(account.id) if account else [],
        )

    return api


def person(call: Call) -> Account:
    """The caller, who must be there in person: a token must not make itself a stronger one."""
    if call.identity.scopes is not None:
        raise Forbidden("API tokens cannot manage API tokens. Sign in with a browser.")
    return call.identity.require_account()
