"""The workflows that the API names, for plugins: each by that name (`update-products` is `update_products`), without `-workflow` at its
end.

    await flow.run(update_products, products=[{"id": id, "title": "New"}])
"""

from __future__ import annotations

from .api_key.keys import API_KEYS, revoke_api_key
from .auth.reset_password import generate_reset_password_token as generate_reset_password_token
from .auth.verifications import request_verification as request_verification
from .cart.complete import complete_cart as complete_cart
from .cart.create import create_cart as create_cart
from .cart.lines import add_to_cart as add_to_cart
from .cart.lines import delete_line_items as delete_line_items
from .cart.lines import update_line_item
from .cart.payment import create_payment_collection, create_payment_session
from .cart.pricing import update_cart_promotions as update_cart_promotions
from .cart.pricing import update_tax_lines as update_tax_lines
from .cart.sellable import refresh_cart
from .cart.shipping import calculate_shipping_option, list_shipping_options, list_with_pricing
from .cart.shipping_methods import add_shipping_methods
from .cart.update import transfer_cart
from .cart.update import update_cart as update_cart
from .customer.addresses import CUSTOMER_ADDRESSES
from .customer.customers import CUSTOMERS
from .customer.customers import create_customer_account as create_customer_account
from .customer.customers import remove_customer_account as remove_customer_account
from .customer.groups import CUSTOMER_GROUPS
from .customer.groups import link_customer_groups_to_customer as link_customer_groups_to_customer
from .customer.groups import link_customers_to_customer_group as link_customers_to_customer_group
from .defaults import create_defaults as create_defaults
from .file.files import delete_files as delete_files
from .file.files import upload_files as upload_files
from .fulfillment.fulfillments import cancel_fulfillment as cancel_fulfillment
from .fulfillment.fulfillments import create_fulfillment as create_fulfillment
from .fulfillment.fulfillments import create_shipment as create_shipment
from .fulfillment.options import OPTION_TYPES, SHIPPING_OPTIONS
from .fulfillment.options import batch_shipping_option_rules as batch_shipping_option_rules
from .fulfillment.options import create_shipping_options as create_shipping_options
from .fulfillment.options import update_shipping_options as update_shipping_options
from .fulfillment.zones import FULFILLMENT_SETS, SERVICE_ZONES, SHIPPING_PROFILES, delete_shipping_profiles
from .inventory.exporting import export_inventory_items as export_inventory_items
from .inventory.items import INVENTORY_ITEMS, delete_inventory_items
from .inventory.items import create_inventory_items as create_inventory_items
from .inventory.levels import batch_inventory_levels
from .inventory.levels import bulk_create_delete_levels as bulk_create_delete_levels
from .inventory.levels import create_inventory_levels as create_inventory_levels
from .inventory.levels import delete_inventory_levels as delete_inventory_levels
from .inventory.levels import update_inventory_levels as update_inventory_levels
from .inventory.reservations import RESERVATIONS
from .inventory.reservations import create_reservations as create_reservations
from .inventory.reservations import delete_reservations as delete_reservations
from .inventory.reservations import delete_reservations_by_line_items as delete_reservations_by_line_items
from .links import batch_links as batch_links
from .order.adjusting import compute_adjustments, compute_draft_adjustments
from .order.adjusting import update_order_change as update_order_change
from .order.difference import create_or_update_order_payment_collection as create_or_update_order_payment_collection
from .order.draft_edits import (
    add_draft_items,
    add_draft_promotions,
    add_draft_shipping,
    begin_draft_edit,
    cancel_draft_edit,
    confirm_draft_edit,
    refresh_draft_adjustments,
    remove_draft_action_item,
    remove_draft_action_shipping,
    remove_draft_promotions,
    remove_draft_shipping,
    request_draft_edit,
    update_draft_action_item,
    update_draft_action_shipping,
    update_draft_item,
    update_draft_shipping,
)
from .order.drafts import convert_draft_order as convert_draft_order
from .order.drafts import create_draft_order
from .order.drafts import delete_draft_order as delete_draft_order
from .order.drafts import update_draft_order as update_draft_order
from .order.edits import begin_order_edit, cancel_order_edit, confirm_order_edit, create_credit_line, request_order_edit
from .order.edits import create_order_edit_shipping_method as create_order_edit_shipping_method
from .order.edits import order_edit_add_new_item as order_edit_add_new_item
from .order.edits import order_edit_update_item_quantity as order_edit_update_item_quantity
from .order.edits import remove_item_order_edit_action as remove_item_order_edit_action
from .order.edits import remove_order_edit_shipping_method as remove_order_edit_shipping_method
from .order.edits import update_order_edit_add_item as update_order_edit_add_item
from .order.edits import update_order_edit_shipping_method as update_order_edit_shipping_method
from .order.ends import archive_order as archive_order
from .order.ends import cancel_order as cancel_order
from .order.ends import complete_order as complete_order
from .order.exporting import export_orders as export_orders
from .order.fulfillments import cancel_order_fulfillment as cancel_order_fulfillment
from .order.fulfillments import create_order_fulfillment as create_order_fulfillment
from .order.fulfillments import create_order_shipment as create_order_shipment
from .order.fulfillments import mark_order_fulfillment_as_delivered as mark_order_fulfillment_as_delivered
from .order.reasons import RETURN_REASONS
from .order.returns import begin_receive_return as begin_receive_return
from .order.returns import begin_return, create_and_complete_return
from .order.returns import cancel_receive_return as cancel_receive_return
from .order.returns import cancel_return as cancel_return
from .order.returns import cancel_return_request as cancel_return_request
from .order.returns import confirm_return_receive as confirm_return_receive
from .order.returns import confirm_return_request as confirm_return_request
from .order.returns import create_return_shipping_method as create_return_shipping_method
from .order.returns import dismiss_item_return_request as dismiss_item_return_request
from .order.returns import receive_item_return_request as receive_item_return_request
from .order.returns import remove_item_receive_return_action as remove_item_receive_return_action
from .order.returns import remove_item_return_action as remove_item_return_action
from .order.returns import remove_return_shipping_method as remove_return_shipping_method
from .order.returns import request_item_return as request_item_return
from .order.returns import update_receive_item_return_request as update_receive_item_return_request
from .order.returns import update_request_item_return as update_request_item_return
from .order.returns import update_return as update_return
from .order.returns import update_return_shipping_method as update_return_shipping_method
from .order.shipping_options import list_order_shipping_options
from .order.swaps import begin_claim, begin_exchange, cancel_claim_request, cancel_exchange_request, confirm_claim, confirm_exchange
from .order.swaps import cancel_claim as cancel_claim
from .order.swaps import cancel_exchange as cancel_exchange
from .order.swaps import claim_add_new_item as claim_add_new_item
from .order.swaps import claim_item as claim_item
from .order.swaps import claim_request_item_return as claim_request_item_return
from .order.swaps import create_claim_shipping_method as create_claim_shipping_method
from .order.swaps import create_exchange_shipping_method as create_exchange_shipping_method
from .order.swaps import exchange_add_new_item as exchange_add_new_item
from .order.swaps import exchange_request_item_return as exchange_request_item_return
from .order.swaps import remove_claim_shipping_method as remove_claim_shipping_method
from .order.swaps import remove_exchange_shipping_method as remove_exchange_shipping_method
from .order.swaps import remove_item_claim_action as remove_item_claim_action
from .order.swaps import remove_item_claim_add_action as remove_item_claim_add_action
from .order.swaps import remove_item_exchange_action as remove_item_exchange_action
from .order.swaps import update_claim_add_item as update_claim_add_item
from .order.swaps import update_claim_item as update_claim_item
from .order.swaps import update_claim_shipping_method as update_claim_shipping_method
from .order.swaps import update_exchange_add_item as update_exchange_add_item
from .order.swaps import update_exchange_shipping_method as update_exchange_shipping_method
from .order.transfers import accept_transfer, cancel_transfer, decline_transfer, request_transfer, transfer_to_guest
from .order.update import update_order as update_order
from .payment.order_collections import authorize_session_for_order, mark_as_paid
from .payment.order_collections import create_order_payment_collection as create_order_payment_collection
from .payment.order_collections import delete_order_payment_collection as delete_order_payment_collection
from .payment.payments import cancel_payment_collection as cancel_payment_collection
from .payment.payments import capture_payment as capture_payment
from .payment.payments import delete_payment_sessions as delete_payment_sessions
from .payment.payments import refund_payment as refund_payment
from .payment.process import process_payment as process_payment
from .payment.reasons import REFUND_REASONS
from .pricing.lists import PRICE_LISTS
from .pricing.lists import batch_price_list_prices as batch_price_list_prices
from .pricing.lists import create_price_lists as create_price_lists
from .pricing.preferences import PRICE_PREFERENCES
from .product.exporting import export_products as export_products
from .product.groups import CATEGORIES, COLLECTIONS, PRODUCT_TAGS, PRODUCT_TYPES, link_products_to_category, link_products_to_collection
from .product.images import batch_image_variants as batch_image_variants
from .product.images import batch_variant_images as batch_variant_images
from .product.importing import import_products as import_products
from .product.importing import import_products_as_chunks as import_products_as_chunks
from .product.options import PRODUCT_OPTION_VALUES, PRODUCT_OPTIONS, set_product_options
from .product.options import update_product_option_values as update_product_option_values
from .product.products import batch_products as batch_products
from .product.products import create_products as create_products
from .product.products import delete_products as delete_products
from .product.products import update_products as update_products
from .product.variants import batch_product_variants as batch_product_variants
from .product.variants import create_product_variants as create_product_variants
from .product.variants import delete_product_variants as delete_product_variants
from .product.variants import update_product_variants as update_product_variants
from .promotion.campaigns import CAMPAIGNS
from .promotion.campaigns import add_or_remove_campaign_promotions as add_or_remove_campaign_promotions
from .promotion.promotions import PROMOTIONS
from .promotion.promotions import batch_promotion_rules as batch_promotion_rules
from .promotion.promotions import update_promotions as update_promotions
from .promotion.promotions import update_promotions_status as update_promotions_status
from .region.regions import REGIONS
from .region.regions import create_regions as create_regions
from .region.regions import update_regions as update_regions
from .sales_channel.channels import SALES_CHANNELS
from .sales_channel.channels import delete_sales_channels as delete_sales_channels
from .sales_channel.channels import link_products_to_sales_channel as link_products_to_sales_channel
from .sales_channel.channels import link_sales_channels_to_api_key as link_sales_channels_to_api_key
from .search.reindexing import delete_search_index as delete_search_index
from .search.reindexing import reindex_search_indexes as reindex_search_indexes
from .settings.labels import PROPERTY_LABELS
from .settings.labels import batch_property_labels as batch_property_labels
from .settings.layouts import clear_layout_configuration as clear_layout_configuration
from .settings.layouts import set_layout_configuration as set_layout_configuration
from .settings.views import create_view_configuration as create_view_configuration
from .settings.views import update_view_configuration as update_view_configuration
from .stock_location.locations import STOCK_LOCATIONS
from .stock_location.locations import create_location_fulfillment_set as create_location_fulfillment_set
from .stock_location.locations import create_stock_locations as create_stock_locations
from .stock_location.locations import link_sales_channels_to_stock_location as link_sales_channels_to_stock_location
from .store.stores import STORES
from .store.stores import create_stores as create_stores
from .store.stores import update_stores as update_stores
from .tax.taxes import TAX_RATE_RULES, TAX_RATES, TAX_REGIONS
from .tax.taxes import set_tax_rate_rules as set_tax_rate_rules
from .translation.settings import batch_translation_settings as batch_translation_settings
from .translation.translations import TRANSLATIONS
from .translation.translations import batch_translations as batch_translations
from .user.accounts import USERS
from .user.accounts import create_user_account as create_user_account
from .user.accounts import remove_user_account as remove_user_account
from .user.invites import INVITES, refresh_invites
from .user.invites import accept_invite as accept_invite
from .user.joining import set_auth_app_metadata as set_auth_app_metadata

