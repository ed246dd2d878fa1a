"""What is refused about products: missing, of another type, unknown, taken, not there; and batches that do several things."""

from __future__ import annotations

from ..ground import Api


async def run(api: Api) -> None:
    def post(body, at="/products"):
        return api.admin("POST", at, body)

    size = [{"title": "Size", "values": ["S"]}]
    for body in (
        {},
        {"title": 5},
        {"title": None},
        {"title": ""},
        {"title": api.fresh("x1"), "options": size, "nothing": 1},
        {"title": api.fresh("no options")},
        {"title": api.fresh("x2"), "options": []},
        {"title": api.fresh("x3"), "options": [{"title": "Size"}]},
        {"title": api.fresh("x4"), "options": [{"title": "Size", "values": []}]},
        {"title": api.fresh("sc"), "options": size, "sales_channels": [{"id": "sc_nothing"}]},
        {"title": api.fresh("sp"), "options": size, "shipping_profile_id": "sp_nothing"},
        {"title": api.fresh("type"), "options": size, "type_id": "ptyp_nothing"},
        {"title": api.fresh("coll"), "options": size, "collection_id": "pcol_nothing"},
        {"title": api.fresh("tag"), "options": size, "tags": [{"id": "ptag_nothing"}]},
        {"title": api.fresh("cat"), "options": size, "categories": [{"id": "pcat_nothing"}]},
        {"title": api.fresh("st"), "options": size, "status": "nothing"},
        {"title": api.fresh("st"), "options": size, "status": None},
        {"title": api.fresh("x5"), "options": size, "images": ["x"]},
        {"title": api.fresh("x6"), "options": size, "weight": "x"},
        {"title": api.fresh("x7"), "options": size, "variants": [{}]},
        {"title": api.fresh("x8"), "options": size, "variants": [{"title": "v", "prices": [{"currency_code": "eur"}]}]},
        {
            "title": api.fresh("cur"),
            "options": size,
            "variants": [{"title": "v", "options": {"Size": "S"}, "prices": [{"currency_code": "zzz", "amount": 1}]}],
        },
        {
            "title": api.fresh("neg"),
            "options": size,
            "variants": [
                {
                    "title": "v",
                    "options": {"Size": "S"},
                    "prices": [{"currency_code": "eur", "amount": 1}, {"currency_code": "eur", "amount": 2}],
                }
            ],
        },
        {"title": api.fresh("gift"), "options": size, "is_giftcard": "true", "discountable": "false"},
        {"title": api.fresh("gift2"), "options": size, "is_giftcard": "no"},
        {"title": "日本語 " + api.word, "options": size},
        {"title": api.fresh("h"), "handle": "With Blanks " + api.word, "options": size},
        {"title": api.fresh("h"), "handle": "", "options": size},
        {"title": api.fresh("h"), "handle": "ünïcode-" + api.word, "options": size},
        {"title": "ÜNÏ & Co. / 100% " + api.word, "options": size},
        {"title": api.fresh("same option"), "options": [*size, *size]},
        {"title": api.fresh("same value"), "options": [{"title": "Size", "values": ["S", "S"]}]},
    ):
        await post(body)
    first = (await post({"title": api.fresh("First"), "options": size, "weight": 1.5, "length": 2, "origin_country": "be"}))["product"]
    second = (await post({"title": api.fresh("Second"), "options": size}))["product"]
    at = f"/products/{first['id']}"
    for body in (
        {"handle": second["handle"]},
        {"title": None},
        {"handle": "A B"},
        {"status": "proposed"},
        {"status": "rejected"},
        {"status": None},
        {"options": []},
        {"sales_channels": [{"id": "sc_nothing"}]},
        {"sales_channels": []},
        {"shipping_profile_id": None},
        {"shipping_profile_id": "sp_nothing"},
        {"tags": [{"id": "ptag_nothing"}]},
        {"collection_id": "pcol_nothing"},
        {"type_id": "ptyp_nothing"},
        {"variants": [{"id": "variant_nothing", "title": api.fresh("x9")}]},
        {"variants": [{"title": "new"}]},
        {"variants": [{"title": "new", "options": {"Size": "S"}}]},
        {"external_id": "e", "subtitle": "s", "description": None},
        {"weight": None},
        {"nothing": 1},
        {},
    ):
        await post(body, at)
    await post({"title": api.fresh("x10")}, "/products/prod_nothing")
    await api.admin("GET", "/products/prod_nothing")
    await api.admin("GET", "/products/prod_nothing/variants")
    await api.admin("GET", "/products/prod_nothing/options")
    await post({"title": "v", "options": {"Size": "S"}, "prices": []}, "/products/prod_nothing/variants")
    await api.admin("DELETE", "/products/prod_nothing")
    await api.store("GET", "/products/prod_nothing")
    await post(
        {"create": [{"title": api.fresh("Third"), "options": size}], "update": [{"id": "prod_nothing", "title": api.fresh("x11")}]},
        "/products/batch",
    )
    await api.admin("GET", f"/products?title={api.fresh('Third')}&fields=title")
    await post({"delete": ["prod_nothing"]}, "/products/batch")
    await post({"update": [{"title": api.fresh("x12")}]}, "/products/batch")
    await post({}, "/products/batch")
    await post(
        {
            "create": [{"title": api.fresh("Fourth"), "options": size}],
            "update": [{"id": first["id"], "title": api.fresh("1st")}],
            "delete": [second["id"]],
        },
        "/products/batch",
    )
    await api.admin("DELETE", at)
    await api.admin("DELETE", at)
    await post({"title": api.fresh("First"), "options": size})
