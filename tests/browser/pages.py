"""The pages of Medusa's dashboard 2.18.0 by their addresses, `{…}` being ids that `filled` has made.

Left out, because what they ask for isn't served yet (docs/compatibility.md): exports and imports; labels of properties (/admin/views,
which the setting `view_configurations` keeps off). Roles and policies are parts of Medusa's enterprise edition.
Pages that begin a change of an order when they are opened (returns, claims, exchanges, edits) have tests of their own.
"""

from __future__ import annotations


def _under(start: str, ends: str) -> list[str]:
    """Addresses that begin alike. `.` is the beginning itself."""
    return [start if end == "." else f"{start}/{end}" for end in ends.split()]


PAGES = [
    *_under("/products", ". create"),
    *_under(
        "/products/{product}", ". edit edit-variant?variant_id={variant} sales-channels attributes organization shipping-profile media"
    ),
    *_under("/products/{product}", "images/{image}/variants prices variants/create stock metadata/edit options/manage"),
    *_under("/products/{product}/variants/{variant}", ". edit prices manage-items media metadata/edit"),
    *_under("/product-options", ". create {option} {option}/edit {option}/metadata/edit"),
    *_under("/product-options/{option}/values/{value}", ". metadata/edit"),
    *_under("/categories", ". create organize {category} {category}/edit {category}/products {category}/organize {category}/metadata/edit"),
    *_under("/collections", ". create {collection} {collection}/edit {collection}/products {collection}/metadata/edit"),
    *_under("/inventory", ". create stock?inventory_item_ids={item}"),
    *_under("/inventory/{item}", ". edit attributes metadata/edit locations locations/{location}"),
    *_under("/reservations", ". create {reservation} {reservation}/edit {reservation}/metadata/edit"),
    *_under("/orders", ". {order} {order}/refund {order}/email {order}/shipping-address {order}/billing-address {order}/metadata/edit"),
    *_under("/orders/{order}", "transfer fulfillment?requires_shipping=true allocate-items"),
    *_under("/draft-orders", ". create {draft}"),
    *_under("/draft-orders/{draft}", "email shipping-address billing-address sales-channel transfer-ownership metadata"),
    *_under("/customers", ". create {customer}"),
    *_under("/customers/{customer}", "edit create-address add-customer-groups metadata/edit"),
    *_under("/customer-groups", ". create {group} {group}/edit {group}/add-customers {group}/metadata/edit"),
    *_under("/promotions", ". create {promotion} {promotion}/edit {promotion}/add-to-campaign"),
    *_under("/promotions/{promotion}", "rules/edit target-rules/edit buy-rules/edit"),
    *_under("/campaigns", ". create"),
    *_under("/campaigns/{campaign}", ". edit configuration edit-budget add-promotions"),
    *_under("/price-lists", ". create"),
    *_under("/price-lists/{price_list}", ". edit configuration products/add"),
    "/price-lists/{price_list}/products/edit?ids[]={product}",
    "/price-lists/{price_list}/metadata/edit",
    "/settings",
    *_under("/settings/workflows", ". {execution}"),
    *_under("/settings/profile", ". edit"),
    *_under("/settings/regions", ". create {region} {region}/edit {region}/countries/add {region}/metadata/edit"),
    *_under("/settings/store", ". edit currencies metadata/edit"),
    *_under("/settings/translations", ". settings add-locales edit?reference=product&reference_id={product} edit?reference=region"),
    *_under("/settings/users", ". invite {user} {user}/edit {user}/metadata/edit"),
    *_under("/settings/sales-channels", ". create {channel} {channel}/edit {channel}/add-products {channel}/metadata/edit"),
    *_under("/settings/locations", ". create shipping-profiles shipping-profiles/create"),
    *_under("/settings/locations", "shipping-profiles/{profile} shipping-profiles/{profile}/metadata/edit"),
    *_under("/settings/locations/shipping-option-types", ". create {shipping_type} {shipping_type}/edit"),
    *_under("/settings/locations/{location}", ". edit sales-channels fulfillment-providers metadata/edit"),
    "/settings/locations/{location}/fulfillment-set/{set}/service-zones/create",
    *_under(
        "/settings/locations/{location}/fulfillment-set/{set}/service-zone/{zone}",
        "edit areas shipping-option/create shipping-option/{shipping}/edit shipping-option/{shipping}/pricing",
    ),
    *_under("/settings/product-tags", ". create {tag} {tag}/edit {tag}/metadata/edit"),
    *_under("/settings/product-types", ". create {type} {type}/edit {type}/metadata/edit"),
    *_under("/settings/publishable-api-keys", ". create"),
    *_under("/settings/publishable-api-keys/{publishable_key}", ". edit sales-channels"),
    *_under("/settings/secret-api-keys", ". create {secret_key} {secret_key}/edit"),
    *_under("/settings/tax-regions", ". create"),
    *_under("/settings/tax-regions/{tax_region}", ". edit provinces/create"),
    *_under("/settings/tax-regions/{tax_region}", "overrides/create overrides/{override}/edit tax-rates/create tax-rates/{rate}/edit"),
    *_under("/settings/tax-regions/{tax_region}/provinces/{province}", ". tax-rates/create tax-rates/{province_rate}/edit"),
    *_under("/settings/tax-regions/{tax_region}/provinces/{province}", "overrides/create overrides/{province_override}/edit"),
    *_under("/settings/return-reasons", ". create {return_reason}/edit"),
    *_under("/settings/refund-reasons", ". create {refund_reason}/edit"),
    "/login",
    "/reset-password",
    "/invite",
]

LISTS = {
    "/products": ("products", "title"),
    "/product-options": ("product-options", "title"),
    "/categories": ("product-categories", "name"),
    "/collections": ("collections", "title"),
    "/inventory": ("inventory-items", "sku"),
    "/reservations": ("reservations", "description"),
    "/orders": ("orders", "display_id"),
    "/draft-orders": ("draft-orders", "display_id"),
    "/customers": ("customers", "email"),
    "/customer-groups": ("customer-groups", "name"),
    "/promotions": ("promotions", "code"),
    "/campaigns": ("campaigns", "name"),
    "/price-lists": ("price-lists", "title"),
    "/settings/workflows": ("workflows-executions", "transaction_id"),
    "/settings/regions": ("regions", "name"),
    "/settings/users": ("users", "email"),
    "/settings/sales-channels": ("sales-channels", "name"),
    "/settings/locations": ("stock-locations", "name"),
    "/settings/locations/shipping-profiles": ("shipping-profiles", "name"),
    "/settings/locations/shipping-option-types": ("shipping-option-types", "label"),
    "/settings/product-tags": ("product-tags", "value"),
    "/settings/product-types": ("product-types", "value"),
    "/settings/publishable-api-keys": ("api-keys?type=publishable", "title"),
    "/settings/secret-api-keys": ("api-keys?type=secret", "title"),
    "/settings/tax-regions": ("tax-regions", "country_code"),
    "/settings/return-reasons": ("return-reasons", "label"),
    "/settings/refund-reasons": ("refund-reasons", "label"),
}
"""Pages that are lists, with what the API lists there and the column by which a row is known on the page."""
COUNTRIES = {"dk": "Denmark", "gb": "United Kingdom"}
"""What the dashboard calls them."""
