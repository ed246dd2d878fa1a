"""Options that products share or own, their values, and images that are a variant's alone."""

from __future__ import annotations

from ..ground import Api


async def run(api: Api) -> None:
    await api.shop("hu", "huf")
    colour = (
        await api.admin(
            "POST",
            "/product-options",
            {"title": api.fresh("Colour"), "values": ["red", "blue"], "ranks": {"blue": 1, "red": 2}, "metadata": {"a": 1}},
        )
    )["product_option"]
    at = f"/product-options/{colour['id']}"
    for body in (
        {},
        {"title": api.fresh("x1")},
        {"title": api.fresh("x2"), "values": []},
        {"title": api.fresh("x3"), "values": [5]},
        {"title": 5, "values": ["a"]},
        {"title": api.fresh("twice"), "values": ["a", "a"]},
    ):
        await api.admin("POST", "/product-options", body)
    await api.admin("GET", at)
    await api.admin("POST", at, {"title": api.fresh("Hue"), "values": ["red", "green"]})
    await api.admin("GET", at + "/values")
    await api.admin("GET", f"/product-options?q={api.word}&order=title&fields=title,*values")
    await api.admin("GET", f"/product-options?title={api.fresh('Hue')}&is_exclusive=false")
    red = next(v["id"] for v in (await api.quiet("GET", f"/admin{at}/values"))["product_option_values"] if v["value"] == "red")
    await api.admin("GET", f"{at}/values/{red}")
    await api.admin("POST", f"{at}/values/{red}", {"value": "scarlet"})
    product = (
        await api.admin(
            "POST",
            "/products",
            {
                "title": api.fresh("Shirt"),
                "status": "published",
                "sales_channels": [{"id": api.channel}],
                "options": [{"id": colour["id"]}, {"title": "Size", "values": ["S", "M"]}],
                "images": [{"url": "https://img.example/1.png"}, {"url": "https://img.example/2.png"}],
                "variants": [
                    {"title": "S", "options": {"Size": "S", api.fresh("Hue"): "scarlet"}, "prices": []},
                    {"title": "M", "options": {"Size": "M", api.fresh("Hue"): "scarlet"}, "prices": []},
                ],
            },
        )
    ).get("product")
    if not product:
        return
    p = f"/products/{product['id']}"
    await api.admin("GET", f"{p}/options?order=title")
    await api.admin("POST", f"{p}/options/batch", {"remove": [colour["id"]]})
    await api.admin("POST", f"{p}/options/batch", {"add": ["opt_nothing"]})
    small, middle = (v["id"] for v in sorted(product["variants"], key=lambda v: v["title"], reverse=True))
    first, second = (i["id"] for i in product["images"])
    await api.admin("POST", f"{p}/images/{first}/variants/batch", {"add": [small]})
    await api.admin("GET", f"{p}?fields=*images,*variants.images,variants.title,variants.thumbnail")
    await api.admin("POST", f"{p}/variants/{middle}/images/batch", {"add": [second], "remove": [first]})
    await api.admin("GET", f"{p}/variants/{small}?fields=title,*images")
    await api.store("GET", f"{p}?fields=title,*images,variants.title,*variants.images")
    await api.admin("POST", f"{p}/images/img_nothing/variants/batch", {"add": [small]})
    await api.admin("POST", f"{p}/variants/{middle}/images/batch", {"add": ["img_nothing"]})
    await api.admin(
        "POST", p, {"images": [{"id": "img_mine", "url": "https://img.example/3.png"}, {"id": first, "url": "https://img.example/1b.png"}]}
    )
    await api.admin(
        "POST",
        p,
        {"images": [{"url": "https://img.example/4.png"}, {"url": "https://img.example/4.png"}], "thumbnail": "https://img.example/4.png"},
    )
    await api.admin("POST", p, {"images": []})
    await api.admin("POST", p, {"images": [{"id": "x"}]})
    await api.admin("POST", p, {"thumbnail": None})
    await api.admin("DELETE", at)
    await api.admin("DELETE", "/product-options/opt_nothing")
    await api.store("GET", f"/product-options?q={api.word}&order=title")
    await api.store("GET", "/product-options/opt_nothing")
