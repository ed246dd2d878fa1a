"""Fulfillment: where a shop sends to, by which options, and what was sent."""

from __future__ import annotations

from ...core.service.module import Module
from .provider import FulfillmentProvider
from .providers.manual import ManualFulfillmentProvider
from .providers.shipstation import ShipStationFulfillment
from .service import FulfillmentService
from .tables import SCHEMA

MODULE = Module(
    name="fulfillment",
    schema=SCHEMA,
    service=FulfillmentService,
    package=__name__,
    caching="rows",
    provider_kinds={kind.identifier: kind for kind in (ManualFulfillmentProvider, ShipStationFulfillment)},
    provider=FulfillmentProvider,
)
