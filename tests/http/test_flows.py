"""Rows of the route table whose writing is a workflow: one that can't be run is met when the table is made."""

from __future__ import annotations

import pytest

from velella.http.kit import Body, LinkBody, Routes, View
from velella.http.kit.flows import creates, deletes, updates
from velella.workflows.inventory.items import INVENTORY_ITEMS
from velella.workflows.region.regions import REGIONS, create_regions, update_regions
from velella.workflows.sales_channel.channels import link_products_to_sales_channel


def test_a_row_takes_a_workflow_that_can_be_run_so() -> None:
    creates(create_regions)
    updates(update_regions)
    updates(INVENTORY_ITEMS.update)
    deletes(REGIONS.delete)


def test_a_row_refuses_a_workflow_that_can_not() -> None:
    with pytest.raises(TypeError, match=r"Workflow update-regions can't be run with \(selector\)"):
        creates(update_regions)
    with pytest.raises(TypeError, match="ids"):
        deletes(create_regions)
    with pytest.raises(TypeError, match=r"link-products-to-sales-channel can't be run with \(channel_id, add, remove\)"):
        Routes().action(
            "/admin/sales-channels/{channel_id}/products", View("sales_channel", ()), link_products_to_sales_channel, "", body=LinkBody
        )


@pytest.mark.parametrize("written", [{"create": Body}, {"update": Body}, {"delete": True}])
def test_a_row_refuses_to_write_without_a_workflow(written: dict[str, type[Body]]) -> None:
    with pytest.raises(TypeError, match="/admin/regions has no workflow to"):
        Routes().resource("/admin/regions", View("region", ()), **written)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="no body of create"):
        Routes().resource("/admin/regions", View("region", ()), REGIONS, update=True)
