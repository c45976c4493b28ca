"""Both systems were restored from backups, and a person says so of one after the other."""

from pathlib import Path
from typing import Any

import pytest

from talk_pipeline.engine.report.waiting import Kind
from talk_pipeline.flows.sides import Side
from talk_pipeline_tests.flow_files import edited_flows
from talk_pipeline_tests.outcome import Run
from talk_pipeline_tests.pains.test_restored import ALL, api, assert_settled, website
from talk_pipeline_tests.pains.test_restored import buyers as buyers  # noqa: PLC0414
from talk_pipeline_tests.pipeline.decisions.test_attention import of
from talk_pipeline_tests.pipeline.records import line, order, product
from talk_pipeline_tests.variants import variants
from talk_pipeline_tests.world import World


def phones(world: World, key: str) -> tuple[Any, Any]:
    bc = world.bc.get("customers", world.counterpart("customer", key))
    return world.shop.get("customers", key)["phone"], bc["phoneNumber"]


def edited(world: World, key: str, **values: str) -> None:
    """In the shop, and in step."""
    world.let_time_pass()
    world.shop.patch("customers", key, values)
    assert world.step("customer").success


def restored(world: World, first: Side) -> Run:
    for side in Side:
        api(world, side).control("restore")
    assert not world.step(full=True).success
    assert not world.step(restored=first).success, "the other one is undecided"
    done = world.step(restored=first.other)
    assert done.success, done.problems
    return done


def told() -> dict[str, Any]:
    """What waits for somebody who takes note of it: property -> the value that was lost."""
    return {one.reason.split(":")[0]: one.reason for one in of(Kind.UNACKNOWLEDGED)}


@variants("first", list(Side))
def test_what_one_of_both_restored_systems_still_holds_goes_back_to_the_other_and_the_rest_is_told(
    world: World, buyers: list[str], first: Side
) -> None:
    """The backup of Business Central is older: only the shop has the website, and neither has the phone."""
    world.bc.control("backup")
    edited(world, buyers[0], website="www.since.example")
    world.shop.control("backup")
    edited(world, buyers[0], phone="+45 11 11 11 11")
    before = "+45 33 12 34 56"
    restored(world, first)
    assert website(world, buyers[0]) == ("www.since.example",) * 2
    assert phones(world, buyers[0]) == (before, before)
    lost = f"'+45 11 11 11 11' of customwebshop lost to '{before}' since a restore lost the other value"
    assert told() == {"phone": f"phone: {lost}"}
    assert_settled(world)


@variants("first", list(Side))
def test_a_line_that_both_restored_systems_lost_is_told(world: World, buyers: list[str], first: Side) -> None:
    items = [world.shop.post("products", product(f"P{n}"))["id"] for n in range(3)]
    key = world.shop.post("orders", order("A", buyers[0], [line(items[0])]))["id"]
    assert world.step().success
    world.bc.control("backup")
    for at in (1, 2):
        world.let_time_pass()
        held = [{"id": row["id"]} for row in world.shop.get("orders", key)["lines"]]
        world.shop.patch("orders", key, {"lines": [*held, line(items[at], str(at + 4))]})
        assert world.step().success
        if at == 1:
            world.shop.control("backup")
    restored(world, first)
    lines = world.bc.orders()[world.counterpart("order", key)]["salesOrderLines"]
    assert sorted(row["quantity"] for row in lines) == [2, 5]
    assert [float(row["quantity"]) for row in world.shop.get("orders", key)["lines"]] == [2, 5]
    (quantity,) = (reason for prop, reason in told().items() if prop.endswith(".quantity"))
    assert quantity.endswith("'6' of customwebshop lost to blank since a restore lost the other value")
    assert len({prop.partition(".")[0] for prop in told()}) == 1, "that one line alone"
    assert_settled(world, *ALL)


