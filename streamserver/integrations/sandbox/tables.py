"""The sandbox's own book of payments, and what it must still tell the shop."""

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from streamserver.kit.sql import Table
from streamserver.messages.orders import SandboxOutcome
from streamserver.orders.model import PaymentStatus


class SandboxPaymentRow(Table):
    """`outcome` is what the buyer chose."""

    __tablename__ = "sandbox_payments"

    id: Mapped[str] = mapped_column(primary_key=True)
    order: Mapped[str]
    number: Mapped[str]
    amount: Mapped[int]
    currency: Mapped[str]
    return_url: Mapped[str]
    status: Mapped[PaymentStatus] = mapped_column(String)
    outcome: Mapped[SandboxOutcome | None] = mapped_column(String)


class SandboxNoticeRow(Table):
    """The shop must be told `kind`, not before `due_at`. The row goes when the shop took it."""

    __tablename__ = "sandbox_notices"

    id: Mapped[str] = mapped_column(primary_key=True)
    payment: Mapped[str] = mapped_column(ForeignKey("sandbox_payments.id"), index=True)
    kind: Mapped[PaymentStatus] = mapped_column(String)
    due_at: Mapped[int] = mapped_column(index=True)
