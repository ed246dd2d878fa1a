"""Bodies of the admin's product routes."""

from __future__ import annotations

from typing import Literal

from ..frontend.bodies import ABSENT, AdditionalData, BigNumber, Body, BooleanString, Metadata, Number, Part, Whole


class Price(Part):
    currency_code: str
    amount: BigNumber
    min_quantity: Number | None = None
    max_quantity: Number | None = None
    rules: dict[str, str] = ABSENT


class ChangedPrice(Price):
    id: str = ABSENT
    currency_code: str = ABSENT
    amount: BigNumber = ABSENT


class InventoryNeed(Part):
    inventory_item_id: str
    required_quantity: Number


class VariantBody(Body):
    title: str = ABSENT
    sku: str | None = None
    ean: str | None = None
    upc: str | None = None
    barcode: str | None = None
    hs_code: str | None = None
    mid_code: str | None = None
    allow_backorder: BooleanString = ABSENT
    manage_inventory: BooleanString = ABSENT
    variant_rank: Whole = ABSENT
    weight: Number | None = None
    length: Number | None = None
    height: Number | None = None
    width: Number | None = None
    origin_country: str | None = None
    material: str | None = None
    metadata: Metadata = None
    options: dict[str, str] = ABSENT


class CreateVariant(VariantBody):
    title: str
    prices: list[Price]
    inventory_items: list[InventoryNeed] = ABSENT


class CreateVariantRequest(CreateVariant):
    additional_data: AdditionalData = None


class UpdateVariant(VariantBody):
    id: str = ABSENT
    thumbnail: str | None = None
    prices: list[ChangedPrice] = ABSENT


class UpdateVariantRequest(UpdateVariant):
    additional_data: AdditionalData = None


class NamedVariant(UpdateVariant):
    id: str


class Reference(Part):
    id: str


class Image(Part):
    id: str = ABSENT
    url: str


class NewOption(Body):
    title: str
    values: list[str]
    ranks: dict[str, Number] = ABSENT
    is_exclusive: bool = ABSENT
    metadata: Metadata = None


class KnownOption(Part):
    id: str
    value_ids: list[str] = ABSENT


class ProductBody(Body):
    title: str = ABSENT
    subtitle: str | None = None
    description: str | None = None
    is_giftcard: BooleanString = ABSENT
    discountable: BooleanString = ABSENT
    images: list[Image] = ABSENT
    thumbnail: str | None = None
    handle: str = ABSENT
    external_id: str | None = None
    type_id: str | None = None
    collection_id: str | None = None
    categories: list[Reference] = ABSENT
    tags: list[Reference] = ABSENT
    sales_channels: list[Reference] = ABSENT
    weight: Number | None = None
    length: Number | None = None
    height: Number | None = None
    width: Number | None = None
    hs_code: str | None = None
    mid_code: str | None = None
    origin_country: str | None = None
    material: str | None = None
    metadata: Metadata = None


class CreateProduct(ProductBody):
    title: str
    status: Literal["draft", "proposed", "published", "rejected"] | None = "draft"
    options: list[NewOption | KnownOption] = ABSENT
    variants: list[CreateVariant] = ABSENT
    shipping_profile_id: str = ABSENT


class CreateProductRequest(CreateProduct):
    additional_data: AdditionalData = None


class UpdateProduct(ProductBody):
    status: Literal["draft", "proposed", "published", "rejected"] = ABSENT
    option_ids: list[str] = ABSENT
    variants: list[UpdateVariant] = ABSENT
    shipping_profile_id: str | None = None


class UpdateProductRequest(UpdateProduct):
    additional_data: AdditionalData = None


class NamedProduct(UpdateProduct):
    id: str


class BatchProducts(Body):
    create: list[CreateProduct] = ABSENT
    update: list[NamedProduct] = ABSENT
    delete: list[str] = ABSENT


class BatchVariants(Body):
    create: list[CreateVariant] = ABSENT
    update: list[NamedVariant] = ABSENT
    delete: list[str] = ABSENT


class NeedBody(Body):
    inventory_item_id: str
    required_quantity: Number


class NeededQuantity(Body):
    required_quantity: Number


class AddRemove(Body):
    add: list[str] = ABSENT
    remove: list[str] = ABSENT


class VariantNeed(NeedBody):
    variant_id: str


class VariantNeedKey(Body):
    variant_id: str
    inventory_item_id: str


class BatchNeeds(Body):
    create: list[VariantNeed] = ABSENT
    update: list[VariantNeed] = ABSENT
    delete: list[VariantNeedKey] = ABSENT
