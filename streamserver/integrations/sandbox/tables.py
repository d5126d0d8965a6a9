"""The sandbox's own book of payments."""

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from streamserver.kit.sql import Table
from streamserver.orders.model import PaymentStatus


class SandboxPaymentRow(Table):
    """`outcome` is what the buyer chose. `notice` is what the shop must still be told, not before `due_at`."""

    __tablename__ = "sandbox_payments"

    id: Mapped[str] = mapped_column(primary_key=True)
    order: Mapped[str]
    number: Mapped[str]
    amount: Mapped[int]
    currency: Mapped[str]
    return_url: Mapped[str]
    status: Mapped[PaymentStatus] = mapped_column(String)
    outcome: Mapped[str | None]
    notice: Mapped[PaymentStatus | None] = mapped_column(String)
    due_at: Mapped[int | None] = mapped_column(index=True)
