"""Every shop that is described: all three flows, both directions, and nothing left to do.

The whole of these tests runs under each with `make test-profiles`; this is what is always looked at.
"""

from decimal import Decimal
from pathlib import Path

import dagster as dg
import pytest
import yaml

from talk_pipeline.cli.configuration import check_configuration
from talk_pipeline.systems.customwebshop.spec.description import REFERENCE
from talk_pipeline_tests.pipeline.records import customer, line, order, product
from talk_pipeline_tests.world import World, opened_world

PROFILES = ("woocommerce", "bare", "cents", "enveloped", "liar")


@pytest.mark.slow
@pytest.mark.parametrize("shop", PROFILES)
def test_all_flows_in_both_directions(
    tmp_path: Path, instance: dg.DagsterInstance, shop: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with opened_world(tmp_path, instance=instance, profile=shop) as world:
        buyer = world.shop.post("customers", customer())["id"]
        item = world.shop.post("products", product())["id"]
        placed = world.shop.post("orders", order("O1", buyer, [line(item), line(item, "5", "20.00")]))["id"]
        assert check_configuration() == 0, capsys.readouterr().out
        assert not world.step().failed()
        bc_buyer, bc_item = world.counterpart("customer", buyer), world.counterpart("product", item)
        bc_order = world.counterpart("order", placed)

        world.shop.patch("customers", buyer, {"address": {"city": "Newtown"}, "contact_name": "New Name"})
        world.bc.patch("customers", bc_buyer, {"email": "there@company.example"})
        world.shop.patch("products", item, {"price": "149.50"})
        world.bc.patch("items", bc_item, {"displayName": "Named there"})
        rows = world.shop.get("orders", placed)["lines"]
        world.shop.patch(
            "orders", placed, {"lines": [{"id": rows[0]["id"], "quantity": "7"}, {"id": rows[1]["id"]}]}
        )
        second = max(
            world.bc.get("salesOrders", bc_order)["salesOrderLines"], key=lambda one: one["sequence"]
        )
        world.bc.patch("salesOrderLines", second["id"], {"unitPrice": 17.5})
        assert not world.step(full=True).failed()

        assert world.bc.get("customers", bc_buyer)["city"] == "Newtown"
        held = world.shop.get("customers", buyer)
        assert (held["email"], held["address"]["line1"]) == ("there@company.example", "Main Street 1")
        assert held["note"] == "not mapped"
        assert world.bc.get("items", bc_item)["unitPrice"] == Decimal("149.5")
        assert world.shop.get("products", item)["name"] == "Named there"
        assert world.shop.get("products", item)["tags"] == ["not mapped"]
        found = [
            (Decimal(row["quantity"]), Decimal(row["unit_price"]))
            for row in world.shop.get("orders", placed)["lines"]
        ]
        assert found == [(Decimal(7), Decimal(100)), (Decimal(5), Decimal("17.5"))]
        theirs = world.bc.get("salesOrders", bc_order)["salesOrderLines"]
        assert sorted(Decimal(row["quantity"]) for row in theirs) == [5, 7]
        assert (
            world.shop.get("orders", placed)["erp_number"] == world.bc.get("salesOrders", bc_order)["number"]
        )
        assert world.step(full=True).writes() == 0


def test_an_ampersand_kept_as_an_entity_reaches_nobody(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    with opened_world(tmp_path, instance=instance, profile="woocommerce") as world:
        key = world.shop.post("products", product(name="Bolt &amp; Nut &#8211; M8"))["id"]
        buyer = world.shop.post("customers", customer(company_name="Bricks &amp; Boards"))["id"]
        world.step()
        item, theirs = world.counterpart("product", key), world.counterpart("customer", buyer)
        assert world.bc.get("items", item)["displayName"] == "Bolt & Nut – M8"
        assert world.bc.get("customers", theirs)["displayName"] == "Bricks & Boards"

        world.bc.patch("items", item, {"displayName": "Salt & Pepper"})
        world.step()
        assert world.shop.get("products", key)["name"] == "Salt & Pepper"

        # what somebody means literally is written so that it is read again
        world.bc.patch("items", item, {"displayName": "How to write &lt;"})
        world.step()
        assert world.shop.get("products", key)["name"] == "How to write &amp;lt;"
        world.forget_requests()
        world.step(full=True)
        assert world.writes() == {"customwebshop": 0, "businesscentral": 0}
        assert world.bc.get("items", item)["displayName"] == "How to write &lt;"


def test_what_is_held_is_read_anew_when_the_description_says_otherwise(
    world: World, profile: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if profile != "reference":
        pytest.skip("edits the reference shop's description")
    buyer = world.shop.post("customers", customer(website="www.one.example", note="www.two.example"))["id"]
    world.step()
    theirs = world.counterpart("customer", buyer)
    assert world.bc.get("customers", theirs)["website"] == "www.one.example"

    said = yaml.safe_load(REFERENCE.read_text(encoding="utf-8"))
    said["entities"]["customers"].setdefault("fields", {})["website"] = "note"
    file = tmp_path / "own.yaml"
    file.write_text(yaml.safe_dump(said), encoding="utf-8")
    monkeypatch.setenv("CUSTOMWEBSHOP_CONNECTOR", str(file))
    world.step()
    assert world.bc.get("customers", theirs)["website"] == "www.two.example"


def test_nothing_is_written_to_a_shop_that_is_only_read(
    world: World, profile: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if profile != "reference":
        pytest.skip("edits the reference shop's description")
    said = yaml.safe_load(REFERENCE.read_text(encoding="utf-8")) | {"writes": "none"}
    file = tmp_path / "own.yaml"
    file.write_text(yaml.safe_dump(said), encoding="utf-8")
    monkeypatch.setenv("CUSTOMWEBSHOP_CONNECTOR", str(file))
    buyer = world.shop.post("customers", customer())["id"]
    item = world.shop.post("products", product())["id"]
    placed = world.shop.post("orders", order("O1", buyer, [line(item)]))["id"]
    world.forget_requests()
    assert not world.step().failed()
    assert world.writes()["customwebshop"] == 0
    theirs = world.counterpart("customer", buyer)
    world.bc.patch("customers", theirs, {"website": "www.there.example"})
    world.shop.patch("customers", buyer, {"phone": "+45 33 12 34 77"})
    world.forget_requests()
    assert not world.step(full=True).failed()
    assert world.writes()["customwebshop"] == 0
    assert world.bc.get("customers", theirs)["phoneNumber"] == "+45 33 12 34 77"
    assert world.bc.get("customers", theirs)["website"] == "www.there.example", "one way, and left alone"
    assert world.counterpart("order", placed)
