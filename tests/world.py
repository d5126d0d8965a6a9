"""A small world to tell stories in: a shop with products, a host, a moderator, buyers; all on real services."""

from dataclasses import dataclass, field

from streamserver.accounts.model import Account, Identity
from streamserver.app import Services
from streamserver.kit.ids import new_id
from streamserver.messages.accounts import SignUp
from streamserver.messages.catalog import NewProduct, NewShop, NewVariant, Product, Shop
from streamserver.messages.rooms import AnchorVariantTerms, LineUp, NewAnchor, NewRoom, PinChange, Pins, Snapshot

PASSWORD = "a long enough password"


def guest() -> Identity:
    return Identity(device=new_id("dev"))


@dataclass
class World:
    services: Services
    host: Identity
    moderator: Identity
    shop: Shop
    products: list[Product] = field(default_factory=list[Product])

    async def product(self, title: str = "Mug", units: int = 10, sizes: tuple[str, ...] = ()) -> Product:
        """A product in the store, `units` of each variant."""
        sku = f"{title}-{len(self.products)}"
        variants = [NewVariant(sku=f"{sku}-{size}", options=[size], price=1900) for size in sizes]
        wanted = NewProduct(
            title=title, options=["Size"] if sizes else [], variants=variants or [NewVariant(sku=sku, price=1900)]
        )
        product = await self.services.catalog.create_product(self.host, self.shop.id, wanted)
        for variant in product.variants:
            await self.services.stock.restock_store(self.shop.id, new_id("op"), variant.id, units)
        self.products.append(product)
        return product

    async def room(self, title: str = "Evening show", *, live: bool = False) -> str:
        room = await self.services.hosting.create(self.host, NewRoom(title=title))
        if live:
            await self.services.hosting.start(room, self.host)
        return room

    async def anchor(self, room: str, product: Product, allotment: int = 5, limit: int = 5) -> str:
        """Put a product into the line-up; returns the anchor's id."""
        terms = [AnchorVariantTerms(variant=v.id, allotment=allotment, limit=limit) for v in product.variants]
        lineup = await self.services.lineups.add(room, self.host, NewAnchor(product=product.id, variants=terms))
        return next(anchor.id for anchor in lineup.anchors if anchor.product == product.id)

    async def pin(self, room: str, anchor: str, action: str = "pin", replace: str | None = None) -> Pins:
        """Pin or unpin as somebody who has just looked."""
        version = (await self.snapshot(room)).pins.version
        change = PinChange.model_validate(
            {
                "operation": new_id("op"),
                "version": version,
                "action": action,
                "anchor": anchor,
                "replace": replace,
            }
        )
        return await self.services.rooms.pin(room, self.host, change)

    async def snapshot(self, room: str) -> Snapshot:
        return await self.services.rooms.snapshot(room, guest())

    async def lineup(self, room: str) -> LineUp:
        return (await self.snapshot(room)).lineup

    async def available(self, pool: str, variant: str) -> int:
        return (await self.services.stock.units(pool, [variant]))[variant].available


async def person(services: Services, handle: str) -> Identity:
    account, _ = await services.people.sign_up(SignUp(handle=handle, name=handle.title(), password=PASSWORD))
    return as_identity(account)


def as_identity(account: Account) -> Identity:
    return Identity(device=new_id("dev"), account=account)


async def make_world(services: Services) -> World:
    host = await person(services, "hanna")
    shop = await services.catalog.create_shop(
        host, NewShop(handle="kiln", name="Kiln & Loom", currency="EUR", shipping=490)
    )
    return World(services, host, await person(services, "mo-derator"), shop)
