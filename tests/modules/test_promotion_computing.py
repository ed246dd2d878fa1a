"""What promotions take off: figures computed by hand, and what must hold for any cart and any promotions."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from velella.commerce.money import decimals
from velella.commerce.totals import add_totals, without_and_with_tax
from velella.core.numbers import total
from velella.modules.promotion.computing import Computed, compute
from velella.modules.promotion.matching import holds

D = Decimal
NOW = datetime(2026, 6, 1, tzinfo=UTC)
Row = dict[str, Any]


def line(id: str, price: str, quantity: int = 1, *, rate: str = "0", inclusive: bool = False, **attributes: Any) -> Row:
    without, with_tax = without_and_with_tax(D(price) * quantity, inclusive, D(rate) / 100)
    priced = {"unit_price": D(price), "is_tax_inclusive": inclusive, "subtotal": without, "original_total": with_tax, "tax_rate": D(rate)}
    return {"id": id, "quantity": quantity, "is_discountable": True, **priced, **attributes}


def cart(*items: Row, methods: Sequence[Row] = (), currency: str = "eur", **attributes: Any) -> Row:
    return {"currency_code": currency, "items": list(items), "shipping_methods": list(methods), **attributes}


def promotion(id: str = "promo_1", *, kind: str = "percentage", value: str = "10", **given: Any) -> Row:
    """A standard promotion off each item; what is given beyond goes where it belongs."""
    of_method = ("target_type", "allocation", "max_quantity", "target_rules", "buy_rules", "buy_rules_min_quantity", "apply_to_quantity")
    method = {"type": kind, "value": D(value), "currency_code": None, "target_type": "items", "allocation": "each"}
    method |= {name: given.pop(name) for name in of_method if name in given}
    plain = {"type": "standard", "status": "active", "is_automatic": False, "is_tax_inclusive": False, "rules": [], "campaign": None}
    return {"id": id, "code": id.upper(), "limit": None, "used": 0, **plain, "application_method": method, **given}


def rule(attribute: str, operator: str, *values: str) -> Row:
    return {"attribute": attribute, "operator": operator, "values": [{"value": value} for value in values]}


def taken(computed: Computed) -> dict[str, str]:
    """Line → what is taken off it in all."""
    sums: dict[str, Decimal] = {}
    for adjustment in computed.adjustments:
        sums[adjustment.id] = total((sums.get(adjustment.id, D(0)), adjustment.amount))
    return {id: format(amount, "f") for id, amount in sums.items()}


# -- by hand


def test_a_percentage_off_each_line_is_rounded_line_by_line() -> None:
    computed = compute([promotion(value="15")], cart(line("a", "9.99"), line("b", "3.33", 3)), NOW)
    assert taken(computed) == {"a": "1.50", "b": "1.50"}


def test_a_fixed_value_comes_off_every_unit_and_no_unit_costs_less_than_nothing() -> None:
    fixed = promotion(kind="fixed", value="4", max_quantity=2)
    assert taken(compute([fixed], cart(line("a", "10", 3), line("b", "1.50", 3), line("c", "10")), NOW)) == {
        "a": "8.00",
        "b": "3.00",
        "c": "4.00",
    }


def test_an_amount_across_lines_is_split_in_proportion_and_the_rest_goes_to_who_lost_most() -> None:
    across = promotion(kind="fixed", value="10", allocation="across")
    assert taken(compute([across], cart(line("a", "10"), line("b", "10"), line("c", "10")), NOW)) == {"a": "3.34", "b": "3.33", "c": "3.33"}
    assert taken(compute([across], cart(line("a", "1"), line("b", "5"), line("c", "8")), NOW)) == {"a": "0.71", "b": "3.57", "c": "5.72"}
    yen = promotion(kind="fixed", value="100", allocation="across")
    shares = taken(compute([yen], cart(line("a", "333"), line("b", "333"), line("c", "334"), currency="jpy"), NOW))
    assert shares == {"a": "33", "b": "33", "c": "34"}


def test_across_more_than_there_is_takes_all_there_is() -> None:
    assert taken(compute([promotion(kind="fixed", value="99", target_type="order")], cart(line("a", "1"), line("b", "2")), NOW)) == {
        "a": "1",
        "b": "2",
    }


def test_once_is_for_the_cheapest_units() -> None:
    once = promotion(value="50", allocation="once", max_quantity=3)
    assert taken(compute([once], cart(line("a", "10", 2), line("b", "4", 2)), NOW)) == {"a": "5.00", "b": "4.00"}


def test_shipping_is_a_target_of_its_own() -> None:
    free = promotion(value="100", target_type="shipping_methods")
    assert taken(compute([free], cart(line("a", "10"), methods=[line("s", "5.95")]), NOW)) == {"s": "5.95"}


def test_later_promotions_see_what_earlier_ones_have_left() -> None:
    automatic = promotion("promo_9", value="50", is_automatic=True)
    entered = promotion("promo_1", value="50")
    computed = compute([entered, automatic], cart(line("a", "10")), NOW)
    assert [(each.promotion_id, str(each.amount)) for each in computed.adjustments] == [("promo_9", "5.00"), ("promo_1", "2.50")]


def test_a_percentage_is_rounded_as_the_buyer_sees_the_price_and_written_down_as_the_promotion_says() -> None:
    """Ten euros with 19 % in them: a tenth of it is a euro, of which 84.03… cents are without the tax."""
    bought = cart(line("a", "10", rate="19", inclusive=True))
    assert taken(compute([promotion(is_tax_inclusive=True)], bought, NOW)) == {"a": "1.00"}
    assert taken(compute([promotion()], bought, NOW)) == {"a": "0.8403361344537815126050420168067226890756"}
    assert taken(compute([promotion(value="100")], bought, NOW)) == {"a": "8.403361344537815126050420168067"}
    without = cart(line("a", "9.99", rate="7"))
    assert taken(compute([promotion(value="15")], without, NOW)) == {"a": "1.50"}
    assert taken(compute([promotion(value="15", is_tax_inclusive=True)], without, NOW)) == {"a": "1.605"}
    free = compute([promotion("promo_1", value="50", is_tax_inclusive=True), promotion("promo_2", value="100")], bought, NOW)
    assert totals_with(bought, free)["items"][0]["total"] == 0


@pytest.mark.parametrize("inclusive", [True, False])
@pytest.mark.parametrize("rate", ["19", "7", "8.875"])
def test_what_is_used_up_by_both_kinds_is_free_to_the_last_digit(inclusive: bool, rate: str) -> None:
    """What roundings between prices with and without taxes leave over isn't shown as a price, nor as a tax."""
    for cents in range(1, 200, 3):
        bought = cart(line("a", str(D(cents) / 100), rate=rate, inclusive=inclusive))
        for first in (True, False):
            some = promotion("promo_1", kind="fixed", value="0.03", is_tax_inclusive=first)
            [row] = totals_with(bought, compute([some, promotion("promo_2", value="100", is_tax_inclusive=not first)], bought, NOW))[
                "items"
            ]
            assert (row["total"], row["tax_total"], row["discount_subtotal"]) == (0, 0, row["subtotal"])


