"""What goes one way alone, and why: whatever is entered on the other side stays there, and nothing is undone."""

import shutil
from pathlib import Path

import pytest

from talk_pipeline.flows.loading import PACKAGED as FLOWS
from talk_pipeline.flows.loading import load_flows
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow
from talk_pipeline.systems.businesscentral.entities import PACKAGED
from talk_pipeline_tests.flow_files import copied_flows, edited_flows
from talk_pipeline_tests.pipeline.documents import Sold, with_optional
from talk_pipeline_tests.pipeline.optional.test_further_records import Page
from talk_pipeline_tests.pipeline.records import Row, customer, line, order, product
from talk_pipeline_tests.pipeline.second_opinion import unexplained
from talk_pipeline_tests.world import World

TOLD = "what Business Central makes of an order is its own doing, and may only be read there"
ONE_WAY = {
    "approval": TOLD,
    "invoice": TOLD,
    "shipment": TOLD,
    "tracking": TOLD,
    "price": "price lists are kept in Business Central",
    "stock_level": "it is a sum over ledger entries, and no record that could be written",
    "guest": "the order is the shop's, and makes its customer once",
}
TOLD_ALONE = {"customer_contacts", "order_archives", "shipment_tracking"}
"""Additions that go one way, as what they add to or read does, or none."""
EDITS = {
    "approvals": {"approver": "Somebody else"},
    "invoices": {"due_date": "2030-01-01"},
    "shipments": {"date": "2030-01-01", "tracking_number": "MINE"},
    "prices": {"price": "1.00"},
    "stock_levels": {"quantity": "77"},
}


def ways(flow: Flow) -> set[Side]:
    """The sides to which anything of a flow goes."""
    props = [prop for part in flow.parts for prop in part.properties]
    return {side for side in Side if flow.settings.creates(side) or any(prop.goes_to(side) for prop in props)}


def test_every_packaged_flow_goes_both_ways_unless_there_is_a_reason(tmp_path: Path) -> None:
    folder = copied_flows(tmp_path / "flows")
    for file in FLOWS.glob("*/*.yaml"):
        shutil.copy(file, folder)
    flows = load_flows(folder)
    assert {name for name, flow in flows.items() if ways(flow) != set(Side)} == set(ONE_WAY)
    for file in (FLOWS / "additions").glob("*.yaml"):
        assert "dir: <->" in file.read_text(encoding="utf-8") or file.stem in TOLD_ALONE, file


def test_what_is_only_told_is_not_taken_back(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("approval", "invoice", "shipment", "shipment_tracking", "price", "stock_level")
    with_optional(world, tmp_path, monkeypatch, *names)
    shutil.copytree(PACKAGED / "pages", tmp_path / "entities")
    monkeypatch.setenv("BUSINESSCENTRAL_ENTITIES_DIR", str(tmp_path / "entities"))
    sold = Sold(world)
    sold.office("review")
    sold.office("reopen")
    sold.office("ship")
    sold.office("invoice")
    prices = Page(world, "salesPrices")
    price = prices.post(itemId=world.counterpart("product", sold.items[0]), unitPrice=90)
    world.bc.control("items/P0/stock", {"location": "AARHUS", "quantity": 5})
    assert world.step(full=True).problems == []
    own = {}
    for kind, edit in EDITS.items():
        (key, row), *_ = world.shop.all(kind).items()
        world.shop.patch(kind, key, edit)
        named: Row = {name: row[name] for name in ("order_id", "product_id") if name in row}
        own[kind.removesuffix("s")] = world.shop.post(kind, {"number": "MINE", **named})["id"]
    world.forget_requests()
    run = world.step(full=True)
    assert run.problems == []
    assert not run.failed()
    assert world.writes() == {"customwebshop": 0, "businesscentral": 0}
    for flow, key in own.items():
        assert world.state(flow, key) == ("excluded", "the flow makes records in the shop alone")

    prices.patch(price, unitPrice=80)
    assert world.step("product", "price").problems == []
    assert "80.00" in [row["price"] for row in world.shop.all("prices").values()], (
        "what changes there is told"
    )


def test_a_guest_is_made_of_an_order_and_then_left_alone(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = "type: reference(customer), usable_while: {active: true}, required: true}"
    folder = edited_flows(
        tmp_path, monkeypatch, order=(row, row.replace("required", "otherwise: guest, required"))
    )
    shutil.copy(FLOWS / "optional" / "guest.yaml", folder)
    item = world.shop.post("products", product())["id"]
    said = order("O1", "", [line(item)], email="guest@home.example") | {"customer_id": None}
    key = world.shop.post("orders", said)["id"]
    assert world.step().problems == []
    ((bc_id, made),) = world.bc.all("customers").items()
    world.bc.patch("customers", bc_id, {"displayName": "Called otherwise there"})
    address = world.shop.get("orders", key)["shipping_address"]
    world.shop.patch("orders", key, {"shipping_address": address | {"name": "Moved"}})
    assert world.step().problems == []
    assert world.bc.get("customers", bc_id)["displayName"] == "Called otherwise there"
    assert made["displayName"] == address["name"]
    assert world.shop.get("orders", key)["shipping_address"]["name"] == "Moved"


def test_an_address_that_is_born_there_stays_there(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its code tells it from others of its customer alone, the shop's number from all; edits go both ways."""
    with_optional(world, tmp_path, monkeypatch, "delivery_address")
    shutil.copytree(PACKAGED / "pages", tmp_path / "entities")
    monkeypatch.setenv("BUSINESSCENTRAL_ENTITIES_DIR", str(tmp_path / "entities"))
    buyer = world.shop.post("customers", customer())["id"]
    assert world.step("customer").problems == []
    Page(world, "shipToAddresses").post(
        customerId=world.counterpart("customer", buyer), code="D-9", name="Barn"
    )
    assert world.step("customer", "delivery_address", full=True).writes() == 0
    assert not world.shop.all("delivery_addresses")


def test_a_zero_that_says_nothing_where_two_meet_is_a_reason_for_the_audit(world: World) -> None:
    if "stock" in world.shop_lacks("product"):
        pytest.skip("this shop keeps no stock")
    item = world.shop.post("products", product("P1", stock="3"))["id"]
    world.bc.post("items", {"number": "P1", "displayName": "Product P1", "baseUnitOfMeasureCode": "PCS"})
    for full in (False, True):
        (row,) = world.step("product", full=full).finding("product", "property_stock").rows
        assert (row["shop_id"], row["shop_value"], row["bc_value"]) == (item, "3", "0")
        assert row["reason"] == "businesscentral says nothing, and a blank overwrites no value"
        assert not unexplained("product")
    world.bc.control(f"items/{world.counterpart('product', item)}/stock", {"quantity": 2})
    assert world.step("product", full=True).finding("product", "property_stock").verdict == "passed"
