"""Orders as documents: read whole, and written whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from ...commerce.types import Order
from ...core import json
from ...core.clock import iso, utc_now
from ...core.errors import NotFound
from ...core.message import reads
from ...core.rows import Row
from ...core.service.module import ModuleService
from ...core.sql.db.compiled import BoundStatement, SelfRecording, together
from ...core.sql.db.failures import Collided
from ...core.sql.schema.query import Query
from . import queries
from .changing import ChangedOrder
from .placing import words
from .schema import SCHEMA
from .tables import COLUMNS
from .types import Act

_LINES = "items"


class Writing(ModuleService):
    """How orders are written: a write reads the order, computes the changed order, and writes all of it with one statement that names the
    revision that was read. If another write was faster, nothing is written, and the write begins again."""

    @reads(key="order_id")
    async def load(self, order_id: str) -> Order:
        """All of an order, with its revision. Raises NotFound."""
        order: Any = await self.whole("order", order_id)
        if order is None:
            raise NotFound(f"Order with id: {order_id} was not found")
        loaded: Order = order
        return loaded

    @reads(key="order_id")
    async def load_with_acts(self, order_id: str, action: str, reference_id: str) -> tuple[Order, list[Act]]:
        """`load`, and all actions of one name that refer to something, such as a fulfillment, in their order: in one statement."""
        of = {"order_id": order_id, "reference_id": reference_id, "action": action}
        acts = Query("order_change_action", ("details",), of, ("ordering",))
        texts, found = await self.database.fetch_row(
            together(self.statements.whole("order", order_id), self.statements.page(acts, hidden=True, twins=False))
        )
        return self._of_texts(order_id, texts), json.loads(found)

    # -- inside

    def _page(self, entity: str, filters: Mapping[str, Any], fields: Sequence[str]) -> BoundStatement:
        """The statement of one row, as `list` gives it."""
        return self.statements.page(Query(entity, tuple(fields), filters, limit=1), hidden=True, twins=False)

    def _of_texts(self, order_id: str, texts: Sequence[str]) -> Order:
        """The order that `Statements.whole` has found. Raises NotFound."""
        if not texts:
            raise NotFound(f"Order with id: {order_id} was not found")
        order: Any = self.statements.documents.opened(SCHEMA["order"], json.loads(texts[0]))
        found: Order = order
        return found

    async def _change(
        self, order_id: str, work: Callable[[Order, str], ChangedOrder | None], statement: SelfRecording = queries.CHANGE
    ) -> Any:
        """Change an order by `work`, called with the order and the time, and write the result. Returns its answer; None if `work` returns
        None: then nothing is written."""
        idle = False

        async def params() -> Mapping[str, Any] | None:
            nonlocal idle
            order = await self.load(order_id)
            former = columns_of(order)
            outcome = work(order, iso(utc_now()))
            if outcome is None:
                idle = True
                return None
            return self._changed(former, outcome.order or order, outcome)

        answer = await self.answer(statement, params)
        if answer is None and not idle:
            raise Collided(f"Order {order_id} was changed meanwhile.")
        if not idle:
            self.touch("order", "order_change", "order_change_action")
        return answer

    async def _write_changed(self, was: Order, outcome: ChangedOrder) -> Any:
        """Write a changed order that was read in the running transaction. Raises Collided if another write was faster."""
        assert outcome.order is not None
        answer = await self.answer(queries.CHANGE, self._changed(columns_of(was), outcome.order, outcome))
        if answer is None:
            raise Collided(f"Order {was['id']} was changed meanwhile.")
        self.touch("order", "order_change", "order_change_action")
        return answer

    def _changed(self, former: Row, order: Order, outcome: ChangedOrder) -> dict[str, Any]:
        """The parameters of `CHANGE`. `former`: the order's columns before the change."""
        return {
            **self._written(order),
            "expected": order["revision"],
            "search": f"{order['display_id']}{words(order)}",
            "former_fields": former if order["version"] != former["version"] else None,
            "changes": outcome.changes,
            "actions": outcome.actions,
            "withdrawn": list(outcome.withdrawn),
            "answer": outcome.answer,
        }

    def _written(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters of a statement that writes all of an order. Raises InvalidData for values that its columns don't take."""
        fields = self.statements.catalog.fields(SCHEMA["order"])
        params: dict[str, Any] = {"id": order["id"], "updated_at": as_time(order["updated_at"])}
        for name in COLUMNS:
            params[name] = fields[name].taken(order[name])
        params |= self.statements.documents.stored(SCHEMA["order"], order)
        for name in ("variant_id", "product_id"):
            params[f"{name}s"] = sorted({item[name] for item in order[_LINES] if item.get(name) is not None})
        return params


_SHOWN = tuple(name for name in (*(f"{column.name}" for column in SCHEMA["order"].table.c), "total") if name not in SCHEMA["order"].hidden)


def columns_of(order: Mapping[str, Any]) -> Row:
    """The columns of an order's row that are shown, as they are before it is changed."""
    return {name: order[name] for name in _SHOWN}


def as_time(shown: str) -> datetime:
    return datetime.fromisoformat(shown)