BUY_TWO = {
    "type": "buyget", "value": "100", "buy_rules_min_quantity": 2, "apply_to_quantity": 1,
    "buy_rules": [rule("items.product.id", "in", "A", "B")],
    "target_rules": [rule("items.product.id", "eq", "A")],
}  # fmt: skip


@pytest.mark.parametrize(
    ("items", "most", "expected"),
    [
        ([("a", "A", 3)], None, {"a": "5.00"}),
        ([("a", "A", 2)], None, {}),
        ([("a", "A", 1), ("b", "B", 2)], None, {"a": "5.00"}),
        ([("b", "B", 1), ("a", "A", 1), ("c", "B", 1)], None, {"a": "5.00"}),
        ([("a", "A", 6)], None, {"a": "10.00"}),
        ([("a", "A", 9)], 2, {"a": "10.00"}),
        ([("b", "B", 9)], None, {}),
    ],
)
def test_buy_two_get_one(items: list[tuple[str, str, int]], most: int | None, expected: Mapping[str, str]) -> None:
    bought = cart(*(line(id, "5", count, product={"id": product}) for id, product, count in items))
    assert {
        id: f"{D(amount):.2f}" for id, amount in taken(compute([promotion(**BUY_TWO, max_quantity=most)], bought, NOW)).items()
    } == expected


