"""The store: its currencies, locales and defaults."""

from ...core.graph.links import Reference
from ...core.service.module import Module
from .service import StoreService

MODULE = Module(
    name="store",
    schema=StoreService.schema,
    service=StoreService,
    package=__name__,
    caching="rows",
    references=(
        Reference("store", "default_sales_channel", "default_sales_channel_id", "sales_channel"),
        Reference("store_currency", "currency", "currency_code", "currency", "code"),
        Reference("store_locale", "locale", "locale_code", "locale", "code"),
    ),
)
