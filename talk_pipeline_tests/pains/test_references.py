"""What an order refers to: no order without a customer, and one bad product holds no other order."""

from typing import Any

import pytest

from talk_pipeline_tests.pipeline.orders.test_order_life import Placed
from talk_pipeline_tests.pipeline.records import line, order, product
from talk_pipeline_tests.world import World

Row = dict[str, Any]


def listed(world: World, *rows: Row) -> None:
    """The shop's list of orders shows these from now on."""
    page = {"data": list(rows), "next_cursor": None, "total": len(rows)}
    fault = {"status": 200, "body": page, "content_type": "application/json"}
    world.shop.faults({"match": {"method": "GET", "path": "*/orders"}, "fault": fault, "times": None})


def test_a_guest_order_is_never_written_without_a_customer(world: World) -> None:
    placed = Placed(world)
    guest = placed.shop | {"id": "o-9001", "number": "GUEST", "customer_id": None, "erp_number": None}
    listed(world, placed.shop, guest)
    run = world.step()
    assert not run.failed()
    assert run["order"]["snapshot"]["customwebshop"] == 2
    assert [row["externalDocumentNumber"] for row in world.bc.orders().values()] == ["O1"]
    assert world.state("order", "o-9001") == ("quarantined", "customer_id: is blank, but must not be")
    world.shop.no_faults()


def test_an_order_that_loses_its_customer_keeps_the_one_it_has_there(world: World) -> None:
    placed = Placed(world)
    before = placed.bc["customerId"]
    listed(world, placed.shop | {"customer_id": None, "email": "new@company.example"})
    run = world.step()
    assert not run.failed()
    assert placed.bc["customerId"] == before
    assert placed.bc["email"] == "new@company.example", "the rest goes on"
    state, reason = world.state("order", placed.id) or ("", "")
    assert (state, "customer_id" in reason) == ("quarantined", True)
    world.shop.no_faults()


@pytest.mark.slow
def test_a_quarantined_product_holds_only_the_line_and_the_order_that_need_it(world: World) -> None:
    placed = Placed(world)
    bad = world.shop.post("products", product("BAD", name="x" * 120))["id"]
    first, second = placed.shop["lines"]
    placed.patch_lines({"id": first["id"], "quantity": "3"}, {"id": second["id"]}, line(bad))
    good = world.shop.post("orders", order("O2", placed.buyer, [line(placed.items[0])]))["id"]
    held = world.shop.post("orders", order("O3", placed.buyer, [line(placed.items[0]), line(bad)]))["id"]
    assert not world.step().failed()
    assert [row["quantity"] for row in placed.bc_lines()] == [3, 5], "the other lines go on"
    assert world.counterpart("order", good)
    for waiting in (placed.id, held):
        state, reason = world.state("order", waiting) or ("", "")
        assert (state, f"product_id {bad}" in reason) == ("waiting", True)

    world.shop.patch("products", bad, {"name": "Short"})
    assert not world.step().failed()
    assert len(placed.bc_lines()) == 3
    assert len(world.bc.get("salesOrders", world.counterpart("order", held))["salesOrderLines"]) == 2
    assert world.state("order", placed.id) is None
    assert world.step().writes() == 0


@pytest.mark.reaches
def test_a_status_nobody_knows_is_a_clear_error_and_no_guess(world: World) -> None:
    """Business Central may come to show a status that the flow does not map."""
    placed = Placed(world)
    row = placed.bc | {"status": "Parked"}
    fault = {"status": 200, "body": {"value": [row]}, "content_type": "application/json"}
    world.bc.faults({"match": {"method": "GET", "path": "*/salesOrders"}, "fault": fault, "times": None})
    first, second = placed.shop["lines"]
    placed.patch_lines({"id": first["id"], "quantity": "3"}, {"id": second["id"]})
    run = world.step("order", full=True)
    assert run.success, run.problems
    assert placed.shop["status"] == "open"
    reasons = [reason for _, reason in world.sql("select state, reason from status")]
    assert any("'Parked' is not among the values the flow maps" in reason for reason in reasons), reasons
    assert [row["quantity"] for row in placed.bc_lines()] == [2, 5], "what is not known to be open is guarded"
    world.bc.no_faults()