def test_a_unit_counts_for_one_buyget_promotion() -> None:
    both = [promotion("promo_1", **BUY_TWO), promotion("promo_2", **BUY_TWO)]
    computed = compute(both, cart(line("a", "5", 5, product={"id": "A"})), NOW)
    assert (taken(computed), computed.skipped) == ({"a": "5.00"}, {"PROMO_2": "not_applicable"})


SHOPPER = {
    "region_id": "reg_1", "currency_code": "eur", "customer": {"id": "cus_1", "groups": [{"id": "vip"}, {"id": "staff"}]},
    "subtotal": D(100),
    "items": [{"product": {"id": "A", "tags": [{"id": "new"}]}}, {"product": {"id": "B", "tags": []}}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("attribute", "operator", "values", "expected"),
    [
        ("region_id", "eq", ["reg_1"], True),
        ("region_id", "eq", ["reg_2"], False),
        ("region_id", "ne", ["reg_1"], False),
        ("region_id", "in", ["reg_2", "reg_1"], True),
        ("customer.groups.id", "eq", ["vip"], True),
        ("customer.groups.id", "ne", ["vip"], False),
        ("customer.groups.id", "ne", ["other"], True),
        ("customer.company", "ne", ["x"], True),
        ("customer.company", "eq", ["x"], False),
        ("items.product.tags.id", "in", ["new"], True),
        ("items.product.id", "in", ["C"], False),
        ("subtotal", "gte", ["100"], True),
        ("subtotal", "gt", ["100"], False),
        ("subtotal", "lt", ["100.01"], True),
        ("subtotal", "lte", ["99"], False),
        ("customer.age", "lt", ["99"], False),
        ("region_id", "gt", ["1"], False),
        ("reviews.tier", "ne", ["gold"], False),  # of a plugin that is gone
    ],
)
def test_rules(attribute: str, operator: str, values: list[str], expected: bool) -> None:
    assert holds(rule(attribute, operator, *values), SHOPPER) is expected


CAMPAIGN = {"id": "procamp_1", "starts_at": "2026-05-01T00:00:00.000Z", "ends_at": "2026-07-01T00:00:00.000Z", "budget": None}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"status": "draft"}, "not_applicable"),
        ({"rules": [rule("region_id", "eq", "reg_2")]}, "not_applicable"),
        ({"target_rules": [rule("items.product.id", "eq", "B")]}, "not_applicable"),
        ({"campaign": {**CAMPAIGN, "ends_at": "2026-05-02T00:00:00.000Z"}}, "not_applicable"),
        ({"campaign": {**CAMPAIGN, "starts_at": "2026-06-02T00:00:00.000Z"}}, "not_applicable"),
        ({"limit": 3, "used": 3}, "promotion_limit_exceeded"),
        ({"limit": 3, "used": 2}, None),
        ({"campaign": {**CAMPAIGN, "budget": {"id": "b", "type": "usage", "limit": D(2), "used": D(2)}}}, "campaign_budget_exceeded"),
        ({"campaign": {**CAMPAIGN, "budget": {"id": "b", "type": "usage", "limit": D(2), "used": D(1)}}}, None),
        ({"campaign": {**CAMPAIGN, "budget": {"id": "b", "type": "spend", "limit": D(9), "used": D(9)}}}, "campaign_budget_exceeded"),
        ({"campaign": {**CAMPAIGN, "budget": {"id": "b", "type": "use_by_attribute", "attribute": "customer_id", "limit": D(1),
          "usages": [{"attribute_value": "cus_2", "used": D(1)}]}}}, None),
        ({"campaign": {**CAMPAIGN, "budget": {"id": "b", "type": "use_by_attribute", "attribute": "customer_id", "limit": D(1),
          "usages": [{"attribute_value": "cus_1", "used": D(1)}]}}}, "campaign_budget_exceeded"),
    ],
)  # fmt: skip
def test_what_keeps_a_code_from_applying(change: Row, reason: str | None) -> None:
    bought = cart(line("a", "10", product={"id": "A"}), region_id="reg_1", customer_id="cus_1")
    computed = compute([promotion(**change)], bought, NOW)
    assert computed.skipped.get("PROMO_1") == reason
    assert taken(computed) == ({"a": "1.00"} if reason is None else {})


