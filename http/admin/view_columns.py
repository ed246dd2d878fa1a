"""The columns that a list of the dashboard may have: the fields of a thing and of the single things that it belongs to, and how each is
shown, filtered and ordered by."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache

from sqlalchemy import CheckConstraint, Table

from ...core.graph.plan import Catalogue
from ...core.rows import Row
from ...core.sql.schema.entity import Entity
from ...core.sql.schema.values import Kind
from .view_lists import LISTS, FilterColumn, ListOf, MadeColumn

CALLED = {
    "region_country": "Country",
    "cart_address": "Address",
    "cart_line_item": "LineItem",
    "cart_line_item_adjustment": "LineItemAdjustment",
    "cart_line_item_tax_line": "LineItemTaxLine",
    "cart_shipping_method": "ShippingMethod",
    "cart_shipping_method_adjustment": "ShippingMethodAdjustment",
    "cart_shipping_method_tax_line": "ShippingMethodTaxLine",
    "promotion_campaign": "Campaign",
    "promotion_campaign_budget": "CampaignBudget",
    "promotion_campaign_budget_usage": "CampaignBudgetUsage",
    "promotion_application_method": "ApplicationMethod",
    "return_item": "OrderReturnItem",
}
"""What the API calls an entity whose name it doesn't follow from."""
OPERATORS: Mapping[str, list[str]] = {
    "string": ["eq", "ne", "contains", "startsWith", "endsWith", "in", "nin"],
    "number": ["eq", "ne", "gt", "gte", "lt", "lte", "in", "nin"],
    "boolean": ["eq"],
    "date": ["eq", "ne", "gt", "gte", "lt", "lte"],
    "currency": ["eq", "ne", "gt", "gte", "lt", "lte"],
    "enum": ["eq", "ne", "in", "nin"],
}
LAST, BELOW, FILTERING = 900, 950, 980
"""Where columns stand that no list names, those of other things, and those to filter by only."""
_BY_NAME = tuple(
    (re.compile(pattern), render, semantic)
    for pattern, render, semantic in (
        (r"_at$", "datetime", "timestamp"),
        (r"_date$", "date", "date"),
        (r"(total|amount|price)$", "currency", "currency"),
        (r"status$|^state$", "status", "status"),
        (r"(^|_)email$", "email", "contact"),
        (r"(^|_)phone$", "phone", "contact"),
        (r"country_code$", "country_code", "location"),
        (r"^currency_code$", "text", "currency_code"),
        (r"(^|_)url$", "url", "url"),
        (r"^(thumbnail|avatar)$|_image$", "image", "image"),
        (r"^(custom_)?display_id$", "display_id", "identifier"),
        (r"(^|_)id$", "id", "identifier"),
        (r"^(handle|code)$", "text", "identifier"),
        (r"(^|_)count$|quantity$", "number", "count"),
        (r"^(is|has|can)_", "boolean", "boolean"),
        (r"^metadata$", "json", "metadata"),
    )
)
_BY_KIND: Mapping[Kind, tuple[str, str, str]] = {
    "text": ("string", "text", "string"),
    "integer": ("number", "number", "int"),
    "number": ("number", "number", "float"),
    "float": ("number", "number", "float"),
    "boolean": ("boolean", "boolean", "boolean"),
    "time": ("date", "datetime", "datetime"),
    "date": ("date", "datetime", "datetime"),
    "json": ("object", "json", "json"),
    "array": ("object", "json", "json"),
}
"""Kind of a field → its data type, how it is shown, and what it is, where its name doesn't say that."""
_CATEGORY = {"identifier": "identifier", "timestamp": "timestamp", "status": "status", "currency": "metric", "count": "metric"}
_ONE_OF = re.compile(r"^(\w+) IN \((.*)\)$", re.DOTALL)

Labels = Mapping[str, Row]
"""Column → the name that a merchant has given to it."""


