"""Analytics: what happened in the shop, for a service that counts it."""

from __future__ import annotations

from ...core.service.module import Module
from .provider import AnalyticsProvider
from .providers.local import LocalAnalytics
from .providers.posthog import PostHog
from .service import AnalyticsService

MODULE = Module(
    name="analytics",
    schema=AnalyticsService.schema,
    service=AnalyticsService,
    package=__name__,
    provider_kinds={kind.identifier: kind for kind in (LocalAnalytics, PostHog)},
    provider=AnalyticsProvider,
    caching="none",
)