accept_order_transfer = accept_transfer
add_draft_order_items = add_draft_items
add_draft_order_promotion = add_draft_promotions
add_draft_order_shipping_methods = add_draft_shipping
add_shipping_method_to_cart = add_shipping_methods
authorize_payment_session_for_order = authorize_session_for_order
batch_inventory_item_levels = batch_inventory_levels
batch_link_products_to_category = link_products_to_category
batch_link_products_to_collection = link_products_to_collection
begin_claim_order = begin_claim
begin_draft_order_edit = begin_draft_edit
begin_exchange_order = begin_exchange
begin_order_edit_order = begin_order_edit
begin_return_order = begin_return
calculate_shipping_options_prices = calculate_shipping_option
cancel_begin_order_claim = cancel_claim_request
cancel_begin_order_edit = cancel_order_edit
cancel_begin_order_exchange = cancel_exchange_request
cancel_draft_order_edit = cancel_draft_edit
cancel_transfer_order_request = cancel_transfer
compute_adjustments_for_preview = compute_adjustments
compute_draft_order_adjustments = compute_draft_adjustments
confirm_claim_request = confirm_claim
confirm_draft_order_edit = confirm_draft_edit
confirm_exchange_request = confirm_exchange
confirm_order_edit_request = confirm_order_edit
create_and_link_product_options_to_product = set_product_options
create_api_keys = API_KEYS.create
create_campaigns = CAMPAIGNS.create
create_collections = COLLECTIONS.create
create_complete_return_order = create_and_complete_return
create_customer_addresses = CUSTOMER_ADDRESSES.create
create_customer_groups = CUSTOMER_GROUPS.create
create_customers = CUSTOMERS.create
create_invite_step = INVITES.create
create_order_credit_lines = create_credit_line
create_orders = create_draft_order
create_payment_collection_for_cart = create_payment_collection
create_payment_sessions = create_payment_session
create_price_preferences = PRICE_PREFERENCES.create
create_product_categories = CATEGORIES.create
create_product_options = PRODUCT_OPTIONS.create
create_product_tags = PRODUCT_TAGS.create
create_product_types = PRODUCT_TYPES.create
create_promotions = PROMOTIONS.create
create_property_labels = PROPERTY_LABELS.create
create_refund_reasons = REFUND_REASONS.create
create_return_reasons = RETURN_REASONS.create
create_sales_channels = SALES_CHANNELS.create
create_service_zones = SERVICE_ZONES.create
create_shipping_option_types = OPTION_TYPES.create
create_shipping_profiles = SHIPPING_PROFILES.create
create_tax_rate_rules = TAX_RATE_RULES.create
create_tax_rates = TAX_RATES.create
create_tax_regions = TAX_REGIONS.create
create_translations = TRANSLATIONS.create
decline_transfer_order_request = decline_transfer
delete_api_keys = API_KEYS.delete
delete_campaigns = CAMPAIGNS.delete
delete_collections = COLLECTIONS.delete
delete_customer_addresses = CUSTOMER_ADDRESSES.delete
delete_customer_groups = CUSTOMER_GROUPS.delete
delete_customers = CUSTOMERS.delete
delete_fulfillment_sets = FULFILLMENT_SETS.delete
delete_inventory_item = delete_inventory_items
delete_invites = INVITES.delete
delete_price_lists = PRICE_LISTS.delete
delete_price_preferences = PRICE_PREFERENCES.delete
delete_product_categories = CATEGORIES.delete
delete_product_option_values = PRODUCT_OPTION_VALUES.delete
delete_product_options = PRODUCT_OPTIONS.delete
delete_product_tags = PRODUCT_TAGS.delete
delete_product_types = PRODUCT_TYPES.delete
delete_promotions = PROMOTIONS.delete
delete_property_labels = PROPERTY_LABELS.delete
delete_refund_reasons = REFUND_REASONS.delete
delete_regions = REGIONS.delete
delete_return_reasons = RETURN_REASONS.delete
delete_service_zones = SERVICE_ZONES.delete
delete_shipping_option_types = OPTION_TYPES.delete
delete_shipping_options = SHIPPING_OPTIONS.delete
delete_shipping_profile = delete_shipping_profiles
delete_stock_locations = STOCK_LOCATIONS.delete
delete_stores = STORES.delete
delete_tax_rate_rules = TAX_RATE_RULES.delete
delete_tax_rates = TAX_RATES.delete
delete_tax_regions = TAX_REGIONS.delete
delete_translations = TRANSLATIONS.delete
list_shipping_options_for_cart = list_shipping_options
list_shipping_options_for_cart_with_pricing = list_with_pricing
list_shipping_options_for_order = list_order_shipping_options
mark_payment_collection_as_paid = mark_as_paid
order_edit_request = request_order_edit
refresh_cart_items = refresh_cart
refresh_draft_order_adjustments = refresh_draft_adjustments
refresh_invite_tokens = refresh_invites
remove_draft_order_action_item = remove_draft_action_item
remove_draft_order_action_shipping_method = remove_draft_action_shipping
remove_draft_order_promotions = remove_draft_promotions
remove_draft_order_shipping_method = remove_draft_shipping
request_draft_order_edit = request_draft_edit
request_order_transfer = request_transfer
revoke_api_keys = revoke_api_key
transfer_cart_customer = transfer_cart
transfer_order_to_guest = transfer_to_guest
update_api_keys = API_KEYS.update
update_campaigns = CAMPAIGNS.update
update_collections = COLLECTIONS.update
update_customer_addresses = CUSTOMER_ADDRESSES.update
update_customer_groups = CUSTOMER_GROUPS.update
update_customers = CUSTOMERS.update
update_draft_order_action_item = update_draft_action_item
update_draft_order_action_shipping_method = update_draft_action_shipping
update_draft_order_item = update_draft_item
update_draft_order_shipping_method = update_draft_shipping
update_inventory_items = INVENTORY_ITEMS.update
update_line_item_in_cart = update_line_item
update_price_lists = PRICE_LISTS.update
update_price_preferences = PRICE_PREFERENCES.update
update_product_categories = CATEGORIES.update
update_product_options = PRODUCT_OPTIONS.update
update_product_tags = PRODUCT_TAGS.update
update_product_types = PRODUCT_TYPES.update
update_property_labels = PROPERTY_LABELS.update
update_refund_reasons = REFUND_REASONS.update
update_reservations = RESERVATIONS.update
update_return_reasons = RETURN_REASONS.update
update_sales_channels = SALES_CHANNELS.update
update_service_zones = SERVICE_ZONES.update
update_shipping_option_types = OPTION_TYPES.update
update_shipping_profiles = SHIPPING_PROFILES.update
update_stock_locations = STOCK_LOCATIONS.update
update_tax_rates = TAX_RATES.update
update_tax_regions = TAX_REGIONS.update
update_translations = TRANSLATIONS.update
update_users = USERS.update
