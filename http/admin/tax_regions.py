"""Admin: tax regions: countries and their provinces."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from ...workflows.tax.taxes import TAX_REGIONS
from ..kit import (
    ABSENT,
    MANY,
    OPERATORS,
    STAMPS,
    TEXT,
    AdditionalData,
    Body,
    Filters,
    Metadata,
    Number,
    Part,
    Routes,
    View,
    Write,
)
from ..kit.flows import signed

routes = Routes()

TAX_REGION = View(
    "tax_region",
    "id country_code province_code parent_id provider_id created_by created_at updated_at deleted_at metadata"
    " *children *children.tax_rates *children.tax_rates.rules *parent *tax_rates *tax_rates.rules",
    limit=20,
)


class DefaultRate(Part):
    rate: Number = ABSENT
    code: str
    name: str
    is_combinable: bool = ABSENT
    metadata: Metadata = None


class CreateTaxRegion(Body):
    country_code: str
    provider_id: str | None = None
    province_code: str | None = None
    parent_id: str | None = None
    default_tax_rate: DefaultRate = ABSENT
    metadata: Metadata = None
    additional_data: AdditionalData = None

    @model_validator(mode="after")
    def _who_knows(self) -> Self:
        if not self.parent_id and not self.provider_id:
            raise PydanticCustomError("no_provider", "Provider is required when creating a non-province tax region.")
        return self


class UpdateTaxRegion(Body):
    province_code: str | None = None
    provider_id: str = ABSENT
    metadata: Metadata = None


routes.resource(
    "/admin/tax-regions",
    TAX_REGION,
    TAX_REGIONS,
    list=Filters(
        q=TEXT, id=MANY, country_code=OPERATORS, province_code=OPERATORS, parent_id=OPERATORS, created_by=MANY, logical=True, **STAMPS
    ),
    create=Write(CreateTaxRegion, before=signed),
    update=UpdateTaxRegion,
    like_list="create update",
)
