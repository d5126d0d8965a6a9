"""Tables of the catalog. Money is minor units of the shop's currency; `position` orders what belongs to one product."""

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from streamserver.kit.sql import Table


class ShopRow(Table):
    __tablename__ = "shops"

    id: Mapped[str] = mapped_column(primary_key=True)
    handle: Mapped[str] = mapped_column(unique=True)
    owner: Mapped[str] = mapped_column(ForeignKey("accounts.id"), index=True)
    name: Mapped[str]
    currency: Mapped[str]
    shipping: Mapped[int]
    created_at: Mapped[int]


class StaffRow(Table):
    __tablename__ = "shop_staff"

    shop: Mapped[str] = mapped_column(ForeignKey("shops.id"), primary_key=True)
    account: Mapped[str] = mapped_column(ForeignKey("accounts.id"), primary_key=True, index=True)
    added_at: Mapped[int]


class VariantRow(Table):
    """`shop` repeats the product's, so that a SKU can be unique in a shop."""

    __tablename__ = "variants"
    __table_args__ = (UniqueConstraint("shop", "sku"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    product: Mapped[str] = mapped_column(ForeignKey("products.id"), index=True)
    shop: Mapped[str] = mapped_column(ForeignKey("shops.id"))
    sku: Mapped[str]
    options: Mapped[list[str]]
    price: Mapped[int]
    compare_at: Mapped[int | None]
    position: Mapped[int]


class ImageRow(Table):
    """`name` is where the sizes lie (`images.path_of`); `source` is the digest of the file that was uploaded."""

    __tablename__ = "images"
    __table_args__ = (UniqueConstraint("product", "source"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    product: Mapped[str] = mapped_column(ForeignKey("products.id"))
    name: Mapped[str]
    source: Mapped[str]
    alt: Mapped[str]
    width: Mapped[int]
    height: Mapped[int]
    position: Mapped[int]


class ProductRow(Table):
    __tablename__ = "products"
    __table_args__ = (UniqueConstraint("shop_id", "handle"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    shop_id: Mapped[str] = mapped_column(ForeignKey("shops.id"))
    handle: Mapped[str]
    title: Mapped[str]
    description: Mapped[str]
    vendor: Mapped[str]
    status: Mapped[str]
    options: Mapped[list[str]]
    created_at: Mapped[int]

    shop: Mapped[ShopRow] = relationship(lazy="joined", innerjoin=True)
    variants: Mapped[list[VariantRow]] = relationship(lazy="selectin", order_by=VariantRow.position)
    images: Mapped[list[ImageRow]] = relationship(
        lazy="selectin", order_by=ImageRow.position, cascade="all, delete-orphan"
    )