@pytest.mark.parametrize("kind", ["fixed", "percentage"])
def test_a_promotion_is_of_the_currency_that_it_names(kind: str) -> None:
    named = promotion(kind=kind, value="1")
    named["application_method"]["currency_code"] = "usd"
    assert compute([named], cart(line("a", "10")), NOW).skipped == {"PROMO_1": "not_applicable"}
    assert compute([named], cart(line("a", "10"), currency="USD"), NOW).skipped == {}


def test_a_budget_is_the_most_that_a_campaign_takes() -> None:
    campaign = {**CAMPAIGN, "budget": {"id": "b", "type": "spend", "currency_code": "eur", "limit": D(10), "used": D("4.99")}}
    both = [promotion("promo_1", kind="fixed", value="3", campaign=campaign), promotion("promo_2", campaign=campaign)]
    computed = compute(both, cart(line("a", "20"), line("b", "20")), NOW)
    assert sum(each.amount for each in computed.adjustments) == D("5.01")
    assert computed.skipped == {"PROMO_2": "campaign_budget_exceeded"}


# -- whatever the cart


CURRENCIES = ("eur", "jpy", "kwd")
_rates = st.sampled_from(["0", "7", "19", "8.875"])
_products = st.sampled_from(["A", "B", "C"])


@st.composite
def _lines(draw: st.DrawFn, currency: str, prefix: str, most: int) -> list[Row]:
    cents = st.integers(0, 200_000)
    rows = []
    for number in range(draw(st.integers(0 if prefix == "s" else 1, most))):
        price = str(D(draw(cents)).scaleb(-decimals(currency)))
        quantity = 1 if prefix == "s" else draw(st.integers(1, 7))
        product = {"id": draw(_products)}
        rows.append(line(f"{prefix}{number}", price, quantity, rate=draw(_rates), inclusive=draw(st.booleans()), product=product))
        rows[-1]["is_discountable"] = draw(st.booleans()) or draw(st.booleans())
    return rows


@st.composite
def _promotions(draw: st.DrawFn) -> Row:
    kind = draw(st.sampled_from(["fixed", "percentage"]))
    value = str(draw(st.decimals("0", "100" if kind == "percentage" else "3000", places=draw(st.integers(0, 3)))))
    rules = st.lists(_products, min_size=1, unique=True).map(lambda ids: [rule("items.product.id", "in", *ids)])
    target = draw(st.sampled_from(["items", "items", "order", "shipping_methods"]))
    given: Row = {"kind": kind, "value": value, "target_type": target, "is_tax_inclusive": draw(st.booleans())}
    given |= {"allocation": draw(st.sampled_from(["each", "across", "once"])), "max_quantity": draw(st.none() | st.integers(1, 9))}
    if target == "items":
        given["target_rules"] = draw(st.just([]) | rules)
        if draw(st.booleans()):
            counts = {"buy_rules_min_quantity": draw(st.integers(1, 4)), "apply_to_quantity": draw(st.integers(1, 3))}
            given |= {"type": "buyget", "buy_rules": draw(rules), **counts}
    return promotion("promo_0", **given, is_automatic=draw(st.booleans()))


