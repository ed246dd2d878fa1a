"""Tax regions, their rates and what rates are for, as a merchant keeps them."""

from __future__ import annotations

import pytest

from .conftest import Merchant

REGIONS, RATES = "/admin/tax-regions", "/admin/tax-rates"


async def region(merchant: Merchant, country: str) -> str:
    return str((await merchant.post(REGIONS, {"country_code": country, "provider_id": "tp_system"}))["tax_region"]["id"])


async def test_a_region_has_a_default_rate_and_provinces(merchant: Merchant) -> None:
    rate = {"rate": 19.5, "code": "vat", "name": "VAT", "is_combinable": False, "more": 1}
    body = {"country_code": "CA", "provider_id": "tp_system", "default_tax_rate": rate, "metadata": {"a": 1}}
    country = (await merchant.post(REGIONS, body))["tax_region"]
    assert {"country_code": "ca", "province_code": None, "provider_id": "tp_system", "metadata": {"a": 1}}.items() <= country.items()
    assert country["created_by"].startswith("user_")
    assert [(row["rate"], row["is_default"], row["rules"]) for row in country["tax_rates"]] == [(19.5, True, [])]
    assert (country["parent"], country["children"]) == (None, [])

    province = (await merchant.post(REGIONS, {"country_code": "ca", "province_code": "QC", "parent_id": country["id"]}))["tax_region"]
    assert province["province_code"] == "qc"
    assert province["parent"]["id"] == country["id"]
    path = f"{REGIONS}/{country['id']}"
    assert [child["id"] for child in (await merchant.get(path))["tax_region"]["children"]] == [province["id"]]
    for wanted in ({"parent_id": country["id"]}, {"country_code": "ca", "province_code[$in]": "qc"}, {"q": "qc"}):
        assert [row["id"] for row in (await merchant.get(REGIONS, **wanted))["tax_regions"]] == [province["id"]], wanted

    assert (await merchant.post(path, {"metadata": None}, fields="metadata"))["tax_region"] == {"id": country["id"], "metadata": None}
    assert await merchant.delete(path) == {"id": country["id"], "object": "tax_region", "deleted": True}
    for gone in (path, f"{REGIONS}/{province['id']}", f"{RATES}/{country['tax_rates'][0]['id']}"):
        assert (await merchant.refused("GET", gone))[0] == 404
    assert (await merchant.refused("POST", path, {"metadata": {}}))[:2] == (404, "not_found")


async def test_a_place_has_one_region(merchant: Merchant) -> None:
    country = await region(merchant, "fr")
    assert (await merchant.refused("POST", REGIONS, {"country_code": "fr", "provider_id": "tp_system"}))[:2] == (400, "invalid_data")
    other = {"country_code": "be", "province_code": "bru", "parent_id": country}
    assert (await merchant.refused("POST", REGIONS, other))[:2] == (400, "invalid_data")
    assert (await merchant.refused("POST", REGIONS, {**other, "parent_id": "txreg_none"}))[:2] == (400, "invalid_data")
    assert (await merchant.refused("POST", REGIONS, {"country_code": "pl", "provider_id": "tp_none"}))[0] == 404


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        (REGIONS, {}, "Field 'country_code' is required"),
        (REGIONS, {"country_code": "de", "default_tax_rate": {"code": "x"}}, "Field 'default_tax_rate, name' is required"),
        (REGIONS, {"country_code": "de", "rate": 1}, "Unrecognized fields: 'rate'"),
        (RATES, {"name": "x", "code": "x"}, "Field 'tax_region_id' is required"),
        (RATES, {"name": "x", "code": None, "tax_region_id": "x"}, "Expected type: 'string' for field 'code', got: 'null'"),
        (RATES, {"name": "x", "code": "x", "tax_region_id": "x", "rate": "5"}, "Expected type: 'number' for field 'rate', got: 'string'"),
    ],
)
async def test_wrong_bodies_are_refused(merchant: Merchant, path: str, body: object, message: str) -> None:
    assert await merchant.refused("POST", path, body) == (400, "invalid_data", f"Invalid request: {message}")


