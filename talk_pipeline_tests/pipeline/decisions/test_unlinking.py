"""What a person unlinked stays apart, and what is released gets a counterpart anew."""

from pathlib import Path

import pytest

from talk_pipeline.engine.model import ByHandError
from talk_pipeline_tests.flow_files import edited_flows
from talk_pipeline_tests.pipeline.by_hand import bc_customer, keep_apart, link, unlink
from talk_pipeline_tests.pipeline.documents import Sold
from talk_pipeline_tests.pipeline.records import customer, line, order, product
from talk_pipeline_tests.pipeline.test_disappearance import gone
from talk_pipeline_tests.world import World


def test_unlinked_records_stay_apart_and_nothing_is_created(world: World, pair: tuple[str, str]) -> None:
    shop_id, bc_id = pair
    assert bc_id in unlink(shop_id).message
    assert world.state("customer", shop_id) == ("held", "unlinked by hand")
    world.shop.patch("customers", shop_id, {"website": "www.shop.example"})
    world.bc.patch("customers", bc_id, {"email": "bc@company.example"})
    for full in (False, True):
        run = world.step("customer", full=full)
        assert not run.failed()
        assert run.writes() == 0
        assert (run["customer"]["held"], run["customer"]["linked"]) == (1, 0)
    assert run.finding("customer", "no_held_records").rows[0]["shop_id"] == shop_id
    assert len(world.bc.all("customers")) == 1


def test_a_flow_that_creates_both_ways_creates_neither(
    world: World, monkeypatch: pytest.MonkeyPatch, pair: tuple[str, str]
) -> None:
    shop_id, bc_id = pair
    edited_flows(world.data.parent, monkeypatch, customer=("create: always #", "create: both #"))
    unlink(shop_id)
    world.bc.patch("customers", bc_id, {"email": "bc@company.example"})
    assert world.step("customer", full=True).writes() == 0
    assert len(world.shop.all("customers")) == len(world.bc.all("customers")) == 1


def test_linked_again_they_meet_for_the_first_time(world: World, pair: tuple[str, str]) -> None:
    shop_id, bc_id = pair
    unlink(shop_id)
    world.bc.patch("customers", bc_id, {"website": "www.bc.example", "addressLine2": "Back door"})
    world.step("customer")
    link(shop_id, bc_id)
    run = world.step("customer")
    assert not run.failed()
    shop, bc = world.shop.get("customers", shop_id), world.bc.get("customers", bc_id)
    # with the old base this would be an edit of Business Central; as a first meeting the master wins
    assert shop["website"] == bc["website"] == "www.c1.example"
    assert shop["address"]["line2"] == "Back door", "an empty value overwrites nothing"
    (row,) = run.finding("customer", "conflicts_listed").rows
    assert (row["rule"], row["bc_value"]) == ("initial", "www.bc.example")
    assert world.sql("select rule, state from link") == [("by hand", "active")]
    assert world.step("customer").writes() == 0


def test_released_it_gets_a_counterpart_and_never_the_old_one(world: World) -> None:
    bc_id = bc_customer(world, "OTHER", email="same@company.example")
    shop_id = world.shop.post("customers", customer("C1", email="same@company.example"))["id"]
    world.step("customer")
    assert world.counterpart("customer", shop_id) == bc_id
    unlink(shop_id)
    world.step("customer")
    assert unlink(shop_id, recreate=True).action == "released"
    assert not world.step("customer").failed()
    made = world.counterpart("customer", shop_id)
    assert made != bc_id
    assert world.bc.get("customers", made)["number"] == "C1"
    assert world.step("customer", full=True).writes() == 0
    assert len(world.bc.all("customers")) == 2


@pytest.mark.reaches
def test_beside_a_counterpart_that_is_linked_with_another_by_now_it_is_not_released(world: World) -> None:
    first, second = (world.shop.post("customers", customer(number))["id"] for number in ("C1", "C2"))
    world.step("customer")
    there = world.counterpart("customer", first)
    unlink(first)
    unlink(second)
    link(second, there)
    assert world.bc.get("customers", there)["number"] == "C1"
    with pytest.raises(ByHandError) as told:
        unlink(first, recreate=True)
    assert (
        f"can neither be matched nor created anew: {there} (number C1) is still in Business Central"
        in str(told.value)
    )
    assert f"is linked with customer {second}" in str(told.value)
    assert f"or part those two: talk-pipeline unlink customer {second}" in str(told.value)
    assert world.state("customer", first) == ("held", "unlinked by hand")
    unlink(second)
    assert "matches the two anew" in unlink(first, recreate=True).message
    world.step("customer")
    assert world.counterpart("customer", first) == there


def test_at_once_released(world: World, pair: tuple[str, str]) -> None:
    shop_id, bc_id = pair
    world.bc.patch("customers", bc_id, {"number": "OLD", "email": ""})
    unlink("C1", recreate=True)
    world.step("customer")
    made = world.counterpart("customer", shop_id)
    assert (made != bc_id, world.bc.get("customers", made)["number"]) == (True, "C1")


@pytest.mark.parametrize("at_once", [True, False])
def test_released_beside_a_counterpart_of_its_number_they_meet_anew(
    world: World, pair: tuple[str, str], at_once: bool
) -> None:
    shop_id, bc_id = pair
    if not at_once:
        unlink(shop_id)
        world.step("customer")
    message = unlink(shop_id, recreate=True).message
    assert f"{bc_id} (number C1) is still there under its key" in message
    run = world.step("customer")
    assert not run.failed()
    assert run.writes() == 0
    assert world.counterpart("customer", shop_id) == bc_id
    assert world.sql("select rule, state from link") == [("number", "active")]
    assert len(world.bc.all("customers")) == 1


