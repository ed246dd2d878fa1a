"""Odoo keeps products and stock, and carries out orders; the shop sells."""

from __future__ import annotations

from velella.core.plugins import Options, Plugin


class OdooOptions(Options):
    url: str
    """https://example.odoo.com"""
    database: str
    login: str
    """Of a user of the shop's own, who may read products and stock and write contacts and sales."""
    api_key: str
    """Of that user: Preferences → Account Security."""
    other_product: str = "SHOP-OTHER"
    """Internal reference of the service that stands for shipping, and for what Odoo doesn't sell, in Odoo's orders."""
    location_id: str | None = None
    """Where the shop's stock is that is Odoo's. Default: the shop's first location. So it goes with the next two: for new products."""
    sales_channel_id: str | None = None
    shipping_profile_id: str | None = None
    timeout: float = 20.0
    """Seconds for one request."""
    deliveries_days: int = 60
    """How long after an order it is asked whether it was delivered."""


plugin = Plugin(__name__, OdooOptions)
