"""The customer module's messages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from sqlalchemy import Table

from ...core.clock import iso
from ...core.emails import email_address
from ...core.errors import Conflict, InvalidData
from ...core.ids import new_id
from ...core.message import writes
from ...core.rows import Row, Rows
from ...core.service.module import Keys, ModuleService
from ...core.sql.write.undo import Pair, TakingBack
from .queries import CROWDED, GUEST, JOIN_GROUPS, LEAVE_GROUPS, LOCK_CUSTOMERS, UNSET_DEFAULTS
from .tables import SCHEMA, customer_address, customer_group_customer

DEFAULTS = ("shipping", "billing")
ADDRESSES = 500
"""How many a customer has at most."""
METADATA_OF_ADDRESSES = 1024 * 1024
"""Bytes of all of them together."""


class CustomerService(ModuleService):
    """Customers, their addresses and their groups.

    An email belongs to at most one registered customer (`has_account`) and, apart from that, to at most one guest.
    """

    name: ClassVar[str] = "customer"
    schema = SCHEMA

    @writes
    async def create_customers(self, rows: Sequence[Mapping[str, Any]]) -> Rows:
        """Create customers; `addresses` of a row are created with it.

        Raises InvalidData if the email already belongs to a customer of the same kind.
        """
        customers = [{"id": new_id("cus"), **_without(row, "addresses")} for row in rows]
        created = await self.create("customer", customers)
        addresses = [
            {**address, "customer_id": customer["id"]}
            for customer, row in zip(customers, rows, strict=True)
            for address in row.get("addresses") or ()
        ]
        if addresses:
            await self.create_addresses(addresses)
        return created

    @writes(stands_alone=True, one_statement=True)
    async def guest(self, email: str) -> Row:
        """The guest with that email (`id`, `email`, `has_account`, `is_new`), created if there is none.

        Concurrent calls get the same guest. Raises InvalidData for a text that isn't an email address, Conflict if the guest is
        deleted meanwhile.
        """
        given = {"id": new_id("cus"), "email": email_address(email)}
        found = await self.database.fetch_one(GUEST, given) or await self.database.fetch_one(GUEST, given)
        if found is None:
            raise Conflict(f"The guest {email} was deleted meanwhile.")
        if found["is_new"]:
            self.touch_rows("customer", [found["id"]])
        return {"id": found["id"], "email": given["email"], "has_account": False, "is_new": found["is_new"]}

    @writes
    async def create_addresses(self, rows: Sequence[Mapping[str, Any]]) -> Rows:
        """Create addresses of customers. A new default address replaces the old one. Raises InvalidData beyond what is read together."""
        await self._make_room(rows)
        created = await self.create("customer_address", rows)
        await self._check_size(row["customer_id"] for row in created)
        self.touch("customer")
        return created

    @writes
    async def update_addresses(self, rows: Sequence[Mapping[str, Any]]) -> Rows:
        """Update addresses, each named by its id. A new default address replaces the old one.

        Raises NotFound if one is missing: nothing changes.
        """
        becoming = [row["id"] for row in rows if any(row.get(f"is_default_{kind}") for kind in DEFAULTS)]
        if becoming:
            owners = {
                row["id"]: row["customer_id"] for row in await self.list("customer_address", {"id": becoming}, fields=("id", "customer_id"))
            }
            await self._make_room([{**row, "customer_id": owners[row["id"]]} for row in rows if row["id"] in owners])
        updated = await self.update("customer_address", rows)
        if any(row.get("metadata") for row in rows):
            await self._check_size(row["customer_id"] for row in updated)
        self.touch("customer")
        return updated

    @writes
    async def add_to_groups(self, pairs: Sequence[Mapping[str, Any]]) -> Rows:
        """Put customers into groups: pairs of `customer_id` and `customer_group_id`, optionally with `created_by`.

        Existing memberships stay. Raises NotFound for an unknown customer or group. Returns the memberships, each with its `id`.
        """
        unique = {(pair["customer_id"], pair["customer_group_id"]): pair.get("created_by") for pair in pairs}
        params = {
            "ids": [new_id("cusgc") for _ in unique],
            "customer_ids": [customer for customer, _ in unique],
            "group_ids": [group for _, group in unique],
            "created_by": list(unique.values()),
        }
        joined = await self.database.fetch(JOIN_GROUPS, params)
        if len(joined) < len(unique):
            await self._check_there("customer", params["customer_ids"])
            await self._check_there("customer_group", params["group_ids"])
        new = [row for row in joined if row["id"] in params["ids"]]
        self.keep(customer_group_customer, [(None, {"id": row["id"], "updated_at": iso(row["updated_at"])}) for row in new])
        self._touch_groups()
        return [{name: row[name] for name in ("id", "customer_id", "customer_group_id")} for row in joined]

    @writes
    async def remove_from_groups(self, pairs: Sequence[Mapping[str, Any]]) -> Keys:
        """Take customers out of groups. Returns the ids of the removed memberships' customers."""
        params = {"customer_ids": [pair["customer_id"] for pair in pairs], "group_ids": [pair["customer_group_id"] for pair in pairs]}
        left = await self.database.fetch(LEAVE_GROUPS, params)
        self.keep(customer_group_customer, [(row["was"], None) for row in left])
        self._touch_groups()
        return [row["customer_id"] for row in left]

    @writes
    async def change_groups(self, add: Sequence[Mapping[str, Any]], remove: Sequence[Mapping[str, Any]]) -> None:
        """`add_to_groups` and `remove_from_groups`: all of it, or nothing."""
        if add:
            await self.add_to_groups(add)
        if remove:
            await self.remove_from_groups(remove)

    # -- inside

    async def _undo(self, table: Table, pairs: Sequence[Pair]) -> None:
        """A created membership is deleted for good."""
        if table is customer_group_customer:
            await TakingBack(self.database, table).created([left for was, left in pairs if was is None and left is not None])
            pairs = [pair for pair in pairs if pair[0] is not None]
        await super()._undo(table, pairs)

    async def _make_room(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Before rows become defaults: lock their customers, and unset the previous defaults."""
        taking: dict[str, Keys] = {kind: sorted({row["customer_id"] for row in rows if row.get(f"is_default_{kind}")}) for kind in DEFAULTS}
        customers = sorted({customer for kind in DEFAULTS for customer in taking[kind]})
        if customers:
            await self.database.fetch(LOCK_CUSTOMERS, {"ids": customers})
            unset = await self.database.fetch(UNSET_DEFAULTS, {"shipping": taking["shipping"], "billing": taking["billing"]})
            self.keep(customer_address, [(row["was"], row["stored"]) for row in unset])

    async def _check_size(self, customers: Iterable[str]) -> None:
        """Whoever reads a customer reads all addresses, as a provider of payments does."""
        limits = {"customers": sorted(set(customers)), "many": ADDRESSES, "metadata": METADATA_OF_ADDRESSES}
        if await self.database.fetch_value(CROWDED, limits) is not None:
            kib = METADATA_OF_ADDRESSES // 1024
            raise InvalidData(f"A customer has {ADDRESSES} addresses at most, with {kib} KiB of metadata in all.")

    async def _check_there(self, entity: str, ids: Iterable[str]) -> None:
        """Raise NotFound for the first of them that isn't there."""
        there = {row["id"] for row in await self.list(entity, {"id": sorted(set(ids))}, fields=("id",))}
        for id in ids:
            if id not in there:
                await self.retrieve(entity, id, fields=("id",))

    def _touch_groups(self) -> None:
        self.touch("customer", "customer_group", "customer_group_customer")


def _without(row: Mapping[str, Any], name: str) -> Row:
    return {key: value for key, value in row.items() if key != name}