@variants("first", list(Side))
def test_what_both_restored_systems_lost_of_a_record_that_goes_one_way_is_told(
    world: World, buyers: list[str], first: Side, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of it is ever told to the shop, so that the shop is not told it again."""
    edited_flows(tmp_path, monkeypatch, customer=("dir: <->", "dir: ->"))
    for side in Side:
        api(world, side).control("backup")
    edited(world, buyers[0], phone="+45 11 11 11 11")
    edited(world, buyers[1], phone="+45 22 22 22 22")
    for side in Side:
        api(world, side).control("restore")
    assert not world.step("customer", full=True).success
    assert not world.step("customer", restored=first).success, "the other one is undecided"
    if first is Side.BC:  # what people have said since in the system that is decided last is no loss
        world.shop.patch("customers", buyers[1], {"phone": "+45 33 33 33 33"})
    assert world.step("customer", restored=first.other).success
    found = {one.shop_id: one.reason for one in of(Kind.UNACKNOWLEDGED)}
    lost = "'+45 11 11 11 11' of customwebshop lost to '+45 33 12 34 56' since a restore lost the other value"
    assert found.pop(buyers[0]) == f"phone: {lost}"
    assert set(found) == (set() if first is Side.BC else {buyers[1]})
    assert_settled(world)


@pytest.mark.reaches
def test_what_the_second_system_turns_out_to_have_is_not_told_as_lost(
    world: World, buyers: list[str]
) -> None:
    """The wrong backup of Business Central was restored first, and the shop's loss was decided meanwhile."""
    for side in Side:
        api(world, side).control("backup")
    edited(world, buyers[0], phone="+45 11 11 11 11")
    world.bc.control("backup", {"name": "right"})
    for side in Side:
        api(world, side).control("restore")
    assert not world.step("customer", full=True).success
    assert not world.step("customer", restored=Side.SHOP).success
    world.bc.control("restore", {"name": "right"})
    run = world.step("customer")
    assert run.success, run.problems
    assert phones(world, buyers[0]) == ("+45 11 11 11 11",) * 2
    assert told() == {}
    assert_settled(world)


def test_what_a_system_turns_out_to_have_is_not_told_as_lost_though_another_flow_made_it_suspect(
    world: World, buyers: list[str]
) -> None:
    """The wrong backup of Business Central had all customers, and lacked what was said of an order."""
    item = world.shop.post("products", product("P0"))["id"]
    key = world.shop.post("orders", order("A", buyers[0], [line(item)]))["id"]
    assert world.step().success
    world.shop.control("backup")
    edited(world, buyers[0], phone="+45 11 11 11 11")
    world.bc.control("backup")
    for email in ("a@since.example", "b@since.example"):
        world.let_time_pass()
        world.bc.patch("salesOrders", world.counterpart("order", key), {"email": email})
        assert world.step().success
    world.bc.control("backup", {"name": "right"})
    for side in Side:
        api(world, side).control("restore")
    assert not world.step(full=True).success
    suspect = "select distinct flow from reversal where side = 'businesscentral'"
    assert world.sql(suspect) == [("order",)]
    assert not world.step(restored=Side.SHOP).success
    assert told(), "as far as is known"
    world.bc.control("restore", {"name": "right"})
    run = world.step()
    assert run.success, run.problems
    assert phones(world, buyers[0]) == ("+45 11 11 11 11",) * 2
    assert told() == {}
    assert_settled(world, *ALL)


def test_what_the_shop_lost_that_is_told_by_it_alone_is_told_though_the_other_still_had_it(
    world: World, buyers: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not written to the shop, and the shop tells again what it said before."""
    edited_flows(tmp_path, monkeypatch, customer=("dir: <->, bc: phoneNumber,", "dir: ->, bc: phoneNumber,"))
    world.shop.control("backup")
    edited(world, buyers[0], phone="+45 11 11 11 11", website="www.since.example")
    world.shop.control("restore")
    assert not world.step("customer", full=True).success
    assert world.step("customer", restored=Side.SHOP).success
    assert website(world, buyers[0]) == ("www.since.example",) * 2
    assert phones(world, buyers[0]) == ("+45 33 12 34 56",) * 2
    lost = "'+45 11 11 11 11' of customwebshop lost to '+45 33 12 34 56' since a restore lost the other value"
    assert told() == {"phone": f"phone: {lost}"}
    assert_settled(world)
