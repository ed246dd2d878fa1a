"""Fields that a client may ask for, at random."""

from __future__ import annotations

import os
import random

from velella.core.sql.schema.schema import Schema


def new_dice() -> random.Random:
    """Seeded by VELELLA_SEED, or by chance; the seed is printed."""
    seed = int(os.environ.get("VELELLA_SEED", random.randrange(1 << 32)))
    print("seed", seed)
    return random.Random(seed)


def some_fields(dice: random.Random, schema: Schema, root: str) -> tuple[str, ...]:
    """Paths through a module, down and up again, that end in all columns, in one, or in an unknown name."""
    paths: list[str] = []
    for _ in range(dice.randint(1, 5)):
        entity, path = schema[root], []
        while entity.relations and len(path) < 4 and dice.random() < 0.7:
            path.append(dice.choice(sorted(entity.relations)))
            entity = schema[entity.relations[path[-1]].target]
        end = dice.choice(["*", "*", *entity.table.c.keys(), "raw_amount", "nobody"])
        paths.append(".".join([*path, end]) if end != "*" else f"*{'.'.join(path)}")
    return tuple(paths)
