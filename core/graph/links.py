"""How things of different modules belong together. Modules know nothing of each other: this is where it is written.

A *link* is a table of the link module whose rows tie two things. A *reference* is a column of one module that holds
the key of a thing of another. Both become *edges* that the planner (`graph.py`) walks, and *aliases*, short names for
longer walks: `product.sales_channels` is `sales_channels_link.sales_channel`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two kinds of things that a link ties."""

    module: str
    entity: str
    key: str
    """Column of the link's table that holds the thing's id."""
    alias: str
    """The thing's name in a row of the link."""
    rows: str
    """How the thing itself calls the link's rows: `product.sales_channels_link`."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Short names on the thing → path below the link's rows."""
    many: bool = True
    """Whether several of these may be tied to one of the other side. The database refuses what isn't so."""
    cascade: bool = False
    """Deleting the other side's thing deletes this one."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column that a link's table has beyond the two keys."""

    name: str
    type: Literal["number", "text"]
    default: str


@dataclass(frozen=True, slots=True)
class Link:
    """A table of the link module. Its name is also the name under which its rows can be queried."""

    name: str
    prefix: str
    left: Side
    right: Side
    extra: tuple[Column, ...] = ()
    tallied: bool = False
    """Whether its table has a tally (`sql/schema/deltas.py`): long lists are filtered by it."""

    def side(self, key: str) -> Side:
        """The side whose column is `key`."""
        for side in (self.left, self.right):
            if side.key == key:
                return side
        raise KeyError(f"Link {self.name} has no column {key}: it has {self.left.key} and {self.right.key}")

    def other(self, side: Side) -> Side:
        return self.right if side is self.left else self.left


@dataclass(frozen=True, slots=True)
class Reference:
    """A column that holds the key of a thing of another module, and what both ends are called."""

    entity: str
    name: str
    """What the entity calls the thing."""
    key: str
    """The entity's column."""
    target: str
    """The other entity."""
    target_key: str = "id"
    many: bool = False
    """Shown as a list, though there is at most one."""
    back: str | None = None
    """What the thing calls the rows that hold its key; None where it doesn't know them."""
    back_many: bool = True
    """Whether it knows them as a list. Else there is at most one."""


@dataclass(frozen=True, slots=True)
class Edge:
    """One step from an entity to another, in another module: our `key` is their `target_key`."""

    key: str
    target: str
    target_key: str
    many: bool


@dataclass(frozen=True, slots=True)
class Alias:
    """A name for a longer walk."""

    path: tuple[str, ...]
    many: bool


LINKS: tuple[Link, ...] = (
    Link(
        "cart_promotion",
        "cartpromo",
        Side("cart", "cart", "cart_id", "cart", "cart_link", {"promotions": "promotions"}),
        Side("promotion", "promotion", "promotion_id", "promotions", "carts_link"),
    ),
    Link(
        "customer_account_holder",
        "custacchldr",
        Side("customer", "customer", "customer_id", "customer", "account_holder_link", {"account_holders": "account_holder"}, many=False),
        Side("payment", "account_holder", "account_holder_id", "account_holder", "customer_link", {"customer": "customer"}),
    ),
    Link(
        "location_fulfillment_provider",
        "locfp",
        Side(
            "stock_location",
            "stock_location",
            "stock_location_id",
            "location",
            "fulfillment_provider_link",
            {"fulfillment_providers": "fulfillment_provider"},
        ),
        Side(
            "fulfillment",
            "fulfillment_provider",
            "fulfillment_provider_id",
            "fulfillment_provider",
            "locations_link",
            {"locations": "location"},
        ),
    ),
    Link(
        "location_fulfillment_set",
        "locfs",
        Side(
            "stock_location",
            "stock_location",
            "stock_location_id",
            "location",
            "fulfillment_set_link",
            {"fulfillment_sets": "fulfillment_set"},
            many=False,
        ),
        Side(
            "fulfillment",
            "fulfillment_set",
            "fulfillment_set_id",
            "fulfillment_set",
            "locations_link",
            {"location": "location"},
            cascade=True,
        ),
    ),
    Link(
        "order_fulfillment",
        "ordful",
        Side("order", "order", "order_id", "order", "fulfillment_link", {"fulfillments": "fulfillments"}, many=False),
        Side("fulfillment", "fulfillment", "fulfillment_id", "fulfillments", "order_link", {"order": "order"}),
    ),
    Link(
        "order_promotion",
        "orderpromo",
        Side("order", "order", "order_id", "order", "promotion_link", {"promotions": "promotions", "promotion": "promotions"}),
        Side("promotion", "promotion", "promotion_id", "promotions", "order_link"),
    ),
    Link(
        "return_fulfillment",
        "retful",
        Side("order", "return", "return_id", "return", "return_fulfillment_link", {"fulfillments": "fulfillments"}, many=False),
        Side("fulfillment", "fulfillment", "fulfillment_id", "fulfillments", "return_link"),
    ),
    Link(
        "product_sales_channel",
        "prodsc",
        Side("product", "product", "product_id", "product", "sales_channels_link", {"sales_channels": "sales_channel"}),
        Side("sales_channel", "sales_channel", "sales_channel_id", "sales_channel", "products_link"),
        tallied=True,
    ),
    Link(
        "product_shipping_profile",
        "prodsp",
        Side("product", "product", "product_id", "product", "shipping_profiles_link", {"shipping_profile": "shipping_profile"}),
        Side("fulfillment", "shipping_profile", "shipping_profile_id", "shipping_profile", "products_link", many=False),
    ),
    Link(
        "product_variant_inventory_item",
        "pvitem",
        Side("product", "product_variant", "variant_id", "variant", "inventory_items", {"inventory": "inventory"}),
        Side("inventory", "inventory_item", "inventory_item_id", "inventory", "variant_link", {"variants": "variant"}),
        extra=(Column("required_quantity", "number", "1"),),
    ),
    Link(
        "product_variant_price_set",
        "pvps",
        Side(
            "product",
            "product_variant",
            "variant_id",
            "variant",
            "price_set_link",
            {"price_set": "price_set", "prices": "price_set.prices"},
            many=False,
        ),
        Side("pricing", "price_set", "price_set_id", "price_set", "variant_link", {"variant": "variant"}, many=False, cascade=True),
    ),
    Link(
        "publishable_api_key_sales_channel",
        "pksc",
        Side("api_key", "api_key", "publishable_key_id", "api_key", "sales_channels_link", {"sales_channels": "sales_channel"}),
        Side("sales_channel", "sales_channel", "sales_channel_id", "sales_channel", "api_keys_link", {"publishable_api_keys": "api_key"}),
    ),
    Link(
        "region_payment_provider",
        "regpp",
        Side("region", "region", "region_id", "region", "payment_provider_link", {"payment_providers": "payment_provider"}),
        Side("payment", "payment_provider", "payment_provider_id", "payment_provider", "region_link", {"regions": "region"}),
    ),
    Link(
        "sales_channel_stock_location",
        "scloc",
        Side("sales_channel", "sales_channel", "sales_channel_id", "sales_channel", "locations_link", {"stock_locations": "location"}),
        Side(
            "stock_location", "stock_location", "stock_location_id", "location", "sales_channels_link", {"sales_channels": "sales_channel"}
        ),
    ),
    Link(
        "shipping_option_price_set",
        "sops",
        Side(
            "fulfillment",
            "shipping_option",
            "shipping_option_id",
            "shipping_option",
            "price_set_link",
            {"price_set": "price_set", "prices": "price_set.prices"},
            many=False,
        ),
        Side(
            "pricing",
            "price_set",
            "price_set_id",
            "price_set",
            "shipping_option_link",
            {"shipping_option": "shipping_option"},
            many=False,
            cascade=True,
        ),
    ),
)

