"""Payments: collections, sessions, authorisations, captures and refunds."""

from __future__ import annotations

from ...core.graph.links import Reference
from ...core.service.module import Module
from .provider import PaymentProvider
from .providers.stripe import StripePayment
from .providers.system import SystemPaymentProvider
from .service import PaymentService
from .tables import SCHEMA

MODULE = Module(
    name="payment",
    schema=SCHEMA,
    service=PaymentService,
    package=__name__,
    provider_kinds={kind.identifier: kind for kind in (SystemPaymentProvider, StripePayment)},
    provider=PaymentProvider,
    caching="none",
    references=(Reference("payment_collection", "order", "order_id", "order", back="payment_collections"),),
)
