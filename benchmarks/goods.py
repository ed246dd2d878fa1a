"""A made-up shop as rows of our own tables: products, prices, stock, price lists, customers and orders, any number of them.

Everything follows from the seed and a number, so that the tables agree about product 4711,
in whatever order their rows are made. Products rise by id and by time; each has four variants in two sizes and two colours.
"""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Table

from velella.commerce.types import NewOrder
from velella.core.clock import iso
from velella.core.json import dumps
from velella.core.sql.read.documents import Documents
from velella.core.sql.schema.catalog import Catalog
from velella.modules.customer import tables as customers
from velella.modules.inventory import tables as inventory
from velella.modules.link.tables import metadata as links
from velella.modules.order import tables as orders
from velella.modules.order.placing import placed, words
from velella.modules.order.schema import SCHEMA as ORDERS
from velella.modules.payment import tables as payments
from velella.modules.pricing import tables as pricing
from velella.modules.product import tables as products

VARIANTS = 4
"""Variants of a product."""
ON_SALE = 20
"""Products of the collection that every price list holds."""
CATEGORIES = 20

_DOCUMENTS = Documents(Catalog(ORDERS))
_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = tuple(high + low for high in _DIGITS for low in _DIGITS)
_FIRST_PRODUCT = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
_FIRST_ORDER = dt.datetime(2025, 7, 1, tzinfo=dt.UTC)
_CENTS = tuple(Decimal(cents).scaleb(-2) for cents in range(30_000))

_LOOKS = ("Canvas", "Linen", "Woollen", "Striped", "Oiled", "Quilted", "Plain", "Heavy", "Light", "Folded", "Waxed", "Knitted")
_THINGS = ("Jacket", "Shirt", "Trousers", "Smock", "Cap", "Bag", "Belt", "Scarf", "Vest", "Gloves", "Coat", "Blanket", "Towel")
_SIZES = ("S", "M", "L", "XL", "38", "40", "42", "44")
_COLOURS = ("Ink", "Foam", "Sand", "Slate", "Coral", "Moss", "Rust", "Chalk")
_NAMES = ("Ada", "Ben", "Cleo", "Dan", "Edda", "Finn", "Gro", "Hugo", "Ida", "Jon", "Kaia", "Lars", "Mia", "Nils", "Olga", "Per")
_FAMILIES = ("Holm", "Berg", "Lind", "Dahl", "Strand", "Vik", "Lund", "Skog", "Fjord", "Moen", "Ness", "Haug")
_TEXT = (
    "Made to be worn for years and mended when it has to be. The cloth is woven in a small mill, washed once before it is cut, "
    "and sewn with a thread that outlives it. It gets softer with every season; wash it cold and hang it in the wind."
)
_SESSION = dict.fromkeys(("context", "settle_at", "settle_begun", "doubted_at", "request_key", "metadata", "deleted_at")) | {
    "provider_id": "pp_system_default",
    "data": {},
    "status": "authorized",
    "attempt": 0,
}
"""Columns that all payment sessions share."""

TableRows = tuple[Table, tuple[str, ...], list[tuple[Any, ...]]]
"""A table, the columns that are filled (the others get their defaults), and rows of them."""


@dataclass(frozen=True)
class Surroundings:
    """Existing rows that the goods are linked to."""

    channel: str
    profile: str
    location: str
    region: str
    currency: str
    """The region's. Prices are in this and in `other`."""
    other: str
    country: str
    shipping_option: str
    tax_rate: str
    first_display_id: int


