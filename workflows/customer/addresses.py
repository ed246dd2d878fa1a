"""Addresses of customers. A new default address replaces the old one."""

from __future__ import annotations

from ...modules.customer.service import CustomerService
from ..plain import Plain

CUSTOMER_ADDRESSES = Plain(
    "customer_address",
    "create-customer-addresses",
    "update-customer-addresses",
    "delete-customer-addresses",
    hooks="addresses",
    create_by=CustomerService.create_addresses,
    update_by=CustomerService.update_addresses,
)
