"""Success that is none: a system says yes and holds what it held before."""

from typing import Any

import pytest

from talk_pipeline_tests.pipeline.faults import rule
from talk_pipeline_tests.pipeline.records import customer, line, order, product
from talk_pipeline_tests.world import World

Row = dict[str, Any]


def says_yes_and_keeps(api: Any, path: str, record: Row) -> None:
    api.faults(rule("PATCH", path, times=None, status=200, body=record))


def test_what_business_central_kept_undoes_no_edit_and_is_told(world: World) -> None:
    key = world.shop.post("products", product())["id"]
    world.step("product")
    item = world.bc.get("items", world.counterpart("product", key))
    says_yes_and_keeps(world.bc, f"items({item['id']})", item)
    world.shop.patch("products", key, {"unit": "box", "price": "130.00"})
    run = world.step("product")
    assert (run.writes(), run["product"]["failed"], run["product"]["quarantined"]) == (0, 1, 1)
    state = world.state("product", key)
    assert state is not None
    assert state[0] == "quarantined"
    assert "accepted it with success, but still holds" in state[1]
    assert world.sql("select property from change order by all") == [("price",), ("unit",)]
    for full in (False, True):
        run = world.step("product", full=full)
        assert (run.writes(), run["product"]["failed"]) == (0, 0), "not asked again until the data changes"
    held = world.shop.get("products", key)
    assert (held["unit"], held["price"]) == ("box", "130.00")

    world.bc.no_faults()
    world.shop.patch("products", key, {"name": "Another name"})
    assert world.step("product").writes() == 1, "new data is sent, and what was refused with it"
    item = world.bc.get("items", item["id"])
    assert (item["baseUnitOfMeasureCode"], item["unitPrice"]) == ("BOX", 130)
    assert world.state("product", key) is None


def test_what_a_line_kept_is_refused_and_the_rest_of_the_order_goes_on(world: World) -> None:
    buyer = world.shop.post("customers", customer())["id"]
    item = world.shop.post("products", product())["id"]
    key = world.shop.post("orders", order("O1", buyer, [line(item), line(item, "5", "20.00")]))["id"]
    world.step()
    (held,) = world.bc.orders().values()
    first = held["salesOrderLines"][0]
    says_yes_and_keeps(world.bc, f"salesOrderLines({first['id']})", first)
    rows = world.shop.get("orders", key)["lines"]
    lines = [{"id": rows[0]["id"], "quantity": "7"}, {"id": rows[1]["id"], "quantity": "9"}]
    world.shop.patch("orders", key, {"email": "other@company.example", "lines": lines})
    for _ in range(2):
        world.step()
    (held,) = world.bc.orders().values()
    assert held["email"] == "other@company.example"
    assert [row["quantity"] for row in held["salesOrderLines"]] == [2, 9]
    assert [row["quantity"] for row in world.shop.get("orders", key)["lines"]] == ["7", "9"]
    assert (world.state("order", key) or ("",))[0] == "quarantined"
    world.bc.no_faults()
    world.shop.patch("orders", key, {"phone": "+45 33 12 00 00"})
    world.step()
    (held,) = world.bc.orders().values()
    assert [row["quantity"] for row in held["salesOrderLines"]] == [7, 9]
    assert world.step().writes() == 0


def test_a_shop_that_carries_out_later_what_it_confirmed_is_believed_when_it_shows_it(world: World) -> None:
    """It answers with the record as it was; the next read shows the new value, and the refusal is over."""
    if world.profile != "reference":
        pytest.skip("the fault speaks the reference API")
    key = world.shop.post("products", product())["id"]
    world.step("product")
    bc_id = world.counterpart("product", key)
    before = world.shop.http.get(
        f"/api/v1/products/{key}",
        headers={"Authorization": f"Bearer {world.environment['CUSTOMWEBSHOP_TOKEN']}"},
    ).json()
    says_yes_and_keeps(world.shop, f"products/{key}", before)
    world.bc.patch("items", bc_id, {"displayName": "Named there"})
    world.step("product")
    assert (world.state("product", key) or ("",))[0] == "quarantined"
    assert world.bc.get("items", bc_id)["displayName"] == "Named there"
    world.shop.no_faults()
    world.shop.patch("products", key, {"name": "Named there"})
    run = world.step("product")
    assert (run.writes(), run["product"]["conflicts"]) == (0, 0)
    assert world.state("product", key) is None
    assert not world.sql("select * from refusal")
