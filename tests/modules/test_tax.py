"""The tax module: which rates apply to what, by place and by rule."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

import pytest

from velella.core.errors import InvalidData, NotFound, UnexpectedState
from velella.core.flow import keep
from velella.core.service.providers import Providers
from velella.core.settings import ProviderSettings
from velella.modules.tax.provider import CalculatedTaxLine, Taxable, TaxProvider
from velella.modules.tax.providers.system import SystemTaxProvider
from velella.modules.tax.service import TaxService

from .one_module import alone

D = Decimal
SHIRT = {"id": "shirt", "product_id": "prod_shirt", "product_type_id": "ptyp_cloth"}
BOOK = {"id": "book", "product_id": "prod_book", "product_type_id": "ptyp_paper"}
POST = {"id": "post", "shipping_option_id": "so_post"}


class Outside(TaxProvider):
    """A tax service somewhere else: knows better than the shop's rates."""

    identifier: ClassVar[str] = "outside"

    async def tax_lines(self, taxables: Sequence[Taxable], context: Mapping[str, Any]) -> list[CalculatedTaxLine]:
        rate, lines = context["address"].get("says", D("8.875")), {one.line["id"]: one.is_shipping for one in taxables}
        if rate is None:
            rate, lines = D(1), {"line_of_another_cart": False}
        return [CalculatedTaxLine(id, rate, "NYC", "New York", is_shipping=is_shipping) for id, is_shipping in lines.items()]


@pytest.fixture
async def taxes(fresh_database: str) -> AsyncIterator[TaxService]:
    kinds = {"system": SystemTaxProvider, "outside": Outside}
    providers = Providers("tax", kinds, [ProviderSettings(use="system"), ProviderSettings(use="outside")])
    async with alone(TaxService, fresh_database, providers=providers) as service:
        yield service


@dataclass(frozen=True)
class Case:
    says: str
    rates: Mapping[str, Sequence[Mapping[str, Any]]]
    """Place (`us`, `us-ca`) → its rates."""
    shirt: tuple[str, ...] = ()
    book: tuple[str, ...] = ()
    post: tuple[str, ...] = ()
    """Codes of the tax lines of each, in order, for an address in California."""


def rate(code: str, *rules: tuple[str, str], default: bool = False, combinable: bool = False) -> dict[str, Any]:
    return {
        "code": code,
        "name": code,
        "rate": 10,
        "is_default": default,
        "is_combinable": combinable,
        "rules": [{"reference": reference, "reference_id": id} for reference, id in rules],
    }


def default(code: str, **more: Any) -> dict[str, Any]:
    return rate(code, default=True, **more)


CASES = (
    Case("a country's default is for everything", {"us": [default("US")]}, ("US",), ("US",), ("US",)),
    Case("a province's default goes before", {"us": [default("US")], "us-ca": [default("CA")]}, ("CA",), ("CA",), ("CA",)),
    Case("another province's doesn't count", {"us": [default("US")], "us-ny": [default("NY")]}, ("US",), ("US",), ("US",)),
    Case("another country's doesn't count", {"us": [], "de": [default("DE")]}),
    Case(
        "a rule for a product goes before one for its type, and that before the default",
        {
            "us": [
                default("US"),
                rate("CLOTH", ("product_type", "ptyp_cloth")),
                rate("BOOK", ("product", "prod_book"), ("product_type", "x")),
            ]
        },
        ("CLOTH",),
        ("BOOK",),
        ("US",),
    ),
    Case(
        "product before type",
        {"us": [rate("TYPE", ("product_type", "ptyp_cloth")), rate("PRODUCT", ("product", "prod_shirt"))]},
        ("PRODUCT",),
    ),
    Case(
        "a shipping option has rules of its own",
        {"us": [default("US"), rate("POST", ("shipping_option", "so_post"))]},
        ("US",),
        ("US",),
        ("POST",),
    ),
    Case(
        "a province's default goes before a country's rule",
        {"us": [rate("SHIRT", ("product", "prod_shirt"))], "us-ca": [default("CA")]},
        ("CA",),
        ("CA",),
        ("CA",),
    ),
    Case(
        "a combinable rate of a province brings the country's along",
        {"us": [default("US"), rate("BOOK", ("product", "prod_book"))], "us-ca": [default("CA", combinable=True)]},
        ("CA", "US"),
        ("CA", "BOOK"),
        ("CA", "US"),
    ),
    Case(
        "only the rate that is taken decides whether it combines",
        {"us": [default("US", combinable=True)], "us-ca": [default("CA", combinable=True), rate("SHIRT", ("product", "prod_shirt"))]},
        ("SHIRT",),
        ("CA", "US"),
        ("CA", "US"),
    ),
    Case("combinable with nothing to combine with", {"us": [], "us-ca": [default("CA", combinable=True)]}, ("CA",), ("CA",), ("CA",)),
    Case("a country's rate has no parent to combine with", {"us": [default("US", combinable=True)]}, ("US",), ("US",), ("US",)),
    Case("a rate that only has rules is for nothing else", {"us": [rate("SHIRT", ("product", "prod_shirt"))]}, ("SHIRT",)),
    Case("a product's rule is not a shipping option's", {"us": [rate("ODD", ("product", "so_post"))]}),
)


