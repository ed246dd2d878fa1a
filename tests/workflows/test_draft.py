"""A cart that is being changed: what is written is what was read but for what has changed, and what was read stays as it is."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from velella.core.clock import iso
from velella.workflows.cart.working import WorkingCart

D = Decimal
THEN, NOW = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)


def tax(item_id: str, rate: int = 20) -> dict[str, Any]:
    names = dict.fromkeys(("description", "tax_rate_id", "provider_id"))
    return {**names, "id": f"calitxl_{item_id}_{rate}", "item_id": item_id, "code": "vat", "rate": D(rate)}


def off(item_id: str, amount: str, promotion_id: str | None) -> dict[str, Any]:
    return {"id": f"caliadj_{item_id}_{amount}", "item_id": item_id, "code": "OFF", "amount": D(amount), "promotion_id": promotion_id}


def written() -> dict[str, Any]:
    """A cart of two lines as it was written then."""
    draft = WorkingCart.new({"currency_code": "eur", "email": "ada@example.com"})
    draft.put_address("shipping", {"city": "Bremen", "country_code": "de"})
    for id in ("cali_1", "cali_2"):
        draft.put_item({"id": id, "title": id, "quantity": 1, "unit_price": D("10.50"), "is_custom_price": False, "variant_id": id})
    draft.set_taxes([tax("cali_1"), tax("cali_2")], ())
    draft.set_discounts([off("cali_1", "1", None), off("cali_1", "2", "promo_1")], ())
    return {**draft.document(THEN), "version": 1}


def test_what_says_what_it_said_keeps_the_time_it_was_written_at() -> None:
    cart = written()
    as_read = deepcopy(cart)
    draft = WorkingCart(cart)
    first, second = draft.items
    draft.put_item({**first, "quantity": 3})
    draft.put_item(dict(second))
    draft.put_address("shipping", {"city": "Bremen", "country_code": "de"})
    draft.set_taxes([tax("cali_1", 7), {**tax("cali_2"), "id": "calitxl_other"}], ())
    after = draft.document(NOW)
    assert [item["quantity"] for item in after["items"]] == [3, 1]
    assert [item["updated_at"] for item in after["items"]] == [iso(NOW), iso(THEN)]
    assert [item["created_at"] for item in after["items"]] == [iso(THEN)] * 2
    assert [(row["id"], row["created_at"]) for item in after["items"] for row in item["tax_lines"]] == [
        ("calitxl_cali_1_7", iso(NOW)),
        ("calitxl_cali_2_20", iso(THEN)),
    ]
    assert after["shipping_address"] == cart["shipping_address"]
    assert cart == as_read, "what was read is what a change is taken back to"


def test_what_no_promotion_made_stays_where_promotions_are_worked_out_again() -> None:
    draft = WorkingCart(written())
    draft.set_discounts([off("cali_2", "3", "promo_2")], ())
    lines = draft.document(NOW)["items"]
    assert [[(row["amount"], row["created_at"]) for row in line["adjustments"]] for line in lines] == [
        [(1, iso(THEN))],
        [(3, iso(NOW))],
    ]
    assert draft.promotion_ids() == {"promo_2"}
    assert draft.totalled(promoted=False)["discount_total"] == D("1.2")


def test_a_cart_that_nothing_changed_is_written_as_it_was() -> None:
    cart = written()
    assert WorkingCart(cart).document(NOW) | {"updated_at": iso(THEN)} == cart
