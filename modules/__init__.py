"""The commerce modules. They never import each other; all they share is the list of their names."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar, cast

if TYPE_CHECKING:
    from ..core.service.module import ModuleService
    from .analytics.service import AnalyticsService
    from .api_key.service import ApiKeyService
    from .auth.service import AuthService
    from .cart.service import CartService
    from .currency.service import CurrencyService
    from .customer.service import CustomerService
    from .file.service import FileService
    from .fulfillment.service import FulfillmentService
    from .inventory.service import InventoryService
    from .link.service import LinkService
    from .notification.service import NotificationService
    from .order.service import OrderService
    from .payment.service import PaymentService
    from .pricing.service import PricingService
    from .product.service import ProductService
    from .promotion.service import PromotionService
    from .region.service import RegionService
    from .sales_channel.service import SalesChannelService
    from .search.service import SearchService
    from .settings.service import SettingsService
    from .stock_location.service import StockLocationService
    from .store.service import StoreService
    from .tax.service import TaxService
    from .translation.service import TranslationService
    from .user.service import UserService

NAMES = (
    "analytics", "api_key", "auth", "cart", "currency", "customer", "file", "fulfillment", "inventory", "link", "notification", "order",
    "payment", "pricing", "product", "promotion", "region", "sales_channel", "search", "settings", "stock_location", "store", "tax",
    "translation", "user",
)  # fmt: skip

REBUILT = ("search",)
"""Modules whose rows are made of those of others, and made anew where they are missing."""

REMEMBERING = ("fulfillment", "pricing", "promotion", "tax", "translation")
"""Modules that cache answers themselves (`core.service.remembering`). Listed here so that they needn't be imported to find out."""

S = TypeVar("S", bound="ModuleService")


class Modules:
    """One handle for each module. To a type checker each is the module's service; at run time the engine fills them in."""

    analytics: AnalyticsService
    api_key: ApiKeyService
    auth: AuthService
    cart: CartService
    currency: CurrencyService
    customer: CustomerService
    file: FileService
    fulfillment: FulfillmentService
    inventory: InventoryService
    link: LinkService
    notification: NotificationService
    order: OrderService
    payment: PaymentService
    pricing: PricingService
    product: ProductService
    promotion: PromotionService
    region: RegionService
    sales_channel: SalesChannelService
    search: SearchService
    settings: SettingsService
    stock_location: StockLocationService
    store: StoreService
    tax: TaxService
    translation: TranslationService
    user: UserService

    def of(self, service: type[S]) -> S:
        """The handle of a module that isn't listed here, by the class of its service: `modules.of(ReviewService)`."""
        return cast("S", getattr(self, service.name))
