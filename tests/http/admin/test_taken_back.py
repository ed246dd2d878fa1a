"""What a flow that fails takes back: all of what it did, and nothing of what another merchant did since. Of every kind of thing."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

import velella.workflows
from velella.core.errors import NotAllowed
from velella.core.flow import Flow, definitions
from velella.core.flow.journal import Outgrown
from velella.core.flow.run import Run
from velella.core.ids import ulid
from velella.core.message import write_seen

from ..conftest import Shop
from .conftest import Books, Merchant

Row = dict[str, Any]


@dataclass(frozen=True)
class Kind:
    """One kind of thing. CODE is something else each time; `{name}` is what `around` made."""

    path: str
    key: str
    body: Row
    ours: Row
    """A change of several columns …"""
    theirs: Row
    """… and another merchant's, of one of them."""


def named(path: str, key: str, name: str, other: Row, **body: Any) -> Kind:
    """A kind whose `name` both merchants change, and one of them `other` columns."""
    return Kind(path, key, {name: "CODE", **body}, {name: "Ours CODE", **other}, {name: "Theirs CODE"})


DESCRIBED = {"description": "Ours"}
DATA = {"metadata": {"a": 1}}
RATE = {"reference": "product", "reference_id": "prod_1"}
GROUPS = [{"customer.groups.id": [id]} for id in ("cg_1", "cg_2")]
OPTION = {
    "service_zone_id": "{zone}",
    "shipping_profile_id": "{profile}",
    "provider_id": "{provider}",
    "price_type": "flat",
    "type": {"label": "Post", "description": "x", "code": "CODE"},
    "prices": [{"currency_code": "eur", "amount": 5}],
}
VARIANT = {"options": {"Size": "CODE"}, "sku": "CODE", "prices": [{"currency_code": "eur", "amount": 10}]}
KINDS = (
    named("/admin/collections", "collection", "title", DATA),
    named("/admin/product-tags", "product_tag", "value", DATA),
    named("/admin/product-types", "product_type", "value", DATA),
    named("/admin/product-categories", "product_category", "name", {**DESCRIBED, "parent_category_id": "{category}"}),
    named("/admin/product-options", "product_option", "title", {"values": ["A", "C"], **DATA}, values=["A", "B"]),
    named(
        "/admin/products",
        "product",
        "title",
        {"subtitle": "Ours", "images": [], "tags": [], "variants": [{**VARIANT, "title": "New", "options": {"Size": "B"}}]},
        options=[{"title": "Size", "values": ["A", "B"]}],
        variants=[{**VARIANT, "title": "A", "options": {"Size": "A"}}],
        images=[{"url": "https://example.com/CODE.png"}],
        tags=[{"id": "{tag}"}],
    ),
    named(
        "/admin/products/{product}/variants",
        "variant",
        "title",
        {"prices": [{"currency_code": "usd", "amount": 12}], "manage_inventory": False, "sku": "Ours CODE"},
        prices=[{"currency_code": "eur", "amount": 10}],
        sku="CODE",
        options={"Size": "S"},
    ),
    named("/admin/regions", "region", "name", {"countries": ["dk"], "is_tax_inclusive": True}, currency_code="usd", countries=["de"]),
    named("/admin/sales-channels", "sales_channel", "name", DESCRIBED),
    named(
        "/admin/stock-locations",
        "stock_location",
        "name",
        {"address": {"address_1": "Ours", "country_code": "dk"}, **DATA},
        address={"address_1": "Quay", "country_code": "de"},
    ),
    named("/admin/inventory-items", "inventory_item", "title", {**DESCRIBED, "sku": "Ours CODE"}, sku="CODE"),
    Kind(
        "/admin/reservations",
        "reservation",
        {"inventory_item_id": "{item}", "location_id": "{location}", "quantity": 1, "description": "CODE"},
        {"description": "Ours CODE", "quantity": 3},
        {"description": "Theirs CODE"},
    ),
    named("/admin/customer-groups", "customer_group", "name", DATA),
    named("/admin/customers", "customer", "first_name", {"last_name": "Ours", **DATA}, email="CODE@example.com"),
    named(
        "/admin/customers/{customer}/addresses",
        "address",
        "address_name",
        {"city": "Ours", "is_default_shipping": True},
        country_code="dk",
    ),
    named("/admin/price-lists", "price_list", "title", {**DESCRIBED, "rules": GROUPS[1]}, description="x", rules=GROUPS[0]),
    named("/admin/campaigns", "campaign", "name", DESCRIBED, campaign_identifier="CODE"),
    named(
        "/admin/promotions",
        "promotion",
        "code",
        {"is_automatic": True, "status": "active", "application_method": {"value": 20}},
        type="standard",
        application_method={"type": "percentage", "value": 10, "target_type": "order"},
    ),
    named("/admin/shipping-profiles", "shipping_profile", "name", {"type": "Ours", **DATA}, type="x"),
    named("/admin/shipping-option-types", "shipping_option_type", "label", {"description": "Ours", "code": "Ours"}, code="CODE"),
    named(
        "/admin/shipping-options",
        "shipping_option",
        "name",
        {**DATA, "rules": [{"attribute": "b", "operator": "eq", "value": "2"}], "prices": [{"currency_code": "usd", "amount": 7}]},
        **OPTION,
        rules=[{"attribute": "a", "operator": "eq", "value": "1"}],
    ),
    named("/admin/tax-rates", "tax_rate", "name", {"code": "Ours", "rules": []}, tax_region_id="{tax_region}", code="CODE", rules=[RATE]),
    named("/admin/refund-reasons", "refund_reason", "label", DESCRIBED, code="CODE"),
    Kind(
        "/admin/return-reasons",
        "return_reason",
        {"label": "CODE", "value": "CODE"},
        {"label": "Ours CODE", "value": "CODE", **DESCRIBED},
        {"label": "Theirs CODE", "value": "CODE"},
    ),
    named("/admin/property-labels", "property_label", "label", DESCRIBED, entity="product", property="CODE"),
)

