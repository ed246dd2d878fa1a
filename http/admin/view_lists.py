"""What the dashboard's lists show of their things until a merchant chooses: their columns in order, and those that it makes of others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..kit.view import words

Names = tuple[str, ...]


@dataclass(frozen=True)
class MadeColumn:
    """A column that the dashboard makes of fields."""

    id: str
    name: str
    description: str
    render_mode: str
    category: str
    required: Names = ()
    optional: Names = ()
    visible: bool = True
    metadata: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class FilterColumn:
    """A column that is there to filter by only: the other things to choose from, and the parameter of the list."""

    id: str
    name: str
    entity: str
    endpoint: str
    display_field: str
    filter_key: str
    on: str = ""
    """The column of a single relation (`collection.id`) that is filtered so, where there is one."""
    description: str = ""
    """Set where it is about something that isn't shown beside the thing."""


@dataclass(frozen=True)
class ListOf:
    """The list of one kind of thing."""

    shown: Names = ()
    """Ids of the columns that are shown, in order."""
    next: Names = ()
    """Ids of columns that follow these, and are hidden."""
    made: tuple[MadeColumn, ...] = ()
    filters: tuple[FilterColumn, ...] = ()
    worked_out: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Fields that no table has, with their values where these are few: they can be shown, and neither filtered nor ordered by."""
    render: Mapping[str, str] = field(default_factory=dict)
    """Column → how it is shown, where that doesn't follow from its name."""
    resolver: Mapping[str, str] = field(default_factory=dict)
    """Column → what the dashboard calls the words for its values."""
    left_out: Names = ()


def _many(id: str, name: str, description: str, of: str, shown: str, *, visible: bool = True) -> MadeColumn:
    metadata = {"display_field": shown, "list_field": of}
    return MadeColumn(id, name, description, "badges", "relationship", (f"{of}.{shown}",), visible=visible, metadata=metadata)


def _count(id: str, name: str, description: str, of: str) -> MadeColumn:
    return MadeColumn(id, name, description, "count", "metric", (f"{of}.id",), metadata={"list_field": of})


def _address(of: str, name: str, description: str, id: str = "", *, visible: bool = False, whole: bool = False) -> MadeColumn:
    required = (f"{of}.*",) if whole else (f"{of}.city", f"{of}.country_code")
    optional = () if whole else tuple(f"{of}.{column}" for column in words("address_1 province postal_code"))
    about = {"address_field": of}
    return MadeColumn(id or f"{of}_display", name, description, "address", "relationship", required, optional, visible, about)


def _country(id: str, description: str, of: str) -> MadeColumn:
    path = f"{of}.country_code"
    return MadeColumn(id, "Country", description, "country_code", "metadata", (path,), metadata={"country_code_field": path})


_CHANNELS = FilterColumn("sales_channels_filter", "Sales Channels", "SalesChannel", "/admin/sales-channels", "name", "sales_channel_id")
_LOCATION = ("Location", "StockLocation", "/admin/stock-locations", "name")
_LABELLED = ListOf(words("value created_at updated_at"))

