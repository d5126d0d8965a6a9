"""The people behind the windows: they set the stage through the public API and lend their sign-in to a browser."""

import asyncio
from dataclasses import dataclass
from typing import Any

from streamserver.kit.ids import new_id
from tests.stories.people import PASSWORD, Person


@dataclass(frozen=True)
class Offer:
    """A product in a room: ids, `variants` by title."""

    product: str
    anchor: str
    variants: dict[str, str]

    @property
    def variant(self) -> str:
        return next(iter(self.variants.values()))


class Member(Person):
    """Somebody with an account."""

    name: str
    handle: str

    async def join(self, name: str) -> None:
        self.name, self.handle = name, f"{name.lower()}-{new_id('x')[-8:]}"
        await self.post("accounts", {"handle": self.handle, "name": name, "password": PASSWORD})

    async def hold(self, path: str, variant: str, quantity: int = 1) -> dict[str, Any]:
        """Set units aside; `path` is `rooms/…` or `products/…`."""
        return await self.post(f"{path}/holds", {"key": new_id("key"), "variant": variant, "quantity": quantity})

    async def pin(self, room: str, anchor: str, action: str = "pin") -> None:
        """Pin or unpin as somebody who has just looked."""
        version = (await self.get(f"rooms/{room}"))["pins"]["version"]
        change = {"operation": new_id("op"), "version": version, "action": action, "anchor": anchor}
        await self.put(f"rooms/{room}/pins", change)


class Creator(Member):
    """Somebody with a shop and a room."""

    shop: str
    room: str

    async def open(self, name: str = "Maya") -> None:
        await self.join(name)
        wish = {"handle": f"{self.handle}-shop", "name": "Kiln & Loom", "currency": "EUR", "shipping": 490}
        self.shop = (await self.post("shops", wish))["id"]
        self.room = (await self.post("rooms", {"title": "Evening show"}))["about"]["id"]

    async def start(self) -> None:
        await self.post(f"rooms/{self.room}/start")

    async def make(self, title: str, units: int | dict[str, int]) -> dict[str, Any]:
        """A product in the store, at 19 euros: so many units, or so many of each size."""
        sizes = units if isinstance(units, dict) else {"": units}
        options = [[size] if size else [] for size in sizes]
        wish = {
            "title": title,
            "options": ["Size"] if options[0] else [],
            "variants": [{"sku": new_id("sku"), "options": chosen, "price": 1900} for chosen in options],
        }
        product = await self.post(f"shops/{self.shop}/products", wish)
        for variant, count in zip(product["variants"], sizes.values(), strict=True):
            if count:
                await self.restock(variant["id"], count)
        return product

    async def restock(self, variant: str, delta: int) -> None:
        await self.post(f"shops/{self.shop}/stock", {"operation": new_id("op"), "variant": variant, "delta": delta})

    async def offer(self, title: str, units: int | dict[str, int], limit: int = 5, mode: str = "hold") -> Offer:
        """A product in the room, with all its units."""
        product = await self.make(title, units)
        counts = units.values() if isinstance(units, dict) else [units]
        terms = [
            {"variant": variant["id"], "allotment": count, "limit": limit}
            for variant, count in zip(product["variants"], counts, strict=True)
        ]
        wish = {"product": product["id"], "mode": mode, "variants": terms}
        lineup = await self.post(f"rooms/{self.room}/anchors", wish)
        anchor = next(anchor["id"] for anchor in lineup["anchors"] if anchor["product"] == product["id"])
        return Offer(product["id"], anchor, {variant["title"]: variant["id"] for variant in product["variants"]})

    async def grant(self, helper: Member, *permissions: str) -> None:
        await self.put(f"rooms/{self.room}/moderators/{helper.handle}", {"permissions": permissions})

    async def in_store(self, product: str) -> int:
        """Units of a product's first variant that the shop itself could sell."""
        products = (await self.get(f"shops/{self.shop}/products"))["products"]
        return next(found["variants"][0]["available"] for found in products if found["id"] == product)

    async def sees_in_store(self, product: str, units: int) -> None:
        """Return once so many are in the store: some come home a moment later."""
        while True:
            if await self.in_store(product) == units:
                return
            await asyncio.sleep(0.1)
