"""Sanity's HTTP API, as far as we use it: https://www.sanity.io/docs/http-reference"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from velella.core.errors import UnexpectedState
from velella.core.service.outside import Answer, OutsideParty

from . import SanityOptions

Document = dict[str, Any]

VERSION = "v2025-02-19"


class Sanity:
    """All requests may be repeated: those that write say at which revision of a document they do."""

    def __init__(self, options: SanityOptions) -> None:
        base = options.api_base
        self._dataset = options.dataset
        self._api = f"{base or f'https://{options.project}.api.sanity.io'}/{VERSION}/data"
        self._cdn = f"{base or f'https://{options.project}.apicdn.sanity.io'}/{VERSION}/data"
        self._headers = {"Authorization": f"Bearer {options.token}", "Content-Type": "application/json"}
        self._outside = OutsideParty("Sanity", timeout=options.timeout)
        self._outside.count_as("sanity", "api")
        self._storefronts = OutsideParty("Sanity", timeout=options.storefront_timeout, retries=0)
        self._storefronts.count_as("sanity", "storefronts")

    async def close(self) -> None:
        await self._outside.close()
        await self._storefronts.close()

    async def documents(self, ids: Sequence[str]) -> dict[str, Document]:
        """The documents with these ids, by id, as they are now. Drafts aren't among them."""
        answer = await self._outside.ask("GET", f"{self._api}/doc/{self._dataset}/{','.join(ids)}", headers=self._headers)
        return {document["_id"]: document for document in _done(answer)["documents"]}

    async def mutate(self, mutations: Sequence[Document]) -> bool:
        """Carry out all of it, or nothing: then False, for a document isn't at the revision any more that a mutation names."""
        asked = json.dumps({"mutations": mutations}).encode()
        answer = await self._outside.ask("POST", f"{self._api}/mutate/{self._dataset}", headers=self._headers, data=asked, again=True)
        if answer.status == 409:
            return False
        _done(answer)
        return True

    async def query(self, groq: str, **params: Any) -> Any:
        """The result of a query over what is published. For storefronts: it may be some seconds old, and isn't waited for long."""
        asked = json.dumps({"query": groq, "params": params}).encode()
        url = f"{self._cdn}/query/{self._dataset}?perspective=published"
        return _done(await self._storefronts.ask("POST", url, headers=self._headers, data=asked, again=True))["result"]


def _done(answer: Answer) -> Any:
    """What it says. Raises UnexpectedState for a refusal: the token, the dataset or the plugin is wrong."""
    if answer.status >= 400:
        raise UnexpectedState(f"Sanity refuses: {answer.status}", hint=answer.shown)
    return answer.json()
