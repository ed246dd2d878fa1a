"""Requests of at most 100 KB that are made to be expensive, over the whole surface of the API."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from velella.core import budget

from .served import Api

LARGEST = 100_000
"""Bytes of a request."""


@dataclass
class Hostile:
    """One request. `api`: its client."""

    name: str
    api: Api
    method: str
    path: str
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Target:
    """Existing things of the shop, for the requests."""

    admin: Api
    store: Api
    guest: Api
    region: str
    cart: str
    line: str
    product: str
    wide: str
    """A product that may have a thousand variants."""
    variant: str
    channel: str
    price_list: str
    promotion: str
    group: str
    location: str
    tax_region: str


def hostile_requests(at: Target) -> Iterator[Hostile]:
    """All of them."""
    for name, api, text in _queries(at):
        yield Hostile(name, api, "GET", text)
    for name, api, path, body in _bodies(at):
        full, allowed = _filled(body)
        yield Hostile(name, api, "POST", path, full, {"Content-Type": "application/json"})
        if allowed is not None:
            yield Hostile(f"{name}, as many as are allowed", api, "POST", path, allowed, {"Content-Type": "application/json"})
    yield from _raw(at)


def _queries(at: Target) -> Iterator[tuple[str, Api, str]]:
    store, admin, products, listed = at.store, at.admin, "/store/products", "/admin/products"
    words = "+".join(f"word{n}" for n in range(6))
    yield "searches in branches", store, f"{products}?" + "&".join(f"$or[{n}][q]={words}" for n in range(90))
    yield "one search of many words", store, f"{products}?q=" + "+".join(f"{n:x}" for n in range(1800))
    yield "all words that are allowed", store, f"{products}?q={words}&fields=id"
    yield "a long word", store, f"{products}?q=" + "x%25" * 1900
    yield "branches", store, f"{products}?" + "&".join(f"$or[{n}][title]=x" for n in range(400))
    yield "relations in branches", admin, f"{listed}?" + "&".join(f"$or[{n}][variants][sku]=x" for n in range(250))
    yield "as many relations as are allowed", admin, f"{listed}?" + "&".join(f"$or[{n}][variants][sku]=x" for n in range(12))
    yield "other modules in branches", admin, f"{listed}?" + "&".join(f"$or[{n}][sales_channel_id]=x" for n in range(250))
    yield "as many other modules as are allowed", admin, f"{listed}?" + "&".join(f"$or[{n}][sales_channel_id]=x" for n in range(12))
    yield "everything that is allowed", admin, f"{listed}?q={words}&" + "&".join(
        [*(f"$or[{n}][variants][sku]=x" for n in range(6)), *(f"$or[{n}][sales_channel_id]=x" for n in range(6, 12)),
         *(f"$or[{n}][title]=x" for n in range(12, 30))]
    )  # fmt: skip
    yield (
        "nested branches",
        store,
        f"{products}?$or[0][$and][0][$or][0][$and][0][$or][0][title]=x" + "&$or[0][$and][0][$or][0][title]=y" * 150,
    )
    yield "brackets too deep", store, f"{products}?a" + "[b]" * 2600 + "=1"
    yield "open brackets", store, f"{products}?a" + "[" * 7900
    yield "many parameters", store, f"{products}?" + "&".join(f"a{n}=1" for n in range(1000))
    yield "one parameter many times", store, f"{products}?" + "id=1&" * 990
    yield "slots", store, f"{products}?" + "&".join(f"id[{99999 - n}]=x" for n in range(500))
    yield "ids", admin, f"{listed}?id=" + ",".join(f"prod_{n}" for n in range(900))
    yield "escapes", store, f"{products}?title=" + "%C3%A9" * 1300
    yield "broken escapes", store, f"{products}?title=" + "%zz" * 2600
    yield "ampersands", store, f"{products}?" + "&" * 8000
    yield "many fields", admin, f"{listed}?fields=" + ",".join(f"f{n}" for n in range(1300))
    yield "a deep field", admin, f"{listed}?fields=" + ".".join(["id"] * 2600)
    yield "fields in circles", admin, f"{listed}?fields=*" + ".".join(["variants", "product"] * 6)
    wide = (
        "options",
        "options.values",
        "variants",
        "variants.options",
        "images",
        "tags",
        "categories",
        "type",
        "collection",
        "sales_channels",
    )
    yield "wide fields", admin, f"{listed}?fields=" + ",".join(f"*{name}" for name in wide)
    yield "images of the products of images", admin, f"{listed}?fields=images.product.images.url"
    yield "wide fields in circles", admin, f"{listed}?fields=" + ",".join(f"*{a}.product.{b}" for a in ("variants", "images") for b in wide)
    yield "fields of an order", admin, "/admin/orders?fields=" + ",".join(
        f"*items.variant.product.{name},*items.variant.{name}" for name in wide
    )  # fmt: skip
    yield "stars", admin, f"{listed}?fields=" + "*," * 3900
    yield "signs", admin, f"{listed}?fields=" + ",".join(f"-{'x.' * (n % 9)}y{n}" for n in range(290))
    yield "a giant page far away", store, f"{products}?limit=2147483647&offset=2147483647"
    yield "a giant page", admin, f"{listed}?limit=2147483647&fields=*variants.options,*options.values,*images,*tags"
    yield "an order across modules", admin, f"{listed}?order=-sales_channels.name"
    yield "a deep order", admin, f"{listed}?order=" + ".".join(["variants", "product"] * 400) + ".id"
    yield "operators", admin, "/admin/orders?" + "&".join(f"$and[{n}][created_at][$gt]=2020-01-01" for n in range(200))
    yield "a dear pattern", admin, "/admin/tax-regions?country_code[$re]=" + quote("(x+x+)+y" * 25)
    yield "a dear pattern that refers back", admin, "/admin/tax-regions?country_code[$re]=" + quote(r"((a*)*\1)*" * 20)
    yield "percent signs", admin, "/admin/promotions?code[$ilike]=" + quote("%a" * 127)
    yield "trees", store, "/store/product-categories?include_descendants_tree=true&include_ancestors_tree=true&limit=2147483647"
    yield "a long path", store, "/store/products/" + "a" * 7900
    yield "many segments", store, "/store" + "/a" * 3900
    yield "steps up", at.guest, "/static" + "/%2e%2e" * 1000
    yield "the description", at.guest, "/openapi.json"


def _bodies(at: Target) -> Iterator[tuple[str, Api, str, Any]]:
    """`None` in a list is repeated until the request has its size; so is a text of three dots."""
    store, admin = at.store, at.admin
    deep: Any = {"a": 1}
    for _ in range(400):
        deep = {"a": [deep]}
    line = {"variant_id": at.variant, "quantity": 1, "metadata": {"n": "#"}}
    yield "a cart of many lines", store, "/store/carts", {"region_id": at.region, "items": [line, None]}
    lines = [{**line, "metadata": {"n": n}} for n in range(budget.LINES)]
    yield "a cart of all lines that it may have", store, "/store/carts", {"region_id": at.region, "items": lines}
    yield "many codes", store, f"/store/carts/{at.cart}/promotions", {"promo_codes": ["CODE#", None]}
    yield "deep metadata", store, f"/store/carts/{at.cart}", {"metadata": {"deep": [deep, None]}}
    yield "wide metadata", store, f"/store/carts/{at.cart}/line-items", {**line, "metadata": {"wide": [{"#": 0}, None]}}
    yield "numbers", store, f"/store/carts/{at.cart}", {"metadata": {"n": [0.1, None]}}
    yield "a long text", store, f"/store/carts/{at.cart}", {"email": "..."}
    yield "a long address", store, f"/store/carts/{at.cart}", {"shipping_address": {"first_name": "...", "country_code": "dk"}}
    yield "an odd email", at.guest, "/auth/customer/emailpass", {"email": "a." * 40_000 + "@x.com", "password": "x"}
    yield "a long password", at.guest, "/auth/customer/emailpass", {"email": "a@example.com", "password": "..."}
    yield "unknown keys", store, "/store/carts", {f"k{n}": n for n in range(6000)}
    yield "things of the wrong kind", store, "/store/carts", {"region_id": at.region, "items": [[], None]}
    yield "products", admin, "/admin/products/batch", {"create": [{"title": "x#", "options": [{"title": "a", "values": ["b"]}]}, None]}
    yield "small products", admin, "/admin/products/batch", {"create": [{"title": "x"}, None]}
    yield "deleted products", admin, "/admin/products/batch", {"delete": ["prod_#", None]}
    yield "many values", admin, "/admin/products", {"title": "many values", "options": [{"title": "a", "values": ["v#", None]}]}
    yield "many options", admin, "/admin/products", {"title": "many options", "options": [{"title": "o#", "values": ["b"]}, None]}
    variant = {"title": "v#", "options": {"Kind": "v#"}, "prices": [{"currency_code": "eur", "amount": 1}], "manage_inventory": False}
    yield "variants", admin, f"/admin/products/{at.wide}/variants/batch", {"create": [variant, None]}
    yield "images", admin, f"/admin/products/{at.product}", {"images": [{"url": "https://x.example/#"}, None]}
    price = {"currency_code": "eur", "amount": 1, "variant_id": at.variant, "min_quantity": 1, "max_quantity": 2}
    yield "prices", admin, f"/admin/price-lists/{at.price_list}/prices/batch", {"create": [price, None]}
    yield "prices that aren't there", admin, f"/admin/price-lists/{at.price_list}/prices/batch", {"delete": ["price_#", None]}
    rule = {"operator": "in", "attribute": "customer.groups.id", "values": ["x"]}
    yield "rules", admin, f"/admin/promotions/{at.promotion}/rules/batch", {"create": [rule, None]}
    yield "values of a rule", admin, f"/admin/promotions/{at.promotion}/rules/batch", {"create": [{**rule, "values": ["v#", None]}]}
    yield "customers of a group", admin, f"/admin/customer-groups/{at.group}/customers", {"add": ["cus_#", None]}
    yield "products of a channel", admin, f"/admin/sales-channels/{at.channel}/products", {"add": ["prod_#", None]}
    yield "countries of a region", admin, "/admin/regions", {"name": "x", "currency_code": "eur", "countries": ["c#", None]}
    zone = {"type": "country", "country_code": "dk"}
    yield "levels", admin, "/admin/inventory-items", {"sku": "x", "location_levels": [{"location_id": at.location}, None]}
    yield "rules of a rate", admin, "/admin/tax-rates", {
        "tax_region_id": at.tax_region, "name": "x", "code": "x", "rules": [{"reference": "product", "reference_id": "p#"}, None]
    }  # fmt: skip
    yield "zones", admin, "/admin/stock-locations", {"name": "...", "address": {"address_1": "...", "country_code": zone["country_code"]}}


def _raw(at: Target) -> Iterator[Hostile]:
    path, json_head = f"/store/carts/{at.cart}", {"Content-Type": "application/json"}
    bodies = {
        "brackets without end": b"[" * LARGEST,
        "objects without end": b'{"a":' * (LARGEST // 5),
        "a giant number": b'{"metadata":{"n":' + b"9" * 99_000 + b"}}",
        "exponents": b'{"metadata":{"n":[' + b"1e9999," * 13_000 + b"1]}}",
        "escapes in a text": b'{"metadata":{"n":"' + b"\\u00e9" * 16_000 + b'"}}',
        "null characters": b'{"email":"' + b"\\u0000" * 16_000 + b'"}',
        "one key many times": b'{"metadata":{' + b'"a":1,' * 16_000 + b'"a":1}}',
        "nothing but blanks": b" " * LARGEST,
    }
    for name, body in bodies.items():
        yield Hostile(name, at.store, "POST", path, body, json_head)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    yield Hostile("a form of many fields", at.store, "POST", path, b"&".join(b"a%d=1" % n for n in range(12_000)), form)
    yield Hostile("a form of deep fields", at.store, "POST", path, b"a" + b"[b]" * 33_000 + b"=1", form)
    bomb = gzip.compress(b'{"metadata":{"a":"' + b" " * 50_000_000 + b'"}}')
    yield Hostile("a bomb", at.store, "POST", path, bomb, {**json_head, "Content-Encoding": "gzip"})
    yield Hostile("a bomb in a bomb", at.store, "POST", path, gzip.compress(bomb), {**json_head, "Content-Encoding": "gzip, gzip"})
    parts = b"".join(b'--b\r\nContent-Disposition: form-data; name="files"; filename="%d.txt"\r\n\r\nx\r\n' % n for n in range(1200))
    yield Hostile("files", at.admin, "POST", "/admin/uploads", parts + b"--b--\r\n", {"Content-Type": "multipart/form-data; boundary=b"})
    head = b'--b\r\nContent-Disposition: form-data; name="files"; filename="' + b"x" * 90_000 + b'"\r\n\r\nx\r\n--b--\r\n'
    yield Hostile("a file's long name", at.admin, "POST", "/admin/uploads", head, {"Content-Type": "multipart/form-data; boundary=b"})
    headers = {
        "Accept-Encoding": "gzip;q=0.1," * 700,
        "If-None-Match": 'W/"x",' * 1300,
        "Cookie": "a=b; " * 1600,
        "Range": "bytes=" + "0-1," * 1900,
        "Authorization": "Bearer " + "e30." * 1900,
        "authorization": "Basic " + "YWFh" * 1900,
        "X-Forwarded-For": "10.0.0.1," * 880,
        "Content-Type": "application/json; " + "a=b; " * 1500,
        "Origin": "https://" + "a." * 3900 + "example",
        "Accept-Language": "a-b," * 1900,
    }
    for name, value in headers.items():
        body = b"{}" if name == "Content-Type" else None
        method, path_ = ("POST", path) if body else ("GET", "/store/products?limit=1")
        yield Hostile(f"a long {name}", at.store, method, path_, body, {name: value})
    many = {f"X-{n}": "y" * 200 for n in range(110)}
    yield Hostile("many headers", at.store, "GET", "/store/products?limit=1", None, many)


def _filled(body: Any) -> tuple[bytes, bytes | None]:
    """The JSON with its repeated part as often as the size allows; and as often as the budget allows."""
    text = json.dumps(body)
    if '"..."' in text:
        times = text.count('"..."')
        return text.replace('"..."', json.dumps("x" * ((LARGEST - len(text)) // times))).encode(), None
    if ", null]" not in text:
        return text.encode()[:LARGEST], None
    start, depth, at = text.index(", null]"), 0, text.index(", null]") - 1
    while True:  # back to where the item begins
        letter = text[at]
        depth += (letter in "]}") - (letter in "[{")
        if depth < 0:
            break
        at -= 1
    item, before, after = text[at + 1 : start], text[: at + 1], text[start + len(", null") :]
    items, size, number = [], len(before) + len(after), 0
    while size + len(item) + 8 < LARGEST:
        items.append(item.replace("#", str(number)))
        size, number = size + len(items[-1]) + 2, number + 1
    things = item.replace('"metadata": {', "").count("{") + item.count("[")
    most = budget.THINGS // things if things else budget.TEXTS
    return tuple((before + ", ".join(some) + after).encode() for some in (items, items[:most]))  # type: ignore[return-value]
