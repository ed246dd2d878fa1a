"""Options and their values: those of one product, and those that products share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ...core.errors import InvalidData, NotFound
from ...core.ids import new_id
from ...core.message import writes
from ...core.rows import Given, Row
from ...core.service.module import ModuleService
from . import queries
from .choices import Choice, text_values, value_rows
from .drafts import NewRows, option_row, refuse_same_titles

Choices = dict[str, list[Choice]]
"""Options by product."""


@dataclass
class OptionChanges:
    """What an update does to the options of products, collected so that it takes a few statements."""

    rows: NewRows = field(default_factory=NewRows)
    options: list[Row] = field(default_factory=list)
    """New titles and metadata of exclusive options."""
    ranks: list[Row] = field(default_factory=list)
    unlinked: list[str] = field(default_factory=list)
    """Links to remove."""
    dropped_options: list[str] = field(default_factory=list)
    dropped_values: list[str] = field(default_factory=list)
    unlinked_values: list[tuple[str, str]] = field(default_factory=list)
    """(link, value) of shared options."""
    lost: set[str] = field(default_factory=set)
    """Values that no variant of these products may be made of any more."""

    def replace(self, product_id: str, given: Sequence[Given], current: Sequence[Choice], shared: Mapping[str, Row]) -> list[Choice]:
        """Replace the product's options by the given ones: matched by id or title, others are new, missing ones are removed."""
        left = {choice.option_id: choice for choice in current}
        result = []
        for option in given:
            match = left.pop(option["id"], None) if option.get("id") else None
            if match is None and not option.get("id"):
                same = next((id for id, choice in left.items() if choice.title == option.get("title")), None)
                match = left.pop(same) if same is not None else None
            result.append(self.rows.add_option(product_id, option, shared) if match is None else self.change(match, option, shared))
        for choice in left.values():
            self.remove(choice)
        refuse_same_titles(result)
        return result

    def change(self, choice: Choice, given: Given, shared: Mapping[str, Row]) -> Choice:
        """Change the option as given. For a shared option a product only chooses values; its title and values are changed elsewhere."""
        if not choice.is_exclusive:
            return self._choose(choice, given, shared)
        changes = {name: given[name] for name in ("title", "metadata") if name in given}
        if changes and changes != {"title": choice.title}:
            self.options.append({"id": choice.option_id, **changes})
        values = choice.values
        if "values" in given:
            wanted = dict.fromkeys(text_values(given))
            new = value_rows(choice.option_id, {"values": [v for v in wanted if v not in values], "ranks": given.get("ranks")}, new_id)
            self.rows.values += new
            self.rows.add_link_values(choice.link_id, [row["id"] for row in new])
            gone = [id for value, id in values.items() if value not in wanted]
            self.dropped_values += gone
            self.lost.update(gone)
            values = {value: id for value, id in values.items() if value in wanted} | {row["value"]: row["id"] for row in new}
        kept = values.keys() & choice.values.keys()
        self.ranks += [{"id": values[value], "rank": rank} for value, rank in (given.get("ranks") or {}).items() if value in kept]
        return Choice(choice.option_id, given.get("title") or choice.title, choice.link_id, values)

    def remove(self, choice: Choice) -> None:
        """Remove the option from the product; if it was the product's own, it is deleted."""
        self.lost.update(choice.values.values())
        if choice.is_exclusive:
            self.dropped_options.append(choice.option_id)
        else:
            self.unlinked.append(choice.link_id)

    def _choose(self, choice: Choice, given: Given, shared: Mapping[str, Row]) -> Choice:
        known = {value["value"]: value["id"] for value in shared[choice.option_id]["values"]}
        if given.get("value_ids") is not None:
            wanted = set(given["value_ids"])
            unknown = wanted - set(known.values())
        elif given.get("values") is not None:
            named = text_values(given)
            wanted = {known[value] for value in named if value in known}
            unknown = {value for value in named if value not in known}
        else:
            return choice
        if unknown:
            raise InvalidData(f"Option {choice.title} has no value {', '.join(map(str, sorted(unknown)))}")
        return self.choose(choice, {value: id for value, id in known.items() if id in wanted})

    def choose(self, choice: Choice, values: dict[str, str]) -> Choice:
        """Set which values of a shared option the product uses."""
        before, after = set(choice.values.values()), set(values.values())
        self.rows.add_link_values(choice.link_id, sorted(after - before))
        self.unlinked_values += [(choice.link_id, id) for id in sorted(before - after)]
        self.lost |= before - after
        return Choice(choice.option_id, choice.title, choice.link_id, values, choice.is_exclusive)


