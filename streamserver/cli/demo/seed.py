"""What the demo begins with: people, a shop imported from products.csv, one live room and one to come. Done once."""

from dataclasses import dataclass
from pathlib import Path

from streamserver.accounts.model import Account, Identity
from streamserver.app import Services, build
from streamserver.catalog.importer import import_file
from streamserver.config import Config
from streamserver.kit.clock import now_ms
from streamserver.kit.errors import NotFound
from streamserver.kit.ids import new_id
from streamserver.messages.accounts import SignUp
from streamserver.messages.catalog import NewShop, Product
from streamserver.messages.rooms import AnchorVariantTerms, NewAnchor, NewRoom, PinChange

HERE = Path(__file__).parent
PASSWORD = "demo-password"  # noqa: S105 - printed on the terminal; the demo listens on this machine only
SHOP = "kiln-and-loom"
TITLE = "Autumn glazes, fresh from the kiln"
SCARCE = 3  # a product with so few units is given to the room whole
PINNED = ("Breakfast mug", "Wood-fired teapot")
SHOW_PRICES = {"Breakfast mug": 1900, "Wool throw": 10900}
DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Seeded:
    room: str
    host: str
    moderator: str
    buyer: str


async def seed(config: Config) -> Seeded:
    """Make what is not there yet, and return the live room. Raises when the product file is broken."""
    s = build(config)
    try:
        host = await _person(s, "maya", "Maya Lind")
        await _person(s, "noor", "Noor Haddad")
        await _person(s, "sam", "Sam Okafor")
        identity = Identity(device=new_id("dev"), account=host)
        room = await _live_room(s, identity) or await _open_show(s, identity)
        return Seeded(room, "maya", "noor", "sam")
    finally:
        await s.close()


async def _person(s: Services, handle: str, name: str) -> Account:
    try:
        return await s.people.by_handle(handle)
    except NotFound:
        account, _ = await s.people.sign_up(SignUp(handle=handle, name=name, password=PASSWORD))
        return account


async def _live_room(s: Services, host: Identity) -> str | None:
    rooms = (await s.hosting.rooms(host, "mine")).rooms
    return next((card.about.id for card in rooms if card.life.status == "live"), None)


async def _open_show(s: Services, host: Identity) -> str:
    products = await _products(s, host)
    room = await s.hosting.create(host, NewRoom(title=TITLE, description="Thrown, woven and fired by hand."))
    for product in products:
        await s.lineups.add(room, host, NewAnchor(product=product.id, variants=_terms(product)))
    await s.hosting.grant(room, host, "noor", ["pin", "lineup", "chat", "ban"])
    await s.hosting.start(room, host)
    await _pin(s, host, room)
    if not (await s.hosting.rooms(host, "scheduled")).rooms:
        soon = NewRoom(title="How a moon vase is thrown", scheduled_at=now_ms() + DAY_MS)
        await s.hosting.create(host, soon)
    return room


async def _products(s: Services, host: Identity) -> list[Product]:
    try:
        shop = await s.catalog.shop_by_handle(SHOP)
    except NotFound:
        shop = await s.catalog.create_shop(host, NewShop(handle=SHOP, name="Kiln & Loom", currency="EUR", shipping=490))
    await import_file(s.catalog, SHOP, HERE / "products.csv", dry_run=False)
    return await s.catalog.products_of(host, shop.id)


def _terms(product: Product) -> list[AnchorVariantTerms]:
    """Two thirds of the store are for the show; what is scarce is there whole."""
    return [
        AnchorVariantTerms(
            variant=variant.id,
            price=SHOW_PRICES.get(product.title),
            allotment=units if (units := variant.available or 0) <= SCARCE else units * 2 // 3,
        )
        for variant in product.variants
    ]


async def _pin(s: Services, host: Identity, room: str) -> None:
    for title in PINNED:
        snapshot = await s.rooms.snapshot(room, host)
        for anchor in snapshot.lineup.anchors:
            if anchor.title == title:
                change = PinChange(
                    operation=new_id("op"), version=snapshot.pins.version, action="pin", anchor=anchor.id
                )
                await s.rooms.pin(room, host, change)
