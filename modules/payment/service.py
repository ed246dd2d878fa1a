"""The payment module's messages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ...core.ids import new_id
from ...core.message import repeatable, writes
from ...core.service.provider_rows import keep_provider_rows
from .authorizing import Authorizing
from .provider import AccountHolder
from .queries import KEEP_ACCOUNT
from .tables import SCHEMA, payment_provider
from .types import Account


class PaymentService(Authorizing):
    """What has to be paid, how buyers pay it, and what became of the money."""

    name: ClassVar[str] = "payment"
    schema = SCHEMA

    async def start(self) -> None:
        await super().start()
        await keep_provider_rows(self, payment_provider)

    async def stop(self) -> None:
        for _, provider in self.providers.items():
            await provider.close()
        await super().stop()

    @repeatable(stands_alone=True)
    async def account_holder(self, provider_id: str, context: Mapping[str, Any]) -> Account | None:
        """The account of `context["customer"]` (`id`, `email`, …) with a provider, created if there is none.

        None: the provider has no accounts.
        """
        opening = self._provider(provider_id).account_holder(f"account:{context['customer']['id']}", context)
        holder = await self._in_time(provider_id, "account_holder", opening)
        return None if holder is None else await self._keep_account(provider_id, context["customer"].get("email"), holder)

    @writes
    async def _keep_account(self, provider_id: str, email: str | None, holder: AccountHolder) -> Account:
        params = {"id": new_id("acchld"), "provider_id": provider_id, "external_id": holder.id, "email": email, "data": dict(holder.data)}
        id = await self.database.fetch_value(KEEP_ACCOUNT, params)
        self.touch("account_holder")
        return await self.retrieve("account_holder", id)
