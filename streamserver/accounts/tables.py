"""Accounts and their API tokens. Sessions are in Redis: see sessions.py."""

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from streamserver.accounts.model import Account
from streamserver.kit.sql import Table


class AccountRow(Table):
    __tablename__ = "accounts"

    id: Mapped[str] = mapped_column(primary_key=True)
    handle: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    password: Mapped[str]  # Argon2id with its parameters and salt
    is_admin: Mapped[bool]
    created_at: Mapped[int]

    @property
    def account(self) -> Account:
        return Account(self.id, self.handle, self.name, self.is_admin)


class TokenRow(Table):
    """An API token. `digest` is the SHA-256 of the secret, which is kept nowhere."""

    __tablename__ = "api_tokens"

    id: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"), index=True)
    digest: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    scopes: Mapped[list[str]]
    created_at: Mapped[int]
    last_used_at: Mapped[int | None]
    revoked_at: Mapped[int | None]
