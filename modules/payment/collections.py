"""Payment collections: what a cart or an order has to be paid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from ...core.errors import InvalidData, NotAllowed, NotFound
from ...core.ids import new_id
from ...core.messages import one_statement, repeatable, stands_alone, writes
from ...core.module import ModuleService, Row, Rows
from .queries import CANCEL_COLLECTION, COLLECTION_FOR, DROP_SESSIONS, LOCK_COLLECTION, REFRESH_COLLECTION, SET_AMOUNT


class Collections(ModuleService):
    """Collections of payments. Their amounts and status follow from what is in them."""

    @writes
    async def create_collections(self, rows: Sequence[Mapping[str, Any]]) -> Rows:
        """Create payment collections: `currency_code`, `amount` (major units), `metadata`."""
        return await self.create("payment_collection", [_collection(row) for row in rows])

    @stands_alone
    @repeatable
    async def collection_for(
        self, payer_key: str, *, currency_code: str, amount: Decimal | int, metadata: Mapping[str, Any] | None = None
    ) -> str:
        """Id of the one collection of a payer (`cart:<id>`), created where there is none, with the amount brought up to date.

        However many ask at once, they get the same collection.
        """
        found = await self._made_for(payer_key, currency_code, amount, metadata)
        if (found["amount"], found["currency_code"]) != (_exact(amount), currency_code.lower()):
            await self.set_amount(found["id"], amount=amount, currency_code=currency_code)
        return str(found["id"])

    @repeatable
    async def set_amount(self, id: str, *, amount: Decimal | int, currency_code: str | None = None) -> Row:
        """Change what is to be paid. Where that is another amount than before, the sessions begun for the old one are dropped.

        A session in which something was authorised stays: then the collection may end up partially authorised. Raises
        NotFound; NotAllowed for another currency where something was authorised.
        """
        dropped = await self._set_amount(id, _exact(amount), currency_code)
        await self._have_forgotten(dropped)
        return await self._shown(id)

    @writes
    async def cancel_collection(self, id: str) -> Row:
        """Mark a collection as cancelled. Raises NotFound; NotAllowed where something was captured."""
        held = await self._hold_collection(id)
        if held["captured_amount"]:
            raise NotAllowed(f"Payment collection {id} has been paid and can't be cancelled")
        await self.database.execute(CANCEL_COLLECTION, {"id": id})
        self.touch("payment_collection")
        return await self.retrieve("payment_collection", id)

    @repeatable
    async def delete_collection(self, id: str) -> None:
        """Delete a collection in which nothing was paid, with its sessions. Raises NotFound; NotAllowed where something was."""
        await self._have_forgotten(await self._delete_unpaid(id))

    # -- inside

    async def _shown(self, id: str) -> Row:
        return await self.retrieve("payment_collection", id, fields=("*", "payment_sessions.*"))

    @writes
    @one_statement()
    async def _made_for(self, payer_key: str, currency_code: str, amount: Decimal | int, metadata: Mapping[str, Any] | None) -> Row:
        """Id, amount and currency of a payer's collection."""
        made = {"id": new_id("pay_col"), "payer_key": payer_key, "currency_code": currency_code.lower(), "metadata": metadata}
        found = await self.database.fetch_one(COLLECTION_FOR, {**made, "amount": _exact(amount)})
        assert found is not None  # an upsert always gives its row
        self.touch("payment_collection")
        return dict(found)

    @writes
    async def _set_amount(self, id: str, amount: Decimal, currency_code: str | None) -> Rows:
        """Returns the sessions that were dropped."""
        held = await self._hold_collection(id)
        currency = (currency_code or held["currency_code"]).lower()
        if held["amount"] == amount and held["currency_code"] == currency:
            return []
        if held["currency_code"] != currency and held["status"] not in ("not_paid", "awaiting", "canceled", "failed"):
            raise NotAllowed(f"Payment collection {id} has payments in {held['currency_code']}: its currency can't be changed")
        await self.database.execute(SET_AMOUNT, {"id": id, "amount": amount, "currency_code": currency})
        dropped = await self._drop_sessions(id)
        if held["status"] != "not_paid":
            await self._refresh_collection(id)
        self.touch("payment_collection")
        return dropped

    @writes
    async def _delete_unpaid(self, id: str) -> Rows:
        """Returns the sessions that were dropped."""
        held = await self._hold_collection(id)
        if held["status"] != "not_paid":
            raise NotAllowed(f"Can only delete payment collections that are not_paid; {id} is {held['status']}")
        dropped = await self._drop_sessions(id)
        await self.delete("payment_collection", [id])
        return dropped

    async def _hold_collection(self, id: str) -> Row:
        """Lock a collection: what belongs to it changes only by whoever holds it."""
        held = await self.database.fetch_one(LOCK_COLLECTION, {"id": id})
        if held is None:
            raise NotFound(f"Payment collection with id: {id} was not found")
        return dict(held)

    async def _refresh_collection(self, id: str) -> None:
        """Compute the amounts and the status of a collection that is held."""
        await self.database.execute(REFRESH_COLLECTION, {"id": id})
        self.touch("payment_collection")

    async def _drop_sessions(self, collection_id: str | None = None, ids: Sequence[str] = (), *, unclaimed: bool = False) -> Rows:
        """Delete sessions in which nothing was paid; `unclaimed`: also where no order stands for what was paid.

        Gives them for `_have_forgotten`: what is owed to their providers is written down with it.
        """
        quiet = [id for id, provider in self.providers.items() if provider.asks_nobody]
        dropped = await self.database.fetch(
            DROP_SESSIONS, {"collection_id": collection_id, "ids": list(ids), "unclaimed": unclaimed, "quiet": quiet}
        )
        if dropped:
            self.touch("payment_session", "payment_collection")
        return [dict(row) for row in dropped]

    async def _have_forgotten(self, dropped: Rows) -> None:
        """Tell providers of sessions that are gone here; see `Settling`."""
        raise NotImplementedError


def _collection(row: Mapping[str, Any]) -> Row:
    amount, currency = row.get("amount"), row.get("currency_code")
    if amount is None or not currency:
        raise InvalidData("A payment collection needs an amount and a currency_code")
    return {**row, "amount": _exact(amount), "currency_code": currency.lower()}


def _exact(amount: Decimal | int) -> Decimal:
    exact = Decimal(amount)
    if not exact.is_finite() or exact < 0:
        raise InvalidData(f"An amount to be paid can't be {amount}")
    return exact