def called(entity: str) -> str:
    """What the API calls an entity: `product_variant` → `ProductVariant`."""
    return CALLED.get(entity) or entity.title().replace("_", "")


def in_path(name: str) -> str:
    """How a path names the things that the API calls so: `ProductVariant` → `product-variants`."""
    word = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower()
    if word.endswith("y") and not word.endswith("ey"):
        return f"{word[:-1]}ies"
    return word if word.endswith("settings") else f"{word}{'es' if word.endswith(('s', 'x')) else 's'}"


def listed(catalogue: Catalogue) -> dict[str, str]:
    """The API's name of each entity that a list may be of → the entity. Links, and entities that are another one in another shape, aren't
    things."""
    names = (entity for module in catalogue.modules if module != "link" for entity in sorted(catalogue.entities_of(module)))
    return {called(entity): entity for entity in names if catalogue.entity(entity).view_of is None}


def entity_of(catalogue: Catalogue, name: str) -> str | None:
    """The entity that a path names: by the API's name for it, in the plural or not, in any case. None: there is no such thing."""
    wanted = name.replace("_", "-").lower()
    for each, entity in listed(catalogue).items():
        if wanted in (each.lower(), in_path(each), in_path(each).replace("-", ""), re.sub(r"(?<=[a-z])(?=[A-Z])", "-", each).lower()):
            return entity
    return None


def info(catalogue: Catalogue, name: str, entity: str, *, labelled: bool) -> Row:
    known = catalogue.entity(entity)
    count = len(catalogue.catalog_of(entity).fields(known)) + len(known.relations)
    module = catalogue.module_of(entity)
    return {"name": name, "pluralName": in_path(name), "module": module, "propertyCount": count, "hasOverrides": labelled}


def columns(catalogue: Catalogue, entity: str, labels: Labels) -> list[Row]:
    """The columns of lists of an entity, in the order in which a list shows them."""
    as_list = LISTS.get(entity, ListOf())
    source = {"module": catalogue.module_of(entity), "entity": called(entity)}
    single, known = catalogue.single(entity), catalogue.entity(entity)
    keys = {relation.key for relation in known.relations.values() if relation.kind == "one"} - {known.key}
    found = [
        *(
            column
            for name, kind in _fields(catalogue, entity).items()
            if name not in keys
            for column in _field(as_list, entity, name, kind, catalogue)
        ),
        *(_worked_out(as_list, name, values) for name, values in as_list.worked_out.items()),
        *(column for name, target in single.items() if name not in as_list.left_out for column in _below(catalogue, as_list, name, target)),
        *(_made(made) for made in as_list.made),
        *(_filtering(each) for each in as_list.filters if not each.on),
    ]
    places = {id: 100 * number for number, id in enumerate(as_list.shown, 1)}
    places |= {id: 101 + number for number, id in enumerate(as_list.next)}
    for column in found:
        id, label = column["id"], labels.get(column["id"])
        column["default_visible"] = column.pop("visible", False) or id in as_list.shown
        column["default_order"] = places.get(id, column["default_order"])
        column["hideable"], column["source"], column["custom_label"] = True, source, label is not None
        if label is not None:
            column |= {"name": label["label"], "label_id": label["id"]}
            if label["description"]:
                column["description"] = label["description"]
    return sorted(found, key=lambda column: column["default_order"])


@cache
def _one_of(table: Table) -> dict[str, list[str]]:
    """Column → the few values that it may have, as the table's constraints say."""
    texts = (str(check.sqltext) for check in table.constraints if isinstance(check, CheckConstraint))
    return {match[1]: re.findall(r"'([^']*)'", match[2]) for text in texts if (match := _ONE_OF.match(text)) is not None}


def _fields(catalogue: Catalogue, entity: str) -> dict[str, Kind]:
    known = catalogue.entity(entity)
    fields = catalogue.catalog_of(entity).fields(known)
    return {name: one.kind for name, one in fields.items() if not one.hidden and one.kind != "raw" and name not in known.relations}


