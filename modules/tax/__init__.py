"""Taxes: regions, rates and the rules that say what a rate applies to."""

from __future__ import annotations

from ...core.service.module import Module
from .provider import TaxProvider
from .providers.system import SystemTaxProvider
from .service import TaxService
from .tables import SCHEMA

MODULE = Module(
    name="tax",
    schema=SCHEMA,
    service=TaxService,
    package=__name__,
    caching="rows",
    provider_kinds={SystemTaxProvider.identifier: SystemTaxProvider},
    provider=TaxProvider,
)
