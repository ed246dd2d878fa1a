"""Changes of orders that are worked on: routes that are rows of a table.

A verb runs a flow with what its path names and what is in its body, and shows what the change is of beside the order as it would be then.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...core.flow import Workflow
from ...core.json import dumps
from ...core.rows import Row
from ...modules.order.showing import shown, shown_change
from ...modules.order.types import Change
from ..kit.bodies import ABSENT, Body, Metadata, Number, Part
from ..kit.filters import NOTHING, Filters
from ..kit.flows import once, takes
from ..kit.reply import Answer, deleted
from ..kit.request import Request
from ..kit.routes import Routes
from ..kit.view import View, words
from .previews import show_preview


class RequestedItem(Part):
    id: str
    quantity: Number
    description: str = ABSENT
    internal_note: str = ABSENT
    reason_id: str = ABSENT
    metadata: dict[str, Any] = ABSENT


class RequestItems(Body):
    items: list[RequestedItem]


class ReviseRequested(Body):
    quantity: Number = ABSENT
    internal_note: str | None = None
    reason_id: str | None = None
    metadata: Metadata = None


class AddShipping(Body):
    shipping_option_id: str
    custom_amount: Number = ABSENT
    description: str = ABSENT
    internal_note: str = ABSENT
    metadata: dict[str, Any] = ABSENT


class ReviseShipping(Body):
    custom_amount: Number | None = None
    internal_note: str | None = None
    metadata: Metadata = None


class Confirm(Body):
    no_notification: bool = ABSENT


Show = Callable[[Request, Any, str], Awaitable[Row]]
"""Makes the answer, of what the flow has given (see `Subject.verb`) and the id of what the change is of."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What changes are of, as routes name it: all of them lie under `path/{id}`."""

    routes: Routes
    path: str
    view: View
    query: Filters | None = field(default=NOTHING)
    """None: query strings aren't looked at."""
    beside: bool = True
    """Whether it is shown beside the preview."""
    preview: str = "order_preview"
    """What the preview is called."""

    def verb(
        self,
        method: str,
        path: str,
        flow: Workflow[..., Any],
        summary: str,
        *,
        body: type[Part] | None = None,
        who: str | None = None,
        show: Show | None = None,
        envelope: str | None = None,
        also: Mapping[str, Any] | None = None,
        bare: bool = False,
    ) -> None:
        """`path` below the subject: `/items/{action_id}` where it is about an action. The flow gives the order's id, or its open change as
        it is by then, with its order.

        It takes the subject's `id`, what else the path names, and what is in the body as `given`, or by its names where it has no such
        parameter. `who`: what it calls the user who asks. `show`: makes the answer; default: the subject and the preview. `also`: what else
        the flow gets. `bare`: the query string may hold `fields` and nothing else.
        """
        whole, others = "given" in inspect.signature(flow.function).parameters, re.findall(r"{(\w+)}", path)
        names = ["id", *others, *([who] if who is not None else []), *(also or ())]
        takes(flow, (*names, *(() if body is None else ("given",) if whole else body.model_fields)))
        key = envelope or (f"{self.preview} {self.view.key}" if self.beside else self.preview)

        async def run_and_show(request: Request) -> Answer:
            id = request.params["id"]
            given: dict[str, Any] = {"id": id, **(also or {})}
            given |= {name: request.params[name] for name in others}
            if body is not None:
                given |= {"given": request.body} if whole else request.body
            if who is not None:
                given[who] = request.actor_id
            return dumps(await (show or self.previewed)(request, await once(request, flow, **given), id))

        self.routes.route(
            method,
            self.path + path,
            body=body,
            query=NOTHING if bare else self.query,
            returns=self.view,
            summary=summary,
            envelope=key,
        )(run_and_show)

    def dropped(self, path: str, flow: Workflow[..., str], summary: str, object: str) -> None:
        """`DELETE path` below the subject: gives its open change up."""
        takes(flow, ("id",))

        async def drop(request: Request) -> Answer:
            await once(request, flow, id=request.params["id"])
            return deleted(request.params["id"], object)

        self.routes.delete(self.path + path, query=None, summary=summary)(drop)

    async def previewed(self, request: Request, of: str | Change, id: str) -> Row:
        preview = {self.preview: await show_preview(request, of)}
        return {**preview, self.view.key: await self.shown(request, id)} if self.beside else preview

    async def begun(self, request: Request, change: Change, id: str) -> Row:
        """The order as it is, with the change that was begun."""
        rows = shown([change["order"]], _ORDER)
        assert rows is not None  # all fields lie in the row
        return {"order": rows[0] | {"order_change": shown_change(change)}, self.view.key: await self.shown(request, id)}

    async def alone(self, request: Request, _: object, id: str) -> Row:
        return {self.view.key: await self.shown(request, id)}

    async def shown(self, request: Request, id: str) -> Row:
        """The subject itself. Raises NotFound."""
        rows = (await request.rows(self.view, {"id": id}, limit=1)).rows
        if not rows:
            raise request.not_found(self.view, id)
        return rows[0]


_ORDER = words(
    "id display_id custom_display_id region_id customer_id version sales_channel_id status is_draft_order email currency_code locale"
    " no_notification metadata canceled_at created_at updated_at deleted_at shipping_address_id billing_address_id"
)