async def laid_out(taxes: TaxService, rates: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    for place in rates:
        country, _, province = place.partition("-")
        (region,) = await taxes.create_regions([{"country_code": country, "province_code": place if province else None}])
        await taxes.create_rates([{**one, "tax_region_id": region["id"]} for one in rates[place]])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.says)
async def test_the_most_particular_rate_is_taken(taxes: TaxService, case: Case) -> None:
    await laid_out(taxes, case.rates)
    lines = await taxes.get_tax_lines([SHIRT, BOOK], [POST], {"address": {"country_code": "US", "province_code": "CA"}})
    found = {
        id: tuple(line["code"] for line in lines if line.get("line_item_id", line.get("shipping_line_id")) == id)
        for id in ("shirt", "book", "post")
    }
    assert found == {"shirt": case.shirt, "book": case.book, "post": case.post}
    assert all(("shipping_line_id" in line) == (line.get("line_item_id") is None) for line in lines)


@pytest.mark.parametrize("province", ["ca", "CA", "us-ca", " US-CA "])
@pytest.mark.parametrize("kept", ["ca", "US-CA"])
async def test_a_province_may_be_written_in_both_ways(taxes: TaxService, kept: str, province: str) -> None:
    await taxes.create_regions([{"country_code": "us"}])
    await taxes.create_regions(
        [{"country_code": "us", "province_code": kept, "default_tax_rate": {"code": "CA", "name": "CA", "rate": D("7.25")}}]
    )
    (line,) = await taxes.get_tax_lines([SHIRT], (), {"address": {"country_code": "us", "province": province}})
    assert (line["rate"], line["code"], line["provider_id"]) == (D("7.25"), "CA", "system")


@pytest.mark.parametrize("address", [None, {}, {"country_code": None}, {"country_code": "fr"}])
async def test_without_a_tax_region_there_are_no_taxes(taxes: TaxService, address: Any) -> None:
    await laid_out(taxes, {"us": [default("US")]})
    assert await taxes.get_tax_lines([SHIRT], [POST], {"address": address}) == []


async def test_a_rate_keeps_its_digits(taxes: TaxService) -> None:
    (region,) = await taxes.create_regions(
        [{"country_code": "CH", "default_tax_rate": {"code": "vat", "name": "VAT", "rate": D("8.1000")}}]
    )
    (kept,) = await taxes.list("tax_rate", {"tax_region_id": region["id"]})
    assert (region["country_code"], str(kept["rate"]), kept["is_default"]) == ("ch", "8.1", True)
    (line,) = await taxes.get_tax_lines([SHIRT], (), {"address": {"country_code": "ch"}})
    assert str(line["rate"]) == "8.1"


async def test_a_region_s_provider_computes_its_taxes_even_without_rates(taxes: TaxService) -> None:
    await taxes.create_regions([{"country_code": "us", "provider_id": "tp_outside"}, {"country_code": "de", "provider_id": "tp_system"}])
    lines = await taxes.get_tax_lines([SHIRT], [POST], {"address": {"country_code": "us"}})
    assert [(line["code"], line["provider_id"]) for line in lines] == [("NYC", "outside"), ("NYC", "outside")]
    with pytest.raises(NotFound):
        await taxes.create_regions([{"country_code": "fr", "provider_id": "tp_nobody"}])
    for nonsense in (D(-5), D("NaN"), D("Infinity"), D(1001), 8.875, None):
        with pytest.raises(UnexpectedState, match="The tax provider tp_outside"):
            await taxes.get_tax_lines([SHIRT], [], {"address": {"country_code": "us", "says": nonsense}})


