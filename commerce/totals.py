"""Totals of carts and orders: every amount that a buyer sees is computed here.

The inputs of a line are its price, its quantity, its tax rates and its adjustments (the discounts of promotions). From these, for
a line and a shipping method alike:

    original_total = price × quantity, with taxes          total    = original_total − discount_total
    original_subtotal = the same without taxes             subtotal = original_subtotal (discounts are shown apart)
    original_tax_total = the difference                    tax_total = original_tax_total − discount_tax_total

A tax-inclusive price is `original_total` as it is and is divided by (1 + rates); any other is `original_subtotal` and is
multiplied. The same holds for an adjustment.

Amounts are rounded in two places only:

- the result of a division or of a rate is kept to `PARTS` decimals and everything else follows by adding and subtracting, so that amounts
  that should add up do, to the last digit. That is far more than a double can hold: a client that reads an amount as a double gets the
  one nearest to the exact value;
- `total` of the cart or order is the amount that is charged. It alone has the currency's decimals, halves away from zero. It may differ
  from the sum of its parts by less than half a smallest unit, because lines aren't rounded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Context, Decimal
from operator import itemgetter
from typing import Any, Final

from ..core import numbers
from ..core.rows import Row
from . import money

PARTS: Final = 30
"""Decimals that parts of a total are kept to."""
FINE: Final = 40
"""Decimals of an amount that is converted with or without taxes (see `in_measure`): so many more than `PARTS` that converting it back
gives the original."""

_EXACT = Context(prec=200, rounding=ROUND_HALF_UP)
"""Precise enough that sums and products of amounts are exact."""
_PART = Decimal(1).scaleb(-PARTS)
_FINE = Decimal(1).scaleb(-FINE)
_CRUMB = Decimal(1).scaleb(3 - PARTS)
"""Less than any amount: what rounding may leave of a line."""
_ZERO = Decimal(0)
_ONE = Decimal(1)
_HUNDRED = Decimal(100)

LINE_TOTALS: Final = frozenset(
    {
        "subtotal", "total", "original_total", "original_subtotal", "original_tax_total",
        "discount_total", "discount_subtotal", "discount_tax_total", "tax_total",
    }
)  # fmt: skip
"""Fields that each line and shipping method gets."""

ITEM_ALIASES: Final[Mapping[str, str]] = {"item_total": "total", "item_subtotal": "subtotal", "item_tax_total": "tax_total"}
"""Other names of a line's own totals."""

COURSE_TOTALS: Final[Mapping[str, str]] = {
    "fulfilled_total": "fulfilled_quantity",
    "shipped_total": "shipped_quantity",
    "return_requested_total": "return_requested_quantity",
    "return_received_total": "return_received_quantity",
    "return_dismissed_total": "return_dismissed_quantity",
    "write_off_total": "written_off_quantity",
}
"""Fields of an order's lines only: the price of the quantity that `detail` counts under each name."""
REFUND_TOTALS: Final = frozenset({"refundable_total", "refundable_total_per_unit", *COURSE_TOTALS})
"""All fields of an order's lines only; the first is the part of a line that can still be refunded. The order has their sum."""

TOTALS: Final = frozenset(
    {
        "total", "subtotal", "tax_total", "discount_total", "discount_subtotal", "discount_tax_total",
        "original_total", "original_subtotal", "original_tax_total",
        "item_total", "item_subtotal", "item_tax_total", "item_discount_total",
        "original_item_total", "original_item_subtotal", "original_item_tax_total",
        "shipping_total", "shipping_subtotal", "shipping_tax_total", "shipping_discount_total",
        "original_shipping_total", "original_shipping_subtotal", "original_shipping_tax_total",
        "credit_line_total", "credit_line_subtotal", "credit_line_tax_total", "gift_card_total", "gift_card_tax_total",
    }
)  # fmt: skip
"""Fields that a cart or an order gets."""