def _field(as_list: ListOf, entity: str, name: str, kind: Kind, catalogue: Catalogue) -> Iterator[Row]:
    if name not in as_list.left_out:
        yield _column(as_list, name, _words(name), kind, _one_of_column(catalogue.entity(entity), name), LAST, sortable=True)


def _one_of_column(entity: Entity, name: str) -> list[str] | None:
    return _one_of(entity.table).get(name) if isinstance(entity.table, Table) else None


def _below(catalogue: Catalogue, as_list: ListOf, name: str, target: str) -> Iterator[Row]:
    """The columns of a single thing that rows belong to."""
    for field, kind in _fields(catalogue, target).items():
        path = f"{name}.{field}"
        column = _column(as_list, path, f"{_words(name)} {_words(field)}", kind, None, BELOW, sortable=False)
        filtered = next((each for each in as_list.filters if each.on == path), None)
        if filtered is not None:
            column["filter"]["relationship"] = _relationship(filtered)
        yield column | {"category": "relationship"}


def _column(
    as_list: ListOf, path: str, name: str, kind: Kind, values: list[str] | None, order: int, *, sortable: bool, filterable: bool = True
) -> Row:
    field = path.rpartition(".")[2]
    data, render, semantic = ("enum", "status", "enum") if values else _BY_KIND[kind]
    by_name = next(((shown, means) for pattern, shown, means in _BY_NAME if pattern.search(field)), None)
    if by_name is not None:
        render, semantic = by_name
        data = (
            "enum"
            if values
            else {"timestamp": "date", "currency": "currency", "boolean": "boolean", "metadata": "object"}.get(semantic, data)
        )
    filters: Row = {"enabled": False}
    if filterable and data != "object":
        filters = {"enabled": True, "operators": OPERATORS[data], **({"enumValues": values} if values else {})}
    resolver = as_list.resolver.get(path)
    return {
        "id": path,
        "name": name,
        "field": path,
        "sortable": sortable and data != "object",
        "data_type": data,
        "semantic_type": semantic,
        "context": "both",
        "render_mode": as_list.render.get(path, render),
        **({"metadata": {"resolver": resolver}} if resolver is not None else {}),
        "default_order": order,
        "category": _CATEGORY.get(semantic, "field"),
        "filter": filters,
    }


def _worked_out(as_list: ListOf, name: str, values: tuple[str, ...]) -> Row:
    kind: Kind = "text" if values else "number"
    return _column(as_list, name, _words(name), kind, list(values) or None, LAST, sortable=False, filterable=False)


def _made(made: MadeColumn) -> Row:
    computed = {"type": made.render_mode, "required_fields": list(made.required), "optional_fields": list(made.optional)}
    return {
        **_alone(made.id, made.name, made.render_mode, 850),
        "description": made.description,
        "semantic_type": "computed",
        "context": "display",
        "computed": computed,
        **({"metadata": dict(made.metadata)} if made.metadata is not None else {}),
        "category": made.category,
        "filter": {"enabled": False},
        "visible": made.visible,
    }


def _filtering(each: FilterColumn) -> Row:
    return {
        **_alone(each.id, each.name, "text", FILTERING),
        "field": each.id if each.description else f"{each.id.removesuffix('_filter')}.id",
        **({"description": each.description} if each.description else {}),
        "semantic_type": "relationship",
        "context": "filter",
        "category": "relationship",
        "filter": {"enabled": True, "operators": ["in"], "relationship": _relationship(each)},
    }


def _alone(id: str, name: str, render: str, order: int) -> Row:
    return {"id": id, "name": name, "field": id, "sortable": False, "data_type": "string", "render_mode": render, "default_order": order}


def _relationship(each: FilterColumn) -> Row:
    found = {"entity": each.entity, "value_field": "id", "display_field": each.display_field, "multiple": True}
    return {**found, "endpoint": each.endpoint, "filter_key": each.filter_key}


def _words(name: str) -> str:
    return " ".join(word.capitalize() for word in name.split("_"))
