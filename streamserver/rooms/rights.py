"""Who may do what in a room: asked of SQL each time, so that a right taken away ends at once."""

from typing import cast

from streamserver.accounts.model import Account, Identity
from streamserver.kit.errors import Forbidden, NotFound
from streamserver.kit.sql import Database
from streamserver.messages.rooms import Right
from streamserver.rooms.model import ALL_RIGHTS
from streamserver.rooms.tables import ModeratorRow, RoomRow

SENTENCES: dict[Right, str] = {
    "host": "Only the host of this show can do that.",
    "pin": "You are not allowed to pin here. The host can grant it.",
    "lineup": "You are not allowed to change the line-up. The host can grant it.",
}


class Rights:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, room: str, account: Account | None) -> list[Right]:
        """The account's rights in the room; the host and admins have all. Raises NotFound."""
        async with self._database.read() as session:
            row = await session.get(RoomRow, room)
            if row is None:
                raise NotFound("There is no such show.")
            if account is None:
                return []
            if account.is_admin or row.creator == account.id:
                return list(ALL_RIGHTS)
            grant = await session.get(ModeratorRow, (room, account.id))
            return cast("list[Right]", grant.permissions) if grant else []

    async def require(self, room: str, identity: Identity, right: Right) -> Account:
        """The account, if it has the right. Raises SignInNeeded, Forbidden, NotFound."""
        account = identity.require_account()
        identity.require_scope("rooms")
        if right not in await self.of(room, account):
            raise Forbidden(SENTENCES.get(right), right=right)
        return account
