"""Where a shop sends to: sets, service zones, geo zones; and shipping profiles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...core.errors import InvalidData, NotFound
from ...core.ids import new_id
from ...core.message import writes
from ...core.rows import Row, Rows
from ...core.service.module import Keys, ModuleService
from .matching import normal
from .queries import GEO_ZONES_OF, LOCK_PROFILES, LOCK_ZONES, PROFILES_IN_USE

_ASKED = {"country": (), "province": ("province_code",), "city": ("city",), "zip": ("postal_expression",)}
"""What a geo zone of a type has to name beside its country."""


class Zones(ModuleService):
    """Sets of service zones. A service zone is made of geo zones and has the options for sending there."""

    @writes
    async def create_sets(self, rows: Sequence[Mapping[str, Any]]) -> Rows:
        """Create fulfillment sets; `service_zones` of a row are created with it. Raises InvalidData for a name that is taken."""
        sets: Rows = [{"id": new_id("fuset"), **_without(row, "service_zones")} for row in rows]
        created = await self.create("fulfillment_set", sets)
        zones = [
            {**zone, "fulfillment_set_id": made["id"]}
            for made, row in zip(sets, rows, strict=True)
            for zone in row.get("service_zones") or ()
        ]
        if zones:
            await self.create_zones(zones)
        return created

    @writes
    async def create_zones(self, rows: Sequence[Mapping[str, Any]]) -> Rows:
        """Create service zones; `geo_zones` of a row are created with it.

        Raises InvalidData for a name that is taken or a geo zone that doesn't name its place, NotFound for an unknown set.
        """
        zones: Rows = [{"id": new_id("serzo"), **_without(row, "geo_zones")} for row in rows]
        created = await self.create("service_zone", zones)
        geo_zones = [
            {**geo_zone, "service_zone_id": zone["id"]}
            for zone, row in zip(zones, rows, strict=True)
            for geo_zone in row.get("geo_zones") or ()
        ]
        if geo_zones:
            await self.create_geo_zones(geo_zones)
        self.touch("fulfillment_set")
        return created

    @writes
    async def update_zones(self, rows: Sequence[Mapping[str, Any]]) -> Rows:
        """Update service zones, each named by its id.

        `geo_zones`, where a row names them, are all that the zone has afterwards: those with an `id` stay and are updated,
        those without are new, the others go. Raises NotFound where a zone, or a geo zone that is named, isn't there.
        """
        ids = [row["id"] for row in rows]
        await self.database.fetch(LOCK_ZONES, {"ids": ids})
        updated = await self.update("service_zone", [_without(row, "geo_zones") for row in rows])
        for row in rows:
            if row.get("geo_zones") is not None:
                await self._replace_geo_zones(row["id"], row["geo_zones"])
        self.touch("fulfillment_set")
        return updated

    @writes
    async def create_geo_zones(self, rows: Sequence[Mapping[str, Any]]) -> Rows:
        """Create geo zones. Raises InvalidData for one that doesn't name its place."""
        created = await self.create("geo_zone", [_geo_zone(row) for row in rows])
        self.touch("service_zone", "fulfillment_set")
        return created

    @writes
    async def delete_profiles(self, ids: Sequence[str]) -> Keys:
        """Delete shipping profiles. The ids of those that were there.

        Raises InvalidData where a shipping option is for one of them: nothing is deleted.
        """
        await self.database.fetch(LOCK_PROFILES, {"ids": list(ids)})
        used = [row[0] for row in await self.database.fetch(PROFILES_IN_USE, {"ids": list(ids)})]
        if used:
            raise InvalidData(f"Shipping profiles {', '.join(sorted(used))} have shipping options. Delete those first")
        return await self.delete("shipping_profile", ids)

    async def _replace_geo_zones(self, zone_id: str, geo_zones: Sequence[Mapping[str, Any]]) -> None:
        current = {row["id"] for row in await self.database.fetch(GEO_ZONES_OF, {"ids": [zone_id]})}
        kept = [_geo_zone({**geo_zone, "service_zone_id": zone_id}) for geo_zone in geo_zones if geo_zone.get("id")]
        for geo_zone in kept:
            if geo_zone["id"] not in current:
                raise NotFound(f"Geo zone with id: {geo_zone['id']} was not found in service zone {zone_id}")
        await self.delete("geo_zone", sorted(current - {geo_zone["id"] for geo_zone in kept}))
        await self.update("geo_zone", kept)
        new = [geo_zone for geo_zone in geo_zones if not geo_zone.get("id")]
        await self.create_geo_zones([{**_without(geo_zone, "id"), "service_zone_id": zone_id} for geo_zone in new])


def _geo_zone(row: Mapping[str, Any]) -> Row:
    """A geo zone as it is kept: codes in lower case, nothing beyond what its type looks at."""
    zone: Row = dict(row)
    kind = zone.setdefault("type", "country")
    if kind not in _ASKED:
        raise InvalidData(f"The type of a geo zone is one of {', '.join(_ASKED)}, not {kind}")
    for name in ("country_code", *_ASKED[kind]):
        if not zone.get(name):
            raise InvalidData(f"A geo zone of type {kind} needs {name}")
    for name in ("country_code", "province_code"):
        if name in zone:
            zone[name] = normal(zone[name])
    return zone


def _without(row: Mapping[str, Any], name: str) -> Row:
    return {key: value for key, value in row.items() if key != name}
