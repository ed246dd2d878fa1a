"""Promotions and campaigns as a merchant keeps them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from velella.core.flow import keep
from velella.core.ids import ulid

from ..conftest import Shop
from .conftest import Merchant

Row = dict[str, Any]
PROMOTIONS, CAMPAIGNS = "/admin/promotions", "/admin/campaigns"
BRAND = {"attribute": "items.product.id", "operator": "in", "values": ["prod_1", "prod_2"]}
GROUP = {"attribute": "customer.groups.id", "operator": "eq", "values": "cusgroup_1"}


def body(**more: Any) -> Row:
    method = {"type": "percentage", "value": 10, "target_type": "items", "allocation": "each", "max_quantity": 1}
    return {"code": ulid(), "type": "standard", "application_method": {**method, **more.pop("method", {})}, **more}


async def promotion(merchant: Merchant, **more: Any) -> Row:
    made: Row = (await merchant.post(PROMOTIONS, body(**more)))["promotion"]
    return made


def campaign_body(**more: Any) -> Row:
    return {"name": "Summer", "campaign_identifier": ulid(), **more}


def rules_of(rows: list[Row]) -> list[tuple[str, str, list[str]]]:
    return sorted((row["attribute"], row["operator"], sorted(value["value"] for value in row["values"])) for row in rows)


async def test_a_promotion_is_shown_with_all_that_belongs_to_it(merchant: Merchant) -> None:
    made = await promotion(merchant, rules=[GROUP], method={"target_rules": [BRAND]}, limit=3, metadata={"a": 1})
    assert (made["status"], made["is_automatic"], made["limit"], made["used"], made["campaign"]) == ("draft", False, 3, 0, None)
    assert rules_of(made["rules"]) == [("customer.groups.id", "eq", ["cusgroup_1"])]
    method = made["application_method"]
    assert (method["value"], method["type"], method["allocation"], method["max_quantity"]) == (10, "percentage", "each", 1)
    assert rules_of(method["target_rules"]) == [("items.product.id", "in", ["prod_1", "prod_2"])]
    assert (await merchant.get(f"{PROMOTIONS}/{made['id']}"))["promotion"] == made
    [listed] = (await merchant.get(PROMOTIONS, code=made["code"]))["promotions"]
    assert listed == made


async def test_what_is_named_changes_and_the_rest_stays(merchant: Merchant) -> None:
    made = await promotion(merchant, method={"target_rules": [BRAND]})
    changes = {"status": "active", "is_automatic": True, "application_method": {"value": 25}}
    changed = (await merchant.post(f"{PROMOTIONS}/{made['id']}", changes))["promotion"]
    assert (changed["status"], changed["is_automatic"], changed["code"]) == ("active", True, made["code"])
    assert changed["application_method"]["value"] == 25
    assert changed["application_method"]["target_rules"] == made["application_method"]["target_rules"]


REFUSED = [
    ({"method": {"value": 101}}, "percentage number between 0 and 100"),
    ({"is_automatic": True, "limit": 3}, "cannot have a usage limit"),
    ({"method": {"allocation": "across", "max_quantity": 1}}, "max_quantity is not allowed"),
    ({"method": {"buy_rules": [BRAND]}}, "only be added to promotions of type 'buyget'"),
    ({"method": {"type": "fixed", "value": 0, "currency_code": "eur"}}, "greater than 0"),
    ({"method": {"max_quantity": None}}, "max_quantity is required"),
    ({"method": {"allocation": "once", "max_quantity": None}}, "max_quantity is required"),
    ({"type": "buyget"}, "target_rules are required"),
    ({"type": "buyget", "method": {"target_rules": [BRAND], "buy_rules": [BRAND], "buy_rules_min_quantity": 1}}, "apply_to_quantity"),
    ({"type": "buyget", "method": {"target_type": "order"}}, "has to be 'items'"),
    ({"limit": 0}, "too small"),
    ({"campaign_id": "procamp_none"}, "was not found"),
    ({"campaign_id": "procamp_none", "campaign": campaign_body()}, "cannot be used simultaneously"),
]


@pytest.mark.parametrize(("given", "why"), REFUSED)
async def test_what_contradicts_itself_is_refused(merchant: Merchant, given: Row, why: str) -> None:
    status, _, message = await merchant.refused("POST", PROMOTIONS, body(**given))
    assert status in (400, 404)
    assert why in message


async def test_a_code_is_taken_once_also_by_many_at_once(merchant: Merchant) -> None:
    given = body()
    answers = await asyncio.gather(*(merchant.client("POST", PROMOTIONS, given) for _ in range(6)))
    assert sorted(answer.status for answer in answers) == [200, 400, 400, 400, 400, 400]
    assert (await merchant.get(PROMOTIONS, code=given["code"]))["count"] == 1


async def test_rules_are_changed_all_or_none(merchant: Merchant) -> None:
    made = await promotion(merchant, rules=[GROUP])
    [rule] = made["rules"]
    batch = f"{PROMOTIONS}/{made['id']}/rules/batch"
    region = {"attribute": "region_id", "operator": "ne", "values": ["reg_1", "reg_2"]}
    done = await merchant.post(batch, {"create": [region], "update": [{"id": rule["id"], "values": ["cusgroup_2", "cusgroup_3"]}]})
    assert rules_of(done["created"]) == [("region_id", "ne", ["reg_1", "reg_2"])]
    assert rules_of(done["updated"]) == [("customer.groups.id", "eq", ["cusgroup_2", "cusgroup_3"])]
    assert done["deleted"] == {"ids": [], "object": "promotion-rule", "deleted": True}

    foreign = {"create": [region], "update": [{"id": "prorul_none", "values": "x"}], "delete": [rule["id"], "prorul_none"]}
    status, _kind, message = await merchant.refused("POST", batch, foreign)
    assert (status, "no rule with id: prorul_none" in message) == (400, True)
    now = (await merchant.get(f"{PROMOTIONS}/{made['id']}"))["promotion"]["rules"]
    assert rules_of(now) == rules_of([*done["created"], *done["updated"]])

    gone = await merchant.post(batch, {"delete": [rule["id"]]})
    assert gone["deleted"]["ids"] == [rule["id"]]
    now = (await merchant.get(f"{PROMOTIONS}/{made['id']}"))["promotion"]["rules"]
    assert rules_of(now) == rules_of(done["created"])


async def test_a_promotion_keeps_the_rules_it_can_not_do_without(merchant: Merchant) -> None:
    method = {"target_rules": [BRAND], "buy_rules": [BRAND], "buy_rules_min_quantity": 2, "apply_to_quantity": 1}
    made = await promotion(merchant, type="buyget", method=method)
    [rule] = made["application_method"]["buy_rules"]
    status, _kind, message = await merchant.refused("POST", f"{PROMOTIONS}/{made['id']}/buy-rules/batch", {"delete": [rule["id"]]})
    assert (status, "buy_rules are required" in message) == (400, True)


async def test_rules_are_listed_with_what_their_values_are_called(merchant: Merchant) -> None:
    [region] = (await merchant.get("/admin/regions", limit="1"))["regions"] or [
        (await merchant.post("/admin/regions", {"name": "North", "currency_code": "eur"}))["region"]
    ]
    rule = {"attribute": "region.id", "operator": "in", "values": [region["id"], "reg_gone"]}
    made = await promotion(merchant, rules=[rule], method={"type": "fixed", "value": 5, "currency_code": "eur"})
    rules = (await merchant.get(f"{PROMOTIONS}/{made['id']}/rules"))["rules"]
    assert [(each["attribute"], "disguised" in each) for each in rules] == [("currency_code", True), ("region.id", False)]
    assert rules[1]["attribute_label"] == "Region"
    assert sorted((each["value"], each["label"]) for each in rules[1]["values"]) == sorted(
        [(region["id"], region["name"]), ("reg_gone", "reg_gone")]
    )
    assert (await merchant.get(f"{PROMOTIONS}/{made['id']}/target-rules"))["rules"] == []
    status, _, _ = await merchant.refused("GET", f"{PROMOTIONS}/{made['id']}/odd-rules")
    assert status == 400


async def test_forms_for_new_promotions_ask_which_rules_there_have_to_be(merchant: Merchant) -> None:
    async def asked(id: str, kind: str, **types: str) -> list[tuple[str, Any]]:
        rules = (await merchant.get(f"{PROMOTIONS}/{id}/{kind}", **types))["rules"]
        assert [(each["required"], each["disguised"], "id" in each) for each in rules] == [(True, True, False)] * len(rules)
        return [(each["attribute"], each.get("values")) for each in rules]

    assert await asked("null", "rules", promotion_type="standard", application_method_type="fixed") == [("currency_code", [])]
    assert await asked("null", "rules", promotion_type="standard", application_method_type="percentage") == []
    assert await asked("null", "buy-rules", promotion_type="buyget") == [("buy_rules_min_quantity", None)]
    assert await asked("null", "target-rules", promotion_type="buyget") == [("apply_to_quantity", None)]
    assert await asked("null", "target-rules") == []


async def test_what_looks_like_a_rule_has_no_id_and_a_number_is_one(merchant: Merchant) -> None:
    method = {"target_rules": [BRAND], "buy_rules": [BRAND], "buy_rules_min_quantity": 2, "apply_to_quantity": 1}
    made = await promotion(merchant, type="buyget", method=method)
    for kind, number in (("buy-rules", 2), ("target-rules", 1)):
        first, second = (await merchant.get(f"{PROMOTIONS}/{made['id']}/{kind}"))["rules"]
        assert (first["values"], "id" in first, second["attribute"]) == (number, False, "items.product.id")


async def test_what_rules_can_be_about_and_the_values_to_choose_from(merchant: Merchant) -> None:
    options = f"{PROMOTIONS}/rule-attribute-options"
    about = (await merchant.get(f"{options}/rules", application_method_type="fixed"))["attributes"]
    assert [each["id"] for each in about] == ["customer_group", "region", "country", "sales_channel", "currency_code"]
    assert [each["id"] for each in about[1]["operators"]] == ["in", "eq", "ne"]
    # the dashboard doesn't say of which type, and looks the currency up here
    for given in ({"promotion_type": "standard"}, {"application_method_type": "percentage"}):
        assert (await merchant.get(f"{options}/rules", **given))["attributes"] == [*about[:-1], {**about[-1], "required": False}]
    buy = (await merchant.get(f"{options}/buy-rules", promotion_type="buyget"))["attributes"]
    assert buy[-1]["id"] == "buy_rules_min_quantity"
    shipping = (await merchant.get(f"{options}/target-rules", application_method_target_type="shipping_methods"))["attributes"]
    assert [each["id"] for each in shipping] == ["shipping_option_type"]
    tag = (await merchant.post("/admin/product-tags", {"value": f"tag {ulid()}"}))["product_tag"]
    values = f"{PROMOTIONS}/rule-value-options"
    found = await merchant.get(f"{values}/target-rules/product_tag", q=tag["value"])
    assert (found["values"], found["count"]) == ([{"value": tag["id"], "label": tag["value"]}], 1)
    for name in ("value", "id"):
        assert (await merchant.get(f"{values}/target-rules/product_tag", **{name: tag["id"]}))["values"] == found["values"]
    euro = (await merchant.get(f"{values}/rules/currency_code", **{"value[]": "eur"}))["values"]
    assert euro == [{"value": "eur", "label": "Euro"}]
    for id in ("customer_group", "region", "country", "sales_channel"):
        assert "values" in await merchant.get(f"{values}/rules/{id}", limit="2")
    assert (await merchant.refused("GET", f"{values}/rules/product"))[0] == 400


async def test_a_campaign_has_a_budget_and_promotions(merchant: Merchant) -> None:
    budget = {"type": "spend", "currency_code": "eur", "limit": 500}
    made = (await merchant.post(CAMPAIGNS, campaign_body(budget=budget, starts_at="2026-01-01", ends_at="2026-02-01")))["campaign"]
    assert (made["budget"]["limit"], made["budget"]["used"], made["budget"]["type"]) == (500, 0, "spend")
    inside, outside = await promotion(merchant), await promotion(merchant, method={"type": "fixed", "value": 5, "currency_code": "usd"})
    members = f"{CAMPAIGNS}/{made['id']}/promotions"
    await merchant.post(members, {"add": [inside["id"]]})
    assert (await merchant.get(f"{PROMOTIONS}/{inside['id']}"))["promotion"]["campaign"]["id"] == made["id"]
    assert [row["id"] for row in (await merchant.get(PROMOTIONS, campaign_id=made["id"]))["promotions"]] == [inside["id"]]
    status, _kind, message = await merchant.refused("POST", members, {"add": [outside["id"]], "remove": [inside["id"]]})
    assert (status, "in usd" in message) == (400, True)
    assert (await merchant.get(f"{PROMOTIONS}/{inside['id']}"))["promotion"]["campaign"]["id"] == made["id"]
    await merchant.post(members, {"remove": [inside["id"]]})
    assert (await merchant.get(f"{PROMOTIONS}/{inside['id']}"))["promotion"]["campaign"] is None

    changed = (await merchant.post(f"{CAMPAIGNS}/{made['id']}", {"name": "Winter", "budget": {"limit": 900}}))["campaign"]
    assert (changed["name"], changed["budget"]["limit"], changed["budget"]["currency_code"]) == ("Winter", 900, "eur")
    status, _, _ = await merchant.refused("POST", f"{CAMPAIGNS}/{made['id']}", {"ends_at": "2025-01-01"})
    assert status == 400


@pytest.mark.parametrize(
    "budget", [{"type": "spend"}, {"type": "usage", "currency_code": "eur"}, {"type": "use_by_attribute"}, {"type": "spend_by_attribute"}]
)
async def test_a_budget_says_what_it_counts(merchant: Merchant, budget: Row) -> None:
    status, kind, _message = await merchant.refused("POST", CAMPAIGNS, campaign_body(budget=budget))
    assert (status, kind) == (400, "invalid_data")


async def test_a_promotion_may_bring_its_campaign(merchant: Merchant) -> None:
    made = await promotion(merchant, campaign=campaign_body(budget={"type": "usage", "limit": 2}))
    assert made["campaign"]["budget"]["limit"] == 2
    assert (await merchant.get(f"{CAMPAIGNS}/{made['campaign']['id']}"))["campaign"]["name"] == "Summer"


async def test_what_is_deleted_is_gone_and_its_code_free(merchant: Merchant, shop: Shop) -> None:
    made = await promotion(merchant)
    assert await merchant.delete(f"{PROMOTIONS}/{made['id']}") == {"id": made["id"], "object": "promotion", "deleted": True}
    assert (await merchant.refused("GET", f"{PROMOTIONS}/{made['id']}"))[0] == 404
    again = (await merchant.post(PROMOTIONS, body(code=made["code"])))["promotion"]
    assert again["id"] != made["id"]
    campaign = (await merchant.post(CAMPAIGNS, campaign_body()))["campaign"]
    assert await merchant.delete(f"{CAMPAIGNS}/{campaign['id']}") == {"id": campaign["id"], "object": "campaign", "deleted": True}


async def test_a_flow_that_fails_leaves_a_promotion_as_it_was_but_for_what_was_counted(merchant: Merchant, shop: Shop) -> None:
    made = await promotion(merchant, rules=[GROUP], status="active")
    service = shop.host.modules.promotion
    first = await keep(service.update_promotions, [{"id": made["id"], "code": ulid()}])
    then = await keep(service.change_rules, made["id"], "rules", create=[BRAND], delete=[made["rules"][0]["id"]])
    await service.register_usage(ulid(), [{"promotion_id": made["id"], "amount": "1"}], {})
    for _ in range(2):
        await service.undo(then["change"])
        await service.undo(first["change"])
    now = (await merchant.get(f"{PROMOTIONS}/{made['id']}"))["promotion"]
    assert (now["code"], now["used"]) == (made["code"], 1)
    assert now["rules"] == made["rules"]