_KINDS: Final = ("total", "subtotal", "tax_total", "original_total", "original_subtotal", "original_tax_total", "discount_total")
"""Totals of lines of which the whole has sums for each kind (`item_…`, `shipping_…`), too."""
_OF_ITEMS: Final = tuple(f"original_item_{name.removeprefix('original_')}" if "original" in name else f"item_{name}" for name in _KINDS)
_OF_SHIPPING: Final = tuple(name.replace("item", "shipping") for name in _OF_ITEMS)
_BY_KIND: Final = itemgetter(*_KINDS)
_NO_SUMS: Final[Mapping[str, Decimal]] = dict.fromkeys(sorted(LINE_TOTALS), _ZERO)
_LINE_TOTALS: Final = itemgetter(*_NO_SUMS)
_NO_REFUNDS: Final[Mapping[str, Decimal]] = dict.fromkeys(("refundable_total", *COURSE_TOTALS), _ZERO)


def add_totals(parent: Row) -> None:
    """Fill in every total of a cart or an order and of its lines, shipping methods, tax lines and adjustments.

    Reads `currency_code`; of each of `items` `unit_price`, `quantity` and `is_tax_inclusive`, of each of `shipping_methods` `amount` and
    `is_tax_inclusive`, of both their `tax_lines` (`rate`, in percent) and `adjustments` (`amount`, `is_tax_inclusive`); of `credit_lines`
    `amount`. What is missing counts as zero or as empty. `detail` of an order's item counts returned items: they aren't charged any more.
    """
    items: Sequence[Row] = parent.get("items") or ()
    methods: Sequence[Row] = parent.get("shipping_methods") or ()
    counted = False
    for item in items:
        _add_line_totals(item, _EXACT.multiply(_decimal(item["unit_price"]), _decimal(item["quantity"])))
        if item.get("detail") is not None:
            counted = True
            _add_refund_totals(item)
            _leave_out_returned(item)
        for alias, name in ITEM_ALIASES.items():
            item[alias] = item[name]
    for method in methods:
        _add_line_totals(method, _decimal(method["amount"]))

    item_sums, method_sums = _sums(items), _sums(methods)
    parent.update(zip(_OF_ITEMS, _BY_KIND(item_sums), strict=True))
    parent.update(zip(_OF_SHIPPING, _BY_KIND(method_sums), strict=True))
    sums = item_sums if not methods else method_sums if not items else _sums((item_sums, method_sums))
    parent.update(zip(_NO_SUMS, _LINE_TOTALS(sums), strict=True))
    for line in parent.get("credit_lines") or ():
        line["subtotal"] = line["total"] = numbers.plain(_decimal(line["amount"]))
    credit = numbers.plain(_sum(parent.get("credit_lines") or (), "amount"))
    parent["total"] = numbers.plain(money.rounded(_EXACT.subtract(parent["total"], credit), str(parent["currency_code"])))
    parent["credit_line_total"] = parent["credit_line_subtotal"] = credit
    parent["credit_line_tax_total"] = parent["gift_card_total"] = parent["gift_card_tax_total"] = _ZERO
    parent.update(_NO_REFUNDS)
    if counted:
        for name in _NO_REFUNDS:
            parent[name] = _plain_sum(items, name)


def _add_line_totals(line: Row, price: Decimal) -> None:
    """Compute the totals of one line or shipping method from its undiscounted price, as it was quoted."""
    tax_lines: Sequence[Row] = line.get("tax_lines") or ()
    adjustments: Sequence[Row] = line.get("adjustments") or ()
    rate = _EXACT.divide(_sum(tax_lines, "rate"), _HUNDRED) if tax_lines else _ZERO

    without, with_tax = without_and_with_tax(price, bool(line.get("is_tax_inclusive")), rate)
    line["subtotal"] = line["original_subtotal"] = numbers.plain(without)
    if rate:
        line["total"] = line["original_total"] = numbers.plain(with_tax)
        line["tax_total"] = line["original_tax_total"] = numbers.plain(_EXACT.subtract(with_tax, without))
    else:
        line["total"] = line["original_total"] = line["subtotal"]
        line["tax_total"] = line["original_tax_total"] = _ZERO
    line["discount_total"] = line["discount_subtotal"] = line["discount_tax_total"] = _ZERO
    if adjustments:
        _take_off(line, adjustments, without, with_tax, rate)
    if tax_lines:
        _share(tax_lines, "subtotal", line["original_tax_total"])
        _share(tax_lines, "total", line["tax_total"])


