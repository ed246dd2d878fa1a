"""`velella export everything`: all that a shop keeps, as JSON lines."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.progress import Progress

from ..core import json
from ..core.errors import InvalidData
from ..core.service.migrations import load_module
from ..core.service.module import Module
from ..core.sql.schema.entity import DocumentPart, Entity
from ..core.sql.schema.schema import Schema
from ..modules import NAMES, REBUILT
from .at_hand import ShopHandle
from .output import console, progress

PAGE = 500
"""Rows that are read together."""


async def export_everything(shop: ShopHandle, folder: Path) -> int:
    """Write `<module>.<entity>.jsonl` for every kind of thing that there is, a line each, in the order of their keys. Returns how many
    lines there are.

    What belongs to an order, a cart or a payment collection stands in it; pairs without a table of their own, as ids in the first of both.
    Columns that are never shown (digests of keys and passwords) stay in the shop, and so does what is deleted. What changes meanwhile
    may be in it or not. One that breaks off leaves nothing: a part would be taken for all. Raises InvalidData where the folder has
    something in it.
    """
    await asyncio.to_thread(_made, folder)
    files = lines = 0
    try:
        with progress(remaining=False) as bars:
            for module, schema in _schemas(shop):
                for entity in schema.entities.values():
                    if entity.inside is None and entity.view_of is None:
                        written = await _exported(shop, module, schema, entity, folder, bars)
                        files, lines = files + (written > 0), lines + written
    except BaseException:
        _emptied(folder)
        raise
    console.print(f"{folder}: {lines:,} lines in {files} files.")
    return lines


def _made(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()):
        raise InvalidData(f"{folder} has something in it.", hint="Name a new folder, or an empty one.")
    folder.mkdir(parents=True, exist_ok=True)


def _emptied(folder: Path) -> None:
    for file in folder.glob("*.jsonl"):
        file.unlink()


def _schemas(shop: ShopHandle) -> Iterator[tuple[str, Schema]]:
    for name in (*NAMES, *shop.settings.modules):
        module: Any = load_module(name, shop.settings)
        if isinstance(module, Module) and name not in REBUILT:
            yield name, module.schema


async def _exported(shop: ShopHandle, module: str, schema: Schema, entity: Entity, folder: Path, bars: Progress) -> int:
    service: Any = getattr(shop.modules, module)
    if (total := await service.count(entity.name)) == 0:
        return 0
    task = bars.add_task(f"{module}: {entity.name}", total=total)
    others = (f"{name}.{schema[relation.target].key}" for name, relation in entity.relations.items() if relation.kind == "through")
    fields = ("*", *others, *_parts(schema.parts.get(entity.name, ())))
    lines, last = 0, ""
    with (folder / f"{module}.{entity.name}.jsonl").open("wb") as file:
        while rows := await service.list(entity.name, {entity.key: {"$gt": last}}, fields=fields, order=(entity.key,), limit=PAGE):
            last = rows[-1][entity.key]
            lines += len(rows)
            file.writelines(json.dumps(row) + b"\n" for row in rows)
            bars.update(task, completed=lines)
    bars.remove_task(task)
    return lines


def _parts(parts: Sequence[DocumentPart], path: str = "") -> Iterator[str]:
    """All that lies in a document."""
    for part in parts:
        yield f"{path}{part.name}.*"
        yield from _parts(part.parts, f"{path}{part.name}.")