def with_more(known: Sequence[Choice], more: Sequence[Given]) -> list[Row] | None:
    """A product's options with further ones, and with further values (`{title, values, id?, is_exclusive?}`, matched by id or title); None
    where it has all of them."""
    options: list[Row] = [{"id": choice.option_id, "title": choice.title, "values": list(choice.values)} for choice in known]
    before = [(each["id"], each["values"]) for each in options]
    for option in more:
        id, title = option.get("id"), option["title"]
        same = next((each for each in options if each.get("title") == title or (id and each.get("id") == id)), None)
        if same is None:
            options.append({"id": id} if id else dict(option))
        elif "values" in same:
            same["values"] = list(dict.fromkeys((*same["values"], *option["values"])))
    return options if [(each.get("id"), each.get("values")) for each in options] != before else None


class ProductOptions(ModuleService):
    """The part of the product service for options."""

    @writes
    async def create_options(self, rows: Sequence[Given]) -> list[Row]:
        """Create options with their values (`{title, values: [text], ranks?, is_exclusive?, metadata?}`), shared by default.

        Raises InvalidData if a shared option with that title exists already.
        """
        options = [option_row(given, exclusive=False) for given in rows]
        values = [value_rows(option["id"], given, new_id) for option, given in zip(options, rows, strict=True)]
        made = await self.create("product_option", options)
        stored = await self.create("product_option_value", [row for each in values for row in each])
        return [option | {"values": [row for row in stored if row["option_id"] == option["id"]]} for option in made]

    @writes
    async def update_options(self, rows: Sequence[Given]) -> list[Row]:
        """Change options (`{id, title?, is_exclusive?, metadata?, values?, ranks?}`). `values` replaces the list of values.

        New values of an exclusive option can be used by its product at once. Raises NotFound, or InvalidData for a removed value that
        variants are made of.
        """
        known = await self._options([row["id"] for row in rows], must=True)
        made = await self.update("product_option", [{name: row[name] for name in row if name not in ("values", "ranks")} for row in rows])
        new: list[Row] = []
        ranks: list[Row] = []
        gone: list[str] = []
        for row in rows:
            current = {value["value"]: value["id"] for value in known[row["id"]]["values"]}
            if row.get("values") is not None:
                wanted = dict.fromkeys(text_values(row))
                new += value_rows(row["id"], {"values": [v for v in wanted if v not in current], "ranks": row.get("ranks")}, new_id)
                gone += [id for value, id in current.items() if value not in wanted]
            ranks += [{"id": current[value], "rank": rank} for value, rank in (row.get("ranks") or {}).items() if value in current]
        await self.delete_option_values(gone)
        await self.update("product_option_value", [row for row in ranks if row["id"] not in gone])
        await self.create("product_option_value", new)
        await self._link_new_values(known, new)
        return made

    @writes
    async def delete_options(self, ids: Sequence[str]) -> list[str]:
        """Soft delete, with the values. Raises InvalidData while variants are made of them."""
        options = await self._options(ids)
        await self._refuse_used([value["id"] for option in options.values() for value in option["values"]])
        return await self.delete("product_option", ids)

    @writes
    async def delete_option_values(self, ids: Sequence[str]) -> list[str]:
        """Soft delete. Raises InvalidData while variants are made of them."""
        if not ids:
            return []
        await self._refuse_used(ids)
        return await self.delete("product_option_value", ids)

    @writes
    async def set_product_options(
        self, product_id: str, add: Sequence[str | Given] = (), remove: Sequence[str] = (), update: Sequence[Given] = ()
    ) -> None:
        """Add options to a product, remove some, change which values it uses.

        `add`: ids of options, `{id, value_ids}`, or new ones `{title, values}`. `update`: `{product_option_id, add: [value id or
        {value}], remove: [value id]}`. Raises NotFound for the product, and for an option to update that it doesn't have; InvalidData where
        variants are made of what would be removed.
        """
        await self._hold([product_id])
        added = [{"id": each} if isinstance(each, str) else each for each in add]
        current = (await self._choices([product_id])).get(product_id, [])
        shared = await self._options([each["id"] for each in added if each.get("id")] + [choice.option_id for choice in current])
        changes = OptionChanges()
        by_id = {choice.option_id: choice for choice in current}
        for each in update:
            choice = by_id.get(each["product_option_id"])
            if choice is None:
                raise NotFound(f"Product with id: {product_id} has no option with id: {each['product_option_id']}")
            by_id[choice.option_id] = self._update_values(changes, choice, each, shared)
        for id in dict.fromkeys(remove):
            choice = by_id.pop(id, None)
            if choice is not None:
                changes.remove(choice)
        result = list(by_id.values())
        for each in added:
            if each.get("id") not in by_id:
                result.append(changes.rows.add_option(product_id, each, shared))
        refuse_same_titles(result)
        async with self.keeping(queries.PRODUCT_ROWS, [product_id]):
            await self._apply(changes)
        await self._refuse_lost(changes, [product_id])
        self.touch("product")

    # -- inside

    def touch(self, *entities: str) -> None:
        """A view changes with the tables it shows."""
        seen = set(entities)
        if seen & {"product_product_option", "product_product_option_value", "product_option_value"}:
            seen.add("product_option_of_product")
        super().touch(*seen)

    async def _hold(self, product_ids: Iterable[str]) -> None:
        """Lock products until the transaction ends. Raises NotFound for a missing one."""
        wanted = sorted(set(product_ids))
        there = {row["id"] for row in await self.database.fetch(queries.LOCK_PRODUCTS, {"ids": wanted})}
        for id in wanted:
            if id not in there:
                raise NotFound(f"Product with id: {id} was not found")

    async def _choices(self, product_ids: Sequence[str]) -> Choices:
        choices: Choices = {}
        for row in await self.database.fetch(queries.CHOICES, {"ids": list(product_ids)}):
            choice = Choice(row["option_id"], row["title"], row["link_id"], row["values"], row["is_exclusive"])
            choices.setdefault(row["product_id"], []).append(choice)
        return choices

    async def _options(self, ids: Sequence[str], *, must: bool = False) -> dict[str, Row]:
        """Options with their values, by id. `must`: raises NotFound for a missing one."""
        if not ids:
            return {}
        found = {row["id"]: dict(row) for row in await self.database.fetch(queries.OPTIONS, {"ids": list(set(ids))})}
        for id in ids:
            if must and id not in found:
                raise NotFound(f"ProductOption with id: {id} was not found")
        return found

    async def _apply(self, changes: OptionChanges) -> None:
        await self.update("product_option", changes.options)
        await self.update("product_option_value", changes.ranks)
        await self._insert_options(changes.rows)
        await self.delete("product_option", changes.dropped_options)
        if changes.dropped_values:
            await self.delete("product_option_value", changes.dropped_values)
        if changes.unlinked:
            await self.database.execute(queries.UNLINK_OPTIONS, {"ids": changes.unlinked})
            self.touch("product_product_option")
        if changes.unlinked_values:
            links, values = zip(*changes.unlinked_values, strict=True)
            await self.database.execute(queries.UNLINK_VALUES, {"links": list(links), "values": list(values)})
            self.touch("product_product_option_value")

    async def _insert_options(self, rows: NewRows) -> None:
        for entity, new in (
            ("product_option", rows.options),
            ("product_option_value", rows.values),
            ("product_product_option", rows.links),
            ("product_product_option_value", rows.link_values),
        ):
            if new:
                await self.create(entity, new)

    async def _refuse_lost(self, changes: OptionChanges, product_ids: Sequence[str]) -> None:
        if changes.lost:
            await self._refuse_used(sorted(changes.lost), product_ids)

    async def _refuse_used(self, value_ids: Sequence[str], product_ids: Sequence[str] | None = None) -> None:
        """Raises InvalidData while variants (of these products, or of any) are made of some of these values."""
        if not value_ids:
            return
        products = None if product_ids is None else list(product_ids)
        uses = await self.database.fetch(queries.USES_OF_VALUES, {"values": list(value_ids), "products": products})
        if uses:
            shown = ", ".join(f"{use['value']} (variant {use['title']})" for use in uses)
            raise InvalidData(f"Option values that variants are made of can't be removed: {shown}")

    async def _link_new_values(self, options: Mapping[str, Row], values: Sequence[Row]) -> None:
        """Link new values of exclusive options to their product."""
        own = {row["option_id"] for row in values if options[row["option_id"]]["is_exclusive"]}
        if not own:
            return
        rows = NewRows()
        for link in await self.database.fetch(queries.LINKS_OF_OPTION, {"ids": sorted(own)}):
            rows.add_link_values(link["id"], [row["id"] for row in values if row["option_id"] == link["product_option_id"]])
        await self._insert_options(rows)

    @staticmethod
    def _update_values(changes: OptionChanges, choice: Choice, given: Given, shared: Mapping[str, Row]) -> Choice:
        """Apply `{add: [value id or {value}], remove: [value id]}` to an option of a product."""
        known = {value["id"]: value["value"] for value in shared[choice.option_id]["values"]}
        removed = set(given.get("remove") or [])
        values = {value: id for value, id in choice.values.items() if id not in removed}
        new: dict[str, str] = {}
        for each in given.get("add") or []:
            if isinstance(each, str):
                if each not in known:
                    raise InvalidData(f"Option {choice.title} has no value with id: {each}")
                values[known[each]] = each
            elif each["value"] not in values:
                there = next((id for id, value in known.items() if value == each["value"]), None)
                new[each["value"]] = values[each["value"]] = there or new_id("optval")
        changes.rows.values += [{"id": id, "option_id": choice.option_id, "value": value} for value, id in new.items() if id not in known]
        return changes.choose(choice, values)