def _take_off(line: Row, adjustments: Sequence[Row], subtotal: Decimal, original_total: Decimal, rate: Decimal) -> None:
    """Compute the discounts of a line, and subtract them from its totals."""
    sums = {True: _ZERO, False: _ZERO}
    for adjustment in adjustments:
        amount, inclusive = _decimal(adjustment["amount"]), bool(adjustment.get("is_tax_inclusive"))
        without, with_tax = without_and_with_tax(amount, inclusive, rate)
        adjustment["subtotal"], adjustment["total"] = numbers.plain(_part(without)), numbers.plain(_part(with_tax))
        sums[inclusive] = _EXACT.add(sums[inclusive], amount)
    discount_subtotal, discount_total = discounts_of(subtotal, original_total, rate, sums[False], sums[True])
    discount_tax = _EXACT.subtract(discount_total, discount_subtotal)
    line["discount_total"] = numbers.plain(discount_total)
    line["discount_subtotal"] = numbers.plain(discount_subtotal)
    line["discount_tax_total"] = numbers.plain(discount_tax)
    line["tax_total"] = numbers.plain(_EXACT.subtract(line["original_tax_total"], discount_tax))
    line["total"] = numbers.plain(_EXACT.subtract(original_total, discount_total))


def discounts_of(
    subtotal: Decimal, original_total: Decimal, rate: Decimal, exclusive: Decimal, inclusive: Decimal
) -> tuple[Decimal, Decimal]:
    """The discount of a line, without and with taxes, from the sums of its `exclusive` and its `inclusive` adjustments.

    Each sum is converted as a whole, so that discounts that add up to the line's price also add up to its tax. Where both kinds meet,
    rounding may leave tiny rests: discounts that use a line up without taxes use it up with taxes, too, and the other way round.
    """
    without, with_tax = without_and_with_tax(exclusive, False, rate)
    without_other, with_other = without_and_with_tax(inclusive, True, rate)
    without, with_tax = _EXACT.add(without, without_other), _EXACT.add(with_tax, with_other)
    left = (_EXACT.subtract(subtotal, without), _EXACT.subtract(original_total, with_tax))
    if rate and (without or with_tax) and min(map(abs, left)) <= _CRUMB:
        return subtotal, original_total
    return numbers.plain(_part(without)), numbers.plain(_part(with_tax))


def without_and_with_tax(amount: Decimal, inclusive: bool, rate: Decimal) -> tuple[Decimal, Decimal]:
    if not rate:
        return amount, amount
    factor = _EXACT.add(_ONE, rate)
    if inclusive:
        return _part(_EXACT.divide(amount, factor)), amount
    return amount, _part(_EXACT.multiply(amount, factor))


def in_measure(amount: Decimal, inclusive: bool, wanted: bool, rate: Decimal) -> Decimal:
    """Convert an amount that includes taxes (`inclusive`), or doesn't, to one that does (`wanted`), or doesn't."""
    if inclusive == wanted or not rate:
        return amount
    factor = _EXACT.add(_ONE, rate)
    other = _EXACT.multiply(amount, factor) if wanted else _EXACT.divide(amount, factor)
    return numbers.plain(other.quantize(_FINE, context=_EXACT))


