"""Rooms in SQL: what the host decided. What is live (pins, units, the log) is in Redis."""

from sqlalchemy import Connection, ForeignKey, Index, String, event
from sqlalchemy.orm import Mapped, Mapper, mapped_column

from streamserver.kit.sql import Table
from streamserver.messages.stock import Mode


class RoomRow(Table):
    """`revision` rises with every change; up to `projected`, viewers have been told (see `rooms/book.py`). The viewers are
    written with the end: until then `Presence` counts them."""

    __tablename__ = "rooms"
    __table_args__ = (Index("ix_rooms_status_scheduled_at", "status", "scheduled_at"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    creator: Mapped[str] = mapped_column(ForeignKey("accounts.id"), index=True)
    title: Mapped[str]
    description: Mapped[str]
    status: Mapped[str]
    scheduled_at: Mapped[int | None]
    created_at: Mapped[int]
    started_at: Mapped[int | None]
    ending_at: Mapped[int | None]
    ended_at: Mapped[int | None]
    peak_viewers: Mapped[int | None] = mapped_column(default=None)
    unique_viewers: Mapped[int | None] = mapped_column(default=None)
    lineup_version: Mapped[int]
    revision: Mapped[int] = mapped_column(default=1)
    projected: Mapped[int] = mapped_column(default=0)


@event.listens_for(RoomRow, "before_update")
def count_revision(_mapper: Mapper[RoomRow], _connection: Connection, row: RoomRow) -> None:
    row.revision += 1


class ModeratorRow(Table):
    """`permissions` are single words, see `messages.rooms.Permission`."""

    __tablename__ = "room_moderators"

    room: Mapped[str] = mapped_column(ForeignKey("rooms.id"), primary_key=True)
    account: Mapped[str] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    permissions: Mapped[list[str]]


class AnchorRow(Table):
    """A removed anchor stays, so that its living holds and old orders still lead somewhere."""

    __tablename__ = "anchors"

    id: Mapped[str] = mapped_column(primary_key=True)
    room: Mapped[str] = mapped_column(ForeignKey("rooms.id"), index=True)
    product: Mapped[str] = mapped_column(ForeignKey("products.id"), index=True)
    position: Mapped[int]
    mode: Mapped[Mode] = mapped_column(String)
    removed_at: Mapped[int | None] = mapped_column(default=None)


class AnchorVariantRow(Table):
    """Terms of one variant in one room; `price` null is the variant's own."""

    __tablename__ = "anchor_variants"

    anchor: Mapped[str] = mapped_column(ForeignKey("anchors.id"), primary_key=True)
    variant: Mapped[str] = mapped_column(ForeignKey("variants.id"), primary_key=True)
    price: Mapped[int | None]
    limit: Mapped[int]


class TapRow(Table):
    """A viewer opened an anchor."""

    __tablename__ = "taps"

    id: Mapped[str] = mapped_column(primary_key=True)
    room: Mapped[str] = mapped_column(ForeignKey("rooms.id"), index=True)
    anchor: Mapped[str] = mapped_column(ForeignKey("anchors.id"))
    account: Mapped[str | None]
    device: Mapped[str]
    at: Mapped[int]


class RoomEventRow(Table):
    """The room's log beyond what Redis keeps: the finished event as it was sent."""

    __tablename__ = "room_events"

    room: Mapped[str] = mapped_column(ForeignKey("rooms.id"), primary_key=True)
    epoch: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[int]
    event: Mapped[str]
