"""What is taken back when a step fails late."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from velella.core.errors import NotAllowed
from velella.workflows.kit import Flow, on_hook, step

from .conftest import Market, Store

_fails: set[tuple[str, str]] = set()


@on_hook("complete-cart", "beforePaymentAuthorization")
@step(reads=True)
async def refuse_order(flow: Flow, input: Any) -> None:
    if ("beforePaymentAuthorization", input["id"]) in _fails:
        raise NotAllowed("The application says no")


@on_hook("update-cart", "cartUpdated")
@step(reads=True)
async def refuse_update(flow: Flow, cart: Any) -> None:
    if ("cartUpdated", cart["id"]) in _fails:
        raise NotAllowed("The application says no")


@on_hook("add-to-cart", "validate")
@step(reads=True)
async def refuse_line(flow: Flow, cart: Any) -> None:
    if ("validate", cart["id"]) in _fails:
        raise NotAllowed("The application says no")


_seen: dict[str, list[tuple[str, Any]]] = {}
"""By cart that is looked at: the workflow, and what its hook `validate` was given."""


@step(reads=True)
async def look(flow: Flow, input: Any, cart: Any, additional_data: Any) -> None:
    if (seen := _seen.get(cart["id"])) is not None:
        seen.append((flow.workflow.name, {**input, "more": additional_data}))


VALIDATED = (
    "add-to-cart",
    "update-line-item-in-cart",
    "add-shipping-method-to-cart",
    "transfer-cart-customer",
    "update-cart",
    "complete-cart",
)
for _workflow in VALIDATED:
    on_hook(_workflow, "validate")(look)


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    yield
    _fails.clear()
    _seen.clear()


async def test_an_application_sees_what_is_asked_for(market: Market, store: Store) -> None:
    variant = await market.new_variant({"eur": "10"}, stock=9)
    cart = await store.ready(variant)
    seen = _seen[cart["id"]] = []
    more = {"gift": True}
    path = f"/store/carts/{cart['id']}"
    await store.post(f"{path}/line-items", {"variant_id": variant, "quantity": 2, "metadata": {"n": 1}})
    name, given = seen[-1]
    assert (name, given["cart_id"], given["more"]) == ("add-to-cart", cart["id"], None)
    [item] = given["items"]
    assert (item["variant_id"], item["quantity"], item["metadata"]) == (variant, 2, {"n": 1})
    line = (await store.show(cart))["items"][0]["id"]
    await store.post(f"{path}/line-items/{line}", {"quantity": 3})
    name, given = seen[-1]
    assert (name, given["cart_id"], given["item_id"], given["update"]["quantity"]) == ("update-line-item-in-cart", cart["id"], line, 3)
    await store.post(f"{path}/shipping-methods", {"option_id": market.option, "data": {"door": 2}})
    name, given = seen[-1]
    assert (name, given["options"]) == ("add-shipping-method-to-cart", [{"id": market.option, "data": {"door": 2}}])
    await store.post(path, {"locale": "de-DE", "additional_data": more})
    name, given = seen[-1]
    assert (name, given["id"], given["locale"]) == ("update-cart", cart["id"], "de-DE")
    assert given["more"] == given["additional_data"] == more
    other = await store.ready(variant)
    seen = _seen[other["id"]] = []
    await store.complete(other)
    assert [(name, given["id"]) for name, given in seen] == [("complete-cart", other["id"])]


async def test_an_order_that_the_application_refuses_moves_no_money(market: Market, store: Store) -> None:
    variant = await market.new_variant({"eur": "10"}, stock=5)
    cart = await store.ready(variant, provider="pp_moody_m", mood="captured")
    orders = await market.modules.order.count("order")
    _fails.add(("beforePaymentAuthorization", cart["id"]))
    refused = await store.complete(cart)
    assert (refused.status, refused.body["message"]) == (400, "The application says no")
    assert await market.modules.order.count("order") == orders
    assert await market.reserved(variant) == 0
    collection = (await store.show(cart, fields="id,completed_at,*payment_collection"))["payment_collection"]
    assert await market.modules.payment.count("payment", {"payment_collection_id": collection["id"]}) == 0
    _fails.clear()
    assert (await store.complete(cart))["type"] == "order"
    assert await market.reserved(variant) == 1


async def test_a_change_that_the_application_refuses_is_taken_back(market: Market, store: Store) -> None:
    variant = await market.new_variant({"eur": "11.90", "jpy": "1000"}, stock=5)
    cart = await store.ready(variant, quantity=2)
    before = await store.show(cart)
    _fails.add(("cartUpdated", cart["id"]))
    refused = await store.post(f"/store/carts/{cart['id']}", {"region_id": market.regions["jp"], "email": "other@example.com"})
    assert refused.body["message"] == "The application says no"
    after = await store.show(cart)
    unsteady = {"updated_at", "payment_collection", "items", "shipping_methods"}
    assert {name: after[name] for name in after if name not in unsteady} == {name: before[name] for name in before if name not in unsteady}
    assert [(item["id"], item["unit_price"], item["tax_lines"][0]["rate"]) for item in after["items"]] == [
        (item["id"], item["unit_price"], item["tax_lines"][0]["rate"]) for item in before["items"]
    ]
    assert after["shipping_methods"][0]["shipping_option_id"] == market.option
    assert after["payment_collection"]["amount"] == before["payment_collection"]["amount"]
    assert after["payment_collection"]["currency_code"] == "eur"


async def test_a_line_that_the_application_refuses_is_not_added(market: Market, store: Store) -> None:
    variant = await market.new_variant({"eur": "10"})
    cart = await store.cart()
    _fails.add(("validate", cart["id"]))
    refused = await store.post(f"/store/carts/{cart['id']}/line-items", {"variant_id": variant, "quantity": 1})
    assert refused.status == 400
    assert (await store.show(cart))["items"] == []
