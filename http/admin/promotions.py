"""Admin: promotions and their rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from ...core.errors import InvalidData, NotFound
from ...core.plugins import rules_of
from ...core.rows import Row
from ...core.sql.schema.query import Query
from ...workflows.promotion.promotions import PROMOTIONS, batch_promotion_rules, update_promotions
from ..kit.bodies import ABSENT, AdditionalData, AtLeastOne, Body, Metadata, Number, Whole
from ..kit.filters import MANY, OPERATORS, STAMPS, TEXT, Filters
from ..kit.reply import Answer, envelope
from ..kit.request import Request
from ..kit.routes import Routes
from ..kit.view import View
from ..kit.write import Write
from .campaigns import NewCampaign
from .promotion_rules import KINDS, Attribute, attribute, attributes
from .promotion_rules import OPERATORS as OPERATOR_LABELS

routes = Routes()


PROMOTION = View(
    "promotion",
    "id code is_automatic is_tax_inclusive type limit used status created_at updated_at deleted_at metadata *campaign *campaign.budget"
    " *application_method *application_method.buy_rules application_method.buy_rules.values.value *application_method.target_rules"
    " application_method.target_rules.values.value rules.id rules.attribute rules.operator rules.values.value",
)
RULE = View("promotion_rule", "id description attribute operator values.value", key="rule")
LISTED = Filters(
    q=TEXT, code=OPERATORS, id=OPERATORS, campaign_id=MANY, application_method=Filters(currency_code=MANY), **STAMPS, logical=True
)
ASKED_FOR = Filters(promotion_type=TEXT, application_method_type=TEXT, application_method_target_type=TEXT)

Operator = Literal["gte", "lte", "gt", "lt", "eq", "ne", "in"]


class NewRule(Body):
    operator: Operator
    attribute: str
    values: str | list[str]
    description: str | None = None


class ChangedRule(Body):
    id: str
    values: str | list[str]
    operator: Operator = ABSENT
    attribute: str = ABSENT
    description: str | None = None


MethodType = Annotated[str, Field(max_length=100, json_schema_extra={"enum": ["fixed", "percentage"]})]
"""Or the type of a plugin's benefit, which the module checks."""


class ChangedMethod(Body):
    description: str | None = None
    value: Number = ABSENT
    currency_code: str | None = None
    max_quantity: Whole | None = None
    type: MethodType = ABSENT
    target_type: Literal["order", "shipping_methods", "items"] = ABSENT
    allocation: Literal["each", "across", "once"] = ABSENT
    apply_to_quantity: Whole | None = None
    buy_rules_min_quantity: Whole | None = None


class PromotionMethod(ChangedMethod):
    value: Number
    type: MethodType
    target_type: Literal["order", "shipping_methods", "items"]
    target_rules: list[NewRule] = ABSENT
    buy_rules: list[NewRule] = ABSENT


class UpdatePromotion(Body):
    code: str = ABSENT
    is_automatic: bool = ABSENT
    is_tax_inclusive: bool = ABSENT
    type: Literal["standard", "buyget"] = ABSENT
    status: Literal["draft", "active", "inactive"] = ABSENT
    campaign_id: str | None = None
    application_method: ChangedMethod = ABSENT
    limit: AtLeastOne | None = None
    metadata: Metadata = None
    additional_data: AdditionalData = None

    @model_validator(mode="after")
    def _no_limit(self) -> Self:
        if self.is_automatic is True and self.limit is not None:
            raise PydanticCustomError("limited", "Automatic promotions cannot have a usage limit")
        return self


class CreatePromotion(UpdatePromotion):
    code: str
    type: Literal["standard", "buyget"]
    status: Literal["draft", "active", "inactive"] = "draft"
    application_method: PromotionMethod
    campaign: NewCampaign = ABSENT
    rules: list[NewRule] = ABSENT


class BatchPromotionRules(Body):
    create: list[NewRule] = ABSENT
    update: list[ChangedRule] = ABSENT
    delete: list[str] = ABSENT


routes.resource(
    "/admin/promotions",
    PROMOTION,
    PROMOTIONS,
    list=LISTED,
    get=False,
    create=CreatePromotion,
    update=Write(UpdatePromotion, update_promotions),
)


@routes.get("/admin/promotions/{id}", returns=PROMOTION)
async def get_promotion(request: Request) -> Answer:
    """Get a promotion by its id or its code."""
    named = request.params["id"]
    try:
        return await request.fetch(PROMOTION, named)
    except NotFound:
        page = await request.rows(PROMOTION, {"code": named}, limit=1)
        if page.empty:
            raise
        return envelope(PROMOTION.key, page)


# -- attributes of rules


@routes.get("/admin/promotions/rule-attribute-options/{rule_type}", query=ASKED_FOR, returns=RULE)
async def list_attributes(request: Request) -> Answer:
    """List the attributes that rules of a kind can use."""
    given = request.filters
    types = (given.get("promotion_type"), given.get("application_method_type"), given.get("application_method_target_type"))
    return {"attributes": [each.shown() for each in attributes(request.params["rule_type"], *types, rules_of(request.settings))]}