async def test_a_place_has_one_region(taxes: TaxService) -> None:
    answers = await asyncio.gather(*(taxes.create_regions([{"country_code": "us"}]) for _ in range(4)), return_exceptions=True)
    assert sorted(type(answer).__name__ for answer in answers) == ["InvalidData", "InvalidData", "InvalidData", "list"]
    await taxes.create_regions([{"country_code": "us", "province_code": "ca"}])
    with pytest.raises(InvalidData, match="already exists"):
        await taxes.create_regions([{"country_code": "us", "province_code": "CA"}])


async def test_a_province_belongs_to_its_country(taxes: TaxService) -> None:
    us, de = await taxes.create_regions([{"country_code": "us"}, {"country_code": "de"}])
    (found,) = await taxes.create_regions([{"country_code": "us", "province_code": "ny"}])
    assert found["parent_id"] == us["id"]
    with pytest.raises(InvalidData, match="parent tax region of de"):
        await taxes.create_regions([{"country_code": "us", "province_code": "ca", "parent_id": de["id"]}])
    with pytest.raises(InvalidData, match="txreg_none"):
        await taxes.create_regions([{"country_code": "us", "province_code": "ca", "parent_id": "txreg_none"}])
    with pytest.raises(InvalidData):
        await taxes.create_regions([{"country_code": "us", "province_code": "ca", "provider_id": "tp_system"}])


async def test_a_region_has_one_default_rate(taxes: TaxService) -> None:
    (region,) = await taxes.create_regions([{"country_code": "us"}])
    mine = {**default("A"), "tax_region_id": region["id"]}
    await taxes.create_rates([mine])
    with pytest.raises(InvalidData):
        await taxes.create_rates([mine | {"code": "B"}])


async def test_rules_of_a_rate_are_replaced_as_a_whole(taxes: TaxService) -> None:
    (region,) = await taxes.create_regions([{"country_code": "us"}])
    (made,) = await taxes.create_rates([{**rate("A", ("product", "prod_shirt"), ("product", "prod_x")), "tax_region_id": region["id"]}])
    address = {"address": {"country_code": "us"}}
    assert len(await taxes.get_tax_lines([SHIRT, BOOK], (), address)) == 1
    rules = [{"reference": "product", "reference_id": "prod_book"}]
    changed = await keep(taxes.update_rates, [{"id": made["id"], "name": "B", "rules": rules}])
    (line,) = await taxes.get_tax_lines([SHIRT, BOOK], (), address)
    assert (line["line_item_id"], line["name"]) == ("book", "B")
    await taxes.update_rates([{"id": made["id"], "code": "C"}])
    assert len(await taxes.get_tax_lines([SHIRT, BOOK], (), address)) == 1
    with pytest.raises(InvalidData, match="already exists"):
        await taxes.create_rules([{"tax_rate_id": made["id"], "reference": "product", "reference_id": "prod_book"}])
    await taxes.undo(changed["change"])
    (line,) = await taxes.get_tax_lines([SHIRT, BOOK], (), address)
    assert (line["line_item_id"], line["name"], line["code"]) == ("shirt", "A", "C")  # what another update changed since stays


async def test_deleting_a_country_takes_its_provinces_and_rates_along(taxes: TaxService) -> None:
    await laid_out(taxes, {"us": [default("US")], "us-ca": [default("CA")]})
    (country,) = await taxes.list("tax_region", {"province_code": None}, fields=("id",))
    await taxes.delete("tax_region", [country["id"]])
    assert await taxes.count("tax_region") == await taxes.count("tax_rate") == 0
    await laid_out(taxes, {"us": [default("US")]})


async def test_rows_of_providers_follow_the_settings(taxes: TaxService) -> None:
    found = {row["id"]: row["is_enabled"] for row in await taxes.list("tax_provider")}
    assert found == {"tp_system": True, "tp_outside": True}
    taxes.providers = Providers("tax", {"system": SystemTaxProvider}, [ProviderSettings(use="system")])
    await asyncio.gather(*(taxes.start() for _ in range(4)))
    assert {row["id"]: row["is_enabled"] for row in await taxes.list("tax_provider")} == {"tp_system": True, "tp_outside": False}
