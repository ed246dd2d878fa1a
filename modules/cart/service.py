"""The service of the cart module."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from ...commerce.totalled import CART, totalled
from ...commerce.types import Cart
from ...core.emails import email_address
from ...core.errors import Conflict, InvalidData, NotFound
from ...core.message import reads, writes
from ...core.service.module import ModuleService
from ...core.sql.schema.query import Page, Query
from . import queries
from .tables import COLUMNS, SCHEMA


class CartService(ModuleService):
    """Carts with their lines, addresses, shipping methods, taxes and adjustments.

    A writer reads a cart (`load`), changes it in memory, and sends all of it (`change`) with the version that was read. It
    is written in one statement or not at all; a cart that was changed or completed meanwhile refuses it.
    """

    schema = SCHEMA

    # -- reading

    @reads
    async def query(self, query: Query) -> Page:
        """One page, as in every module. Carts, their items and shipping methods also show totals (see `commerce.totals`)."""
        plan = totalled(CART, tuple(query.fields)) if query.entity == "cart" else None
        if plan is None:
            return await super().query(query)
        rows, count = await self._rows(replace(query, fields=plan.fields))
        return Page.of(plan.finish(rows), count)

    @reads(key="cart_id")
    async def load(self, cart_id: str) -> Cart:
        """All of a cart, with its version. Raises NotFound."""
        cart: Any = await self.whole("cart", cart_id)
        if cart is None:
            raise _unknown(cart_id)
        loaded: Cart = cart
        return loaded

    # -- changing

    @writes(key="cart_id", one_statement=True, answers=True)
    async def open(self, cart_id: str, cart: Cart) -> int:
        """Create a cart with everything in it, as `load` gives it. Returns its version."""
        version: int = await self.answer(queries.OPEN, {"created_at": _time(cart["created_at"]), **self._written(cart_id, cart)})
        self.touch("cart")
        return version

    @writes(key="cart_id", one_statement=True, answers=True)
    async def change(self, cart_id: str, version: int, cart: Cart) -> int:
        """Write a changed cart, as `load` gives it. Returns its new version.

        Raises:
            NotFound: there is no such cart.
            InvalidData: it is completed, or holds something that can't be in a cart.
            Conflict: it is no longer at `version`: read it again.
        """
        params = {**self._written(cart_id, cart), "expected": version}
        return await self._guarded(cart_id, await self.answer(queries.CHANGE, params))

    @writes(key="cart_id", one_statement=True, answers=True)
    async def complete(self, cart_id: str, version: int, order_id: str) -> int:
        """Close the cart as it was read at `version`: it becomes this order. Returns its new version. Raises what `change` raises."""
        params = {"id": cart_id, "expected": version, "order_id": order_id}
        return await self._guarded(cart_id, await self.answer(queries.COMPLETE, params))

    @writes(key="cart_id", one_statement=True, answers=True)
    async def reopen(self, cart_id: str, version: int) -> int | None:
        """Undo the completion that gave `version`. Returns the new version; None if the cart isn't at that version any more."""
        reopened: int | None = await self.answer(queries.REOPEN, {"id": cart_id, "expected": version})
        if reopened is not None:
            self.touch("cart")
        return reopened

    # -- inside

    async def _guarded(self, cart_id: str, version: int | None) -> int:
        """Return the new version, or raise the error that explains why there is none."""
        if version is not None:
            self.touch("cart")
            return version
        state = await self.database.fetch_one(queries.STATE, {"id": cart_id})
        if state is None:
            raise _unknown(cart_id)
        if state["completed_at"] is not None:
            raise completed(cart_id)
        raise Conflict(f"Cart {cart_id} was changed meanwhile.")

    def _written(self, cart_id: str, cart: Cart) -> dict[str, Any]:
        """The parameters of a statement that writes all of a cart."""
        columns: Mapping[str, Any] = cart
        params: dict[str, Any] = {"id": cart_id, **{name: columns[name] for name in COLUMNS}}
        if params["email"] is not None:
            params["email"] = email_address(params["email"])
        params["updated_at"] = _time(cart["updated_at"])
        params |= self.statements.documents.stored(SCHEMA["cart"], cart)
        params["variant_ids"] = sorted({id for item in cart["items"] if (id := item["variant_id"]) is not None})
        return params


def _time(shown: str) -> datetime:
    return datetime.fromisoformat(shown)


def completed(cart_id: str) -> InvalidData:
    """The error for a change of a cart that has become an order."""
    return InvalidData(f"Cart {cart_id} is already completed.")


def _unknown(cart_id: str) -> NotFound:
    return NotFound(f"Cart with id: {cart_id} was not found")
