"""All dimensions of an order, however many: those of its customer, those it shows itself, and any other."""

from pathlib import Path

import pytest

from talk_pipeline_tests.pipeline.documents import with_optional
from talk_pipeline_tests.pipeline.optional.test_terms import quiet
from talk_pipeline_tests.pipeline.records import customer, line, order, product
from talk_pipeline_tests.world import World


@pytest.fixture
def classed(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    with_optional(world, tmp_path, monkeypatch, "order_dimension_lines", "customer_dimensions")
    return world


def there(world: World, key: str) -> dict[str, str]:
    rows = world.bc.all(f"salesOrders({world.counterpart('order', key)})/dimensionSetLines").values()
    return {row["code"]: row["valueCode"] for row in rows}


def here(world: World, key: str) -> dict[str, str]:
    return {row["code"]: row["value"] for row in world.shop.get("orders", key)["dimensions"]}


def test_three_dimensions_of_an_order_go_both_ways(classed: World) -> None:
    own = [{"code": "DEPARTMENT", "value": "ADM"}, {"code": "PROJECT", "value": "FAIR"}]
    buyer = classed.shop.post("customers", customer(dimensions=own))["id"]
    item = classed.shop.post("products", product())["id"]
    said = [{"code": "CAMPAIGN", "value": "SUMMER"}, {"code": "DEPARTMENT", "value": "SALES"}]
    key = classed.shop.post("orders", order("O1", buyer, [line(item)], dimensions=said))["id"]
    assert classed.step().problems == []
    together = {"CAMPAIGN": "SUMMER", "DEPARTMENT": "SALES", "PROJECT": "FAIR"}
    assert there(classed, key) == together
    assert here(classed, key) == together, "what the customer brings comes to the shop"
    bc_id = classed.counterpart("order", key)
    shown = classed.bc.get("salesOrders", bc_id)
    assert (shown["shortcutDimension1Code"], shown["shortcutDimension2Code"]) == ("SALES", "FAIR")
    quiet(classed)

    classed.let_time_pass()
    classed.bc.patch("salesOrders", bc_id, {"shortcutDimension2Code": "SHOP"})
    rows = {row["code"]: row for row in classed.shop.get("orders", key)["dimensions"]}
    kept = [rows["CAMPAIGN"] | {"value": "WINTER"}, rows["PROJECT"]]
    classed.shop.patch("orders", key, {"dimensions": kept})
    assert classed.step().problems == []
    together = {"CAMPAIGN": "WINTER", "PROJECT": "SHOP"}
    assert there(classed, key) == together
    assert here(classed, key) == together
    assert classed.bc.get("salesOrders", bc_id)["shortcutDimension1Code"] == ""
    quiet(classed)


def test_a_value_of_another_dimension_is_refused_by_name_and_holds_nothing_else(classed: World) -> None:
    buyer = classed.shop.post("customers", customer())["id"]
    item = classed.shop.post("products", product())["id"]
    keys = [classed.shop.post("orders", order(f"O{n}", buyer, [line(item)]))["id"] for n in range(2)]
    assert classed.step().problems == []
    wrong = {"dimensions": [{"code": "CAMPAIGN", "value": "SALES"}], "email": "new@company.example"}
    classed.shop.patch("orders", keys[0], wrong)
    classed.shop.patch("orders", keys[1], {"dimensions": [{"code": "CAMPAIGN", "value": "WINTER"}]})
    classed.step()
    assert (there(classed, keys[0]), there(classed, keys[1])) == ({}, {"CAMPAIGN": "WINTER"})
    bc_id = classed.counterpart("order", keys[0])
    assert classed.bc.get("salesOrders", bc_id)["email"] == "new@company.example"
    ((reason,),) = classed.sql("select reason from refusal")
    assert "CAMPAIGN" in reason
