"""The service of the cart module."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypedDict

from ...core.emails import email_address
from ...core.errors import Conflict, InvalidData, NotFound
from ...core.json import dumps
from ...core.messages import keyed, one_statement, reads, writes
from ...core.module import ModuleService, Row
from ...core.query.page import Page, Query
from ...core.query.totalled import CART, totalled
from . import queries
from .change import COLUMNS, CartChange
from .tables import SCHEMA

EVERYTHING = (
    "*",
    "*shipping_address",
    "*billing_address",
    "*items",
    "*items.tax_lines",
    "*items.adjustments",
    "*shipping_methods",
    "*shipping_methods.tax_lines",
    "*shipping_methods.adjustments",
    "*credit_lines",
)


class Written(TypedDict):
    """What came of a change."""

    version: int
    at: str
    """When, as the API shows it: `updated_at` of the cart, and of every row that was written with it."""


class CartService(ModuleService):
    """Carts with their lines, addresses, shipping methods, taxes and adjustments.

    Whoever changes a cart reads it (`load`), works out what it shall be, and sends the difference (`change`) with the version that was
    read. It is written in one statement or not at all; a cart that was changed or completed meanwhile refuses it.
    """

    schema = SCHEMA

    # -- reading

    @reads
    async def query(self, query: Query) -> Page:
        """One page, as every module gives it. Carts, their items and shipping methods also show totals (see `core.totals`)."""
        plan = totalled(CART, tuple(query.fields)) if query.entity == "cart" else None
        if plan is None:
            return await super().query(query)
        page = await super().query(replace(query, fields=plan.fields))
        return Page(dumps(plan.finish(page.rows)), page.count)

    @reads
    @keyed("cart_id")
    async def load(self, cart_id: str) -> Row:
        """All of a cart, with its version. Raises NotFound."""
        rows = await self.list("cart", {"id": cart_id}, fields=EVERYTHING, limit=1)
        if not rows:
            raise _unknown(cart_id)
        return rows[0]

    # -- changing

    @writes
    @one_statement(answers=True)
    @keyed("cart_id")
    async def open(self, cart_id: str, change: CartChange) -> Written:
        """Create a cart with all that is in it."""
        written: Written = await self.answer(queries.opening(_parts(change)), _params(cart_id, change))
        self.touch("cart")
        return written

    @writes
    @one_statement(answers=True)
    @keyed("cart_id")
    async def change(self, cart_id: str, version: int, change: CartChange) -> Written:
        """Make the cart what it shall be.

        Raises:
            NotFound: there is no such cart.
            InvalidData: it is completed.
            Conflict: it is no longer at `version`: read it again.
        """
        written: Written | None = await self.answer(queries.changing(_parts(change)), {**_params(cart_id, change), "expected": version})
        await self._guarded(cart_id, written["version"] if written is not None else None)
        assert written is not None
        return written

    @writes
    @one_statement(answers=True)
    @keyed("cart_id")
    async def complete(self, cart_id: str, version: int) -> int:
        """Close the cart as it was read at `version`. Returns its new version. Raises what `change` raises."""
        return await self._guarded(cart_id, await self.answer(queries.COMPLETE, {"id": cart_id, "expected": version}))

    @writes
    @one_statement(answers=True)
    @keyed("cart_id")
    async def reopen(self, cart_id: str, version: int) -> int | None:
        """Take back the completion that gave `version`. Returns the new version; None where the cart isn't at that version any more."""
        reopened: int | None = await self.answer(queries.REOPEN, {"id": cart_id, "expected": version})
        if reopened is not None:
            self.touch("cart")
        return reopened

    # -- inside

    async def _guarded(self, cart_id: str, version: int | None) -> int:
        """The new version, or why there is none."""
        if version is not None:
            self.touch("cart")
            return version
        state = await self.database.fetch_one(queries.STATE, {"id": cart_id})
        if state is None:
            raise _unknown(cart_id)
        if state["completed_at"] is not None:
            raise completed(cart_id)
        raise Conflict(f"Cart {cart_id} was changed meanwhile.")


def completed(cart_id: str) -> InvalidData:
    """The error of changing a cart that has become an order."""
    return InvalidData(f"Cart {cart_id} is already completed.")


def _unknown(cart_id: str) -> NotFound:
    return NotFound(f"Cart with id: {cart_id} was not found")


def _parts(change: CartChange) -> frozenset[str]:
    """Which parts a change has. An empty list that replaces is one, an empty list of new rows is none."""
    return frozenset(
        name for name in queries.PARTS if (_rows(change, name) is not None if name in queries.REPLACED else _rows(change, name))
    )


def _params(cart_id: str, change: CartChange) -> dict[str, Any]:
    params: dict[str, Any] = {"id": cart_id, **{name: change.cart.get(name) for name in COLUMNS}}
    if params["email"] is not None:
        email_address(params["email"])
    for name in _parts(change):
        params[name] = list(_rows(change, name) or ())
    return params


def _rows(change: CartChange, part: str) -> Sequence[Mapping[str, Any] | str] | None:
    rows: Sequence[Mapping[str, Any] | str] | None = getattr(change, part)
    return rows
