"""Rows of the route table whose writing is a workflow: one that can't be run is met when the table is made."""

from __future__ import annotations

import pytest

from velella.http.frontend.flows import changes, creates, deletes, updates
from velella.workflows.inventory.items import update_inventory_items
from velella.workflows.region.regions import create_regions, delete_regions, update_regions


def test_a_row_takes_a_workflow_that_can_be_run_so() -> None:
    creates(create_regions, "regions")
    updates(update_regions)
    changes(update_inventory_items)
    deletes(delete_regions)


def test_a_row_refuses_a_workflow_that_can_not() -> None:
    with pytest.raises(TypeError, match=r"Workflow create-regions can't be run with \(countries\)"):
        creates(create_regions, "countries")
    with pytest.raises(TypeError, match="update"):
        updates(delete_regions)
    with pytest.raises(TypeError, match="rows"):
        changes(update_regions, "rows")
    with pytest.raises(TypeError, match="ids"):
        deletes(create_regions)