VALUES = Filters(q=TEXT, value=MANY, id=MANY, application_method_target_type=TEXT)
"""`id` is the dashboard's parameter for values that were chosen before."""


@routes.get("/admin/promotions/rule-value-options/{rule_type}/{rule_attribute_id}", query=VALUES, many=True, limit=100)
async def list_values(request: Request) -> Answer:
    """List the values to choose from for an attribute of rules."""
    target = request.filters.pop("application_method_target_type", None)
    found = attribute(request.params["rule_type"], request.params["rule_attribute_id"], target, rules_of(request.settings))
    if found.values is None:
        return _chosen_from(found.choices or {}, request)
    entity, value, label = found.values
    filters = {value if name in ("value", "id") else name: given for name, given in request.filters.items()}
    paging = request.page
    query = Query(entity, (value, label), filters, paging.order, paging.limit, paging.offset, paging.with_deleted, count=True)
    page = await request.graph.query(query)
    values = [{"value": row[value], "label": row[label]} for row in page.rows]
    return {"values": values, "count": page.count, "offset": paging.offset, "limit": paging.limit}


def _chosen_from(choices: Mapping[str, str], request: Request) -> Answer:
    """The values of a plugin's condition that says itself which there are."""
    wanted, words = request.filters.get("value") or request.filters.get("id"), str(request.filters.get("q") or "").lower()
    among = [wanted] if isinstance(wanted, str) else wanted
    values = [
        {"value": value, "label": label} for value, label in choices.items() if (not among or value in among) and words in label.lower()
    ]
    offset, limit = request.page.offset, request.page.limit
    end = None if limit is None else offset + limit
    return {"values": values[offset:end], "count": len(values), "offset": offset, "limit": limit}


# -- the rules of a promotion


async def labels_of(request: Request, about: Attribute, values: Iterable[str]) -> dict[str, str]:
    """Labels of values; values whose row is deleted are their own label."""
    if about.values is None:
        return dict(about.choices or {})
    entity, value, label = about.values
    rows = await request.graph.rows(Query(entity, (value, label), {value: sorted(set(values))}))
    return {str(row[value]): str(row[label]) for row in rows}


def _shown(about: Attribute, operator: str, values: Any, **rule: Any) -> Row:
    """A rule with everything known about its attribute."""
    named = {"attribute": about.value, "attribute_label": about.label, "operator": operator, "operator_label": OPERATOR_LABELS[operator]}
    return about.shown() | rule | named | {"values": values}


def _as_rule(about: Attribute, value: Any) -> Row:
    """A column of the application method, shown as if it were a rule. It has no id, and a number is shown as a plain value."""
    if about.field_type != "number":
        value = [] if value is None else [{"value": value, "label": str(value)}]
    shown = {name: each for name, each in _shown(about, "eq", value).items() if name not in ("id", "value")}
    return shown if value is not None else {name: each for name, each in shown.items() if name != "values"}


@routes.get("/admin/promotions/{id}/{rule_type}", query=ASKED_FOR, returns=PROMOTION)
async def list_rules(request: Request) -> Answer:
    """List the rules of one kind of a promotion, with their labels.

    For a promotion that doesn't exist: the rules of a new one of the types that the query string names. Forms for new promotions need that.
    """
    kind, given = request.params["rule_type"], request.filters
    if kind not in KINDS:
        raise InvalidData(f"Invalid param rule_type ({kind})")
    found = await request.graph.rows(Query("promotion", PROMOTION.defaults, {"id": request.params["id"]}, limit=1))
    promotion: Row = found[0] if found else {"type": given.get("promotion_type"), "rules": ()}
    method = promotion.get("application_method") or {name: given.get(f"application_method_{name}") for name in ("type", "target_type")}
    known = attributes(kind, promotion["type"], method["type"], method["target_type"], rules_of(request.settings))
    rules = [_as_rule(each, method.get(each.value)) for each in known if each.disguised and (each.required or method.get(each.value))]
    for rule in promotion["rules"] if kind == "rules" else method.get(KINDS[kind], ()):
        about = next((each for each in known if each.value == rule["attribute"]), None)
        if about is not None and about.hydrate:
            continue
        about = about or Attribute(rule["attribute"], rule["attribute"], rule["attribute"])
        values = [each["value"] for each in rule["values"]]
        labels = await labels_of(request, about, values)
        named = [{"value": value, "label": labels.get(value, value)} for value in values]
        rules.append(_shown(about, rule["operator"], named, id=rule["id"]))
    return {"rules": rules}


for kind, rule_type in KINDS.items():
    routes.batch(
        f"/admin/promotions/{{id}}/{kind}/batch",
        RULE,
        batch_promotion_rules,
        f"Add, change and remove {kind} of a promotion: all of it, or nothing.",
        body=BatchPromotionRules,
        object="promotion-rule",
        query=ASKED_FOR,
        given={"rule_type": rule_type},
    )
