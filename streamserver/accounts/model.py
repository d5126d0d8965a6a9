"""An identity, as every other part sees it."""

from dataclasses import dataclass

from streamserver.kit.errors import Failure, Forbidden, SignInNeeded
from streamserver.messages.accounts import Person, Scope


class UnknownDevice(Failure):
    code, status = "unknown_device", 403
    sentence = (
        "Open the shop in your browser first, and allow its cookies. Programs: GET /api/v1/me, and send its cookie."
    )


@dataclass(frozen=True, slots=True)
class Account:
    id: str
    handle: str
    name: str
    is_admin: bool

    @property
    def person(self) -> Person:
        return Person(handle=self.handle, name=self.name)


@dataclass(frozen=True, slots=True)
class Identity:
    """Whoever makes a request. `device` is the signed mark of a browser; `session` the id of a sign-in or API token;
    `scopes` None means all of them (a person in a browser). `is_known`: the device mark was sent along, not made for this
    very request."""

    device: str
    account: Account | None = None
    session: str | None = None
    scopes: frozenset[Scope] | None = None
    is_known: bool = True

    @property
    def buyer(self) -> str:
        """Whose limits a hold counts against."""
        return self.account.id if self.account else self.device

    @property
    def buyers(self) -> tuple[str, ...]:
        """Whose holds and orders this identity may see: those made before signing in are still theirs."""
        return (self.account.id, self.device) if self.account else (self.device,)

    def require_account(self) -> Account:
        if self.account is None:
            raise SignInNeeded
        return self.account

    def require_known(self) -> None:
        """Limits count devices: one that nobody has sent back yet could be a new one each time."""
        if self.account is None and not self.is_known:
            raise UnknownDevice

    def require_scope(self, scope: Scope) -> None:
        if self.scopes is not None and scope not in self.scopes:
            raise Forbidden(f"This API token lacks the scope '{scope}'.", scope=scope)