_parents: dict[str, str] = {}


@pytest.fixture
async def around(merchant: Merchant) -> dict[str, str]:
    """Ids of what things belong to: made once for all tests here."""
    if not _parents:
        ids: dict[str, str] = {}
        option = {"title": "Size", "values": ["S", "M"]}
        made = (await merchant.post("/admin/products", {"title": ulid(), "options": [option], "variants": []}))["product"]
        ids["product"] = made["id"]
        ids["tag"] = (await merchant.post("/admin/product-tags", {"value": ulid()}))["product_tag"]["id"]
        ids["category"] = (await merchant.post("/admin/product-categories", {"name": ulid()}))["product_category"]["id"]
        ids["location"] = place = await merchant.location()
        ids["item"] = await merchant.item(stocked={place: 9})
        ids["customer"] = (await merchant.post("/admin/customers", {"email": f"{ulid()}@example.com"}))["customer"]["id"]
        address = {"address_name": "First", "country_code": "dk", "is_default_shipping": True}
        await merchant.post(f"/admin/customers/{ids['customer']}/addresses", address)
        ids["profile"] = (await merchant.get("/admin/shipping-profiles"))["shipping_profiles"][0]["id"]
        ids["provider"] = provider = (await merchant.get("/admin/fulfillment-providers"))["fulfillment_providers"][0]["id"]
        await merchant.post(f"/admin/stock-locations/{place}/fulfillment-providers", {"add": [provider]})
        body = {"name": ulid(), "type": "shipping"}
        sets = f"/admin/stock-locations/{place}/fulfillment-sets"
        ids["set"] = (await merchant.post(sets, body, fields="*fulfillment_sets"))["stock_location"]["fulfillment_sets"][0]["id"]
        zone = {"name": ulid(), "geo_zones": [{"type": "country", "country_code": "dk"}]}
        zones = f"/admin/fulfillment-sets/{ids['set']}/service-zones"
        ids["zone"] = (await merchant.post(zones, zone, fields="*service_zones"))["fulfillment_set"]["service_zones"][0]["id"]
        taxed = {"country_code": "sj", "provider_id": "tp_system"}
        ids["tax_region"] = (await merchant.post("/admin/tax-regions", taxed))["tax_region"]["id"]
        _parents.update(ids)
    return _parents


class Fails:
    """The next flow that comes to its end fails there, after something else has happened."""

    def __init__(self) -> None:
        self.meanwhile: Callable[[], Awaitable[object]] | None = None
        self.unfinished: list[str] = []
        """Why steps could not be undone."""

    def after(self, meanwhile: Callable[[], Awaitable[object]]) -> None:
        self.meanwhile = meanwhile


async def nothing() -> None:
    """Nothing happens meanwhile."""


@pytest.fixture
def fails(monkeypatch: pytest.MonkeyPatch) -> Iterator[Fails]:
    fails, carry_out = Fails(), Run.carry_out

    async def failing(self: Run, input: Row) -> Any:
        if self.workflow.every is not None:  # a chore of the shop's own that happens to come by
            return await carry_out(self, input)
        meanwhile, fails.meanwhile = fails.meanwhile, None
        if meanwhile is not None:
            function = self.workflow.function

            async def to_its_end(flow: Flow, **kwargs: Any) -> Any:
                await function(flow, **kwargs)
                write_seen.set(None)  # what happens meanwhile isn't the flow's
                await meanwhile()
                raise NotAllowed("The application says no")

            self.workflow = replace(self.workflow, function=to_its_end)
        try:
            return await carry_out(self, input)
        except Outgrown:
            fails.meanwhile = meanwhile  # it begins anew
            raise
        finally:
            fails.unfinished += [error.message for _, error in self.unfinished]

    monkeypatch.setattr(Run, "carry_out", failing)
    yield fails
    assert fails.meanwhile is None, "no flow was run"
    assert fails.unfinished == []


