"""Fulfillments: created, shipped, delivered, cancelled."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, Literal, TypedDict

from ...core.errors import InvalidData, NotAllowed, NotFound, VelellaError
from ...core.ids import new_id
from ...core.message import reads, writes
from ...core.rows import Row, Rows
from ...core.sql.db.compiled import SelfRecording
from ...core.sql.db.failures import Collided
from .asking import AsksProviders
from .provider import Consignment, FulfillmentProvider
from .queries import BEGIN_CANCELING, CARRIED_OUT, DELIVER, END_CANCELING, LOCK_FULFILLMENT, SHIP

_NESTED = ("items", "labels", "delivery_address", "order", "consigned")
SHOWN = ("*", "items.*", "labels.*", "delivery_address.*")
MOST_LABELS = 32
"""Carriers use a number again after some months; more labels of one number than that aren't looked at."""


class Tracked(TypedDict):
    """The status of fulfillments, as a carrier reports it."""

    fulfillment_ids: list[str]
    status: Literal["shipped", "delivered"]


class Fulfillments(AsksProviders):
    """Fulfillments with their items, labels and addresses.

    The provider is asked outside of any transaction. The row is there before, so a process that dies in between leaves a
    fulfillment that can be seen and cancelled, never one that nobody knows of.
    """

    async def create_fulfillment(self, data: Mapping[str, Any]) -> Row:
        """Record a fulfillment and have its provider carry it out.

        `data` has `location_id`, `provider_id` (None: nobody outside of the shop is asked), `items`, `delivery_address` and may have
        `labels`, `order`, `consigned`, `data`, `shipping_option_id`, times, `metadata`. With an `id` given, repeating the message asks
        the provider under the same key and returns the same fulfillment. When the provider refuses, the row is gone again and its error
        is raised; when its answer doesn't come, the row stays.
        """
        provider: FulfillmentProvider | None = self.providers.get(data["provider_id"]) if data["provider_id"] is not None else None
        id = data.get("id") or new_id("ful")
        try:
            recorded = await self.record({**data, "id": id})
        except InvalidData:
            if (there := await self._there(id)) is None:
                raise
            recorded = there
        if provider is None:
            return recorded
        fulfillment = {**recorded, **(data.get("consigned") or {})}
        answer = provider.create(id, data.get("data") or {}, data.get("items") or (), data.get("order"), fulfillment)
        made = await self._carried(id, data, answer)
        return {**recorded, **made} if made is not None else await self.retrieve("fulfillment", id, fields=SHOWN)

    async def create_return_fulfillment(self, data: Mapping[str, Any]) -> None:
        """Record a fulfillment that brings things back, and have its provider carry it out. Otherwise as `create_fulfillment`."""
        provider: FulfillmentProvider = self.providers.get(data["provider_id"])
        id = data.get("id") or new_id("ful")
        recorded = await self._there(id) or await self.record({**data, "id": id})  # mostly it is there: see `record`
        fulfillment = {**recorded, **(data.get("consigned") or {})}
        await self._carried(id, data, provider.create_return(id, fulfillment))

    @writes(one_statement=True, answers=True)
    async def record(self, data: Mapping[str, Any]) -> Row:
        """Write a fulfillment down that its provider isn't asked for yet: `data` as `create_fulfillment` takes it, with an `id`. Returns
        it. Raises InvalidData for one that is written down already."""
        row: Row = {name: value for name, value in data.items() if name not in _NESTED}
        addresses: Rows = []
        if data.get("delivery_address"):
            addresses = [{**data["delivery_address"], "id": new_id("fuladdr")}]
            row["delivery_address_id"] = addresses[0]["id"]
        items, labels = ([{**each, "fulfillment_id": data["id"]} for each in data.get(name) or ()] for name in ("items", "labels"))
        made = await self._create_together(
            (
                ("fulfillment_address", addresses),
                ("fulfillment", [row]),
                ("fulfillment_item", items),
                ("fulfillment_label", labels),
            )
        )
        return {**made[1][0], "items": made[2], "labels": made[3], "delivery_address": next(iter(made[0]), None)}

    @writes
    async def update_fulfillment(self, id: str, change: Mapping[str, Any]) -> Row:
        """Update a fulfillment. `labels`, where they are named, take the place of those it has.

        Raises NotFound, and NotAllowed for one that is (being) cancelled and shall be shipped or delivered.
        """
        held = await self._hold(id)
        if _called_off(held) and (change.get("shipped_at") or change.get("delivered_at")):
            raise NotAllowed(f"Fulfillment {id} is cancelled and can't be sent")
        plain = {name: value for name, value in change.items() if name not in _NESTED}
        await self.update("fulfillment", [{**plain, "id": id}])
        if change.get("labels") is not None:
            old = await self.list("fulfillment_label", {"fulfillment_id": id}, fields=("id",))
            await self.delete("fulfillment_label", [row["id"] for row in old])
            await self.create("fulfillment_label", [{**label, "fulfillment_id": id} for label in change["labels"]])
        return await self.retrieve("fulfillment", id, fields=SHOWN)

    @writes(one_statement=lambda id, labels, **_: not labels, answers=True)
    async def ship(self, id: str, labels: Sequence[Mapping[str, Any]], *, by: str | None = None) -> None:
        """Mark a fulfillment as shipped by a user, and add these labels to it.

        Raises NotFound; NotAllowed where it is (being) cancelled, or has left already.
        """
        if not await self._marked(SHIP, {"id": id, "by": by}):
            held = await self._hold(id)
            if _called_off(held):
                raise NotAllowed("Cannot create shipment for a canceled fulfillment")
            if held["shipped_at"] is not None:
                raise NotAllowed("Shipment has already been created")
            raise _changed(id)
        if labels:
            await self.create("fulfillment_label", [{**label, "fulfillment_id": id} for label in labels])

    @writes(one_statement=True, answers=True)
    async def deliver(self, id: str) -> None:
        """Mark a fulfillment as delivered. Raises NotFound; NotAllowed where it is (being) cancelled, or has arrived already."""
        if not await self._marked(DELIVER, {"id": id}):
            held = await self._hold(id)
            if _called_off(held):
                raise NotAllowed("Cannot deliver an already canceled fulfillment")
            if held["delivered_at"] is not None:
                raise NotAllowed("Fulfillment has already been marked delivered")
            raise _changed(id)

    async def cancel_fulfillment(self, id: str, *, key: str | None = None) -> None:
        """Cancel a fulfillment. One that is cancelled already stays so; but where there is a `key`, that is told only to who cancelled it
        under that key: of two who call one off, one does.

        It is written down before its provider is asked, so that nobody marks it as shipped meanwhile. When the provider refuses, that is
        taken back and its error raised; when its answer doesn't come, it stays, and whoever asks for the cancelling again asks the provider
        again. Raises NotFound; NotAllowed where it has been shipped or delivered, and where it is (being) cancelled under another key.
        """
        held = await self._begin_canceling(id, key)
        if held["canceled_at"] is None:
            await self._call_off(id, held["provider_id"], held["data"], again=held["again"])
        await self._end_canceling(id, canceled=True)

    @reads
    async def read_tracking(self, provider_id: str, body: bytes, headers: Mapping[str, str]) -> Tracked | None:
        """What a webhook says of fulfillments of a provider; None where it is about nothing of ours. Raises NotFound for an unknown
        provider, NotAllowed where the provider didn't send it."""
        provider: FulfillmentProvider = self.providers.get(provider_id)
        said = await provider.read_tracking(body, headers)
        if said is None:
            return None
        labels = await self.list(
            "fulfillment_label", {"tracking_number": said.tracking_number}, fields=("fulfillment_id",), limit=MOST_LABELS
        )
        of = {"id": [label["fulfillment_id"] for label in labels], "provider_id": provider_id}
        rows = await self.list("fulfillment", of, fields=("id",)) if labels else []
        return {"fulfillment_ids": [row["id"] for row in rows], "status": said.status} if rows else None

    # -- inside

    async def _there(self, id: str) -> Row | None:
        rows: Rows = await self.list("fulfillment", {"id": id}, fields=SHOWN)
        return rows[0] if rows else None

    async def _carried(self, id: str, given: Mapping[str, Any], answer: Awaitable[Consignment]) -> Row | None:
        """Write down what a provider makes of a fulfillment; nothing stays of one that it refuses. Returns the columns that are changed;
        None where it isn't just columns.

        Where it was cancelled meanwhile, the provider hears of it: what it was told before there was a consignment may have meant nothing
        to it.
        """
        try:
            made = await self.asked(given["provider_id"], answer)
        except VelellaError as error:
            if error.status < 500:
                await self.delete("fulfillment", [id])
            raise
        data = {**(given.get("data") or {}), **made.data}
        carried = await self._carried_out(id, data, made)
        if carried["called_off"]:
            provider: FulfillmentProvider = self.providers.get(given["provider_id"])
            await self.asked(given["provider_id"], provider.cancel(id, data))
        changed: Row = {"data": data, "updated_at": carried["updated_at"]}
        return None if carried["called_off"] or made.labels else changed

    @writes(one_statement=lambda id, data, made: not made.labels)
    async def _carried_out(self, id: str, data: Row, made: Consignment) -> Row:
        """Record the provider's answer. Returns whether the fulfillment was cancelled meanwhile (`called_off`), and its `updated_at`."""
        carried = await self.database.fetch_one(CARRIED_OUT, {"id": id, "data": data})
        if carried is None:
            raise _missing(id)
        self.touch_rows("fulfillment", [id])
        if made.labels:
            known = await self.list("fulfillment_label", {"fulfillment_id": id}, fields=("tracking_number",))
            there = {row["tracking_number"] for row in known}
            new = [{**label, "fulfillment_id": id} for label in made.labels if label["tracking_number"] not in there]
            await self.create("fulfillment_label", new)
        return dict(carried)

    async def _call_off(self, id: str, provider_id: str | None, data: Mapping[str, Any] | None, *, again: bool) -> None:
        """`again`: the provider may have been asked before."""
        if provider_id is None:
            return
        if provider_id not in self.providers and not again:  # it was taken out of the settings: it can be sent without it
            await self._end_canceling(id, canceled=False)
        provider: FulfillmentProvider = self.providers.get(provider_id)
        try:
            await self.asked(provider_id, provider.cancel(id, data or {}))
        except VelellaError as error:
            if error.status < 500:
                await self._end_canceling(id, canceled=False)
            raise

    @writes(one_statement=True)
    async def _begin_canceling(self, id: str, key: str | None) -> Row:
        """Record that the cancellation of a fulfillment has begun, if it can be cancelled and isn't yet."""
        begun = await self.database.fetch_one(BEGIN_CANCELING, {"id": id, "key": key})
        if begun is not None:
            self.touch_rows("fulfillment", [id])
            return dict(begun)
        held = await self._hold(id)
        if key is not None and _called_off(held) and held["canceling_key"] != key:
            raise NotAllowed("The fulfillment is already canceled")
        if held["canceled_at"] is None:
            _check_cancelable(held)
            raise _changed(id)
        return {name: held[name] for name in ("canceled_at", "provider_id", "data")} | {"again": True}

    @writes(one_statement=True)
    async def _end_canceling(self, id: str, *, canceled: bool) -> None:
        await self.database.execute(END_CANCELING, {"id": id, "canceled": canceled})
        self.touch_rows("fulfillment", [id])

    async def _marked(self, statement: SelfRecording, params: Mapping[str, Any]) -> bool:
        """Send a statement that marks a fulfillment, if it may be. Returns whether it has."""
        left: Row | None = await self.answer(statement, params)
        if left is None:
            return False
        id = params["id"]
        self.keep(self.schema["fulfillment"].table, [({"id": id, **dict.fromkeys(left)}, {"id": id, **left})])
        self.touch_rows("fulfillment", [id])
        return True

    async def _hold(self, id: str) -> Row:
        held = await self.database.fetch_one(LOCK_FULFILLMENT, {"id": id})
        if held is None:
            raise _missing(id)
        return dict(held)


def _missing(id: str) -> NotFound:
    return NotFound(f"Fulfillment with id: {id} was not found")


def _changed(id: str) -> Collided:
    """What refused a statement is over: it is to be sent again."""
    return Collided(f"Fulfillment {id} was changed meanwhile.")


def _called_off(held: Mapping[str, Any]) -> bool:
    return held["canceling_at"] is not None or held["canceled_at"] is not None


def _check_cancelable(fulfillment: Mapping[str, Any]) -> None:
    for moment, what in (("shipped_at", "shipped"), ("delivered_at", "delivered")):
        if fulfillment[moment] is not None:
            raise NotAllowed(f"Fulfillment {fulfillment['id']} is {what} already and can't be cancelled")
