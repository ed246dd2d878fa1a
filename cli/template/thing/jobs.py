"""Jobs: what is done by the clock, once a tick in the whole cluster."""

from __future__ import annotations

from velella.workflows.kit import Flow, job, step

from .module.service import ThingService


@step
async def start_at_zero(flow: Flow) -> None:
    await flow.modules.of(ThingService).count_anew()


@job("0 0 1 * *", time_zone="Europe/Berlin")
async def count_things_anew(flow: Flow) -> None:
    """On the first of each month. `velella jobs run count-things-anew` does it now."""
    await flow.run(start_at_zero)
