"""A person who is erased in a system: open orders keep their address, and nothing personal is kept by us."""

from pathlib import Path

import pytest

from talk_pipeline_tests.flow_files import edited_flows
from talk_pipeline_tests.pipeline.records import customer, line, order, product
from talk_pipeline_tests.world import World

STREET = "dir: <->, bc: shipToAddressLine1,      type: text(100)"


def test_an_erased_customer_does_not_empty_the_address_of_an_open_order(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edited_flows(tmp_path, monkeypatch, order=(STREET, f"{STREET}, blank_keeps: true"))
    item = world.shop.post("products", product())["id"]
    buyer = world.shop.post("customers", customer())["id"]
    key = world.shop.post("orders", order("O1", buyer, [line(item)]))["id"]
    world.step()
    address = world.shop.get("orders", key)["shipping_address"]
    erased = address | {"line1": None, "name": None}
    world.shop.patch("orders", key, {"shipping_address": erased})
    run = world.step()
    assert not run.failed()
    (held,) = world.bc.orders().values()
    assert (held["shipToAddressLine1"], held["shipToName"]) == (address["line1"], "")
    for full in (False, True):
        run = world.step(full=full)
        assert not run.failed(), "what is kept is in step"
        assert run.writes() == 0
    world.bc.patch("salesOrders", held["id"], {"shipToAddressLine1": "Other Street 2"})
    assert not world.step().failed()
    assert world.shop.get("orders", key)["shipping_address"]["line1"] == "Other Street 2"
    world.shop.patch("orders", key, {"shipping_address": erased | {"line1": "Third Street 3"}})
    assert not world.step().failed()
    assert next(iter(world.bc.orders().values()))["shipToAddressLine1"] == "Third Street 3"
