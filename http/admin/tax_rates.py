"""Admin: tax rates, and the products, types and shipping options they apply to."""

from __future__ import annotations

from ...core.rows import Row
from ...workflows.tax.taxes import TAX_RATE_RULES, TAX_RATES
from ..kit import (
    ABSENT,
    BOOLEAN,
    OPERATORS,
    STAMPS,
    TEXT,
    Body,
    Filters,
    Metadata,
    Number,
    Part,
    Request,
    Routes,
    View,
    Write,
    require,
)
from ..kit.flows import signed

routes = Routes()

TAX_RATE = View(
    "tax_rate",
    "id name code rate tax_region_id is_default is_combinable created_by created_at updated_at deleted_at metadata *tax_region *rules",
    limit=20,
)


class TaxRateRule(Part):
    reference: str
    reference_id: str


class AddRule(Body):
    reference: str
    reference_id: str


class UpdateTaxRate(Body):
    rate: Number = ABSENT
    code: str = ABSENT
    rules: list[TaxRateRule] = ABSENT
    name: str = ABSENT
    is_default: bool = ABSENT
    is_combinable: bool = ABSENT
    metadata: Metadata = None


class CreateTaxRate(UpdateTaxRate):
    code: str
    name: str
    tax_region_id: str


async def new_rate(request: Request, body: Row) -> Row:
    await require(request, "tax_region", [body["tax_region_id"]])
    return signed(request, body)


def changed_rate(request: Request, body: Row) -> Row:
    return {**body, "updated_by": request.actor_id}


routes.resource(
    "/admin/tax-rates",
    TAX_RATE,
    TAX_RATES,
    list=Filters(q=TEXT, tax_region_id=OPERATORS, is_default=BOOLEAN, logical=True, **STAMPS),
    create=Write(CreateTaxRate, before=new_rate),
    update=Write(UpdateTaxRate, before=changed_rate),
)
routes.resource(
    "/admin/tax-rates/{id}/rules",
    View("tax_rate_rule", ()),
    TAX_RATE_RULES,
    parent=TAX_RATE,
    within={"tax_rate_id": "id"},
    param="rule_id",
    get=False,
    create=Write(AddRule, before=signed),
    summaries={
        "create": "Say of one more thing that a tax rate is for it.",
        "delete": "Take back that a tax rate is for something.",
    },
)
