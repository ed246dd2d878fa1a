"""Payment collections: what a cart or an order has to be paid.

A collection is read whole, changed in memory (`books.py`) and written whole, if it is still as it was read. If another writer was faster it
is read and changed again, so changes depend on the latest state.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from ...core.clock import iso, utc_now
from ...core.errors import InvalidData, NotAllowed, NotFound
from ...core.json import loads
from ...core.message import repeatable, writes
from ...core.numbers import Amount
from ...core.rows import Row
from ...core.service.module import Keys, ModuleService
from ...core.sql.schema.query import Query
from . import books
from .queries import ADOPT_COLLECTION, ASSIGN, COLLECTION_FOR, COLUMNS, OPEN, REFRESH_COLLECTION, UNASSIGN, WRITE
from .tables import SCHEMA
from .types import CollectionAmount, NewCollection, PaymentCollection, PaymentSession

T = TypeVar("T")
Change = Callable[[PaymentCollection], tuple[bool, T]]
"""Changes a collection in memory. Returns whether there is something to write, and the result. May be called again, with a newer
collection, so it must not depend on what it changed in an earlier one."""

_COLLECTION = SCHEMA["payment_collection"]


class Collections(ModuleService):
    """Collections of payments. Their amounts and status follow from their contents."""

    @writes(one_statement=lambda rows: len(rows) == 1, answers=True)
    async def create_collections(self, rows: Sequence[NewCollection]) -> list[PaymentCollection]:
        """Create payment collections.

        Returns them with their contents, which are empty.
        """
        made = []
        for row in rows:
            amount, currency = row.get("amount"), row.get("currency_code")
            if amount is None or not currency:
                raise InvalidData("A payment collection needs an amount and a currency_code")
            collection = books.new_collection(iso(utc_now()), {**row, "amount": _exact(amount), "currency_code": currency.lower()})
            collection.update(await self.answer(OPEN, self._opening(collection)))
            made.append(collection)
        self.touch("payment_collection")
        return made

    @writes
    async def adopt(self, collections: Sequence[PaymentCollection]) -> int:
        """Store payment collections that come from another shop, as they are there, with their sessions. Returns how many. Raises
        InvalidData for one that is here already."""
        for collection in collections:
            row = {**self._written(collection), **{name: collection.get(name) for name in ("payer_key", "metadata")}}
            await self.database.execute(ADOPT_COLLECTION, {**row, "created_at": moment(collection["created_at"])})
        self.touch("payment_collection", "payment_session")
        return len(collections)

    @repeatable(stands_alone=True)
    async def collection_for(
        self, payer_key: str, *, currency_code: str, amount: Amount, metadata: Mapping[str, Any] | None = None
    ) -> PaymentCollection:
        """The one collection of a payer (`cart:<id>`) with everything in it: created if there is none, its amount updated.

        Concurrent calls get the same collection.
        """
        wanted: NewCollection = {
            "currency_code": currency_code.lower(),
            "amount": _exact(amount),
            "metadata": None if metadata is None else dict(metadata),
        }
        collection = books.new_collection(iso(utc_now()), wanted, payer_key)
        found = await self._made_for(collection)
        if found["id"] == collection["id"]:
            return collection
        if (found["amount"], found["currency_code"]) != (wanted["amount"], wanted["currency_code"]):
            await self.set_amount(found["id"], amount=amount, currency_code=currency_code)
        return await self._collection(found["id"])

    @repeatable
    async def set_amount(self, id: str, *, amount: Amount, currency_code: str | None = None) -> None:
        """Change the amount to pay. If it differs, the sessions begun for the old amount are dropped.

        A session in which something was authorised stays: then the collection may end up partially authorised. Raises
        NotFound; NotAllowed for another currency where something was authorised.
        """
        exact = _exact(amount)

        def change(collection: PaymentCollection) -> tuple[bool, list[PaymentSession]]:
            currency = (currency_code or collection["currency_code"]).lower()
            if collection["amount"] == exact and collection["currency_code"] == currency:
                return False, []
            if collection["currency_code"] != currency and collection["status"] not in ("not_paid", "awaiting", "canceled", "failed"):
                raise NotAllowed(f"Payment collection {id} has payments in {collection['currency_code']}: its currency can't be changed")
            collection |= {"amount": exact, "currency_code": currency, "updated_at": _now()}
            dropped = books.drop(collection, _now(), quiet=self._quiet)
            if collection["status"] != "not_paid":
                books.restate(collection, _now())
            return True, dropped

        _, dropped = await self._changed(await self._collection(id), change)
        await self._have_forgotten(dropped)

    @repeatable
    async def cancel_collection(self, id: str) -> None:
        """Mark a collection as cancelled. Raises NotFound; NotAllowed where something was captured and not refunded."""
        await self._changed(await self._collection(id), _cancel)

    @repeatable
    async def close_collections_of(self, order_id: str) -> Keys:
        """Cancel the collections of an order that is cancelled for good. Nobody can pay in them any more: sessions without a payment are
        dropped, and no others are begun. Returns the ids of all payments that were made in them."""

        def close(collection: PaymentCollection) -> tuple[bool, list[PaymentSession]]:
            before = collection["status"]
            dropped = books.close(collection, _now(), quiet=self._quiet)
            return bool(dropped) or before != "canceled", dropped

        paid: Keys = []
        for found in await self._find({"order_id": order_id}, limit=None):
            if found["deleted_at"] is None:
                collection, dropped = await self._changed(found, close)
                await self._have_forgotten(dropped)
                paid += [id for session in collection["payment_sessions"] if (id := session["payment_id"]) is not None]
        return paid

    @repeatable
    async def delete_collection(self, id: str, *, begun: bool = False) -> None:
        """Delete a collection in which nothing was paid, with its sessions; one in which a buyer has tried to pay (`awaiting`) where
        `begun` says so. Raises NotFound; NotAllowed where something was paid, or its provider needs time to say so."""
        deletable = ("not_paid", "awaiting") if begun else ("not_paid",)

        def change(collection: PaymentCollection) -> tuple[bool, list[PaymentSession]]:
            if collection["status"] not in deletable or books.may_be_paid(collection):
                raise NotAllowed(f"Can only delete payment collections that are not_paid; {id} is {collection['status']}")
            dropped = books.drop(collection, _now(), quiet=self._quiet)
            collection["deleted_at"] = _now()
            return True, dropped

        _, dropped = await self._changed(await self._collection(id), change)
        await self._have_forgotten(dropped)

    @writes(one_statement=True)
    async def assign(self, id: str, order_id: str) -> None:
        """Set the order of a collection with nothing to pay: for others authorising does that. It stays its first order's."""
        await self.database.execute(ASSIGN, {"id": id, "order_id": order_id})
        self.touch("payment_collection")

    @writes(one_statement=True)
    async def unassign(self, id: str, order_id: str) -> None:
        """Undo `assign`."""
        await self.database.execute(UNASSIGN, {"id": id, "order_id": order_id})
        self.touch("payment_collection")

    # -- inside

    async def _find(self, filters: Mapping[str, Any], *, limit: int | None = 1, order: Sequence[str] = ()) -> list[PaymentCollection]:
        """Collections with everything in them, deleted ones included."""
        query = Query("payment_collection", ("*", "payment_sessions"), filters, tuple(order), limit, with_deleted=True)
        texts = (await self.database.fetch_row(self.statements.page(query, hidden=True, twins=False)))[0]
        found: list[Any] = [self.statements.documents.opened(_COLLECTION, loads(text)) for text in texts]
        return found

    async def _collection(self, id: str) -> PaymentCollection:
        """A collection with everything in it. Raises NotFound."""
        found = await self._find({"id": id})
        if not found or found[0]["deleted_at"] is not None:
            raise _missing(id)
        return found[0]

    async def _changed(
        self, collection: PaymentCollection, change: Change[T], write: Callable[[PaymentCollection, T], Awaitable[bool]] | None = None
    ) -> tuple[PaymentCollection, T]:
        """Change a collection that was read, and write it. Returns the collection after the change, and the change's result.

        Raises NotFound where it was deleted meanwhile, and what the change raises. `write`: writes it together with something else, and
        returns whether it was still as it was read.
        """
        deleted = collection["deleted_at"]
        while True:
            is_changed, result = change(collection)
            if not is_changed:
                return collection, result
            if await (self._write(collection) if write is None else write(collection, result)):
                collection["version"] += 1
                return collection, result
            [collection] = await self._find({"id": collection["id"]})
            if collection["deleted_at"] is not None and deleted is None:
                raise _missing(collection["id"])

    @writes(one_statement=True)
    async def _write(self, collection: PaymentCollection) -> bool:
        """Write a collection with everything in it. False, and nothing is written, if it isn't as it was read any more."""
        written = await self.database.fetch_value(WRITE, self._written(collection))
        if written is not None:
            self.touch("payment_session", "payment_collection")
        return written is not None

    def _written(self, collection: PaymentCollection) -> dict[str, Any]:
        """The parameters of a statement that writes all of a collection."""
        values: Mapping[str, Any] = collection
        params = {name: values[name] for name in (*COLUMNS, "updated_at")}
        for name in ("amount", "authorized_amount", "captured_amount", "refunded_amount"):
            params[name] = None if params[name] is None else Decimal(params[name])
        params |= {
            "id": collection["id"],
            "expected": collection["version"],
            **self.statements.documents.stored(_COLLECTION, collection),
            "session_ids": [session["id"] for session in collection["payment_sessions"]],
            "settle_at": min((at for session in books.due(collection) if (at := session["settle_at"]) is not None), default=None),
        }
        return params | {name: moment(params[name]) for name in ("completed_at", "updated_at", "deleted_at", "settle_at")}

    def _opening(self, collection: PaymentCollection) -> Row:
        """The parameters of a statement that creates a collection."""
        return {**collection, **self.statements.documents.stored(_COLLECTION, collection), "now": moment(collection["created_at"])}

    @property
    def _quiet(self) -> frozenset[str]:
        """Providers without an outside party."""
        return frozenset(id for id, provider in self.providers.items() if provider.asks_nobody)

    @writes(one_statement=True)
    async def _made_for(self, collection: PaymentCollection) -> CollectionAmount:
        """The amount of a payer's collection: of this new one, if there was none."""
        found: list[CollectionAmount] = await self.database.rows(COLLECTION_FOR, self._opening(collection))
        self.touch("payment_collection")
        return found[0]  # an upsert always returns its row

    async def _refresh_collection(self, id: str) -> None:
        """Compute the amounts and the status of a locked collection."""
        await self.database.execute(REFRESH_COLLECTION, {"collection_id": id})
        self.touch("payment_collection")

    async def _have_forgotten(self, dropped: Sequence[PaymentSession]) -> None:
        """Have providers drop sessions that were dropped here; see `Settling`."""
        raise NotImplementedError


def moment(shown_time: str | None) -> datetime | None:
    """Parse a time as the API shows it."""
    return None if shown_time is None else datetime.fromisoformat(shown_time)


def _now() -> str:
    return iso(utc_now())


def _cancel(collection: PaymentCollection) -> tuple[bool, None]:
    if (collection["captured_amount"] or 0) > (collection["refunded_amount"] or 0):
        raise NotAllowed(f"Payment collection {collection['id']} has been paid and can't be cancelled")
    collection |= {"status": "canceled", "updated_at": _now()}
    return True, None


def _missing(id: str) -> NotFound:
    return NotFound(f"Payment collection with id: {id} was not found")


def _exact(amount: Amount) -> Decimal:
    exact = Decimal(amount)
    if not exact.is_finite() or exact < 0:
        raise InvalidData(f"An amount to be paid can't be {amount}")
    return exact
