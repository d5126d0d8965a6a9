"""Orders, their lines, and the payments tried for them."""

from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from streamserver.kit.sql import Table
from streamserver.messages.orders import OrderStatus
from streamserver.orders.model import OVER, PaymentStatus

LIVING_LINE = text("status IN ('open', 'sold')")


class LineRow(Table):
    """One hold in an order. `room` is where it was bought, for a host's sales."""

    __tablename__ = "order_lines"
    __table_args__ = (
        # Whatever races: a hold is in one living order at most.
        Index(
            "uq_order_lines_living_hold", "hold", unique=True, sqlite_where=LIVING_LINE, postgresql_where=LIVING_LINE
        ),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    order: Mapped[str] = mapped_column(ForeignKey("orders.id"), index=True)
    position: Mapped[int]
    hold: Mapped[str]
    pool: Mapped[str]
    product: Mapped[str]
    variant: Mapped[str]
    sku: Mapped[str]
    title: Mapped[str]
    variant_title: Mapped[str]
    image: Mapped[str | None]
    quantity: Mapped[int]
    price: Mapped[int]
    deadline: Mapped[int]
    status: Mapped[str]
    room: Mapped[str | None] = mapped_column(index=True)
    source: Mapped[dict[str, Any]]


class PaymentRow(Table):
    """One try to pay an order, for exactly `amount` as of `revision`."""

    __tablename__ = "payments"

    id: Mapped[str] = mapped_column(primary_key=True)
    order: Mapped[str] = mapped_column(ForeignKey("orders.id"), index=True)
    revision: Mapped[int]
    amount: Mapped[int]
    currency: Mapped[str]
    status: Mapped[PaymentStatus] = mapped_column(String)
    url: Mapped[str | None]
    opened_at: Mapped[int]


class OrderRow(Table):
    """`buyers` are the identities whose bags the holds lay in. `payment` is the one that the order waits for or was paid by.
    `attempt` fences settling: only the newest one may conclude. `return_operation` says that sold units go back on sale.
    `due_at` is when `jobs` must look at the order again; null when nothing is left to do."""

    __tablename__ = "orders"
    __table_args__ = (UniqueConstraint("buyer", "key"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    buyer: Mapped[str]
    buyers: Mapped[list[str]]
    key: Mapped[str]
    digest: Mapped[str]
    shop: Mapped[str] = mapped_column(index=True)
    currency: Mapped[str]
    status: Mapped[OrderStatus] = mapped_column(String)
    revision: Mapped[int]
    shipping: Mapped[int]
    email: Mapped[str]
    address: Mapped[dict[str, Any]]
    placed_at: Mapped[int]
    due_at: Mapped[int | None] = mapped_column(index=True)
    attempt: Mapped[int] = mapped_column(default=0)
    payment: Mapped[str | None] = mapped_column(default=None)
    tracking: Mapped[str | None] = mapped_column(default=None)
    return_operation: Mapped[str | None] = mapped_column(default=None)

    lines: Mapped[list[LineRow]] = relationship(lazy="selectin", order_by=LineRow.position)
    payments: Mapped[list[PaymentRow]] = relationship(lazy="selectin", order_by=PaymentRow.id)

    @property
    def subtotal(self) -> int:
        """Minor units of everything that is not gone."""
        return sum(line.price * line.quantity for line in self.lines if line.status != "gone")

    @property
    def total(self) -> int:
        return self.subtotal + self.shipping

    @property
    def open_lines(self) -> list[LineRow]:
        return [line for line in self.lines if line.status == "open"]

    @property
    def units_to_return(self) -> list[LineRow]:
        """Sold lines of an order that is over, when it was decided that their units go back on sale."""
        returning = self.return_operation is not None and self.status in OVER
        return [line for line in self.lines if returning and line.status == "sold"]

    @property
    def open_payment(self) -> PaymentRow | None:
        """The current payment while the buyer may still pay it."""
        return next((p for p in self.payments if p.id == self.payment and p.status == "open"), None)

    @property
    def is_being_paid(self) -> bool:
        """The current payment went through; what follows from it is under way."""
        return any(p.id == self.payment and p.status in {"authorised", "captured"} for p in self.payments)