@dataclass(frozen=True)
class Size:
    variants: int
    orders: int
    price_lists: int

    @property
    def products(self) -> int:
        return self.variants // VARIANTS

    @property
    def customers(self) -> int:
        return max(1, self.orders // 4) if self.orders else 0


def base32(number: int, digits: int) -> str:
    """Crockford's base 32, an even number of digits."""
    return "".join([_PAIRS[number >> shift & 1023] for shift in range(5 * digits - 10, -1, -10)])


class Goods:
    """The goods of one seed and size."""

    def __init__(self, size: Size, around: Surroundings, seed: int) -> None:
        self.size = size
        self.around = around
        self.seed = seed
        self._mark = base32(seed % 2**30, 6)
        self._reserved: Counter[int] = Counter()
        """Variant → the quantity that orders have reserved."""
        for number in range(size.orders):
            for variant, quantity in self._bought(number):
                self._reserved[variant] += quantity
        first = size.products * 3 // 4
        self._on_sale = range(first, min(size.products, first + ON_SALE))

    # -- what follows from a number

    def tail(self, moment: dt.datetime, number: int) -> str:
        """The part of an id after the prefix, for a thing created at that moment."""
        return base32(int(moment.timestamp() * 1000), 10) + self._mark + base32(number, 10)

    def _made(self, product: int) -> dt.datetime:
        return _FIRST_PRODUCT + dt.timedelta(minutes=product)

    def title(self, product: int) -> str:
        return f"{_LOOKS[product % len(_LOOKS)]} {_THINGS[product % len(_THINGS)]} {product:06d}"

    def handle(self, product: int) -> str:
        return f"{self.title(product).lower().replace(' ', '-')}-{self.seed}"

    def kinds(self, product: int) -> list[tuple[str, str]]:
        """Size and colour of each variant."""
        size, colour = product % (len(_SIZES) - 1), product % (len(_COLOURS) - 1)
        return [(s, c) for s in _SIZES[size : size + 2] for c in _COLOURS[colour : colour + 2]]

    def sku(self, product: int, kind: tuple[str, str]) -> str:
        return f"G{self.seed}-{product:06d}-{kind[0]}-{kind[1]}".upper()

    def cents(self, product: int) -> int:
        """The price in the region's currency: all variants of a product cost the same."""
        return 995 + (product * 7919 + self.seed * 104_729) % 190 * 100

    def variant_id(self, variant: int) -> str:
        return f"variant_{self.tail(self._made(variant // VARIANTS), variant)}"

    def product_id(self, product: int) -> str:
        return f"prod_{self.tail(self._made(product), product)}"

    def _bought(self, order: int) -> list[tuple[int, int]]:
        """Variants and quantities of an order. None if there are no goods."""
        rng = random.Random(self.seed * 1_000_003 + order)
        if not self.size.variants:
            return []
        wanted = {rng.randrange(self.size.variants): rng.choice((1, 1, 1, 2)) for _ in range(rng.choice((1, 2, 2, 3)))}
        return list(wanted.items())

    # -- rows, in an order that satisfies foreign keys

    def chunks(self, length: int = 500) -> Iterator[list[TableRows]]:
        """All rows. Tables of one chunk may be written concurrently if their modules differ, else in their order."""
        yield self._groups()
        for start in range(0, self.size.products, length):
            numbers = range(start, min(start + length, self.size.products))
            yield [*self._products(numbers), *self._variants(numbers)]
        for start in range(0, self.size.customers, 5000):
            yield [self._customers(range(start, min(start + 5000, self.size.customers)))]
        for start in range(0, self.size.orders, length):
            yield list(self._orders(range(start, min(start + length, self.size.orders))))

    def _groups(self) -> list[TableRows]:
        """Categories, the collection on sale, and the price lists."""
        made = _FIRST_PRODUCT
        categories = []
        for number in range(CATEGORIES):
            id = f"pcat_{self.tail(made, number)}"
            name = _THINGS[number % len(_THINGS)] + "s" * (number // len(_THINGS) + 1)
            categories.append((id, name, f"generated-{self.seed}-{number}", f"{id}", True, number, made, made))
        lists = [
            (
                f"plist_{self.tail(made, number)}",
                f"Generated sale {self.seed}/{number}",
                "A tenth or more off.",
                "active",
                "sale",
                made,
                made,
            )
            for number in range(self.size.price_lists)
        ]
        return [
            (products.product_category, ("id", "name", "handle", "mpath", "is_active", "rank", "created_at", "updated_at"), categories),
            (
                products.product_collection,
                ("id", "title", "handle", "created_at", "updated_at"),
                [(self.collection, f"On sale {self.seed}", f"on-sale-{self.seed}", made, made)],
            ),
            (pricing.price_list, ("id", "title", "description", "status", "type", "created_at", "updated_at"), lists),
        ]

    @property
    def collection(self) -> str:
        """The collection whose products are in every price list."""
        return f"pcol_{self.tail(_FIRST_PRODUCT, 0)}"

    def _products(self, numbers: range) -> Iterator[TableRows]:
        rows: dict[str, list[tuple[Any, ...]]] = {name: [] for name in _PRODUCT_SHEETS}
        first_category = [f"pcat_{self.tail(_FIRST_PRODUCT, number)}" for number in range(CATEGORIES)]
        for number in numbers:
            made = self._made(number)
            tail = self.tail(made, number)
            id = f"prod_{tail}"
            picture = f"https://pictures.example.com/{number}.jpg"
            collection = self.collection if number in self._on_sale else None
            title = self.title(number)
            rows["product"].append((id, title, self.handle(number), _TEXT, "published", picture, 400.0, collection, made, made))
            rows["image"].append((f"img_{tail}", picture, 0, id, made, made))
            rows["product_category_product"].append((id, first_category[number % CATEGORIES]))
            kinds = self.kinds(number)
            for place, (name, values) in enumerate((("Size", (kinds[0][0], kinds[2][0])), ("Colour", (kinds[0][1], kinds[1][1])))):
                option_tail = self.tail(made, 2 * number + place)
                option, use = f"opt_{option_tail}", f"prodopt_{option_tail}"
                rows["product_option"].append((option, name, True, made, made))
                rows["product_product_option"].append((use, id, option, made, made))
                for rank, value in enumerate(values):
                    value_tail = self.tail(made, 4 * number + 2 * place + rank)
                    rows["product_option_value"].append((f"optval_{value_tail}", value, option, made, made))
                    rows["product_product_option_value"].append((f"prodoptval_{value_tail}", use, f"optval_{value_tail}", made, made))
            rows["product_sales_channel"].append((id, self.around.channel, f"prodsc_{tail}", made, made))
            rows["product_shipping_profile"].append((id, self.around.profile, f"prodsp_{tail}", made, made))
        for name, (table, columns) in _PRODUCT_SHEETS.items():
            yield table, columns, rows[name]

    def _variants(self, numbers: range) -> Iterator[TableRows]:
        rows: dict[str, list[tuple[Any, ...]]] = {name: [] for name in _VARIANT_SHEETS}
        lists = [f"plist_{self.tail(_FIRST_PRODUCT, number)}" for number in range(self.size.price_lists)]
        currency, other, location = self.around.currency, self.around.other, self.around.location
        for product in numbers:
            made = self._made(product)
            product_id = self.product_id(product)
            values = [f"optval_{self.tail(made, 4 * product + place)}" for place in range(4)]
            cents = self.cents(product)
            for rank, kind in enumerate(self.kinds(product)):
                number = VARIANTS * product + rank
                tail = self.tail(made, number)
                id, item, price_set = f"variant_{tail}", f"iitem_{tail}", f"pset_{tail}"
                title, sku = f"{kind[0]} / {kind[1]}", self.sku(product, kind)
                rows["product_variant"].append((id, title, sku, rank, product_id, made, made))
                rows["product_variant_option"] += [(id, values[rank >> 1]), (id, values[2 + (rank & 1)])]
                rows["price_set"].append((price_set, made, made))
                prices = rows["price"]
                prices.append((f"price_{self.tail(made, 64 * number)}", currency, _CENTS[cents], price_set, None, made, made))
                prices.append((f"price_{self.tail(made, 64 * number + 1)}", other, _CENTS[cents * 11 // 10], price_set, None, made, made))
                for place, price_list in enumerate(
                    lists if product in self._on_sale else lists[number % len(lists) :][:1] if lists else ()
                ):
                    amount = _CENTS[cents * (90 - place % 40) // 100]
                    prices.append(
                        (f"price_{self.tail(made, 64 * number + 2 + place)}", currency, amount, price_set, price_list, made, made)
                    )
                rows["inventory_item"].append((item, sku, title, title, made, made))
                rows["inventory_level"].append((f"ilev_{tail}", item, location, 1000, self._reserved[number], made, made))
                rows["product_variant_price_set"].append((id, price_set, f"pvps_{tail}", made, made))
                rows["product_variant_inventory_item"].append((id, item, f"pvitem_{tail}", 1, made, made))
        for name, (table, columns) in _VARIANT_SHEETS.items():
            yield table, columns, rows[name]

    def _customer(self, number: int) -> tuple[str, str, str, str]:
        """Id, first name, last name, email."""
        first, last = _NAMES[number % len(_NAMES)], _FAMILIES[number % len(_FAMILIES)]
        return f"cus_{self.tail(_FIRST_ORDER, number)}", first, last, f"{first}.{last}.{number}.{self.seed}@example.com".lower()

    def _customers(self, numbers: range) -> TableRows:
        rows = [(*self._customer(number), _FIRST_ORDER, _FIRST_ORDER) for number in numbers]
        return customers.customer, ("id", "first_name", "last_name", "email", "created_at", "updated_at"), rows

    def _order(self, number: int, id: str, made: dt.datetime) -> NewOrder:
        """A whole order, as placing it makes it."""
        around = self.around
        buyer, first, last, email = self._customer(number % self.size.customers)
        where = {"address_1": f"Street {number % 200}", "city": "City", "country_code": around.country}
        to = {"first_name": first, "last_name": last, "postal_code": f"{number % 90_000 + 10_000}", **where}
        tax = {"description": "VAT", "tax_rate_id": around.tax_rate, "code": "standard", "rate": 20, "provider_id": "system"}
        items = []
        for place, (variant, quantity) in enumerate(self._bought(number)):
            product = variant // VARIANTS
            size, colour = kind = self.kinds(product)[variant % VARIANTS]
            title, tail = self.title(product), self.tail(made, 4 * number + place)
            said = {"title": title, "subtitle": f"{size} / {colour}", "variant_title": f"{size} / {colour}", "product_title": title}
            named = {"product_description": _TEXT, "product_handle": self.handle(product), "variant_sku": self.sku(product, kind)}
            ids = {"id": f"ordli_{tail}", "variant_id": self.variant_id(variant), "product_id": self.product_id(product)}
            price = {"is_tax_inclusive": True, "unit_price": _CENTS[self.cents(product)], "quantity": quantity}
            items.append({**ids, **said, **named, **price, "tax_lines": [{"id": f"ordlitxl_{tail}", **tax}]})
        tail = self.tail(made, number)
        way = {"id": f"ordsm_{tail}", "name": "Standard Shipping", "amount": 5, "is_tax_inclusive": True, "data": {}}
        way |= {"shipping_option_id": around.shipping_option, "tax_lines": [{"id": f"ordsmtxl_{tail}", **tax}]}
        addresses = [f"ordaddr_{self.tail(made, 2 * number + place)}" for place in range(2)]
        order = placed(
            {
                "id": id,
                "region_id": around.region,
                "customer_id": buyer,
                "sales_channel_id": around.channel,
                "email": email,
                "currency_code": around.currency,
                "shipping_address_id": addresses[0],
                "billing_address_id": addresses[1],
                "shipping_address": {"id": addresses[0], **to},
                "billing_address": {"id": addresses[1], **to},
                "items": items,
                "shipping_methods": [way],
            },
            iso(made),
        )
        for item in order["items"]:
            item["detail"]["id"] = item["id"].replace("ordli", "orditem")
        order["shipping_methods"][0]["detail"]["id"] = f"ordspmv_{tail}"
        return order

    def _orders(self, numbers: range) -> Iterator[TableRows]:
        """Orders as a checkout leaves them: authorised, their stock reserved, nothing sent yet."""
        rows: dict[str, list[tuple[Any, ...]]] = {name: [] for name in _ORDER_SHEETS}
        around = self.around
        for number in numbers:
            made = _FIRST_ORDER + dt.timedelta(seconds=100 * number)
            tail = self.tail(made, number)
            id = f"order_{tail}"
            order = self._order(number, id, made)
            amount = order["summary"]["current_order_total"]
            rows["order"].append(_kept(order, around.first_display_id + number, made))
            for place, (variant, quantity) in enumerate(self._bought(number)):
                item, line_tail = f"iitem_{self.tail(self._made(variant // VARIANTS), variant)}", self.tail(made, 4 * number + place)
                rows["reservation_item"].append((f"resitem_{line_tail}", item, around.location, f"ordli_{line_tail}", quantity, made, made))
            collection, session = f"pay_col_{tail}", f"payses_{tail}"
            begun = {"id": session, "amount": f"{amount:f}", "currency_code": around.currency, "payment_id": f"pay_{tail}"}
            sessions = [_SESSION | begun | dict.fromkeys(("authorized_at", "created_at", "updated_at"), iso(made))]
            paid = (amount, amount, 0, 0, "authorized", dumps({"payment_sessions": sessions}).decode(), 1, [session])
            rows["payment_collection"].append((collection, id, around.currency, *paid, made, made))
            rows["payment"].append((f"pay_{tail}", amount, around.currency, "pp_system_default", "{}", collection, session, made, made))
        for name, (table, columns) in _ORDER_SHEETS.items():
            yield table, columns, rows[name]


def _kept(order: Any, display_id: int, made: dt.datetime) -> tuple[Any, ...]:
    """The row of a whole order."""
    columns = [dumps(order[name]).decode() if name == "summary" else order[name] for name in orders.COLUMNS]
    stored = _DOCUMENTS.stored(ORDERS["order"], order)
    found_by = [sorted({item[name] for item in order["items"]}) for name in ("variant_id", "product_id")]
    return (
        order["id"],
        display_id,
        *columns,
        stored["document"].decode(),
        stored["document_schema"],
        f"{display_id}{words(order)}",
        *found_by,
        made,
        made,
    )


def _sheet(table: Table, columns: str) -> tuple[Table, tuple[str, ...]]:
    """A table and the columns that are filled, checked against the table."""
    names = tuple(columns.split()) + tuple(name for name in ("created_at", "updated_at") if name in table.c)
    unknown = set(names) - set(table.c.keys())
    if unknown:
        raise KeyError(f"{table.name} has no {', '.join(sorted(unknown))}")
    return table, names


def _sheets(*sheets: tuple[Table, str]) -> dict[str, tuple[Table, tuple[str, ...]]]:
    return {table.name: _sheet(table, columns) for table, columns in sheets}


_PRODUCT_SHEETS = _sheets(
    (products.product, "id title handle description status thumbnail weight collection_id"),
    (products.image, "id url rank product_id"),
    (products.product_category_product, "product_id product_category_id"),
    (products.product_option, "id title is_exclusive"),
    (products.product_product_option, "id product_id product_option_id"),
    (products.product_option_value, "id value option_id"),
    (products.product_product_option_value, "id product_product_option_id product_option_value_id"),
    (links.tables["product_sales_channel"], "product_id sales_channel_id id"),
    (links.tables["product_shipping_profile"], "product_id shipping_profile_id id"),
)
_VARIANT_SHEETS = _sheets(
    (products.product_variant, "id title sku variant_rank product_id"),
    (products.product_variant_option, "variant_id option_value_id"),
    (pricing.price_set, "id"),
    (pricing.price, "id currency_code amount price_set_id price_list_id"),
    (inventory.inventory_item, "id sku title description"),
    (inventory.inventory_level, "id inventory_item_id location_id stocked_quantity reserved_quantity"),
    (links.tables["product_variant_price_set"], "variant_id price_set_id id"),
    (links.tables["product_variant_inventory_item"], "variant_id inventory_item_id id required_quantity"),
)
_ORDER_SHEETS = _sheets(
    (orders.order, f"id display_id {' '.join(orders.COLUMNS)} document document_schema search variant_ids product_ids"),
    (inventory.reservation_item, "id inventory_item_id location_id line_item_id quantity"),
    (
        payments.payment_collection,
        "id order_id currency_code amount authorized_amount captured_amount refunded_amount status document document_schema session_ids",
    ),
    (payments.payment, "id amount currency_code provider_id data payment_collection_id payment_session_id"),
)

OWNERS: dict[str, str] = {
    table.name: module
    for module, metadata in (
        ("product", products.metadata), ("pricing", pricing.metadata), ("inventory", inventory.metadata), ("link", links),
        ("customer", customers.metadata), ("order", orders.metadata), ("payment", payments.metadata),
    )
    for table in metadata.tables.values()
}  # fmt: skip
"""Table → module, for the modules that goods belong to."""
