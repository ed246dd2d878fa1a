"""The tree of categories: the path of each (`mpath`), and its position among its siblings (`rank`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Table

from ...core import json
from ...core.errors import InvalidData, NotAllowed, NotFound
from ...core.ids import new_id
from ...core.logs import logger
from ...core.message import reads, writes
from ...core.rows import Given, Row
from ...core.service.module import ModuleService
from ...core.sql.schema.query import Page, Query
from ...core.sql.write.merging import turned
from ...core.sql.write.undo import Pair, TakingBack
from . import category_queries as queries
from .handles import checked_handle, handle_of_group
from .tables import product_category, product_category_product

log = logger("velella.product")

SEPARATOR = "."
_PLACE = ("mpath", "parent_category_id", "rank")
"""Columns that hold a category's position in the tree."""
_OWN = ("name", "description", "handle", "is_active", "is_internal", "rank", "parent_category_id", "external_id", "metadata")
"""Columns that an update may name."""


class Categories(ModuleService):
    """The part of the product service for categories."""

    @writes
    async def create_categories(self, rows: Sequence[Given]) -> list[Row]:
        """Create categories, each at its `rank` among its siblings (default: the last); the handle comes from the name.

        Raises InvalidData for a taken handle, NotFound for an unknown parent.
        """
        await self._hold_tree()
        made = []
        for given in rows:
            if not given.get("name"):
                raise InvalidData("A category needs a name")
            row = {**given, "id": given.get("id") or new_id("pcat")}
            row["handle"] = checked_handle(
                given.get("handle") or handle_of_group(given["name"]) or row["id"].lower().replace("_", "-"), "category"
            )
            parent = given.get("parent_category_id")
            row["mpath"] = SEPARATOR.join([*([await self._path(parent)] if parent else []), row["id"]])
            row["rank"] = await self._make_room(parent, given.get("rank"))
            made += await self.create("product_category", [row])
        return made

    @writes
    async def update_categories(self, rows: Sequence[Given]) -> list[Row]:
        """Change categories; each row names its `id`. A new parent takes the whole subtree along, a new rank moves the siblings.

        Raises NotFound, and InvalidData where a category would be below itself.
        """
        await self._hold_tree()
        for row in rows:
            current = await self.retrieve("product_category", row["id"])
            change = dict(row)
            if "handle" in row:
                change["handle"] = checked_handle(row["handle"], "category")
            parent = row.get("parent_category_id", current["parent_category_id"])
            if parent != current["parent_category_id"] or row.get("rank") is not None:
                await self._close_gap(current)
                change["rank"] = await self._make_room(parent, row.get("rank"), without=row["id"])
            if parent != current["parent_category_id"]:
                await self._move(current, parent)
            await self.update("product_category", [change])
        found = {each["id"]: each for each in await self.list("product_category", {"id": [row["id"] for row in rows]})}
        return [found[row["id"]] for row in rows]

    @writes
    async def delete_categories(self, ids: Sequence[str]) -> list[str]:
        """Soft delete; siblings move up. Raises NotFound, and NotAllowed for a category with children that aren't deleted along."""
        await self._hold_tree()
        rows = await self.list("product_category", {"id": list(ids)})
        there = {row["id"] for row in rows}
        for id in ids:
            if id not in there:
                raise NotFound(f"ProductCategory with id: {id} was not found")
        parent = await self.database.fetch_value(queries.CHILDREN_LEFT, {"ids": list(ids)})
        if parent is not None:
            raise NotAllowed(f"Deleting ProductCategory ({parent}) with category children is not allowed")
        deleted = await self.delete("product_category", ids)
        for row in sorted(rows, key=lambda row: -int(row["rank"])):  # the last first: its gap moves none of the others
            await self._close_gap(row)
        return deleted

    @writes
    async def restore_categories(self, ids: Sequence[str]) -> list[str]:
        """Undo `delete_categories`: each gets its old rank back. Returns the ids that were deleted."""
        await self._hold_tree()
        rows = await self.list("product_category", {"id": list(ids)}, with_deleted=True)
        for row in sorted((row for row in rows if row["deleted_at"] is not None), key=lambda row: int(row["rank"])):
            shift = {"parent": row["parent_category_id"], "rank": row["rank"], "by": 1, "without": row["id"]}
            await self.database.execute(queries.SHIFT, shift)
        return await self.restore("product_category", ids)

    @writes
    async def set_category_products(self, category_id: str, add: Sequence[str] = (), remove: Sequence[str] = ()) -> dict[str, list[str]]:
        """Put products into a category, take others out. Returns what changed, as `{"added", "removed"}`. Raises NotFound."""
        await self.retrieve("product_category", category_id, fields=("id",))
        removed = await self.database.fetch(queries.TAKE_OUT, {"category": category_id, "products": [id for id in remove if id not in add]})
        added = await self.database.fetch(queries.PUT_IN, {"category": category_id, "products": list(dict.fromkeys(add))})
        pairs = [[{"product_id": row[0], "product_category_id": category_id} for row in rows] for rows in (removed, added)]
        self.keep(product_category_product, [(row, None) for row in pairs[0]])
        self.keep(product_category_product, [(None, row) for row in pairs[1]])
        self.touch("product", "product_category")
        return {"added": [row[0] for row in added], "removed": [row[0] for row in removed]}

    @reads
    async def category_trees(self, query: Query, *, ancestors: bool = False, descendants: bool = False) -> Page:
        """A page of categories, with `parent_category` up to the root and `category_children` down to the leaves, as asked.

        Only as far as the fields name them; categories inside others have all columns. Ordered by rank, unless the query names an order.
        Two statements.
        """
        wanted = {_first(field) for field in query.fields}
        ancestors, descendants = ancestors and "parent_category" in wanted, descendants and "category_children" in wanted
        query = query if query.order else replace(query, order=("rank", "id"))
        if not (ancestors or descendants):
            return await self.query(query)
        grown = {name for name, asked in (("parent_category", ancestors), ("category_children", descendants)) if asked}
        shown = tuple(field for field in query.fields if _first(field) not in grown)
        page = await self.query(replace(query, fields=(*shown, *_PLACE)))
        if not page.rows:
            return page
        paths = [row["mpath"] for row in page.rows]
        near = [row["id"] for row in await self.database.fetch(queries.FAMILY, {"paths": paths, "up": ancestors, "down": descendants})]
        filters = {"id": near, **_grown_by(query.filters), **query.visible.get("product_category", {})}
        same = Query("product_category", ("*",), filters, ("rank", "id"), visible=query.visible)
        tree = _Tree({row["id"]: row for row in (await self.query(same)).rows})
        unasked = set() if "*" in query.fields else set(_PLACE) - wanted
        rows = [tree.grown(row, ancestors=ancestors, descendants=descendants) for row in page.rows]
        return Page(json.dumps([{name: value for name, value in row.items() if name not in unasked} for row in rows]), page.count)

    # -- inside

    async def _undo(self, table: Table, pairs: Sequence[Pair]) -> None:
        """A category that is deleted or restored moves its siblings, and a moved one is moved back."""
        if table is not product_category:
            await super()._undo(table, pairs)
            return
        await self._hold_tree()
        created = [left["id"] for was, left in pairs if was is None and left is not None]
        while (used := await self.database.fetch_value(queries.CHILDREN_LEFT, {"ids": created})) is not None:
            created.remove(used)  # by a category that another writer has put there
        await self.delete_categories([row["id"] for row in await self.list("product_category", {"id": created}, fields=("id",))])
        gone = [left for _, left in pairs if left is not None and left.get("deleted_at") is not None]
        await self._bring_back([row["id"] for row in await TakingBack(self.database, table).standing(gone)])
        changed = [(was, left) for was, left in pairs if was is not None and left is not None and "deleted_at" not in left]
        there = {row["id"]: row for row in await self.list("product_category", {"id": [was["id"] for was, _ in changed]})}
        for was, left in changed:
            now = there.get(was["id"], {})
            back = {name: was[name] for name in was if name in _OWN and was[name] != left[name] and now.get(name) == left[name]}
            if "metadata" in back:
                back["metadata"] = turned(now["metadata"], back["metadata"])
            await self._put_back(was["id"], back)

    async def _bring_back(self, ids: Sequence[str]) -> None:
        """Restore categories, except below a category that another writer has deleted."""
        found = await self.list("product_category", {"id": list(ids)}, fields=("id", "parent_category_id"), with_deleted=True)
        parents = [row["parent_category_id"] for row in found if row["parent_category_id"] is not None]
        wanted = {None, *ids, *(row["id"] for row in await self.list("product_category", {"id": parents}, fields=("id",)))}
        await self.restore_categories([row["id"] for row in found if row["parent_category_id"] in wanted])

    async def _put_back(self, id: str, columns: Row) -> None:
        """Change a category back, except its handle or position if that is taken."""
        for left_out in ((), ("handle",), ("handle", "parent_category_id", "rank")):
            change = {name: value for name, value in columns.items() if name not in left_out}
            if not change:
                return
            try:
                async with self.database.savepoint():
                    await self.update_categories([{"id": id, **change}])
                return
            except (InvalidData, NotFound) as error:
                log.warning("what others did stays: a category is not put back as it was", category=id, error=str(error))

    async def _hold_tree(self) -> None:
        """Lock the tree, for one change at a time: paths and ranks of many rows depend on each other."""
        await self.database.fetch(queries.HOLD_TREE)

    async def _path(self, id: str) -> str:
        path = await self.database.fetch_value(queries.PATH, {"id": id})
        if path is None:
            raise NotFound(f"ProductCategory with id: {id} was not found")
        return str(path)

    async def _make_room(self, parent: str | None, rank: Any, without: str | None = None) -> int:
        """The rank of a category among its siblings; siblings from there on move down."""
        siblings = await self.database.fetch_value(queries.COUNT_SIBLINGS, {"parent": parent, "without": without})
        if isinstance(rank, int) and not isinstance(rank, bool) and 0 <= rank < siblings:
            await self.database.execute(queries.SHIFT, {"parent": parent, "rank": rank, "by": 1, "without": without})
            self.touch("product_category")
            return rank
        return int(siblings)

    async def _close_gap(self, row: Row) -> None:
        await self.database.execute(
            queries.SHIFT, {"parent": row["parent_category_id"], "rank": row["rank"] + 1, "by": -1, "without": row["id"]}
        )
        self.touch("product_category")

    async def _move(self, row: Row, parent: str | None) -> None:
        above = await self._path(parent) if parent is not None else ""
        if row["id"] in above.split(SEPARATOR):
            raise InvalidData(f"Category {row['id']} can't be placed below itself")
        path = f"{above}{SEPARATOR}{row['id']}" if above else row["id"]
        await self.database.execute(queries.MOVE_SUBTREE, {"old": row["mpath"], "new": path})


class _Tree:
    """Rows of a family of categories, nested into each other."""

    def __init__(self, family: dict[str, Row]) -> None:
        self._family = family
        self._children: dict[str, list[Row]] = {}
        for row in family.values():
            if row["parent_category_id"] is not None:
                self._children.setdefault(row["parent_category_id"], []).append(row)

    def grown(self, row: Row, *, ancestors: bool, descendants: bool) -> Row:
        shown = dict(row)
        if ancestors:
            parent = self._family.get(row["parent_category_id"] or "")
            shown["parent_category"] = self.grown(parent, ancestors=True, descendants=False) if parent else None
        if descendants:
            children = self._children.get(row["id"], [])
            shown["category_children"] = [self.grown(child, ancestors=False, descendants=True) for child in children]
        return shown


def _grown_by(filters: Mapping[str, Any]) -> dict[str, Any]:
    """The conditions on the categories that also apply to the categories nested in them."""
    return {name: filters[name] for name in ("is_active", "is_internal") if name in filters}


def _first(field: str) -> str:
    """The first name of a field: `*category_children.products` → `category_children`."""
    return field.strip("*").split(".")[0]
