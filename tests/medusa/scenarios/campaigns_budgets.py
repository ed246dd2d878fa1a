"""Campaigns: with budgets of money and of uses, their promotions, times, and what buyers get of them."""

from __future__ import annotations

from ..ground import Api


async def run(api: Api) -> None:
    shop = await api.shop("hu", "huf", rate=27)
    cup = await api.goods(shop, "Cup", {"S": 100})
    word = api.fresh
    one = (
        await api.admin(
            "POST",
            "/campaigns",
            {
                "name": word("Spring"),
                "campaign_identifier": word("spring"),
                "description": "all of it",
                "starts_at": "2024-01-01T00:00:00.000Z",
                "ends_at": "2044-01-01T00:00:00.000Z",
                "budget": {"type": "spend", "limit": 50, "currency_code": "huf"},
            },
        )
    )["campaign"]["id"]
    two = (
        await api.admin(
            "POST", "/campaigns", {"name": word("Uses"), "campaign_identifier": word("uses"), "budget": {"type": "usage", "limit": 1}}
        )
    )["campaign"]["id"]
    await api.admin("POST", "/campaigns", {"name": word("Plain"), "campaign_identifier": word("plain")})
    await api.admin("POST", "/campaigns", {"name": word("Again"), "campaign_identifier": word("spring")})
    await api.admin("POST", "/campaigns", {"name": word("x")})
    await api.admin("POST", "/campaigns", {"campaign_identifier": word("x")})
    await api.admin("POST", "/campaigns", {"name": word("x"), "campaign_identifier": word("y"), "budget": {"type": "other", "limit": 1}})
    await api.admin("POST", "/campaigns", {"name": word("x"), "campaign_identifier": word("z"), "budget": {"type": "spend", "limit": 1}})
    await api.admin(
        "POST",
        "/campaigns",
        {"name": word("x"), "campaign_identifier": word("u"), "budget": {"type": "usage", "limit": 1, "currency_code": "huf"}},
    )
    await api.admin("POST", "/campaigns", {"name": word("x"), "campaign_identifier": word("v"), "starts_at": "never"})
    await api.admin("POST", "/campaigns", {"name": word("x"), "campaign_identifier": word("w"), "unknown": 1})
    await api.admin("GET", f"/campaigns/{one}")
    await api.admin("GET", "/campaigns/procamp_unknown")
    await api.admin("GET", f"/campaigns?q={api.word}&order=name&fields=name,campaign_identifier,*budget")
    await api.admin("GET", f"/campaigns?campaign_identifier={word('uses')}")
    method = {"type": "fixed", "target_type": "order", "value": 30, "currency_code": "huf"}
    spend = (
        await api.admin(
            "POST",
            "/promotions",
            {"code": word("SPEND"), "type": "standard", "status": "active", "campaign_id": one, "application_method": method},
        )
    )["promotion"]
    uses = (
        await api.admin("POST", "/promotions", {"code": word("USES"), "type": "standard", "status": "active", "application_method": method})
    )["promotion"]
    await api.admin(
        "POST",
        "/promotions",
        {
            "code": word("NEW"),
            "type": "standard",
            "status": "active",
            "application_method": method,
            "campaign": {"name": word("New"), "campaign_identifier": word("new"), "budget": {"type": "usage", "limit": 2}},
        },
    )
    await api.admin(
        "POST",
        "/promotions",
        {
            "code": word("BOTH"),
            "type": "standard",
            "campaign_id": one,
            "application_method": method,
            "campaign": {"name": word("N"), "campaign_identifier": word("n")},
        },
    )
    await api.admin(
        "POST", "/promotions", {"code": word("LOST"), "type": "standard", "campaign_id": "procamp_unknown", "application_method": method}
    )
    await api.admin("POST", f"/campaigns/{two}/promotions", {"add": [uses["id"]]})
    await api.admin("POST", f"/campaigns/{two}/promotions", {"add": ["promo_unknown"]})
    await api.admin("POST", f"/campaigns/{two}/promotions", {"add": [spend["id"]]})
    await api.admin("GET", f"/promotions?campaign_id={two}&fields=code,campaign_id,*campaign")
    await api.admin("GET", f"/promotions/{uses['id']}?fields=code,*campaign,*campaign.budget")
    await api.admin("POST", f"/campaigns/{one}", {"name": word("Summer"), "budget": {"limit": 60}})
    await api.admin("POST", f"/campaigns/{one}", {"budget": {"type": "usage", "limit": 60}})
    await api.admin("POST", f"/campaigns/{one}", {"campaign_identifier": word("uses")})
    await api.admin("POST", "/campaigns/procamp_unknown", {"name": "x"})
    await api.buy(shop, {cup["S"]: 1}, codes=[uses["code"]])
    await api.admin("GET", f"/campaigns/{two}?fields=name,*budget")
    cart = (
        await api.store(
            "POST",
            "/carts",
            {
                "region_id": shop.region,
                "email": word("dan") + "@example.com",
                "items": [{"variant_id": cup["S"], "quantity": 1}],
                "promo_codes": [uses["code"]],
            },
        )
    ).get("cart")
    cart = (
        await api.store(
            "POST",
            "/carts",
            {"region_id": shop.region, "email": word("dan") + "@example.com", "items": [{"variant_id": cup["S"], "quantity": 1}]},
        )
    )["cart"]["id"]
    await api.store("POST", f"/carts/{cart}/promotions", {"promo_codes": [uses["code"]]})
    await api.store("POST", f"/carts/{cart}/promotions", {"promo_codes": [spend["code"]]})
    await api.store("POST", f"/carts/{cart}/promotions", {"promo_codes": "x"})
    await api.store("POST", f"/carts/{cart}/promotions", {"promo_codes": []})
    await api.admin("POST", f"/campaigns/{one}", {"ends_at": "2024-02-01T00:00:00.000Z"})
    await api.store("GET", f"/carts/{cart}?fields=total,discount_total,*promotions")
    await api.store("DELETE", f"/carts/{cart}/promotions", {"promo_codes": [spend["code"]]})
    await api.store("POST", f"/carts/{cart}/promotions", {"promo_codes": [spend["code"]]})
    await api.admin("POST", f"/campaigns/{two}/promotions", {"remove": [uses["id"]]})
    await api.admin("DELETE", f"/campaigns/{two}")
    await api.admin("DELETE", f"/campaigns/{two}")
    await api.admin("DELETE", f"/campaigns/{one}")
    await api.admin("GET", f"/promotions/{spend['id']}?fields=code,campaign_id")
