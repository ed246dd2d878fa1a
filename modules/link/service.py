"""The service of the link module."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar, TypedDict

from ...commerce.links import LINKS
from ...core.errors import InvalidData
from ...core.graph.links import Link, Side
from ...core.ids import new_id
from ...core.json import loads
from ...core.message import reads, writes
from ...core.rows import Row
from ...core.service.module import ModuleService
from ...core.sql.db.compiled import SelfRecording
from .queries import SERIALIZE, LinkQueries
from .tables import SCHEMA, single_name


class Replaced(TypedDict):
    """Keys of what `replace` changed."""

    attached: list[Row]
    detached: list[Row]


class LinkService(ModuleService):
    """Links between things of different modules.

    A row of a link (`product_sales_channel`) is named by its two key columns: `{"product_id": "prod_1", "sales_channel_id": "sc_1"}`. Every
    message may be repeated.
    """

    schema = SCHEMA
    queries: ClassVar[LinkQueries] = LinkQueries(LINKS, SCHEMA.metadata)

    @writes(one_statement=lambda link, link_rows: not _any_further(link_rows), answers=True)
    async def attach(self, link: str, link_rows: Sequence[Mapping[str, Any]]) -> list[Row]:
        """Link things. A row may also carry the link's further columns (`required_quantity`); for an existing link they are set.

        Returns the keys of the new links: detaching these undoes the message.

        Raises:
            InvalidData: a key is missing or unknown, or only one thing may be linked and another one is. Nothing is linked.
        """
        return (await self.attach_all({link: link_rows}))[link]

    @writes(one_statement=True, answers=True)
    async def detach(self, link: str, link_rows: Sequence[Mapping[str, Any]]) -> list[Row]:
        """Unlink things. Returns the keys of those that were linked."""
        known = self._find(link)
        asked = _checked(known, link_rows)
        if not asked:
            return []
        keys = {key: [link_row[key] for link_row in asked] for key in (known.left.key, known.right.key)}
        return await self._undone(known, self.queries.of[link].detach, keys)

    @writes(
        one_statement=lambda link_rows: not any(map(_any_further, link_rows.values())),
        answers=True,
    )
    async def attach_all(self, link_rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, list[Row]]:
        """`attach` for several links at once, by the link's name. Returns what `detach_all` takes to undo it."""
        asked = {link: _unique(self._find(link), each) for link, each in link_rows.items()}
        links = tuple(link for link, each in asked.items() if each)
        if not links:
            return {link: [] for link in link_rows}
        given = {link: _columns(self.queries.links[link], asked[link]) for link in links}
        params = {f"{name}_{number}": values for number, link in enumerate(links) for name, values in given[link].items()}
        try:
            made: list[list[Row]] = await self.answer(self.queries.attaching_all(links), params)
        except InvalidData as error:
            raise next(filter(None, (_only_one(self.queries.links[link], error) for link in links)), error) from error.__cause__
        for link, new in zip(links, made, strict=True):
            self.keep(self.schema[link].table, [(None, row) for row in new])
            if await self._adjust(self.queries.links[link], asked[link], given[link]) or new:
                self.touch(link)
        keys = [[{name: row[name] for name in row if name != "id"} for row in new] for new in made]
        return {link: [] for link in link_rows} | dict(zip(links, keys, strict=True))

    @writes(one_statement=lambda link_rows: sum(map(bool, link_rows.values())) <= 1, answers=True)
    async def detach_all(self, link_rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, list[Row]]:
        """`detach` for several links at once, by the link's name."""
        return {link: await self.detach(link, each) for link, each in link_rows.items()}

    @reads
    async def linked(self, link: str, key: str, ids: Sequence[str]) -> list[Row]:
        """The rows of some things, in the order they were created: id, both keys and the further columns."""
        known = self._find(link)
        _side(known, key)
        fields = (known.left.key, known.right.key, *(extra.name for extra in known.extra))
        return await self.list(link, {key: {"$in": list(ids)}}, fields=fields, order=("id",))

    @reads
    async def linked_many(self, asks: Sequence[tuple[str, str, Sequence[str]]]) -> list[list[Row]]:
        """`linked` for several (link, key, ids), in their order, as one statement."""
        for link, key, _ in asks:
            _side(self._find(link), key)
        statement = self.queries.pairs_of(tuple((link, key) for link, key, _ in asks))
        params = {f"ids{number}": list(ids) for number, (_, _, ids) in enumerate(asks)}
        link_rows: list[list[Row]] = loads(await self.database.fetch_json(statement, params))
        return link_rows

    @writes
    async def replace(self, link: str, key: str, id: str, others: Sequence[str]) -> Replaced:
        """Link one thing to exactly these others. Of two concurrent messages, the later one takes effect as a whole.

        `key` is the column of the one thing: `replace("product_sales_channel", "product_id", "prod_1", ["sc_1", "sc_2"])`.
        """
        known = self._find(link)
        other = known.other(_side(known, key)).key
        await self.database.execute(SERIALIZE, {"what": f"{link}:{id}"})
        wanted = set(others)
        now = {row[other] for row in await self.list(link, {key: id}, fields=(other,))}
        detached = await self.detach(link, [{key: id, other: gone} for gone in sorted(now - wanted)])
        attached = await self.attach(link, [{key: id, other: new} for new in others if new not in now])
        return {"attached": attached, "detached": detached}

    @writes
    async def release(self, things: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
        """Remove all links of things (ids by entity) that have been deleted.

        Returns, by entity, the ids of things that must be deleted with those they were linked to (price sets, fulfillment sets, …): the
        caller has to delete them.
        """
        cascade: dict[str, dict[str, None]] = {}
        for link in self.queries.links.values():
            for side in (link.left, link.right):
                ids = things.get(side.entity)
                gone = await self._undone(link, self.queries.of[link.name].release[side.key], {"ids": list(ids)}) if ids else []
                other = link.other(side)
                if gone and other.cascade:
                    cascade.setdefault(other.entity, {}).update((row[other.key], None) for row in gone)
        return {entity: list(ids) for entity, ids in cascade.items()}

    def _find(self, link: str) -> Link:
        try:
            return self.queries.links[link]
        except KeyError:
            raise InvalidData(f"There is no link called {link}") from None

    async def _undone(self, link: Link, statement: SelfRecording, params: Mapping[str, Any]) -> list[Row]:
        """Unlink by a statement. Returns the keys of those that were linked."""
        rows: list[Row] = await self.answer(statement, params)
        keys = [{key: row[key] for key in (link.left.key, link.right.key)} for row in rows]
        if keys:
            self.touch(link.name)
            self.keep(self.schema[link.name].table, [(row | {"deleted_at": None}, row) for row in rows])
        return keys

    async def _adjust(self, link: Link, link_rows: Sequence[Mapping[str, Any]], given: Mapping[str, list[Any]]) -> int:
        """Set the further columns that are named, where they differ. Returns the number of changed rows."""
        statement = self.queries.of[link.name].adjust
        named = [i for i, link_row in enumerate(link_rows) if any(extra.name in link_row for extra in link.extra)]
        if statement is None or not named:
            return 0
        adjusted = await self.database.fetch(statement, {name: [values[i] for i in named] for name, values in given.items()})
        self.keep(self.schema[link.name].table, [(row["was"], row["stored"]) for row in adjusted])
        return len(adjusted)


def _unique(link: Link, link_rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The rows, checked, with only the last one for each pair."""
    return list({(link_row[link.left.key], link_row[link.right.key]): link_row for link_row in _checked(link, link_rows)}.values())


def _columns(link: Link, link_rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """The rows as parallel lists."""
    given: dict[str, list[Any]] = {key: [link_row[key] for link_row in link_rows] for key in (link.left.key, link.right.key)}
    given["id"] = [new_id(link.prefix) for _ in link_rows]
    for extra in link.extra:
        default = Decimal(extra.default) if extra.type == "number" else extra.default
        given[extra.name] = [link_row.get(extra.name, default) for link_row in link_rows]
    return given


def _any_further(link_rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether any of these rows has more than its two keys."""
    return any(len(link_row) > 2 for link_row in link_rows)


def _side(link: Link, key: str) -> Side:
    try:
        return link.side(key)
    except KeyError as error:
        raise InvalidData(str(error.args[0])) from None


def _checked(link: Link, link_rows: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """Refuse rows that don't name both things, or name a column that the link doesn't have."""
    keys = {link.left.key, link.right.key}
    columns = keys | {extra.name for extra in link.extra}
    for link_row in link_rows:
        for key in keys:
            if not isinstance(link_row.get(key), str) or not link_row[key]:
                raise InvalidData(f"A pair of {link.name} needs a value for {key}")
        for name in link_row:
            if name not in columns:
                raise InvalidData(f"A pair of {link.name} has no {name}")
    return link_rows


def _only_one(link: Link, error: InvalidData) -> InvalidData | None:
    """The error to show where the database refused a second link; None for any other."""
    constraint = getattr(error.__cause__, "constraint_name", None)
    if constraint in (single_name(link, link.left), single_name(link, link.right)):
        return InvalidData(f"Cannot create multiple links between '{link.left.module}' and '{link.right.module}'")
    return None
