"""Values that the shop has not: a default of the flow stands for a blank."""

from pathlib import Path

import pytest

from talk_pipeline_tests.flow_files import edited_flows
from talk_pipeline_tests.pipeline.records import product
from talk_pipeline_tests.pipeline.second_opinion import unexplained
from talk_pipeline_tests.world import World

ROW = "itemCategoryCode,      type: code(20)"


@pytest.fixture
def defaulting(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A company whose items have a category, and a shop whose products may have none."""
    edited_flows(tmp_path, monkeypatch, product=(ROW, f"{ROW}, blank: OFFICE"))
    if "category" in world.shop_lacks("product"):
        pytest.skip("this shop cannot write categories")
    return world


def made(world: World) -> tuple[str, str]:
    key = world.shop.post("products", product())["id"]
    assert not world.step("product").failed()
    return key, world.counterpart("product", key)


def both(world: World, key: str, bc_id: str) -> tuple[str | None, str]:
    return world.shop.get("products", key)["category"], world.bc.get("items", bc_id)["itemCategoryCode"]


def quiet(world: World) -> None:
    assert world.step("product", full=True).writes() == 0
    assert not unexplained("product")


def test_a_blank_arrives_as_the_default_and_stays_blank(defaulting: World) -> None:
    key, bc_id = made(defaulting)
    assert both(defaulting, key, bc_id) == (None, "OFFICE")
    quiet(defaulting)


def test_what_is_said_beside_it_travels_both_ways(defaulting: World) -> None:
    key, bc_id = made(defaulting)
    defaulting.bc.patch("items", bc_id, {"itemCategoryCode": "CHAIRS"})
    defaulting.step("product")
    assert both(defaulting, key, bc_id) == ("CHAIRS", "CHAIRS")
    defaulting.shop.patch("products", key, {"category": None})
    defaulting.step("product")
    assert both(defaulting, key, bc_id) == (None, "OFFICE")
    quiet(defaulting)


def test_a_blank_there_gets_the_default_when_the_two_meet(defaulting: World) -> None:
    defaulting.bc.post("items", {"number": "P1", "displayName": "Theirs", "baseUnitOfMeasureCode": "PCS"})
    key, bc_id = made(defaulting)
    assert both(defaulting, key, bc_id) == (None, "OFFICE")
    quiet(defaulting)


def test_a_category_that_is_emptied_there_is_told(defaulting: World) -> None:
    key, bc_id = made(defaulting)
    defaulting.bc.patch("items", bc_id, {"itemCategoryCode": ""})
    defaulting.step("product")
    assert both(defaulting, key, bc_id) == (None, "")
    ((kind, reason),) = defaulting.sql(
        "select hold_kind, hold_reason from change where property = 'category'"
    )
    assert (kind, reason) == ("quarantined", "category: is blank, and a blank in the shop means 'OFFICE'")
    quiet(defaulting)
