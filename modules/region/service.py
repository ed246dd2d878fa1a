"""The region module's messages."""

from __future__ import annotations

from collections.abc import Sequence

from ...core.errors import InvalidData
from ...core.ids import new_id
from ...core.message import writes
from ...core.rows import Given, Row
from ...core.service.module import Keys, ModuleService
from . import queries
from .countries import countries
from .tables import SCHEMA, region_country


class RegionService(ModuleService):
    """Regions, and which countries belong to them."""

    name = "region"
    schema = SCHEMA

    @writes
    async def create_regions(self, rows: Sequence[Given]) -> list[Row]:
        """Create regions (columns and `countries`: two-letter codes). Returns them in the order given.

        Raises InvalidData for a country that doesn't exist or belongs to another region already.
        """
        regions = [_columns(row) | {"id": row.get("id") or new_id("reg")} for row in rows]
        wanted = [(code, region["id"]) for region, row in zip(regions, rows, strict=True) for code in _codes(row)]
        made = await self.create("region", regions)
        await self._assign(wanted)
        return made

    @writes
    async def update_regions(self, rows: Sequence[Given]) -> list[Row]:
        """Change regions; each row names its `id`. `countries`, where named, replaces all of a region's.

        Raises NotFound, or InvalidData as `create_regions` does.
        """
        changed = await self.update("region", [_columns(row) | {"id": row["id"]} for row in rows])
        renewed = [row for row in rows if row.get("countries") is not None]
        wanted = [(code, row["id"]) for row in renewed for code in _codes(row)]
        await self._release([row["id"] for row in renewed], [code for code, _ in wanted])
        await self._assign(wanted)
        return changed

    @writes
    async def delete(self, entity: str, ids: Sequence[str]) -> Keys:
        """As everywhere; the countries of a deleted region become free."""
        gone = await super().delete(entity, ids)
        if entity == "region":
            await self._release(gone, [])
        return gone

    @writes
    async def keep_countries(self) -> int:
        """Make the table hold all countries. Returns how many rows changed; may be repeated."""
        known = countries()
        changed = await self.database.execute(
            queries.KEEP_COUNTRIES,
            {
                "iso_2": [each.iso_2 for each in known],
                "iso_3": [each.iso_3 for each in known],
                "num_codes": [each.num_code for each in known],
                "names": [each.name for each in known],
                "display_names": [each.display_name for each in known],
            },
        )
        if changed:
            self.touch("region_country")
        return changed

    # -- inside

    async def _assign(self, wanted: Sequence[tuple[str, str]]) -> None:
        """Assign countries (code, region) to regions. Raises InvalidData for a country that is another region's, named twice or unknown."""
        codes = [code for code, _ in wanted]
        twice = sorted({code for code in codes if codes.count(code) > 1})
        if twice:
            raise _taken(twice)
        if not wanted:
            return
        there = {row["iso_2"]: row["region_id"] for row in await self.database.fetch(queries.COUNTRIES, {"codes": codes})}
        unknown = [code for code in codes if code not in there]
        if unknown:
            raise InvalidData(f'Countries with codes: "{", ".join(unknown)}" do not exist')
        taken = [code for code, region in wanted if there[code] not in (None, region)]
        if taken:
            raise _taken(taken)
        await self.database.execute(queries.ASSIGN, {"codes": codes, "regions": [region for _, region in wanted]})
        self.keep(region_country, [({"iso_2": code, "region_id": there[code]}, {"iso_2": code, "region_id": id}) for code, id in wanted])
        self.touch("region_country", "region")

    async def _release(self, regions: Sequence[str], kept: Sequence[str]) -> None:
        released = await self.database.fetch(queries.RELEASE, {"regions": list(regions), "kept": list(kept)}) if regions else []
        if released:
            self.keep(region_country, [(row["was"], row["stored"]) for row in released])
            self.touch("region_country", "region")


def _taken(codes: Sequence[str]) -> InvalidData:
    return InvalidData(f'Countries with codes: "{", ".join(codes)}" are already assigned to a region')


def _columns(row: Given) -> Row:
    columns = {name: value for name, value in row.items() if name != "countries"}
    if isinstance(columns.get("currency_code"), str):
        columns["currency_code"] = columns["currency_code"].lower()
    if isinstance(columns.get("name"), str):
        columns["name"] = columns["name"].strip()
    return columns


def _codes(row: Given) -> list[str]:
    codes = row.get("countries") or []
    if not all(isinstance(code, str) for code in codes):
        raise InvalidData("The countries of a region are given by their two-letter codes")
    return [code.lower() for code in codes]
