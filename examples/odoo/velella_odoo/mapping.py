"""A product of Odoo's as one of the shop's. Pure."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence

from velella.core.rows import Row

TEMPLATE = ("id", "name", "description_sale", "active", "sale_ok", "currency_id", "is_storable")
VARIANT = ("id", "product_tmpl_id", "default_code", "barcode", "lst_price", "product_template_variant_value_ids")
VALUE = ("id", "name", "attribute_id")
NO_ATTRIBUTE = ("Default option", "Default option value")


def external_id(template_id: int) -> str:
    return f"odoo:{template_id}"


def product_of(template: Row, variants: Sequence[Row], values: Mapping[int, Row]) -> Row:
    """What `create-products` takes. A merchant decides on the handle, images, categories, channels; Odoo on what stands here.

    `variants` are those of the template that are for sale, `values` the attributes' values that they have. Under `metadata.odoo` is a
    digest of all of it: by this it is seen whether Odoo has changed anything.
    """
    currency = str(template["currency_id"][1]).lower()
    made = []
    options: dict[str, dict[str, None]] = {}
    for variant in variants:
        of = [values[id] for id in variant["product_template_variant_value_ids"] or ()]
        chosen = {value["attribute_id"][1]: value["name"] for value in of} or dict([NO_ATTRIBUTE])
        for option, value in chosen.items():
            options.setdefault(option, {})[value] = None
        made.append(
            {
                "title": " / ".join(chosen.values()) if of else template["name"],
                "sku": variant["default_code"],
                "barcode": variant["barcode"],
                "manage_inventory": template["is_storable"],
                "options": chosen,
                "prices": [{"currency_code": currency, "amount": variant["lst_price"]}],
                "metadata": {"odoo_id": variant["id"]},
            }
        )
    product = {
        "external_id": external_id(template["id"]),
        "title": template["name"],
        "description": template["description_sale"],
        "status": "published" if template["active"] and template["sale_ok"] and made else "draft",
        "options": [{"title": option, "values": list(its)} for option, its in options.items()],
        "variants": made,
    }
    digest = hashlib.sha256(json.dumps(product, sort_keys=True, default=str).encode()).hexdigest()[:16]
    return {**product, "metadata": {"odoo": digest}}


def as_new(product: Row, template_id: int) -> Row:
    """With a handle: names aren't unique at Odoo."""
    return {**product, "handle": f"{re.sub(r'[^a-z0-9]+', '-', product['title'].lower()).strip('-')}-{template_id}".lstrip("-")}


def as_update(product: Row, known: Row) -> Row:
    """What `update-products` takes. Prices in other currencies stay. Variants that aren't for sale any more are deleted; without any the
    product becomes a draft."""
    if not product["variants"]:
        return {"id": known["id"], "status": "draft", "metadata": product["metadata"]}
    ids = {(variant["metadata"] or {}).get("odoo_id"): variant["id"] for variant in known["variants"]}
    variants = []
    for variant in product["variants"]:
        id = ids.get(variant["metadata"]["odoo_id"])
        variants.append({**variant, "id": id, "more_prices": variant["prices"], "prices": None} if id is not None else variant)
    return {**product, "id": known["id"], "variants": variants}
