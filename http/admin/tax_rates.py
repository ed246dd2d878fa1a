"""Admin: tax rates, and the products, types and shipping options they are for."""

from __future__ import annotations

from typing import Any

from ...workflows.tax.taxes import create_tax_rate_rules, create_tax_rates, delete_tax_rate_rules, delete_tax_rates, update_tax_rates
from ..frontend.bodies import ABSENT, Body, Metadata, Number, Part
from ..frontend.filters import BOOLEAN, OPERATORS, STAMPS, TEXT, Filters
from ..frontend.flows import signed
from ..frontend.nested import belongs, deleted_from
from ..frontend.request import Answer, Request
from ..frontend.resource import require
from ..frontend.routes import Routes, Write
from ..frontend.view import View

routes = Routes()

TAX_RATE = View(
    "tax_rate",
    "id name code rate tax_region_id is_default is_combinable created_by created_at updated_at deleted_at metadata *tax_region *rules",
    limit=20,
)


class Rule(Part):
    reference: str
    reference_id: str


class AddRule(Body):
    reference: str
    reference_id: str


class UpdateTaxRate(Body):
    rate: Number = ABSENT
    code: str = ABSENT
    rules: list[Rule] = ABSENT
    name: str = ABSENT
    is_default: bool = ABSENT
    is_combinable: bool = ABSENT
    metadata: Metadata = None


class CreateTaxRate(UpdateTaxRate):
    code: str
    name: str
    tax_region_id: str


async def new_rate(request: Request, body: dict[str, Any]) -> dict[str, Any]:
    await require(request, "tax_region", [body["tax_region_id"]])
    return signed(request, body)


def _by_whom(request: Request, body: dict[str, Any]) -> dict[str, Any]:
    return {**body, "updated_by": request.actor_id}


routes.resource(
    "/admin/tax-rates",
    TAX_RATE,
    list=Filters(q=TEXT, tax_region_id=OPERATORS, is_default=BOOLEAN, logical=True, **STAMPS),
    create=Write(CreateTaxRate, before=new_rate, run=create_tax_rates),
    update=Write(UpdateTaxRate, before=_by_whom, run=update_tax_rates),
    delete=delete_tax_rates,
)


@routes.post("/admin/tax-rates/{id}/rules", body=AddRule, returns=TAX_RATE)
async def add_rule(request: Request) -> Answer:
    """Say of one more thing that a tax rate is for it."""
    id = request.params["id"]
    await require(request, "tax_rate", [id])
    await request.run(create_tax_rate_rules, rules=[{**signed(request, request.body), "tax_rate_id": id}])
    return await request.fetch(TAX_RATE, id)


@routes.delete("/admin/tax-rates/{id}/rules/{rule_id}", returns=TAX_RATE)
async def remove_rule(request: Request) -> Answer:
    """Take back that a tax rate is for something."""
    id, rule_id = request.params["id"], request.params["rule_id"]
    if await belongs(request, "tax_rate_rule", rule_id, tax_rate_id=id):
        await request.run(delete_tax_rate_rules, ids=[rule_id])
    return await deleted_from(request, TAX_RATE, id, rule_id, "tax_rate_rule")
