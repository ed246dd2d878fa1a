"""Captures and refunds as merchants ask for them: durable, and known to the order."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from velella.core.errors import InvalidData, NotAllowed, NotFound

from .conftest import Shop

D = Decimal


async def authorized(shop: Shop, amount: Any = 100) -> tuple[str, str]:
    (collection,) = await shop.modules.payment.create_collections([{"amount": amount, "currency_code": "eur"}])
    session = await shop.modules.payment.create_payment_session(collection["id"], provider_id="pp_system_default")
    payment = await shop.modules.payment.authorize_payment_session(session["id"])
    assert payment is not None
    return collection["id"], payment["id"]


async def test_a_payment_is_captured_and_given_back(shop: Shop) -> None:
    collection, payment = await authorized(shop)
    await shop.run("capture-payment-workflow", payment_id=payment, amount=D("40.5"), captured_by="user_1")
    await shop.run("capture-payment-workflow", payment_id=payment)
    with pytest.raises(InvalidData):
        await shop.run("refund-payment-workflow", payment_id=payment, amount=D("100.01"))
    await shop.run("refund-payment-workflow", payment_id=payment, amount=D("0.5"), note="sorry")
    row = await shop.one("payment_collection", collection)
    assert (row["status"], row["captured_amount"], row["refunded_amount"]) == ("completed", 100, D("0.5"))


async def test_of_refunds_at_once_no_more_is_given_back_than_there_was(shop: Shop) -> None:
    collection, payment = await authorized(shop)
    await shop.run("capture-payment-workflow", payment_id=payment)
    answers = await asyncio.gather(
        *(shop.run("refund-payment-workflow", payment_id=payment, amount=60) for _ in range(4)), return_exceptions=True
    )
    assert sum(answer == payment for answer in answers) == 1
    assert (await shop.one("payment_collection", collection))["refunded_amount"] == 60


async def test_a_collection_is_cancelled_with_what_is_held_for_it(shop: Shop) -> None:
    collection, payment = await authorized(shop)
    await shop.run("cancel-payment-collection", payment_collection_id=collection)
    assert (await shop.one("payment_collection", collection))["status"] == "canceled"
    assert (await shop.one("payment", payment))["canceled_at"] is not None
    other, paid = await authorized(shop)
    await shop.run("capture-payment-workflow", payment_id=paid, amount=1)
    with pytest.raises(NotAllowed):
        await shop.run("cancel-payment-collection", payment_collection_id=other)


async def test_reasons_of_refunds(shop: Shop) -> None:
    (reason,) = await shop.run("create-refund-reasons-workflow", rows=[{"label": "Broken", "code": "broken"}])
    (changed,) = await shop.run("update-refund-reasons", rows=[{"id": reason["id"], "label": "Damaged"}])
    assert changed["label"] == "Damaged"
    assert await shop.run("delete-refund-reasons-workflow", ids=[reason["id"]]) == [reason["id"]]
    with pytest.raises(NotFound):
        await shop.run("update-refund-reasons", rows=[{"id": reason["id"], "label": "x"}])
