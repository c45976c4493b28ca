"""A company in which something of everything is found, synchronized once for all that look at its document."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from talk_pipeline_tests.flow_files import copied_flows
from talk_pipeline_tests.pipeline.records import customer, line, order, product
from talk_pipeline_tests.world import World, opened_world

AWKWARD = 'Fish & <b>"Chips"</b> *of* |every_ `sort` \\ we_sell_'
"""A name that means something in every form."""


@pytest.fixture(scope="package")
def found(tmp_path_factory: pytest.TempPathFactory, instance: dg.DagsterInstance) -> Iterator[World]:
    """An open conflict, a quarantined record, one that waits, one outside, a withheld change; and much in step."""
    folder: Path = tmp_path_factory.mktemp("document")
    flows = copied_flows(folder / "flows", customer=("conflict: last_writer", "conflict: manual"))
    with opened_world(folder, instance=instance) as world, pytest.MonkeyPatch.context() as patch:
        patch.setenv("TALK_FLOWS_DIR", str(flows))
        shop, bc = world.shop, world.bc
        buyer = shop.post("customers", customer("C1"))["id"]
        shop.post("customers", customer("C2"))
        item = shop.post("products", product("P1"))["id"]
        held = shop.post("customers", customer("C3", currency="DKR"))["id"]
        released = shop.post("orders", order("O1", buyer, [line(item)]))["id"]
        assert world.step().success
        shop.patch("customers", buyer, {"company_name": AWKWARD})
        bc.patch("customers", world.counterpart("customer", buyer), {"displayName": "Another <i>Name</i>"})
        bc.control(f"sales-orders/{world.counterpart('order', released)}/release")
        shop.patch("orders", released, {"requested_delivery_date": "2026-12-01"})
        shop.post("orders", order("O2", held, [line(item)]))
        shop.post("orders", order("O3", buyer, [line(item)], status="cancelled"))
        world.sync()
        yield world
