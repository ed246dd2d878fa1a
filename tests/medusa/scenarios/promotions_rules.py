"""Promotions as an admin keeps them: rules added, changed and taken away, what they may be about, codes, statuses, limits."""

from __future__ import annotations

from ..ground import Api


async def run(api: Api) -> None:
    shop = await api.shop("pl", "pln", rate=23)
    cup = await api.goods(shop, "Cup", {"S": 10})
    group = (await api.quiet("POST", "/admin/customer-groups", {"name": api.fresh("vip")}))["customer_group"]["id"]
    percent = {"type": "percentage", "target_type": "order", "value": 10}
    code = api.fresh("RULES").upper()
    one = (
        await api.admin(
            "POST",
            "/promotions",
            {
                "code": code,
                "type": "standard",
                "status": "draft",
                "application_method": percent,
                "rules": [{"attribute": "currency_code", "operator": "eq", "values": ["pln"]}],
            },
        )
    )["promotion"]["id"]
    await api.admin("GET", f"/promotions/{one}")
    await api.admin("GET", f"/promotions/{code}")
    await api.admin("GET", "/promotions/promo_unknown")
    await api.admin("GET", f"/promotions/{one}/rules")
    await api.admin("GET", f"/promotions/{one}/target-rules")
    await api.admin("GET", f"/promotions/{one}/buy-rules")
    await api.admin("GET", f"/promotions/{one}/other")
    rules = (
        await api.admin(
            "POST",
            f"/promotions/{one}/rules/batch",
            {
                "create": [
                    {"attribute": "customer.groups.id", "operator": "in", "values": [group], "description": "only them"},
                    {"attribute": "region.id", "operator": "eq", "values": shop.region},
                ]
            },
        )
    ).get("created", [])
    await api.admin("GET", f"/promotions/{one}/rules")
    if rules:
        await api.admin(
            "POST",
            f"/promotions/{one}/rules/batch",
            {
                "update": [
                    {
                        "id": next(rule["id"] for rule in rules if rule["attribute"] == "customer.groups.id"),
                        "attribute": "customer.groups.id",
                        "operator": "in",
                        "values": [group, "cusgroup_other"],
                    }
                ],
                "delete": [rule["id"] for rule in rules if rule["attribute"] == "region.id"],
            },
        )
    await api.admin("GET", f"/promotions/{one}?fields=id,rules.attribute,rules.operator,rules.values.value")
    await api.admin("POST", f"/promotions/{one}/rules/batch", {"create": [{"attribute": "x", "operator": "like", "values": ["y"]}]})
    await api.admin("POST", f"/promotions/{one}/rules/batch", {"create": [{"operator": "eq", "values": ["y"]}]})
    await api.admin(
        "POST", "/promotions/promo_unknown/rules/batch", {"create": [{"attribute": "region_id", "operator": "eq", "values": ["y"]}]}
    )
    await api.admin(
        "POST",
        f"/promotions/{one}/target-rules/batch",
        {"create": [{"attribute": "items.product.id", "operator": "eq", "values": [cup["product"]]}]},
    )
    await api.admin(
        "POST",
        f"/promotions/{one}/buy-rules/batch",
        {"create": [{"attribute": "items.product.id", "operator": "eq", "values": [cup["product"]]}]},
    )
    await api.admin("POST", f"/promotions/{one}", {"status": "active", "code": code + "2", "limit": 5})
    await api.admin("POST", f"/promotions/{one}", {"application_method": {"value": 20}})
    await api.admin("POST", f"/promotions/{one}", {"status": "other"})
    await api.admin("POST", f"/promotions/{one}", {"is_automatic": True})
    await api.admin("POST", f"/promotions/{one}", {"is_automatic": True, "limit": None})
    await api.admin("POST", "/promotions/promo_unknown", {"status": "active"})
    await api.admin("GET", f"/promotions?code={code}2&fields=code,status,limit,is_automatic,used")
    await api.admin("GET", f"/promotions?q={api.word}&application_method_type[]=percentage&fields=code,application_method.value")
    await api.admin("GET", f"/promotions?currency_code=pln&fields=code&q={api.word}")
    await api.admin("GET", f"/promotions?application_method[target_type]=order&q={api.word}&fields=code")
    for kind in ("rules", "target-rules", "buy-rules"):
        await api.admin("GET", f"/promotions/rule-attribute-options/{kind}")
        await api.admin(
            "GET",
            f"/promotions/rule-attribute-options/{kind}?promotion_type=buyget&application_method_type=fixed&application_method_target_type=items",
        )
    await api.admin("GET", "/promotions/rule-attribute-options/other")
    await api.admin("GET", f"/promotions/rule-value-options/rules/customer_group?q={api.word}")
    await api.admin("GET", f"/promotions/rule-value-options/rules/region?q={api.word}")
    await api.admin("GET", "/promotions/rule-value-options/rules/currency_code?q=pln")
    await api.admin("GET", "/promotions/rule-value-options/rules/country?q=Poland")
    await api.admin("GET", f"/promotions/rule-value-options/target-rules/product?q={api.word}")
    await api.admin("GET", "/promotions/rule-value-options/rules/other")
    await api.admin(
        "POST",
        "/promotions",
        {"code": api.fresh("auto"), "type": "standard", "is_automatic": True, "limit": 3, "application_method": percent},
    )
    await api.admin("POST", "/promotions", {"code": api.fresh("pos"), "type": "standard", "application_method": percent | {"value": 0}})
    await api.admin("POST", "/promotions", {"code": api.fresh("neg"), "type": "standard", "application_method": percent | {"value": -1}})
    await api.admin("POST", "/promotions", {"code": api.fresh("more"), "type": "standard", "application_method": percent | {"value": 101}})
    await api.admin(
        "POST",
        "/promotions",
        {
            "code": api.fresh("alloc"),
            "type": "standard",
            "application_method": {"type": "percentage", "target_type": "order", "allocation": "each", "value": 10, "max_quantity": 1},
        },
    )
    await api.admin(
        "POST",
        "/promotions",
        {
            "code": api.fresh("noalloc"),
            "type": "standard",
            "application_method": {"type": "percentage", "target_type": "items", "value": 10},
        },
    )
    await api.admin(
        "POST",
        "/promotions",
        {
            "code": api.fresh("max"),
            "type": "standard",
            "application_method": {"type": "percentage", "target_type": "items", "allocation": "across", "value": 10, "max_quantity": 1},
        },
    )
    await api.admin(
        "POST",
        "/promotions",
        {
            "code": api.fresh("buy"),
            "type": "standard",
            "application_method": percent
            | {"buy_rules": [{"attribute": "items.product.id", "operator": "eq", "values": [cup["product"]]}]},
        },
    )
    await api.admin("POST", "/promotions", {"code": api.fresh("type"), "type": "other", "application_method": percent})
    await api.admin("POST", "/promotions", {"type": "standard", "application_method": percent})
    await api.admin("POST", "/promotions", {"code": api.fresh("none"), "type": "standard"})
    await api.admin("POST", "/promotions", {"code": api.fresh("unknown"), "type": "standard", "application_method": percent, "unknown": 1})
    await api.admin(
        "POST",
        "/promotions",
        {
            "code": api.fresh("get"),
            "type": "buyget",
            "application_method": {
                "type": "percentage",
                "target_type": "items",
                "allocation": "each",
                "value": 100,
                "max_quantity": 1,
                "apply_to_quantity": 1,
                "buy_rules_min_quantity": 2,
                "buy_rules": [{"attribute": "items.product.id", "operator": "eq", "values": [cup["product"]]}],
                "target_rules": [{"attribute": "items.product.id", "operator": "eq", "values": [cup["product"]]}],
            },
        },
    )
    await api.admin(
        "POST",
        "/promotions",
        {
            "code": api.fresh("getlimit"),
            "type": "buyget",
            "application_method": {
                "type": "percentage",
                "target_type": "items",
                "allocation": "each",
                "value": 100,
                "max_quantity": 1,
                "apply_to_quantity": 1,
                "buy_rules": [{"attribute": "items.product.id", "operator": "eq", "values": [cup["product"]]}],
                "target_rules": [{"attribute": "items.product.id", "operator": "eq", "values": [cup["product"]]}],
            },
        },
    )
    await api.admin("POST", f"/promotions/{one}/rules/batch", {"delete": ["prorul_unknown"]})
    await api.admin("POST", f"/promotions/{one}/rules/batch", {"update": [{"id": "prorul_unknown", "operator": "eq", "values": ["y"]}]})
    await api.admin("DELETE", f"/promotions/{one}")
    await api.admin("DELETE", f"/promotions/{one}")
    await api.admin("GET", f"/promotions/{one}")