@st.composite
def _cases(draw: st.DrawFn) -> tuple[Row, list[Row], int]:
    currency = draw(st.sampled_from(CURRENCIES))
    bought = cart(*draw(_lines(currency, "i", 5)), methods=draw(_lines(currency, "s", 2)), currency=currency)
    promotions = [{**each, "id": f"promo_{n}", "code": f"P{n}"} for n, each in enumerate(draw(st.lists(_promotions(), max_size=4)))]
    return bought, promotions, draw(st.integers(0, 2**32))


def totals_with(bought: Row, computed: Computed) -> Row:
    """The cart with what was computed, and its totals."""
    made: Row = {"currency_code": bought["currency_code"], "items": [], "shipping_methods": []}
    for kind in ("items", "shipping_methods"):
        for row in bought[kind]:
            off = [{"amount": a.amount, "is_tax_inclusive": a.is_tax_inclusive} for a in computed.adjustments if a.id == row["id"]]
            made[kind].append({**row, "amount": row["unit_price"], "tax_lines": [{"rate": row["tax_rate"]}], "adjustments": off})
    add_totals(made)
    return made


@given(_cases())
def test_nothing_is_ever_negative_or_more_than_the_line(case: tuple[Row, list[Row], int]) -> None:
    bought, promotions, _ = case
    computed = compute(promotions, bought, NOW)
    made = totals_with(bought, computed)
    for row in (*made["items"], *made["shipping_methods"]):
        assert 0 <= row["discount_total"] <= row["original_total"]
        assert 0 <= row["discount_subtotal"] <= row["subtotal"]
        assert row["tax_total"] >= 0
        assert row["total"] == row["original_total"] - row["discount_total"] >= 0
    assert made["total"] >= 0


@given(_cases(), st.decimals("0", "100", places=3), st.sampled_from(["each", "across", "once"]), st.booleans())
def test_a_percentage_off_what_a_buyer_sees_is_whole_units_of_what_they_see(
    case: tuple[Row, list[Row], int], value: Decimal, allocation: str, inclusive: bool
) -> None:
    """Against exact fractions: of each line, of all together, or of the five cheapest units, in the measure of each price."""
    bought, _, _ = case
    unit = Fraction(1, 10 ** decimals(bought["currency_code"]))
    most = 5 if allocation == "once" else None
    computed = compute([promotion(value=str(value), allocation=allocation, max_quantity=most, is_tax_inclusive=inclusive)], bought, NOW)
    rows = {row["id"]: row for row in totals_with(bought, computed)["items"] if row["is_discountable"]}
    seen = {id: ("total", "original_total") if row["is_tax_inclusive"] else ("discount_subtotal", "subtotal") for id, row in rows.items()}
    prices = {id: Fraction(rows[id][seen[id][1]]) for id in rows}
    off = {id: Fraction(rows[id]["discount_total" if rows[id]["is_tax_inclusive"] else "discount_subtotal"]) for id in rows}
    percent = Fraction(value) / 100
    if allocation == "once":
        units, left = dict.fromkeys(rows, 0), 5
        for id in sorted(rows, key=lambda id: (Fraction(rows[id]["subtotal"]) / rows[id]["quantity"], id)):
            units[id] = min(rows[id]["quantity"], left)
            left -= units[id]
        assert off == {id: _halves_up(prices[id] * units[id] / rows[id]["quantity"] * percent, unit) for id in rows}
    elif allocation == "each":
        assert off == {id: _halves_up(price * percent, unit) for id, price in prices.items()}
    else:
        assert sum(off.values()) == _halves_up(sum(prices.values()) * percent, unit)
        assert all(abs(off[id] - price * percent) < unit for id, price in prices.items())


@given(_cases())
def test_what_a_percentage_takes_is_whole_as_the_buyer_sees_it_or_all_there_is(case: tuple[Row, list[Row], int]) -> None:
    """Whatever the kind: off lines, the order, shipping, or for what else was bought."""
    bought, promotions, _ = case
    unit = Fraction(1, 10 ** decimals(bought["currency_code"]))
    for each in promotions:
        if each["application_method"]["type"] == "percentage":
            made = totals_with(bought, compute([each], bought, NOW))
            for row in (*made["items"], *made["shipping_methods"]):
                off = Fraction(row["discount_total" if row["is_tax_inclusive"] else "discount_subtotal"])
                assert off % unit == 0 or row["total"] == 0


