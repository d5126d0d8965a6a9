"""Plain data of stock: pools, terms, requests, holds, units."""

from dataclasses import dataclass
from typing import Literal

from streamserver.messages.stock import HoldStatus, Source

Pool = str  # "room:<room id>" or "shop:<shop id>"; also the hash tag of its keys
Kind = Literal["room", "shop"]


def room_pool(room: str) -> Pool:
    return f"room:{room}"


def shop_pool(shop: str) -> Pool:
    return f"shop:{shop}"


@dataclass(frozen=True, slots=True)
class Terms:
    """How one variant sells from a pool. `source` is what its holds say of where they came from (the buyer's device is
    added); `home` is the pool that leftovers go back to, empty for a shop's own; `selling` False once it was withdrawn."""

    variant: str
    price: int
    currency: str
    limit: int
    source: Source
    home: Pool = ""
    selling: bool = True


@dataclass(frozen=True, slots=True)
class ReserveRequest:
    """What one buyer wants. `hold` is the id that a new hold gets; `device` the browser it came from."""

    key: str
    buyer: str
    variant: str
    quantity: int
    hold: str
    device: str


@dataclass(frozen=True, slots=True)
class HoldRecord:
    """One hold as recorded. `payment` is what it was sold for; times are Redis's clock in ms."""

    id: str
    pool: Pool
    buyer: str
    variant: str
    quantity: int
    price: int
    currency: str
    deadline: int
    status: HoldStatus
    source: Source
    payment: str | None = None


@dataclass(frozen=True, slots=True)
class Reserved:
    """The answer to a reserve: the hold as it is now, and what is left for others."""

    hold: HoldRecord
    left: int
    replayed: bool


@dataclass(frozen=True, slots=True)
class Units:
    """One variant's balance. `available + held + sold + removed + moved_out = restocked + moved_in`, always."""

    available: int = 0
    held: int = 0
    sold: int = 0
    restocked: int = 0
    removed: int = 0
    moved_in: int = 0
    moved_out: int = 0
    version: int = 0
    epoch: int = 0


@dataclass(frozen=True, slots=True)
class Confirmed:
    """All holds sold, or none: `lost` lists those whose units are gone."""

    sold: bool
    lost: tuple[str, ...] = ()
