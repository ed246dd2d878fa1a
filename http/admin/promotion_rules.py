"""Attributes for rules of promotions, and the values to choose from: data for forms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ...core.errors import InvalidData
from ...core.rows import Row
from ...core.rules import About, Rules

KINDS: Mapping[str, str] = {"rules": "rules", "target-rules": "target_rules", "buy-rules": "buy_rules"}
"""Kind of rule in paths → in promotions."""
OPERATORS = {"in": "In", "eq": "Equals", "ne": "Not In", "gt": "Greater Than", "gte": "Greater Than or Equal", "lt": "Less Than",
             "lte": "Less Than or Equal"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute that a rule can use."""

    id: str
    value: str
    """Its path in a cart; for a disguised one, the column of the application method."""
    label: str
    field_type: str = "multiselect"
    required: bool = False
    disguised: bool = False
    """Not a rule: a column of the application method that is shown as if it were one."""
    hydrate: bool = False
    """Hidden in forms: they fill it from elsewhere."""
    operators: tuple[str, ...] = ("in", "eq", "ne")
    values: tuple[str, str, str] | None = None
    """The source of its values: entity, column of the value, column of the label."""
    choices: Mapping[str, str] | None = None
    """Its values and their labels, where they have no such source."""

    def shown(self) -> Row:
        operators = [{"id": name, "value": name, "label": OPERATORS[name]} for name in self.operators]
        option = {"id": self.id, "value": self.value, "label": self.label, "field_type": self.field_type, "required": self.required}
        marks = {name: True for name in ("disguised", "hydrate") if getattr(self, name)}
        return option | marks | {"operators": operators}


CURRENCY = Attribute("currency_code", "currency_code", "Currency Code", "select", True, True, True, ("eq",), ("currency", "code", "name"))
BUY_QUANTITY = Attribute(
    "buy_rules_min_quantity", "buy_rules_min_quantity", "Minimum quantity of items", "number", True, True, operators=("eq",)
)
APPLY_QUANTITY = Attribute(
    "apply_to_quantity", "apply_to_quantity", "Quantity of items promotion will apply to", "number", True, True, operators=("eq",)
)
ABOUT_CARTS = (
    Attribute("customer_group", "customer.groups.id", "Customer Group", values=("customer_group", "id", "name")),
    Attribute("region", "region.id", "Region", values=("region", "id", "name")),
    Attribute("country", "shipping_address.country_code", "Country", values=("region_country", "iso_2", "display_name")),
    Attribute("sales_channel", "sales_channel_id", "Sales Channel", values=("sales_channel", "id", "name")),
)
ABOUT_ITEMS = (
    Attribute("product", "items.product.id", "Product", values=("product", "id", "title")),
    Attribute("product_category", "items.product.categories.id", "Product Category", values=("product_category", "id", "name")),
    Attribute("product_collection", "items.product.collection_id", "Product Collection", values=("product_collection", "id", "title")),
    Attribute("product_type", "items.product.type_id", "Product Type", values=("product_type", "id", "value")),
    Attribute("product_tag", "items.product.tags.id", "Product Tag", values=("product_tag", "id", "value")),
)
ABOUT_SHIPPING = (
    Attribute(
        "shipping_option_type",
        "shipping_methods.shipping_option.shipping_option_type_id",
        "Shipping Option Type",
        values=("shipping_option_type", "id", "label"),
    ),
)


def of_plugins(rules: Rules, about: About) -> list[Attribute]:
    """The attributes that plugins add."""
    found = []
    for each in rules.about(about):
        shown = Attribute(each.attribute.replace(".", "_"), each.attribute, each.label, operators=each.operators)
        if isinstance(each.choices, tuple):
            found.append(replace(shown, values=each.choices))
        else:
            found.append(replace(shown, field_type="multiselect" if each.choices else "text", choices=each.choices))
    return found


def attributes(
    kind: str, promotion_type: str | None, method_type: str | None, target_type: str | None, rules: Rules
) -> Sequence[Attribute]:
    """The attributes for rules of a kind (as paths name it); a fixed amount also needs a currency. Raises InvalidData for
    another kind."""
    if kind not in KINDS:
        raise InvalidData(f"Invalid param rule_type ({kind})")
    buyget = promotion_type == "buyget"
    if kind == "rules":
        return (*ABOUT_CARTS, *of_plugins(rules, "carts"), replace(CURRENCY, required=method_type == "fixed"))
    shipping = target_type == "shipping_methods"
    about = (*(ABOUT_SHIPPING if shipping else ABOUT_ITEMS), *of_plugins(rules, "shipping_methods" if shipping else "items"))
    return (*about, *(((APPLY_QUANTITY if kind == "target-rules" else BUY_QUANTITY),) if buyget else ()))


def attribute(kind: str, id: str, target_type: str | None, rules: Rules) -> Attribute:
    """The attribute with that id. Raises InvalidData if rules of the kind can't use it."""
    several = [*attributes(kind, "buyget", "fixed", target_type, rules), *(ABOUT_SHIPPING if kind != "rules" else ())]
    found: Attribute | None = next((each for each in several if each.id == id), None)
    if found is None or (found.values is None and found.choices is None):
        raise InvalidData(f"Invalid rule attribute - {id}")
    return found
