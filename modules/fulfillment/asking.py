"""Asking fulfillment providers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from ...core.errors import Unavailable, VelellaError
from ...core.service.module import ModuleService

T = TypeVar("T")


class AsksProviders(ModuleService):
    """A module that asks fulfillment providers: what of their answers is a refusal, and what isn't known."""

    async def asked(self, provider_id: str, answer: Awaitable[T]) -> T:
        """Await a provider's answer.

        Raises its refusals (4xx: it has done nothing). Raises Unavailable where it isn't known what it has done: it didn't answer within
        `fulfillment_provider_timeout`, or answered what nobody understands.
        """
        try:
            async with asyncio.timeout(self.context.settings.fulfillment_provider_timeout):
                return await answer
        except Unavailable:
            raise
        except Exception as error:
            if isinstance(error, VelellaError) and error.status < 500:
                raise
            raise Unavailable(
                f"The fulfillment provider {provider_id} did not answer", hint=f"{type(error).__name__}: {error}", retry_after=5.0
            ) from error
