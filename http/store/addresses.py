"""Addresses as bodies of requests."""

from __future__ import annotations

from ..kit.bodies import ABSENT, Body, Metadata


class AddressBody(Body):
    """A postal address."""

    first_name: str | None = None
    last_name: str | None = None
    phone: str | None = None
    company: str | None = None
    address_1: str | None = None
    address_2: str | None = None
    city: str | None = None
    country_code: str | None = None
    province: str | None = None
    postal_code: str | None = None
    metadata: Metadata = None


class CustomerAddressBody(AddressBody):
    """An address that a customer saves."""

    address_name: str | None = None
    is_default_shipping: bool = ABSENT
    is_default_billing: bool = ABSENT