def filled(value: Any, code: str, around: dict[str, str]) -> Any:
    """With CODE and what things belong to filled in."""
    if isinstance(value, dict):
        return {name: filled(each, code, around) for name, each in value.items()}
    if isinstance(value, list):
        return [filled(each, code, around) for each in value]
    if isinstance(value, str):
        return value.replace("CODE", code).format_map(around) if "{" in value else value.replace("CODE", code)
    return value


def steady(value: Any) -> Any:
    """Without the time of the last change."""
    if isinstance(value, dict):
        return {name: steady(each) for name, each in value.items() if name != "updated_at"}
    if isinstance(value, list):
        return sorted((steady(each) for each in value), key=repr)
    return value


async def made(merchant: Merchant, kind: Kind, code: str, around: dict[str, str]) -> str:
    path = kind.path.format_map(around)
    answer = await merchant.client("POST", path, filled(kind.body, code, around))
    assert answer.status in (200, 201), answer.text
    if kind.key in answer.json:
        return f"{path}/{answer.json[kind.key]['id']}"
    rows = next(value for value in (await merchant.get(path)).values() if isinstance(value, list))  # the answer was what it belongs to
    return f"{path}/{max(row['id'] for row in rows)}"


each_kind = pytest.mark.parametrize("kind", KINDS, ids=[kind.key for kind in KINDS])


@each_kind
async def test_what_fails_leaves_no_trace(merchant: Merchant, books: Books, fails: Fails, around: dict[str, str], kind: Kind) -> None:
    code, client = ulid().lower(), merchant.client
    empty = await books.state()
    fails.after(nothing)
    refused = await client("POST", kind.path.format_map(around), filled(kind.body, code, around))
    assert refused.status == 400, refused.text
    assert refused.json["message"] == "The application says no"
    assert changes(empty, await books.state()) == {}, "creating"
    path = await made(merchant, kind, code, around)
    there = await books.state()
    fails.after(nothing)
    refused = await client("POST", path, filled(kind.ours, code, around))
    assert refused.status == 400, refused.text
    assert refused.json["message"] == "The application says no"
    assert changes(there, await books.state()) == {}, "changing"
    fails.after(nothing)
    refused = await client("DELETE", path)
    assert refused.status == 400, refused.text
    assert changes(there, await books.state()) == {}, "deleting"
    await merchant.delete(path)


def changes(before: dict[str, list[str]], after: dict[str, list[str]]) -> dict[str, set[str]]:
    return {name: set(before[name]) ^ set(after[name]) for name in after if before[name] != after[name]}


@each_kind
async def test_what_another_merchant_did_since_stays(merchant: Merchant, fails: Fails, around: dict[str, str], kind: Kind) -> None:
    code = ulid().lower()
    path = await made(merchant, kind, code, around)
    ours, theirs = filled(kind.ours, code, around), filled(kind.theirs, code, around)
    before = next(iter((await merchant.get(path)).values()))
    fails.after(lambda: merchant.post(path, theirs))
    refused = await merchant.client("POST", path, ours)
    assert refused.status == 400, refused.text
    now = next(iter((await merchant.get(path)).values()))
    assert {name: now[name] for name in theirs} == theirs
    assert steady({name: now[name] for name in now if name not in theirs}) == steady({n: before[n] for n in before if n not in theirs})
    await merchant.delete(path)


@each_kind
async def test_what_another_merchant_deleted_since_does_not_come_again(
    merchant: Merchant, books: Books, fails: Fails, around: dict[str, str], kind: Kind
) -> None:
    path = await made(merchant, kind, ulid().lower(), around)
    before = await books.state()
    fails.after(lambda: merchant.delete(path))
    refused = await merchant.client("POST", path, filled(kind.ours, path.rpartition("_")[2].lower(), around))
    assert refused.status in (400, 404), refused.text
    assert (await merchant.refused("GET", path))[0] == 404
    more = grown(before, await books.state())
    assert {name: rows for name, rows in more.items() if rows > 0} == {}
    for link, column, of in (
        ("product_variant_price_set", "variant_id", "product_variant"),
        ("product_variant_inventory_item", "variant_id", "product_variant"),
        ("location_fulfillment_set", "fulfillment_set_id", "fulfillment_set"),
        ("price", "price_set_id", "price_set"),
    ):
        assert await books.orphans(link, column, of) == [], f"{link} of a {of} that is gone"


