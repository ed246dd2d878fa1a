"""Odoo's external API over JSON-RPC: https://www.odoo.com/documentation/18.0/developer/reference/external_api.html"""

from __future__ import annotations

import itertools
import json
from typing import Any

from velella.core.errors import Unavailable, UnexpectedState
from velella.core.service.outside import OutsideParty

from . import OdooOptions


class Odoo:
    def __init__(self, options: OdooOptions) -> None:
        self._options = options
        self._url = f"{options.url.rstrip('/')}/jsonrpc"
        self._outside = OutsideParty("Odoo", timeout=options.timeout)
        self._outside.count_as("odoo", "odoo")
        self._numbers = itertools.count(1)
        self._user: int | None = None

    async def close(self) -> None:
        await self._outside.close()

    async def execute(self, model: str, method: str, *args: Any, again: bool = False, **kwargs: Any) -> Any:
        """What a method of a model returns. `again`: it may be carried out twice.

        Raises Unavailable where it isn't known whether Odoo did it, or asking later may help; UnexpectedState, with Odoo's own words, where
        it refuses.
        """
        asked = (self._options.database, await self.user(), self._options.api_key, model, method, args, kwargs)
        return await self._call("object", "execute_kw", *asked, again=again)

    async def user(self) -> int:
        """The id of the account that the shop has there. Raises UnexpectedState if it has none."""
        if self._user is None:
            options = self._options
            user = await self._call("common", "authenticate", options.database, options.login, options.api_key, {}, again=True)
            if not user:
                raise UnexpectedState("Odoo doesn't let this shop in", hint="Compare database, login and api_key.")
            self._user = int(user)
        return self._user

    async def _call(self, service: str, method: str, *args: Any, again: bool) -> Any:
        params = {"service": service, "method": method, "args": args}
        body = {"jsonrpc": "2.0", "method": "call", "params": params, "id": next(self._numbers)}
        data = json.dumps(body, default=float).encode()  # amounts are Decimals here, and floats there
        answer = await self._outside.ask("POST", self._url, headers={"Content-Type": "application/json"}, data=data, again=again)
        said = answer.json()
        if answer.status >= 400 or not isinstance(said, dict):
            raise UnexpectedState(f"Odoo refuses: {answer.status}", hint=answer.shown)
        if "error" in said:  # with status 200
            why = said["error"].get("data") or {}
            text = f"{why.get('name')}: {why.get('message')}"[:500]
            if str(why.get("name")).startswith("odoo.exceptions."):
                raise UnexpectedState(f"Odoo refuses {args[3] if len(args) > 4 else method}: {text}")
            raise Unavailable("Odoo has an error", hint=text)
        return said.get("result")
