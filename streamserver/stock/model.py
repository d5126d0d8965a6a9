"""Plain data of stock: pools, terms, requests, holds, units."""

from dataclasses import dataclass
from typing import NamedTuple

from streamserver.messages.stock import HoldStatus, Mode, Source

Pool = str  # "room:<room id>" or "shop:<shop id>"; also the hash tag of its keys


def room_pool(room: str) -> Pool:
    return f"room:{room}"


def shop_pool(shop: str) -> Pool:
    return f"shop:{shop}"


@dataclass(frozen=True, slots=True)
class Terms:
    """How one variant sells from a pool. `source` is what its holds say of where they came from (the buyer's device is
    added); `home` is the pool that leftovers go back to, empty for a shop's own; `selling` False once it was withdrawn. `mode`:
    whether a tap sets units aside, or paying takes them."""

    variant: str
    price: int
    currency: str
    limit: int
    source: Source
    home: Pool = ""
    selling: bool = True
    mode: Mode = "hold"


class ReserveRequest(NamedTuple):
    """What one buyer wants. `hold` is what it is called, the same for the same buyer and key; `device` the browser it came
    from."""

    key: str
    buyer: str
    variant: str
    quantity: int
    hold: str
    device: str


class HoldRecord(NamedTuple):
    """One hold as recorded: `key` is its buyer's, `payment` what it was sold for; times are Redis's clock in ms. Where it came
    from stays JSON until somebody asks, since the answer to a tap does not say it."""

    id: str
    pool: Pool
    buyer: str
    variant: str
    quantity: int
    price: int
    currency: str
    deadline: int
    status: HoldStatus
    source_json: str
    key: str = ""
    payment: str | None = None

    @property
    def is_living(self) -> bool:
        """Whether it can be checked out."""
        return self.status in {"held", "wanted"}

    @property
    def source(self) -> Source:
        return Source.model_validate_json(self.source_json)


class Reserved(NamedTuple):
    """The answer to a reserve: the hold as it is now, and what is left for others."""

    hold: HoldRecord
    left: int
    replayed: bool


@dataclass(frozen=True, slots=True)
class Units:
    """One variant's balance. `available + held + sold + removed + moved_out = restocked + moved_in`, always. `waiting` is
    how many stand in line."""

    available: int = 0
    held: int = 0
    sold: int = 0
    restocked: int = 0
    removed: int = 0
    moved_in: int = 0
    moved_out: int = 0
    version: int = 0
    epoch: int = 0
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class Confirmed:
    """All holds sold, or none: `lost` lists those whose units are gone."""

    sold: bool
    lost: tuple[str, ...] = ()
