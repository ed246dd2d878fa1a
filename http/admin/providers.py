"""Admin: the providers that are set up, for taxes, fulfillments and payments."""

from __future__ import annotations

from ..kit.filters import BOOLEAN, MANY, TEXT, Filters
from ..kit.reply import Answer
from ..kit.request import Request
from ..kit.routes import Routes
from ..kit.view import View

routes = Routes()

TAX_PROVIDER = View("tax_provider", "id is_enabled", limit=20)
FULFILLMENT_PROVIDER = View("fulfillment_provider", "id is_enabled")
PAYMENT_PROVIDER = View("payment_provider", "id is_enabled", limit=20)

PROVIDERS = Filters(id=MANY, is_enabled=BOOLEAN, logical=True)

routes.resource("/admin/tax-providers", TAX_PROVIDER, list=PROVIDERS, get=False)
routes.resource("/admin/payments/payment-providers", PAYMENT_PROVIDER, list=PROVIDERS, get=False)
routes.resource(
    "/admin/fulfillment-providers",
    FULFILLMENT_PROVIDER,
    list=Filters(id=MANY, stock_location_id=MANY, is_enabled=BOOLEAN, q=TEXT),
    get=False,
)


@routes.get("/admin/fulfillment-providers/{id}/options", query=None)
async def fulfillment_options(request: Request) -> Answer:
    """List the shipping services that a fulfillment provider offers."""
    options = await request.modules.fulfillment.provider_options(request.params["id"])
    return {"fulfillment_options": options, "count": len(options), "limit": len(options), "offset": 0}