LISTS: Mapping[str, ListOf] = {
    "order": ListOf(
        words(
            "display_id created_at customer_display sales_channel.name payment_status fulfillment_status total"
            " order_shipping_country_display"
        ),
        next=words("custom_display_id"),
        made=(
            MadeColumn(
                "customer_display",
                "Customer",
                "Customer name and contact information",
                "name",
                "relationship",
                words("customer.first_name customer.last_name customer.email"),
                words("customer.phone"),
                metadata={
                    "name_source": "customer",
                    "fallback_fields": ["customer.email", "customer.phone"],
                    "empty_label_key": "customers.guest",
                    "empty_label": "Guest",
                },
            ),
            _address("shipping_address", "Shipping Address", "Shipping address summary"),
            _address("billing_address", "Billing Address", "Billing address summary"),
            _country("order_shipping_country_display", "Shipping country", "shipping_address"),
        ),
        filters=(
            FilterColumn("", "Region", "Region", "/admin/regions", "name", "region_id", on="region.id"),
            FilterColumn("", "Customer", "Customer", "/admin/customers", "email", "customer_id", on="customer.id"),
            FilterColumn("", "Sales Channel", "SalesChannel", "/admin/sales-channels", "name", "sales_channel_id", on="sales_channel.id"),
        ),
        worked_out={
            "payment_status": words(
                "not_paid awaiting authorized partially_authorized captured partially_captured partially_refunded refunded canceled"
                " requires_action"
            ),
            "fulfillment_status": words(
                "not_fulfilled partially_fulfilled fulfilled partially_shipped shipped partially_delivered delivered canceled"
            ),
            **dict.fromkeys(
                words(
                    "original_item_total original_item_subtotal original_item_tax_total item_total item_subtotal item_tax_total"
                    " original_total original_subtotal original_tax_total subtotal tax_total discount_total discount_tax_total"
                    " gift_card_total gift_card_tax_total shipping_total shipping_subtotal shipping_tax_total"
                    " original_shipping_total original_shipping_subtotal original_shipping_tax_total"
                ),
                (),
            ),
        },
        resolver={"payment_status": "order_payment_status", "fulfillment_status": "order_fulfillment_status"},
        left_out=words("order_change summary"),
    ),
    "product": ListOf(
        words("product_display collection.title sales_channels_display variants_count status"),
        made=(
            MadeColumn(
                "product_display",
                "Product",
                "Product title and thumbnail",
                "product_info",
                "computed",
                words("title thumbnail"),
                words("handle"),
            ),
            _count("variants_count", "Variants", "Number of product variants", "variants"),
            _many("categories_display", "Categories", "Product categories", "categories", "name", visible=False),
            _many("sales_channels_display", "Sales Channels", "Sales channels the product is available in", "sales_channels", "name"),
        ),
        filters=(
            _CHANNELS,
            FilterColumn("", "Collection", "ProductCollection", "/admin/collections", "title", "collection_id", on="collection.id"),
            FilterColumn("", "Type", "ProductType", "/admin/product-types", "value", "type_id", on="type.id"),
            FilterColumn("tags_filter", "Tags", "ProductTag", "/admin/product-tags", "value", "tag_id"),
            FilterColumn("categories_filter", "Categories", "ProductCategory", "/admin/product-categories", "name", "category_id"),
        ),
        resolver={"status": "product_status"},
    ),
    "customer": ListOf(
        words("email customer_name has_account created_at"),
        made=(MadeColumn("customer_name", "Name", "Customer's full name", "name", "computed", words("first_name last_name")),),
        filters=(FilterColumn("groups_filter", "Groups", "CustomerGroup", "/admin/customer-groups", "name", "groups"),),
    ),
    "customer_group": ListOf(
        words("name customers_count created_at updated_at"),
        made=(_count("customers_count", "Customers", "Number of customers in the group", "customers"),),
        filters=(FilterColumn("customers_filter", "Customers", "Customer", "/admin/customers", "email", "customers"),),
    ),
    "price_list": ListOf(
        words("title status price_overrides"),
        made=(
            MadeColumn(
                "price_overrides", "Price overrides", "Number of price overrides in the price list", "price_overrides_count", "metric"
            ),
        ),
        resolver={"status": "price_list_status"},
    ),
    "product_collection": ListOf(
        words("title handle products_count"),
        made=(_count("products_count", "Products", "Number of products in the collection", "products"),),
        render={"handle": "handle"},
    ),
    "product_option": ListOf(
        words("title values_count is_exclusive"),
        made=(_count("values_count", "Values", "Number of values for the option", "values"),),
        render={"is_exclusive": "product_option_exclusivity"},
    ),
    "product_option_value": ListOf(words("value")),
    "inventory_item": ListOf(
        words("title sku reserved_quantity stocked_quantity"),
        filters=(FilterColumn("inventory_location_filter", *_LOCATION, "location_levels.location_id", description="Stock location"),),
    ),
    "user": ListOf(words("email first_name last_name created_at updated_at")),
    "region": ListOf(
        words("name region_country_display payment_providers_display"),
        made=(
            MadeColumn(
                "region_country_display",
                "Countries",
                "Countries in the region",
                "region_countries",
                "relationship",
                words("countries.iso_2"),
            ),
            MadeColumn(
                "payment_providers_display",
                "Payment providers",
                "Payment providers enabled for the region",
                "region_payment_providers",
                "relationship",
                words("payment_providers.id"),
            ),
        ),
    ),
    "promotion": ListOf(
        words("code method status_display"),
        made=(
            MadeColumn(
                "method",
                "Method",
                "Whether the promotion is automatic or code based",
                "promotion_method",
                "computed",
                words("is_automatic"),
            ),
            MadeColumn(
                "status_display",
                "Status",
                "Promotion status (derived from status and campaign)",
                "status",
                "computed",
                words("status campaign.starts_at campaign.ends_at campaign.budget.limit campaign.budget.used"),
                metadata={"resolver": "promotion_status"},
            ),
        ),
        filters=(FilterColumn("", "Campaign", "Campaign", "/admin/campaigns", "name", "campaign_id", on="campaign.id"),),
    ),
    "promotion_campaign": ListOf(words("name description campaign_identifier starts_at ends_at")),
    "sales_channel": ListOf(
        words("name description is_disabled created_at updated_at"),
        render={"is_disabled": "status"},
        resolver={"is_disabled": "sales_channel_status"},
    ),
    "return_reason": ListOf(words("label value description")),
    "refund_reason": ListOf(words("label code description")),
    "product_type": _LABELLED,
    "product_tag": _LABELLED,
    "shipping_profile": ListOf(words("name type")),
    "shipping_option_type": ListOf(words("label code description created_at updated_at")),
    "reservation_item": ListOf(
        words("inventory_item.sku description created_at quantity"),
        filters=(
            FilterColumn(
                "", "Inventory Item", "InventoryItem", "/admin/inventory-items", "sku", "inventory_item_id", on="inventory_item.id"
            ),
            FilterColumn("reservation_location_filter", *_LOCATION, "location_id", description="Stock location"),
        ),
    ),
    "stock_location": ListOf(
        words("name location_address_display shipping_fulfillment pickup_fulfillment location_sales_channels"),
        made=(
            _address("address", "Address", "Formatted stock location address", "location_address_display", visible=True, whole=True),
            _country("location_country_display", "Stock location country", "address"),
            MadeColumn(
                "shipping_fulfillment",
                "Shipping",
                "Whether shipping fulfillment is enabled",
                "stock_location_shipping",
                "metadata",
                words("fulfillment_sets.type"),
            ),
            MadeColumn(
                "pickup_fulfillment",
                "Pickup",
                "Whether pickup fulfillment is enabled",
                "stock_location_pickup",
                "metadata",
                words("fulfillment_sets.type"),
            ),
            MadeColumn(
                "location_sales_channels",
                "Connected sales channels",
                "Sales channels served by the location",
                "stock_location_sales_channels",
                "relationship",
                words("sales_channels.name"),
            ),
        ),
        filters=(_CHANNELS,),
    ),
    "api_key": ListOf(
        words("title redacted type revoked_at last_used_at created_at"),
        render={"redacted": "api_key_token", "type": "api_key_type", "revoked_at": "status"},
        resolver={"revoked_at": "api_key_status"},
    ),
}
"""By entity. Others show no column until a merchant chooses some."""
