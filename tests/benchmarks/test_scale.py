"""A desk serves one after the other, so that what more of them give can be told; tables say it."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

from compare import Figure
from scale import Step, asked, options_of, picture_of, pools_table, steps_table

from velella.actors.host import local_host
from velella.core.settings import Settings


async def test_a_desk_serves_one_after_the_other(tmp_path: Path) -> None:
    settings = Settings(modules={"desk": "scale:create"}, data_dir=tmp_path).with_secrets()
    options = options_of(["--callers", "4", "--service-ms", "20", "--seconds", "0.5", "--warm", "0.1"])
    async with local_host(settings, ["desk"]) as host:
        serve: Any = host.modules.desk.serve  # type: ignore[attr-defined]
        began = time.perf_counter()
        await asyncio.gather(*(serve(0.02) for _ in range(5)))
        assert time.perf_counter() - began >= 5 * 0.02
        step = await asked(serve, 1, options)
    assert 0 < step.per_second <= 1000 / 20
    assert step.p50_ms >= 20
    assert step.least == 1


def test_tables_and_picture_say_what_was_measured(tmp_path: Path) -> None:
    steps = [Step(1, 32, 45.0, 600.0, 650.0, 1.0), Step(2, 32, 95.0, 300.0, 330.0, 0.99)]
    assert steps_table(steps, 20).splitlines()[-1] == "| 2 | 32 | 95.0 | 95% | 300 | 330 |"
    packed, pooled = (
        Figure(side, "cart", 16, rate, 50.0, 80.0, cpu, 0) for side, rate, cpu in (("packed", 100.0, 10.0), ("pooled", 50.0, 25.0))
    )
    assert pools_table([(packed, pooled)]).endswith("| a new cart with one line | 100.0 (80) | 50.0 (80) | 0.50 | 10.00 | 25.00 | 2.5 |")
    picture_of(steps, 20, tmp_path / "scale.svg")
    assert "<svg" in (tmp_path / "scale.svg").read_text()
