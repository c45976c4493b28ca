"""Records born in Business Central: which of them get one in the shop."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from talk_pipeline.cli.main import app
from talk_pipeline.systems.customwebshop.spec.description import REFERENCE
from talk_pipeline_tests.audit.planting import LONG_AGO
from talk_pipeline_tests.flow_files import edited_flows
from talk_pipeline_tests.pipeline.faults import rule
from talk_pipeline_tests.pipeline.records import product
from talk_pipeline_tests.pipeline.second_opinion import unexplained
from talk_pipeline_tests.world import World

CREATE = "create: always"
SCOPE = "create: both\n  create_scope_businesscentral: {{{}}}"


@pytest.fixture
def born(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """Items of two categories come to the shop, unless they are blocked."""
    asked = "category: [office, CHAIRS], active: [true]"
    edited_flows(tmp_path, monkeypatch, product=(CREATE, SCOPE.format(asked)))
    if "category" in world.shop_lacks("product"):
        pytest.skip("this shop cannot write categories")
    return world


def item(world: World, number: str, **values: Any) -> str:
    row = {"number": number, "displayName": f"Item {number}", "baseUnitOfMeasureCode": "PCS", "unitPrice": 5}
    return str(world.bc.post("items", row | values)["id"])


def skus(world: World) -> set[str]:
    return {row["sku"] for row in world.shop.all("products").values()}


def told(world: World, bc_id: str) -> str:
    return CliRunner().invoke(app, ["explain", "product", bc_id]).output


def test_only_what_the_flow_asks_for_comes_to_the_shop(born: World) -> None:
    item(born, "I1", itemCategoryCode="OFFICE")
    item(born, "I2", itemCategoryCode="CHAIRS")
    other = item(born, "I3", itemCategoryCode="TOOLS")
    blocked = item(born, "I4", itemCategoryCode="OFFICE", blocked=True)
    key = born.shop.post("products", product("P1"))["id"]
    run = born.step("product")
    assert not run.failed()
    assert skus(born) == {"I1", "I2", "P1"}
    assert born.counterpart("product", key), "what the shop has is created as ever"
    assert "category is TOOLS; created only while: office, CHAIRS" in told(born, other)
    assert "active is false; created only while: true" in told(born, blocked)
    assert "nothing: the flow does not create it in the shop; talk-pipeline link product ID" in told(
        born, other
    )
    assert born.step("product", full=True).writes() == 0
    assert not unexplained("product")

    born.bc.patch("items", other, {"itemCategoryCode": "OFFICE"})
    assert not born.step("product").failed()
    assert skus(born) == {"I1", "I2", "I3", "P1"}
    assert born.step("product", full=True).writes() == 0


def test_one_that_no_run_has_noticed_is_told_by_the_audit(born: World) -> None:
    item(born, "I0", itemCategoryCode="OFFICE")
    born.step("product")
    values = {"number": "I1", "displayName": "Chair", "baseUnitOfMeasureCode": "PCS"}
    for number, category in (("I1", "OFFICE"), ("I2", "TOOLS")):
        row = values | {"number": number, "itemCategoryCode": category}
        born.bc.back_office("POST", "items", row, ago=LONG_AGO)
    assert [(one.name, one.what) for one in unexplained("product")] == [("I1", "has no counterpart")]


def test_one_that_was_unlinked_by_hand_has_that_for_a_reason(born: World) -> None:
    bc_id = item(born, "I1", itemCategoryCode="OFFICE")
    born.step("product")
    (key,) = born.shop.all("products")
    assert CliRunner().invoke(app, ["unlink", "product", key]).exit_code == 0
    born.step("product")
    assert "unlinked by hand" in told(born, bc_id)
    assert not unexplained("product")


def test_a_pair_that_leaves_what_is_created_stays_in_step(born: World) -> None:
    bc_id = item(born, "I1", itemCategoryCode="OFFICE")
    born.step("product")
    born.bc.patch("items", bc_id, {"itemCategoryCode": "TOOLS", "displayName": "Hammer"})
    assert not born.step("product").failed()
    (row,) = born.shop.all("products").values()
    assert (row["category"], row["name"]) == ("TOOLS", "Hammer")


def test_what_the_shop_refuses_is_explained_with_the_way_out(born: World) -> None:
    refused = item(born, "I1", itemCategoryCode="OFFICE")
    answer = {"error": {"code": "invalid", "message": "the sku is reserved"}}
    born.shop.faults(rule("POST", born.shop_path("product"), status=422, body=answer))
    born.step("product")
    document = json.loads(CliRunner().invoke(app, ["explain", "product", refused, "--json"]).output)
    assert document["state"] == "quarantined"
    if born.profile == "reference":  # others have words of their own for it
        assert "the sku is reserved" in document["reason"]
    assert not unexplained("product")
    assert document["next_step"].endswith(f"or at once: talk-pipeline retry product {refused}")

    assert CliRunner().invoke(app, ["retry", "product", refused]).exit_code == 0
    assert not born.step("product").failed()
    assert skus(born) == {"I1"}


def test_what_would_not_come_anyway_claims_nothing(born: World) -> None:
    born.shop.post("products", product("P1", gtin="4006381333931"))
    born.step("product")
    twin = item(born, "I2", gtin="4006381333931", itemCategoryCode="TOOLS")
    run = born.step("product")
    assert run.finding("product", "no_ambiguous_matches").verdict == "passed"
    assert "created only while: office, CHAIRS" in told(born, twin)
    born.bc.patch("items", twin, {"itemCategoryCode": "OFFICE"})
    run = born.step("product")
    assert run.finding("product", "no_ambiguous_matches").verdict == "warned"
    assert "belongs already to" in told(born, twin)
    assert skus(born) == {"P1"}
    assert not unexplained("product")


def test_a_value_that_no_property_carries_may_be_asked_for(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = edited_flows(tmp_path, monkeypatch, product=(CREATE, SCOPE.format("group: [RETAIL]")))
    file = folder / "product.yaml"
    row = "  - {name: group, dir: '-', bc: generalProductPostingGroupCode, type: code(20)}\n"
    file.write_text(file.read_text().replace("properties:\n", f"properties:\n{row}", 1))
    item(world, "I1", generalProductPostingGroupCode="RETAIL")
    item(world, "I2", generalProductPostingGroupCode="SERVICES")
    assert not world.step("product").failed()
    assert skus(world) == {"I1"}
    assert world.step("product", full=True).writes() == 0


def test_a_shop_without_the_property_is_no_reason_not_to_ask(
    born: World, profile: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if profile != "reference":
        pytest.skip("edits the reference shop's description")
    said = yaml.safe_load(REFERENCE.read_text(encoding="utf-8"))
    said["entities"]["products"]["lacks"] = ["category"]
    file = born.data.parent / "own.yaml"
    file.write_text(yaml.safe_dump(said), encoding="utf-8")
    monkeypatch.setenv("CUSTOMWEBSHOP_CONNECTOR", str(file))
    item(born, "I1", itemCategoryCode="OFFICE")
    item(born, "I2", itemCategoryCode="TOOLS")
    assert not born.step("product").failed()
    assert skus(born) == {"I1"}
    assert born.step("product", full=True).writes() == 0