def _halves_up(amount: Fraction, unit: Fraction) -> Fraction:
    return floor(amount / unit + Fraction(1, 2)) * unit


@given(_cases(), st.booleans())
def test_amounts_are_whole_units_where_they_are_measured_as_prices_are(case: tuple[Row, list[Row], int], inclusive: bool) -> None:
    bought, promotions, _ = case
    unit = D(1).scaleb(-decimals(bought["currency_code"]))
    items = [
        line(r["id"], str(r["unit_price"]), r["quantity"], rate="19", inclusive=inclusive, product=r["product"]) for r in bought["items"]
    ]
    computed = compute([{**each, "is_tax_inclusive": inclusive} for each in promotions], {**bought, "items": items}, NOW)
    assert all(each.amount > 0 for each in computed.adjustments)
    assert [each for each in computed.adjustments if each.kind == "items" and each.amount % unit] == []


@given(_cases())
def test_the_order_of_lines_and_of_codes_changes_nothing(case: tuple[Row, list[Row], int]) -> None:
    bought, promotions, seed = case
    order = random.Random(seed)
    other = {**bought, "items": order.sample(bought["items"], len(bought["items"]))}
    shuffled = compute(order.sample(promotions, len(promotions)), other, NOW)
    computed = compute(promotions, bought, NOW)
    assert set(shuffled.adjustments) == set(computed.adjustments)
    assert shuffled.skipped == computed.skipped


@given(_cases(), st.decimals("0", "3000", places=3), st.booleans())
@example((cart(line("i0", "0.01"), line("i1", "0.01"), line("i2", "0.01")), [], 0), D("0.02"), False)
def test_an_amount_across_lines_is_kept_to_the_smallest_unit(case: tuple[Row, list[Row], int], value: Decimal, inclusive: bool) -> None:
    bought, _, _ = case
    unit = D(1).scaleb(-decimals(bought["currency_code"]))
    computed = compute([promotion(kind="fixed", value=str(value), target_type="order", is_tax_inclusive=inclusive)], bought, NOW)
    measure = "original_total" if inclusive else "subtotal"
    there = total(row[measure] for row in bought["items"] if row["is_discountable"])
    expected = there if value >= there else min(there, value.quantize(unit, rounding="ROUND_HALF_UP"))
    assert total(each.amount for each in computed.adjustments) == expected


@given(_cases(), st.decimals("0", "100", places=3))
def test_a_budget_is_never_overspent_and_always_used(case: tuple[Row, list[Row], int], limit: Decimal) -> None:
    bought, promotions, _ = case
    unit = D(1).scaleb(-decimals(bought["currency_code"]))
    campaign = {"id": "c", "budget": {"id": "b", "type": "spend", "limit": limit, "used": D(0)}}
    free = total(each.amount for each in compute(promotions, bought, NOW).adjustments)
    limited = total(a.amount for a in compute([{**each, "campaign": campaign} for each in promotions], bought, NOW).adjustments)
    assert limited <= limit
    if len(promotions) == 1:
        assert limited == free if free <= limit else limit - limited < unit


@given(_cases())
def test_buyget_gives_no_more_than_was_bought_for(case: tuple[Row, list[Row], int]) -> None:
    bought, promotions, _ = case
    for each in promotions:
        if each["type"] != "buyget":
            continue
        free = {**each, "application_method": {**each["application_method"], "type": "percentage", "value": D(100)}}
        free["is_tax_inclusive"] = False
        made = compute([free], bought, NOW)
        units = sum(
            round(a.amount / (row["subtotal"] / row["quantity"])) for a in made.adjustments for row in bought["items"] if row["id"] == a.id
        )
        method = each["application_method"]
        there = sum(row["quantity"] for row in bought["items"])
        assert units * (method["buy_rules_min_quantity"] + method["apply_to_quantity"]) <= there * method["apply_to_quantity"]
        assert method["max_quantity"] is None or units <= method["max_quantity"]