def _share(tax_lines: Sequence[Row], field: str, tax: Decimal) -> None:
    """Split the tax of a line, a plain amount, among its tax lines by their rates. The rounding difference goes to the last."""
    if len(tax_lines) > 1:
        rates = _sum(tax_lines, "rate")
        for line in tax_lines[:-1]:
            share = _part(_EXACT.divide(_EXACT.multiply(tax, _decimal(line["rate"])), rates)) if rates else _ZERO
            line[field] = numbers.plain(share)
        tax = numbers.plain(numbers.difference(tax, *(line[field] for line in tax_lines[:-1])))
    tax_lines[-1][field] = tax


def _add_refund_totals(item: Row) -> None:
    """Compute the share of a line's total for the items that the buyer still has, and the totals of `COURSE_TOTALS`."""
    detail, quantity = item["detail"], _decimal(item["quantity"])
    back = _ZERO
    for counted in ("return_requested_quantity", "return_received_quantity", "return_dismissed_quantity"):
        if times := detail.get(counted):
            back = _EXACT.add(back, _decimal(times))
    kept = _EXACT.subtract(quantity, back)
    share = _EXACT.divide(item["total"], quantity) if quantity else _ZERO
    each = share if kept > 0 else _ZERO
    item["refundable_total"] = numbers.plain(_part(_EXACT.multiply(each, kept)))
    item["refundable_total_per_unit"] = numbers.plain(_part(each))
    for name, counted in COURSE_TOTALS.items():
        times = detail.get(counted)
        item[name] = numbers.plain(_part(_EXACT.multiply(share, _decimal(times)))) if times else _ZERO


def _leave_out_returned(item: Row) -> None:
    """Reduce a line's totals to the share of the items that weren't returned."""
    detail, quantity = item["detail"], _decimal(item["quantity"])
    back = _EXACT.add(_decimal(detail.get("return_received_quantity")), _decimal(detail.get("return_dismissed_quantity")))
    if not back or not quantity:
        return
    share = _EXACT.divide(_EXACT.subtract(quantity, back), quantity)
    rows: list[tuple[Row, Iterable[str]]] = [(item, LINE_TOTALS)]
    for below in ("tax_lines", "adjustments"):
        rows += [(row, ("subtotal", "total")) for row in item.get(below) or ()]
    for row, names in rows:
        for name in names:
            row[name] = numbers.plain(_part(_EXACT.multiply(row[name], share)))


def _sums(lines: Sequence[Mapping[str, Any]]) -> Mapping[str, Decimal]:
    """Sums of the totals of lines, or of such sums."""
    if not lines:
        return _NO_SUMS
    if len(lines) == 1:
        return lines[0]
    for line in lines:
        if line["discount_total"] or line["discount_subtotal"]:
            return {name: _plain_sum(lines, name) for name in LINE_TOTALS}
    sums = dict(_NO_SUMS)
    for name in ("total", "subtotal", "tax_total"):
        sums[name] = sums[f"original_{name}"] = _plain_sum(lines, name)
    return sums


def _plain_sum(lines: Sequence[Mapping[str, Any]], name: str) -> Decimal:
    """The sum of one total of some lines, plain as these are."""
    sum, several = _ZERO, False
    for line in lines:
        if amount := line.get(name):
            sum, several = (_EXACT.add(sum, amount), True) if sum else (amount, several)
    return numbers.plain(sum) if several else sum


def _sum(rows: Sequence[Row], name: str) -> Decimal:
    """The exact sum of a column of rows; missing values count as zero."""
    total = _ZERO
    for row in rows:
        total = _EXACT.add(total, _decimal(row.get(name)))
    return total


def _decimal(value: Any) -> Decimal:
    """An amount of a row: Decimal, int, or None. A float would be a bug of ours."""
    if isinstance(value, Decimal):
        return value
    if value is None:
        return _ZERO
    if isinstance(value, int):
        return Decimal(value)
    raise TypeError(f"{type(value).__name__} is not an exact amount")


def _part(value: Decimal) -> Decimal:
    return value.quantize(_PART, context=_EXACT)
