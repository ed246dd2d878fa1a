"""Bodies of the admin's product routes."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from ..kit.bodies import (
    ABSENT,
    AdditionalData,
    Body,
    BooleanString,
    Metadata,
    Number,
    Part,
    Positive,
    Whole,
)


class VariantPrice(Part):
    currency_code: str
    amount: Number
    min_quantity: Number | None = None
    max_quantity: Number | None = None
    rules: dict[str, str] = ABSENT


class ChangedVariantPrice(VariantPrice):
    id: str = ABSENT
    currency_code: str = ABSENT
    amount: Number = ABSENT


class InventoryNeed(Part):
    inventory_item_id: str
    required_quantity: Positive


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
    prices: list[VariantPrice]
    inventory_items: list[InventoryNeed] = ABSENT


class CreateVariantRequest(CreateVariant):
    additional_data: AdditionalData = None


class UpdateVariant(VariantBody):
    id: str = ABSENT
    thumbnail: str | None = None
    prices: list[ChangedVariantPrice] = ABSENT


class UpdateVariantRequest(UpdateVariant):
    additional_data: AdditionalData = None


class NamedVariant(UpdateVariant):
    id: str


class NamedById(Part):
    id: str


class Image(Part):
    url: str


class KnownImage(Image):
    id: str = ABSENT


class NewOption(Body):
    title: str
    values: list[str]
    ranks: dict[str, Number] = ABSENT
    is_exclusive: bool = ABSENT
    metadata: Metadata = None


class KnownOption(Part):
    id: str
    value_ids: list[str] = ABSENT


class NewValue(Body):
    value: str


class ChosenOption(Part):
    id: str
    value_ids: list[str]


class ChangedValues(Part):
    product_option_id: str
    add: list[str | NewValue] = ABSENT
    remove: list[str] = ABSENT


class BatchOptions(Body):
    add: list[str | NewOption | ChosenOption] = ABSENT
    remove: list[str] = ABSENT
    update: list[ChangedValues] = ABSENT


class ProductBody(Body):
    title: str = ABSENT
    subtitle: str | None = None
    description: str | None = None
    is_giftcard: BooleanString = ABSENT
    discountable: BooleanString = ABSENT
    thumbnail: str | None = None
    handle: str = ABSENT
    external_id: str | None = None
    type_id: str | None = None
    collection_id: str | None = None
    categories: list[NamedById] = ABSENT
    tags: list[NamedById] = ABSENT
    sales_channels: list[NamedById] = ABSENT
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
    images: list[Image] = ABSENT
    options: list[NewOption | KnownOption] = ABSENT
    variants: list[CreateVariant] = ABSENT
    shipping_profile_id: str = ABSENT


class CreateProductRequest(CreateProduct):
    additional_data: AdditionalData = None


def _elsewhere(_: Any) -> Any:
    raise PydanticCustomError("elsewhere", "A product's options are chosen by 'option_ids', or by POST /admin/products/:id/options/batch")


class UpdateProduct(ProductBody):
    status: Literal["draft", "proposed", "published", "rejected"] = ABSENT
    images: list[KnownImage] = ABSENT
    options: Annotated[Any, BeforeValidator(_elsewhere), WithJsonSchema({"not": {}})] = ABSENT
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
    required_quantity: Positive
    inventory_item_id: str


class NeededQuantity(Body):
    required_quantity: Positive


class VariantNeed(NeedBody):
    variant_id: str


class VariantNeedKey(Body):
    variant_id: str
    inventory_item_id: str


class BatchNeeds(Body):
    create: list[VariantNeed] = ABSENT
    update: list[VariantNeed] = ABSENT
    delete: list[VariantNeedKey] = ABSENT