IN_MODULE_LISTS = frozenset({"price_set.prices"})
"""Walks inside a module that end in a list: what an alias over them is."""

REFERENCES: tuple[Reference, ...] = (
    Reference("cart", "customer", "customer_id", "customer", back="carts"),
    Reference("cart", "order", "order_id", "order", back="cart", back_many=False),
    Reference("cart", "payment_collection", "payment_collection_id", "payment_collection", back="cart", back_many=False),
    Reference("cart", "region", "region_id", "region", back="carts"),
    Reference("cart", "sales_channel", "sales_channel_id", "sales_channel", back="carts"),
    Reference("cart_line_item", "product", "product_id", "product"),
    Reference("cart_line_item", "variant", "variant_id", "product_variant", back="cart_items"),
    Reference("cart_line_item_adjustment", "promotion", "promotion_id", "promotion"),
    Reference("cart_shipping_method", "shipping_option", "shipping_option_id", "shipping_option"),
    Reference("inventory_level", "stock_locations", "location_id", "stock_location", many=True),
    Reference("order", "customer", "customer_id", "customer", back="orders"),
    Reference("order", "region", "region_id", "region", back="orders"),
    Reference("order", "sales_channel", "sales_channel_id", "sales_channel", back="orders"),
    Reference("order_line_item", "product", "product_id", "product"),
    Reference("order_line_item", "variant", "variant_id", "product_variant", back="order_items"),
    Reference("order_shipping_method", "shipping_option", "shipping_option_id", "shipping_option"),
    Reference("payment_collection", "order", "order_id", "order", back="payment_collections"),
    Reference("store", "default_sales_channel", "default_sales_channel_id", "sales_channel"),
    Reference("store_currency", "currency", "currency_code", "currency", "code"),
    # translations and locales come with their modules; see NOT_THERE.
)

NOT_THERE: Mapping[str, Mapping[str, bool]] = {
    "store_locale": {"locale": False},
}
"""Entity → names that lead to modules which are yet to come, and whether they are lists. They can be asked for; nothing is there."""


def edges_of(links: Iterable[Link], references: Iterable[Reference]) -> dict[str, dict[str, Edge]]:
    """Entity → name → edge. The rows of a link are an entity of their own, with an edge to either side.

    Raises ValueError where two edges of one entity have one name: two plugins that both call something `reviews`.
    """
    found: dict[str, dict[str, Edge]] = {}

    def add(entity: str, name: str, edge: Edge) -> None:
        if name in found.setdefault(entity, {}):
            raise ValueError(f"{entity}.{name} leads to {found[entity][name].target} and to {edge.target}")
        found[entity][name] = edge

    for link in links:
        for side in (link.left, link.right):
            add(side.entity, side.rows, Edge("id", link.name, side.key, link.other(side).many))
            add(link.name, side.alias, Edge(side.key, side.entity, "id", many=False))
    for ref in references:
        add(ref.entity, ref.name, Edge(ref.key, ref.target, ref.target_key, ref.many))
        if ref.back:
            add(ref.target, ref.back, Edge(ref.target_key, ref.entity, ref.key, ref.back_many))
    return found


def aliases_of(links: Iterable[Link]) -> dict[str, dict[str, Alias]]:
    """Entity → name → the walk it stands for."""
    found: dict[str, dict[str, Alias]] = {}
    for link in links:
        for side in (link.left, link.right):
            for name, path in side.names.items():
                many = link.other(side).many or path in IN_MODULE_LISTS
                found.setdefault(side.entity, {})[name] = Alias((side.rows, *path.split(".")), many)
    return found
