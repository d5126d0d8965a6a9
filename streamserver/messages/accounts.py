"""Accounts, sessions, API tokens."""

from typing import Annotated, Literal

from pydantic import StringConstraints

from streamserver.messages.base import Handle, Id, Message, Printable, ShortText, Time

Password = Annotated[str, StringConstraints(min_length=10, max_length=200)]
Typed = Annotated[str, StringConstraints(max_length=1_000), Printable]
Scope = Literal["read", "buy", "rooms", "shops"]


class Person(Message):
    """How an account appears to others."""

    handle: Handle
    name: ShortText


class SignUp(Message):
    handle: Handle
    name: ShortText
    password: Password


class SignIn(Message):
    """Any text that could have been typed: what was meant is told only by whether it is right."""

    handle: Typed
    password: Typed


class ShopRole(Message):
    id: Id
    handle: Handle
    name: ShortText
    role: Literal["owner", "staff"]


class Me(Message):
    """Who the caller is. `account` is null for a guest; `device` names the browser's signed mark."""

    account: Person | None
    device: str
    is_admin: bool = False
    shops: list[ShopRole] = []


class NewToken(Message):
    """`scopes`: *read* what you may see, *buy* hold and order, *rooms* run rooms, *shops* manage shops."""

    name: ShortText
    scopes: list[Scope]


class Token(Message):
    id: Id
    name: ShortText
    scopes: list[Scope]
    created_at: Time
    last_used_at: Time | None


class CreatedToken(Token):
    """The only time the secret is shown."""

    secret: str


class TokenList(Message):
    tokens: list[Token]