def grown(before: dict[str, list[str]], after: dict[str, list[str]]) -> dict[str, int]:
    """How many rows more there are."""
    return {name: len(after[name]) - len(before[name]) for name in after if len(after[name]) != len(before[name])}


async def test_stock_is_taken_back_by_the_difference(merchant: Merchant, shop: Shop, fails: Fails) -> None:
    place = await merchant.location()
    item = await merchant.item(stocked={place: 10})
    path = f"/admin/inventory-items/{item}/location-levels/{place}"

    async def sell() -> None:
        await merchant.post(path, {"incoming_quantity": 5})
        await merchant.post("/admin/reservations", {"inventory_item_id": item, "location_id": place, "quantity": 3})
        await shop.host.modules.inventory.adjust([{"inventory_item_id": item, "location_id": place, "adjustment": -4}])

    fails.after(sell)
    assert (await merchant.client("POST", path, {"stocked_quantity": 20})).status == 400
    assert await figures(merchant, item) == {"stocked_quantity": 6, "reserved_quantity": 3, "incoming_quantity": 5}


async def test_what_a_reservation_gave_back_and_others_took_is_not_reserved_twice(merchant: Merchant, fails: Fails) -> None:
    place = await merchant.location()
    item = await merchant.item(stocked={place: 5})
    wanted = {"inventory_item_id": item, "location_id": place}
    made = (await merchant.post("/admin/reservations", {**wanted, "quantity": 5}))["reservation"]["id"]
    fails.after(lambda: merchant.post("/admin/reservations", {**wanted, "quantity": 3}))
    assert (await merchant.client("POST", f"/admin/reservations/{made}", {"quantity": 2})).status == 400
    assert (await figures(merchant, item))["reserved_quantity"] == 5
    [resisted] = fails.unfinished
    assert "Not enough stock" in resisted
    fails.unfinished.clear()


async def figures(merchant: Merchant, item: str) -> Row:
    [level] = (await merchant.get(f"/admin/inventory-items/{item}/location-levels"))["inventory_levels"]
    return {name: level[name] for name in ("stocked_quantity", "reserved_quantity", "incoming_quantity")}


async def test_what_was_created_stays_once_others_use_it(merchant: Merchant, fails: Fails) -> None:
    """Who was told that it worked is worth more than a clean retreat."""
    code = ulid().lower()
    fails.after(lambda: put_in(merchant, code))
    refused = await merchant.client("POST", "/admin/collections", {"title": code, "handle": code})
    assert refused.status == 400
    [kept] = (await merchant.get("/admin/collections", handle=code))["collections"]
    assert (await merchant.get("/admin/products", **{"collection_id[]": kept["id"]}))["count"] == 1


async def put_in(merchant: Merchant, handle: str) -> None:
    [made] = (await merchant.get("/admin/collections", handle=handle))["collections"]
    option = {"title": "Size", "values": ["S"]}
    await merchant.post("/admin/products", {"title": ulid(), "options": [option], "variants": [], "collection_id": made["id"]})


def test_every_flow_that_changes_rows_can_be_taken_back() -> None:
    """Each step of such a flow has an undo; those that need none are named here: the last write of a flow, one that may stay, and what
    comes after a point of no return."""
    for each in pkgutil.walk_packages(velella.workflows.__path__, "velella.workflows."):
        importlib.import_module(each.name)
    forward = {
        "put-layout",
        "drop-layout",
        "keep-view",
        "change-view",
        "drop-view",
        "choose-view",
        "decide",
        "begin-reset",
        "make-defaults",
        "remove-files",
        "end-key",
    }
    forward |= {"confirm", "decline", "hand-over", "price-draft", "unlink-promotions", "drop-export"}
    forward |= {"reserve-again", "settle-difference", "give-back-some", "close-collections", "mark", "put-into-stock"}
    forward |= {"check-factor", "end-factor", "keep-recovery-codes", "request", "tell", "delete-file", "wait-confirmation-product-import"}
    forward |= {"mark-changed", "reindex-search-indexes", "finish-reindex", "drop-index", "withdraw-indexes", "sweep-indexes"}
    forward |= {"relink-promotions", "release-of-lines", "join-reservations", "print-label", "give-back-late", "drop-collections"}
    steps = [each for each in definitions._steps.values() if each.function.__module__.startswith("velella.workflows.")]
    plain = [each for each in steps if not each.function.__module__.startswith(("velella.workflows.cart", "velella.workflows.payment"))]
    assert sorted(each.name for each in plain if not (each.undo or each.reads or each.pivot or each.name in forward)) == []