def test_released_after_it_left_the_shop_it_is_not_said_to_come_back(
    world: World, pair: tuple[str, str]
) -> None:
    shop_id, bc_id = pair
    world.shop.delete("customers", shop_id)
    world.step("customer", full=True)
    message = unlink(shop_id, recreate=True).message
    assert f"nothing is created for it; {bc_id} (number C1) is free" in message
    again = world.shop.post("customers", customer("C1"))["id"]
    assert not world.step("customer").failed()
    assert world.counterpart("customer", again) == bc_id


def test_what_could_neither_be_matched_nor_created_is_not_released(
    world: World, pair: tuple[str, str]
) -> None:
    shop_id, bc_id = pair
    keep_apart(shop_id, bc_id)
    with pytest.raises(ByHandError, match=f"under the same number.*talk-pipeline link customer {shop_id}"):
        unlink(shop_id, recreate=True)
    assert world.state("customer", shop_id) == ("held", "unlinked by hand")
    link(shop_id, bc_id)
    world.bc.patch("customers", bc_id, {"type": "Person"})
    world.step("customer", full=True)
    with pytest.raises(ByHandError, match="is outside the flow, which is for type = Company"):
        unlink(shop_id, recreate=True)


def test_a_sales_order_that_is_still_there_is_not_made_twice(world: World) -> None:
    buyer = world.shop.post("customers", customer())["id"]
    item = world.shop.post("products", product())["id"]
    placed = world.shop.post("orders", order("O1", buyer, [line(item)]))["id"]
    world.step()
    bc_id = world.counterpart("order", placed)
    unlink(placed, "order", recreate=True)
    run = world.step()
    assert not run.failed()
    assert world.counterpart("order", placed) == bc_id
    assert len(world.bc.orders()) == 1


def test_a_number_follows_the_order_that_is_made_anew(world: World) -> None:
    buyer = world.shop.post("customers", customer())["id"]
    item = world.shop.post("products", product(stock="12"))["id"]
    placed = world.shop.post("orders", order("O1", buyer, [line(item)]))["id"]
    world.step()
    old = world.shop.get("orders", placed)["erp_number"]
    world.bc.delete("salesOrders", world.counterpart("order", placed))
    world.step("order", full=True)
    unlink(placed, "order", recreate=True)
    run = world.step()
    assert not run.failed()
    made = world.bc.get("salesOrders", world.counterpart("order", placed))
    assert made["number"] != old
    assert world.shop.get("orders", placed)["erp_number"] == made["number"]
    assert run.finding("order", "property_erp_number").passed
    assert world.step().writes() == 0


def test_a_freed_record_may_be_matched_with_another(world: World) -> None:
    bc_id = bc_customer(world, "B1", email="right@company.example")
    wrong = world.shop.post("customers", customer("W1", email="right@company.example"))["id"]
    world.step("customer")
    unlink(wrong)
    right = world.shop.post("customers", customer("R1", email="right@company.example"))["id"]
    world.step("customer")
    assert world.counterpart("customer", right) == bc_id
    assert world.state("customer", wrong) == ("held", "unlinked by hand")
    assert len(world.bc.all("customers")) == 1


def test_a_create_of_unknown_outcome_does_not_adopt_what_was_unlinked(world: World) -> None:
    bc_id = bc_customer(world, "OTHER", email="same@company.example")
    shop_id = world.shop.post("customers", customer("C1", email="same@company.example"))["id"]
    world.step("customer")
    unlink(shop_id, recreate=True)
    world.bc.patch("customers", bc_id, {"number": "C1"})
    world.bc.faults(
        {"match": {"method": "POST", "path": "customers"}, "fault": {"drop": "before"}, "times": 1}
    )
    world.step("customer")
    world.bc.no_faults()
    world.step("customer")
    rows = world.sql("select bc_id from link where shop_id = ?", shop_id)
    assert (bc_id,) not in rows


def test_what_lost_its_counterpart_is_held_by_hand_too(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop_id, gone_id = gone(world, "businesscentral", "unlink", tmp_path, monkeypatch)
    unlink(shop_id)
    world.step("customer", full=True)
    assert world.state("customer", shop_id) == ("held", "unlinked by hand")
    assert world.sql("select bc_id from link where shop_id = ?", shop_id) == [(None,)]
    assert world.sql("select bc_id from apart") == [(gone_id,)]


@pytest.mark.parametrize("at_once", [True, False])
def test_an_order_that_is_posted_while_it_is_let_go_ends_as_any_other(world: World, at_once: bool) -> None:
    """What was read of it before is its lines and totals: nothing of them was lost, and the shop is told."""
    sold = Sold(world)
    unlink(sold.id, "order", recreate=at_once)
    sold.office("ship")
    sold.office("invoice")
    if not at_once:
        world.step(full=True)
        unlink(sold.id, "order", recreate=True)
    sold.sync()
    state, _ = world.state("order", sold.id) or ("", "")
    assert (state, world.shop.get("orders", sold.id)["status"]) == ("closed", "completed")
    assert world.sql("select * from conflict") == []
    sold.quiet()
