"""How a pool is packed in Redis, and how scripts are asked and answer: MessagePack, as pool.lua and reserve.lua have it."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol, cast

import msgpack

from streamserver.stock.chain import Call, with_device
from streamserver.stock.model import HoldRecord, Pool, ReserveRequest, Terms, Units

PAIR = b"\x92"  # MessagePack: a list of two follows
COUNTERS = ("available", "held", "sold", "restocked", "removed", "moved_in", "moved_out", "version", "epoch", "waiting")

StreamEntry = tuple[bytes, dict[bytes, bytes]]


def read_hold(hold_id: str, pool: Pool, packed: bytes) -> HoldRecord:
    """Unpack a hold as `pack_hold` in holds.lua wrote it."""
    return hold_of(hold_id, pool, msgpack.unpackb(packed))


def hold_of(hold_id: str, pool: Pool, fields: Sequence[Any]) -> HoldRecord:
    """A hold from its unpacked wish and promise."""
    (buyer, variant, quantity, key, device), (price, currency, source, _at, deadline, status, payment, _attempt) = (
        fields
    )
    return HoldRecord(
        hold_id, pool, buyer, variant, quantity, price, currency, deadline, status, with_device(source, device), key,
        payment or None,
    )  # fmt: skip


class WishFields(Protocol):
    """What a buyer asked for."""

    @property
    def buyer(self) -> str: ...
    @property
    def variant(self) -> str: ...
    @property
    def quantity(self) -> int: ...
    @property
    def key(self) -> str: ...


class HoldFields(WishFields, Protocol):
    """What a packed hold is made of."""

    price: int
    currency: str
    deadline: int
    status: str
    payment: str
    attempt: int
    taken_at: int


def pack_wish(wish: WishFields, device: str) -> bytes:
    """What was asked, as it becomes part of a packed hold."""
    return msgpack.packb((wish.buyer, wish.variant, wish.quantity, wish.key, device))


def pack_hold(hold: HoldFields, source: str, device: str) -> bytes:
    """A hold as `pack_hold` in holds.lua writes it; `source` is JSON without the device."""
    promise = (
        hold.price, hold.currency, source, hold.taken_at, hold.deadline, hold.status, hold.payment, hold.attempt,
    )  # fmt: skip
    return PAIR + pack_wish(hold, device) + msgpack.packb(promise)


def pack_units(counters: Mapping[str, int]) -> bytes:
    """Counters as `pack_units` in pool.lua writes them."""
    return msgpack.packb([counters[name] for name in COUNTERS])


def read_units(packed: bytes) -> Units:
    return Units(*msgpack.unpackb(packed))


class Answer(NamedTuple):
    """One answer of reserve.lua: `left` are units for others (or the limit that was reached), true at `epoch`."""

    verdict: str
    pool: Pool
    hold: str
    fields: Sequence[Any]
    left: int
    epoch: int

    @property
    def is_hold(self) -> bool:
        return self.verdict in {"held", "replayed"}


def terms_fields(terms: Sequence[Terms]) -> dict[str, bytes]:
    """Variant → packed, as `terms` in pool.lua reads them."""
    return {t.variant: _terms_packed(t) for t in terms}


def read_calls(stream: Sequence[StreamEntry]) -> list[Call]:
    """The ledger's stream as calls; an entry's id is `<generation>-<number of its last ledger entry>`."""
    calls: list[Call] = []
    for id_, fields in stream:
        generation, _, last = id_.decode().partition("-")
        calls.append(Call(int(generation), int(last), fields[b"entries"], fields.get(b"digest", b"").decode()))
    return calls


def _terms_packed(t: Terms) -> bytes:
    source = t.source.model_dump_json(exclude_none=True)
    return msgpack.packb((t.price, t.currency, t.limit, t.home, t.selling, t.mode, source))


def reserve_columns(requests: Sequence[ReserveRequest]) -> bytes:
    """Requests as reserve.lua reads them: columns, which cost Lua a third of as many rows."""
    columns = (
        [f"{r.buyer}/{r.variant}" for r in requests],
        [f"{r.device}/{r.variant}" if r.device != r.buyer else "" for r in requests],
        [r.variant for r in requests],
        [r.quantity for r in requests],
        [r.hold for r in requests],
        [pack_wish(r, r.device) for r in requests],
    )
    return msgpack.packb(columns, use_bin_type=False)  # Lua's cmsgpack knows no `bin`


def read_answers(pool: Pool, packed: bytes) -> list[Answer]:
    columns = cast("list[list[Any]]", msgpack.unpackb(packed))
    rows = zip(*columns, strict=True)
    return [Answer(verdict, pool, hold, fields or (), left, epoch) for verdict, hold, fields, left, epoch in rows]
