"""The sandbox as a payment provider: no money moves, but it is late, declines and repeats itself like a real one."""

from collections.abc import Sequence

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from streamserver.config import OrdersConfig
from streamserver.integrations.sandbox.notices import notices
from streamserver.integrations.sandbox.tables import SandboxNoticeRow, SandboxPaymentRow
from streamserver.kit.clock import now_ms
from streamserver.kit.errors import NotFound
from streamserver.kit.ids import new_id
from streamserver.kit.log import log
from streamserver.kit.sql import Database
from streamserver.kit.tasks import Tasks
from streamserver.messages.orders import LATE_SECONDS, SandboxOutcome, SandboxPayment
from streamserver.orders.errors import PaymentRefused, WrongState
from streamserver.orders.model import Charge, PaymentListener, PaymentStatus

BATCH = 100
RETRY_MS = 5_000  # until a notice that the shop did not take is delivered again


class SandboxPayments:
    """Implements `orders.model.Payments`. Notices wait in their table until the listener took them: at least once each."""

    def __init__(self, database: Database, config: OrdersConfig, tasks: Tasks) -> None:
        self._database = database
        self._slow_ms = int(config.sandbox_slow_seconds * 1000)
        self._tasks = tasks
        self._listener: PaymentListener | None = None

    def listen(self, listener: PaymentListener) -> None:
        """Tell `listener` from now on; what happened before waits for it."""
        self._listener = listener

    # What a shop asks

    async def open(self, charge: Charge) -> str:
        """Return the path of the page on which the buyer pays."""
        row = SandboxPaymentRow(
            id=charge.payment,
            order=charge.order,
            number=charge.number,
            amount=charge.amount,
            currency=charge.currency,
            return_url=charge.return_url,
            status="open",
        )
        try:
            async with self._database.write() as session:
                if await session.get(SandboxPaymentRow, charge.payment) is None:
                    session.add(row)
        except IntegrityError:
            log.info("payment was opened twice at once", payment=charge.payment)
        return f"/pay/sandbox/{charge.payment}"

    async def capture(self, payment: str) -> None:
        """Raises PaymentRefused unless it is authorised."""
        await self._change(payment, {"authorised"}, "captured")

    async def void(self, payment: str) -> None:
        """Raises PaymentRefused once captured."""
        try:
            await self._change(payment, {"open", "authorised", "declined"}, "voided")
        except NotFound:
            log.info("void of a payment that was never opened", payment=payment)

    async def refund(self, payment: str) -> None:
        """Raises PaymentRefused unless it is captured."""
        await self._change(payment, {"captured"}, "refunded")

    async def _change(self, payment: str, allowed: set[PaymentStatus], to: PaymentStatus) -> None:
        async with self._database.write() as session:
            row = await _locked(session, payment)
            if row.status == to:
                return
            if row.status not in allowed:
                raise PaymentRefused(f"The payment is {row.status}: it cannot be {to}.", state=row.status)
            if row.status == "open":  # a slow bank was about to agree: now it never does
                await session.execute(delete(SandboxNoticeRow).where(SandboxNoticeRow.payment == payment))
            row.status = to
            added = _schedule(session, row, to)
        if added:
            self._tasks.start(self._deliver(added), f"sandbox notices {payment}")

    # What a buyer does

    async def view(self, payment: str) -> SandboxPayment:
        """Raises NotFound."""
        async with self._database.read() as session:
            row = await session.get(SandboxPaymentRow, payment)
        if row is None:
            raise NotFound
        return _message(row)

    async def choose(self, payment: str, outcome: SandboxOutcome, delay: int = LATE_SECONDS) -> SandboxPayment:
        """Once a payment; the same choice again changes nothing. `delay`: seconds until the shop hears of a *late* one.
        Raises WrongState, NotFound."""
        decided: PaymentStatus = "declined" if outcome == "decline" else "authorised"
        delay_ms = {"slow": self._slow_ms, "late": delay * 1000}.get(outcome, 0)
        added: list[SandboxNoticeRow] = []
        async with self._database.write() as session:
            row = await _locked(session, payment)
            if row.outcome is None and row.status == "open":
                row.outcome = outcome
                row.status = "open" if outcome == "slow" else decided
                added = _schedule(session, row, decided, delay_ms)
            elif row.outcome != outcome:
                raise WrongState("This payment was already decided. Go back to your order.", state=row.status)
        await self._deliver(added)
        return await self.view(payment)

    # Telling the shop

    async def deliver_due(self) -> None:
        """Deliver every notice that is due. `jobs` calls it often: a crash loses none."""
        row = SandboxNoticeRow
        query = select(row).where(row.due_at <= now_ms()).order_by(row.due_at, row.id).limit(BATCH)
        async with self._database.read() as session:
            due = (await session.scalars(query)).all()
        await self._deliver(due)

    async def _deliver(self, due: Sequence[SandboxNoticeRow]) -> None:
        """Those that are due, one after the other. What the shop does not take, or a crash interrupts, comes due again."""
        if self._listener is None:
            return
        tell = {
            "authorised": self._listener.payment_authorised,
            "declined": self._listener.payment_declined,
            "captured": self._listener.payment_captured,
            "refunded": self._listener.payment_refunded,
        }
        for notice in due:
            if not await self._claim(notice):
                continue
            try:
                await tell[notice.kind](notice.payment)
            except Exception:
                log.exception("payment notice was not taken", payment=notice.payment, notice=notice.kind)
            else:
                await self._strike_off(notice)

    async def _claim(self, notice: SandboxNoticeRow) -> bool:
        """Keep others from delivering it for a while. False: it is not due, or somebody else has it or had it.
        What a slow bank was asked comes true at this moment."""
        row = SandboxNoticeRow
        due = (row.id == notice.id, row.due_at <= now_ms())
        claim = update(row).where(*due).values(due_at=now_ms() + RETRY_MS).returning(row.id)
        async with self._database.write() as session:
            payment = await _locked(session, notice.payment)
            claimed = await session.scalar(claim) is not None
            if claimed and payment.status == "open":
                payment.status = notice.kind
        return claimed

    async def _strike_off(self, notice: SandboxNoticeRow) -> None:
        async with self._database.write() as session:
            await session.execute(delete(SandboxNoticeRow).where(SandboxNoticeRow.id == notice.id))


async def _locked(session: AsyncSession, payment: str) -> SandboxPaymentRow:
    row = await session.get(SandboxPaymentRow, payment, with_for_update=True)
    if row is None:
        raise NotFound
    return row


def _schedule(
    session: AsyncSession, row: SandboxPaymentRow, status: PaymentStatus, delay_ms: int = 0
) -> list[SandboxNoticeRow]:
    """The one place where notices begin: whatever the shop is to be told when the payment becomes `status`."""
    due_at = now_ms() + delay_ms
    added = [
        SandboxNoticeRow(id=new_id("notice"), payment=row.id, kind=kind, due_at=due_at + later)
        for kind, later in notices(row.outcome, status)
    ]
    session.add_all(added)
    return added


def _message(row: SandboxPaymentRow) -> SandboxPayment:
    return SandboxPayment(
        id=row.id,
        order=row.order,
        number=row.number,
        amount=row.amount,
        currency=row.currency,
        status=row.status,
        return_url=row.return_url,
    )