async def test_a_rate_is_for_what_its_rules_say(merchant: Merchant) -> None:
    place = await region(merchant, "at")
    books = {"reference": "product_type", "reference_id": "ptyp_books"}
    body = {"name": "Reduced", "code": "reduced", "rate": 10, "tax_region_id": place, "rules": [books]}
    rate = (await merchant.post(RATES, body))["tax_rate"]
    assert {"name": "Reduced", "rate": 10, "is_default": False, "is_combinable": False}.items() <= rate.items()
    assert rate["tax_region"]["country_code"] == "at"
    assert [rule["reference_id"] for rule in rate["rules"]] == ["ptyp_books"]

    path = f"{RATES}/{rate['id']}"
    mug = {"reference": "product", "reference_id": "prod_mug"}
    rules = (await merchant.post(f"{path}/rules", mug))["tax_rate"]["rules"]
    assert {rule["reference_id"]: rule["created_by"][:5] for rule in rules} == {"ptyp_books": "user_", "prod_mug": "user_"}
    assert (await merchant.refused("POST", f"{path}/rules", mug))[:2] == (400, "invalid_data")
    assert (await merchant.refused("POST", f"{RATES}/txr_none/rules", mug))[0] == 404

    first = next(rule["id"] for rule in rules if rule["reference_id"] == "ptyp_books")
    answer = await merchant.delete(f"{path}/rules/{first}", fields="id,rules.reference_id")
    assert {"id": first, "object": "tax_rate_rule", "deleted": True}.items() <= answer.items()
    assert [rule["reference_id"] for rule in answer["parent"]["rules"]] == ["prod_mug"]
    assert (await merchant.delete(f"{path}/rules/{first}"))["deleted"]

    changed = (await merchant.post(path, {"name": "Books", "rate": 7.25, "rules": [books]}))["tax_rate"]
    assert (changed["name"], changed["rate"], [rule["reference_id"] for rule in changed["rules"]]) == ("Books", 7.25, ["ptyp_books"])
    assert await merchant.delete(path) == {"id": rate["id"], "object": "tax_rate", "deleted": True}
    assert (await merchant.refused("GET", path))[0] == 404
    assert (await merchant.refused("POST", path, {"name": "x"}))[0] == 404
    assert (await merchant.refused("POST", RATES, {**body, "tax_region_id": "txreg_none"}))[0] == 404


async def test_a_region_has_one_default_rate(merchant: Merchant) -> None:
    place = await region(merchant, "nl")
    body = {"name": "Standard", "code": "standard", "rate": 21, "tax_region_id": place, "is_default": True}
    rate = (await merchant.post(RATES, body))["tax_rate"]["id"]
    assert (await merchant.refused("POST", RATES, body))[:2] == (400, "invalid_data")
    await merchant.post(RATES, {**body, "is_default": False})
    for wanted, count in (({"is_default": "true"}, 1), ({"is_default": "false"}, 1), ({}, 2)):
        assert (await merchant.get(RATES, tax_region_id=place, **wanted))["count"] == count
    assert [row["id"] for row in (await merchant.get(RATES, tax_region_id=place, limit="1", order="created_at"))["tax_rates"]] == [rate]


async def test_providers_are_those_that_are_set_up(merchant: Merchant) -> None:
    assert (await merchant.get("/admin/tax-providers"))["tax_providers"] == [{"id": "tp_system", "is_enabled": True}]
    assert (await merchant.get("/admin/payments/payment-providers", is_enabled="true"))["payment_providers"][0]["id"] == "pp_system_default"
    page = await merchant.get("/admin/fulfillment-providers", id="manual_manual")
    assert page == {"fulfillment_providers": [{"id": "manual_manual", "is_enabled": True}], "count": 1, "offset": 0, "limit": 50}
    ways = await merchant.get("/admin/fulfillment-providers/manual_manual/options")
    assert (ways["count"], ways["offset"], ways["fulfillment_options"][1]["is_return"]) == (2, 0, True)
    assert (await merchant.refused("GET", "/admin/fulfillment-providers/none/options"))[0] == 404
