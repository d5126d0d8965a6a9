"""REST of shops and products: decode, call the catalog, encode."""

from typing import Annotated

from pydantic import StringConstraints, TypeAdapter, ValidationError

from streamserver.accounts.errors import HandleTaken
from streamserver.catalog.model import ImageTooLarge, ImageUnreadable, SkuTaken, TooManyImages
from streamserver.catalog.service import CatalogService
from streamserver.http.api import Call, Routes
from streamserver.kit.errors import Forbidden, Invalid, NotFound, SignInNeeded, TooLarge
from streamserver.messages.base import Printable
from streamserver.messages.catalog import (
    NewProduct,
    NewShop,
    NewVariant,
    Product,
    ProductChange,
    ProductList,
    Restock,
    Shop,
    ShopChange,
    ShopList,
    Staff,
    Stock,
    VariantChange,
)

STAFF_ONLY = (SignInNeeded, Forbidden, NotFound)
ALT = TypeAdapter[str](Annotated[str, StringConstraints(max_length=200, strip_whitespace=True), Printable])


def catalog_routes(catalog: CatalogService) -> Routes:
    """Everything of the catalog; holds from the store are taken with the other holds."""
    api = Routes("catalog")
    _add_shops(api, catalog)
    _add_products(api, catalog)
    _add_parts(api, catalog)
    return api


def _add_shops(api: Routes, catalog: CatalogService) -> None:
    @api.get("/shops", answer=ShopList, scope="read", failures=(SignInNeeded,))
    async def my_shops(call: Call) -> ShopList:
        """List the shops that you own or work for."""
        return ShopList(shops=await catalog.shops_of(call.identity.require_account().id))

    @api.post(
        "/shops",
        body=NewShop,
        answer=Shop,
        status=201,
        scope="shops",
        failures=(SignInNeeded, Forbidden, HandleTaken),
    )
    async def open_shop(call: Call, body: NewShop) -> Shop:
        """Open a shop. Its currency cannot change later."""
        return await catalog.create_shop(call.identity, body)

    @api.get("/shops/{shop}", answer=Shop, scope="read", failures=(NotFound,))
    async def shop(call: Call) -> Shop:
        """Show one shop."""
        return await catalog.shop(call.path["shop"])

    @api.patch("/shops/{shop}", body=ShopChange, answer=Shop, scope="shops", failures=STAFF_ONLY)
    async def change_shop(call: Call, body: ShopChange) -> Shop:
        """Change a shop's name or its shipping price. What is left out stays."""
        return await catalog.change_shop(call.identity, call.path["shop"], body)

    @api.get("/shops/{shop}/staff", answer=Staff, scope="shops", failures=STAFF_ONLY)
    async def staff(call: Call) -> Staff:
        """List who works for the shop besides its owner."""
        return await catalog.staff(call.identity, call.path["shop"])

    @api.put("/shops/{shop}/staff/{handle}", answer=Staff, scope="shops", failures=STAFF_ONLY)
    async def add_staff(call: Call) -> Staff:
        """Let an account work for the shop (its owner only). Repeating it is harmless."""
        return await catalog.add_staff(call.identity, call.path["shop"], call.path["handle"])

    @api.delete("/shops/{shop}/staff/{handle}", answer=Staff, scope="shops", failures=STAFF_ONLY)
    async def remove_staff(call: Call) -> Staff:
        """Take an account's rights in the shop away, at once (its owner only)."""
        return await catalog.remove_staff(call.identity, call.path["shop"], call.path["handle"])

    @api.post("/shops/{shop}/stock", body=Restock, answer=Stock, scope="shops", failures=STAFF_ONLY)
    async def restock(call: Call, body: Restock) -> Stock:
        """Add units to the shop's store, or remove some that nobody holds. An operation counts once."""
        return await catalog.restock(call.identity, call.path["shop"], body)


def _add_products(api: Routes, catalog: CatalogService) -> None:
    @api.get("/shops/{shop}/products", answer=ProductList, scope="read", failures=(NotFound,))
    async def products(call: Call) -> ProductList:
        """List a shop's products, oldest first; the archived ones only for those who work there."""
        return ProductList(products=await catalog.products_of(call.identity, call.path["shop"]))

    @api.post(
        "/shops/{shop}/products",
        body=NewProduct,
        large=True,
        answer=Product,
        status=201,
        scope="shops",
        failures=(*STAFF_ONLY, HandleTaken, SkuTaken),
    )
    async def create_product(call: Call, body: NewProduct) -> Product:
        """Create a product with its variants. They start without units."""
        return await catalog.create_product(call.identity, call.path["shop"], body)

    @api.get("/products/{product}", answer=Product, scope="read", failures=(NotFound,))
    async def product(call: Call) -> Product:
        """Show one product with the units that its shop's store has now."""
        return await catalog.product(call.path["product"])

    @api.patch(
        "/products/{product}", body=ProductChange, large=True, answer=Product, scope="shops", failures=STAFF_ONLY
    )
    async def change_product(call: Call, body: ProductChange) -> Product:
        """Change or archive a product. What is left out stays."""
        return await catalog.change_product(call.identity, call.path["product"], body)


def _add_parts(api: Routes, catalog: CatalogService) -> None:
    @api.post(
        "/products/{product}/variants",
        body=NewVariant,
        answer=Product,
        status=201,
        scope="shops",
        failures=(*STAFF_ONLY, SkuTaken),
    )
    async def add_variant(call: Call, body: NewVariant) -> Product:
        """Add a variant to a product."""
        return await catalog.add_variant(call.identity, call.path["product"], body)

    @api.patch(
        "/products/{product}/variants/{variant}",
        body=VariantChange,
        answer=Product,
        scope="shops",
        failures=(*STAFF_ONLY, SkuTaken),
    )
    async def change_variant(call: Call, body: VariantChange) -> Product:
        """Change a variant's SKU or prices. What is left out stays; `compare_at: null` takes the earlier price away."""
        return await catalog.change_variant(call.identity, call.path["product"], call.path["variant"], body)

    @api.post(
        "/products/{product}/images",
        answer=Product,
        status=201,
        scope="shops",
        failures=(*STAFF_ONLY, ImageUnreadable, ImageTooLarge, TooManyImages, TooLarge),
        query={"alt": "What the picture shows, for those who cannot see it. Default: the product's title."},
        raw=True,
    )
    async def add_image(call: Call) -> Product:
        """Add a picture: the body is a JPEG, PNG, WebP or GIF file. The same file twice is kept once."""
        try:
            alt = ALT.validate_python(call.query.get("alt", ""))
        except ValidationError as error:
            raise Invalid(errors=[{"field": "alt", "message": error.errors()[0]["msg"]}]) from error
        await catalog.require_staff_of(call.identity, call.path["product"])
        return await catalog.add_image(call.identity, call.path["product"], await call.read(), alt)

    @api.delete("/products/{product}/images/{image}", answer=Product, scope="shops", failures=STAFF_ONLY)
    async def remove_image(call: Call) -> Product:
        """Take a picture off a product. Removing it twice is fine."""
        return await catalog.remove_image(call.identity, call.path["product"], call.path["image"])
