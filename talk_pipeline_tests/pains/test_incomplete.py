"""An answer that lacks something is no record without it: nothing is written from such a reading."""

from typing import Any

import pytest

from talk_pipeline_tests.pipeline.faults import rule
from talk_pipeline_tests.pipeline.records import customer, line, order, product
from talk_pipeline_tests.variants import variants
from talk_pipeline_tests.world import World

Row = dict[str, Any]


@variants("lacks", ["salesOrderLines", "email", "a line's quantity"])
def test_what_business_central_leaves_out_is_neither_removed_nor_blanked_in_the_shop(
    world: World, lacks: str
) -> None:
    buyer = world.shop.post("customers", customer())["id"]
    item = world.shop.post("products", product())["id"]
    key = world.shop.post("orders", order("O1", buyer, [line(item), line(item, "5", "20.00")]))["id"]
    assert world.step().success
    before = world.shop.get("orders", key)
    world.bc.patch("salesOrders", world.counterpart("order", key), {"phoneNumber": "+45 55 55 55 55"})
    (held,) = world.bc.orders().values()
    if lacks in held:
        del held[lacks]
    else:
        del held["salesOrderLines"][0]["quantity"]
    world.bc.faults(rule("GET", "/salesOrders", times=None, status=200, body={"value": [held]}))
    for full in (False, True):
        run = world.step("order", full=full)
        assert not run.success
        assert "lack what was asked for" in run.problems[0]
        assert run.writes() == 0
        fresh = run.findings["order"]["businesscentral.complete_and_fresh"]
        assert (fresh.verdict, "lack what was asked for" in fresh.summary) == ("failed", True)
    assert world.shop.get("orders", key) == before
    world.bc.no_faults()
    assert world.step("order").success
    assert world.shop.get("orders", key)["phone"] == "+45 55 55 55 55"


def test_a_shop_whose_lines_are_not_found_loses_no_line(world: World) -> None:
    if not world.lines_apart():
        pytest.skip("this shop has its lines within the order")
    buyer = world.shop.post("customers", customer())["id"]
    item = world.shop.post("products", product())["id"]
    key = world.shop.post("orders", order("O1", buyer, [line(item)]))["id"]
    assert world.step().success
    world.shop.faults(rule("GET", "/rows", times=None, status=404))
    run = world.step("order")
    assert not run.success
    assert f"/purchases/{key}/rows" in run.problems[0]
    (held,) = world.bc.orders().values()
    assert len(held["salesOrderLines"]) == 1
