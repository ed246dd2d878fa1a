"""Providers by id, as the settings name them."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from velella.core.errors import Misconfigured, NotFound
from velella.core.service.providers import Providers
from velella.core.settings import ProviderSettings, default_providers


class System:
    pass


@dataclass
class Invoice:
    """A payment provider of an application."""

    days: int = 14

    def __post_init__(self) -> None:
        if self.days < 0:
            raise ValueError("days can't be negative")


class Express:
    identifier = "dhl"


def providers(module: str, *configured: ProviderSettings, **kinds: type) -> Providers:
    return Providers(module, kinds, configured)


@pytest.mark.parametrize(
    ("module", "kind", "id"),
    [
        ("payment", "system", "pp_system_default"),
        ("fulfillment", "manual", "manual_manual"),
        ("tax", "system", "tp_system"),
        ("auth", "emailpass", "emailpass"),
        ("notification", "local", "local"),
    ],
)
def test_the_defaults_bear_the_contracts_ids(module: str, kind: str, id: str) -> None:
    assert providers(module, *default_providers()[module], **{kind: System}).ids() == [id]


def test_one_class_under_two_ids_is_two_providers() -> None:
    shop = providers(
        "payment",
        ProviderSettings(use="invoice", id="private", options={"days": 7}),
        ProviderSettings(use="invoice", id="b2b", options={"days": 30}),
        invoice=Invoice,
    )
    assert shop.ids() == ["pp_invoice_private", "pp_invoice_b2b"]
    assert (shop.get("pp_invoice_private").days, shop.get("pp_invoice_b2b").days) == (7, 30)
    assert shop.get("pp_invoice_b2b") is shop.get("pp_invoice_b2b")
    assert "pp_invoice_b2b" in shop
    assert len(shop) == 2


def test_a_second_tax_provider_is_told_apart_by_its_id() -> None:
    shop = providers("tax", ProviderSettings(use="system"), ProviderSettings(use="system", id="eu"), system=System)
    assert shop.ids() == ["tp_system", "tp_system_eu"]


def test_a_class_of_the_application_is_found_by_its_import_path() -> None:
    shop = providers("payment", ProviderSettings(use="decimal:Decimal", id="x"), ProviderSettings(use="fractions:Fraction"))
    assert shop.ids() == ["pp_decimal_x", "pp_fraction_default"]


def test_a_class_may_say_its_identifier(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fractions.Express", Express, raising=False)
    assert providers("fulfillment", ProviderSettings(use="fractions:Express", id="fast")).ids() == ["dhl_fast"]


def test_an_unknown_id_names_those_there_are() -> None:
    shop = providers("payment", ProviderSettings(use="system"), system=System)
    with pytest.raises(NotFound, match=r"pp_stripe_default.*pp_system_default"):
        shop.get("pp_stripe_default")


@pytest.mark.parametrize(
    ("configured", "message"),
    [
        (ProviderSettings(use="sytsem"), "ships no provider `sytsem`"),
        (ProviderSettings(use="no.such.package:Thing"), "can't be imported"),
        (ProviderSettings(use="decimal:Thing"), "no `Thing` in decimal"),
        (ProviderSettings(use="decimal:getcontext"), "not a class"),
        (ProviderSettings(use="invoice", options={"dayz": 1}), "has no option `dayz`. Did you mean `days`"),
        (ProviderSettings(use="invoice", options={"days": -1}), "can't be negative"),
    ],
)
def test_a_mistake_in_the_settings_is_one_clear_line_with_a_hint(configured: ProviderSettings, message: str) -> None:
    with pytest.raises(Misconfigured, match=message) as caught:
        providers("payment", configured, system=System, invoice=Invoice)
    assert caught.value.hint


def test_one_id_twice_is_refused() -> None:
    with pytest.raises(Misconfigured, match="pp_system_default"):
        providers("payment", ProviderSettings(use="system"), ProviderSettings(use="system", id="default"), system=System)


def test_a_class_made_for_another_module_is_refused() -> None:
    with pytest.raises(Misconfigured, match="is no payment provider: it doesn't derive from"):
        Providers("payment", {}, [ProviderSettings(use="decimal:Decimal")], base=System)
