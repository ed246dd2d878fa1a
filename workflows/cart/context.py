"""The context of a cart: its region and its customer, and what prices and taxes take from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...core.errors import InvalidData
from ...core.rows import Row, Typed, TypedRows
from ...core.sql.schema.query import Query
from ..kit import Flow
from .types import Buyer, Region
from .working import WorkingCart

REGION = ("id", "name", "currency_code", "automatic_taxes", "countries.iso_2")
CUSTOMER = ("id", "email", "has_account", "groups.id")


@dataclass
class CartContext:
    region: Region | None
    customer: Buyer | None

    @property
    def countries(self) -> list[str]:
        """Two-letter codes of the region's countries."""
        return [country["iso_2"] for country in self.region["countries"]] if self.region is not None else []

    @property
    def automatic_taxes(self) -> bool:
        return self.region is not None and bool(self.region["automatic_taxes"])

    def pricing(self, draft: WorkingCart) -> Row:
        """Attributes for price rules."""
        context: Row = {"currency_code": draft["currency_code"], "region_id": draft["region_id"], "customer_id": draft["customer_id"]}
        if self.customer is not None:
            context["customer"] = self.customer
        return context


async def load_context(flow: Flow, region_id: str | None, customer_id: str | None) -> CartContext:
    """The context; deleted rows are None. At most two statements, and none if everything is cached."""
    regions: list[Region] = await _named(flow, "region", REGION, region_id)
    customers: list[Buyer] = await _named(flow, "customer", CUSTOMER, customer_id)
    return CartContext(regions[0] if regions else None, customers[0] if customers else None)


async def _named(flow: Flow, entity: str, fields: tuple[str, ...], id: str | None) -> TypedRows[Typed]:
    """The row of that id, if there is one."""
    return [] if id is None else await flow.graph.rows(Query(entity, fields, {"id": id}, limit=1))


def check_country(address: Mapping[str, Any], cart_context: CartContext, *, strict: bool = True) -> Row:
    """The address with its country code in lower case. Raises InvalidData for a country outside the region, unless not `strict`."""
    country = address.get("country_code")
    if country is None or cart_context.region is None:
        return dict(address)
    normal = str(country).strip().lower()
    if strict and normal not in cart_context.countries:
        raise InvalidData(f"Country with code {country} is not within region {cart_context.region['name']}")
    return {**address, "country_code": normal}
