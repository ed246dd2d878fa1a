"""Sales channels: where products are offered."""

from ...core.service.module import Module
from .service import SalesChannelService

MODULE = Module(name="sales_channel", schema=SalesChannelService.schema, service=SalesChannelService, package=__name__, caching="rows")
