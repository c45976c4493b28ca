"""A line that one side removes while the other changes it: the policy decides, and what loses is recorded."""

from decimal import Decimal
from typing import Any

import pytest

from talk_pipeline.flows.sides import Side
from talk_pipeline_tests.flow_files import edited_flows
from talk_pipeline_tests.pipeline.decisions.test_resolutions import resolve
from talk_pipeline_tests.pipeline.orders.test_order_life import Placed
from talk_pipeline_tests.variants import variants
from talk_pipeline_tests.world import World

Row = dict[str, Any]


def dispute(world: World, removed_in: Side) -> Placed:
    """An order whose first line (2 pieces) one side removed and the other set to 77."""
    placed = Placed(world)
    first, second = placed.shop["lines"]
    theirs = placed.bc_lines()[0]["id"]
    if removed_in is Side.SHOP:
        world.bc.patch("salesOrderLines", theirs, {"quantity": 77})
        world.let_time_pass()
        placed.patch_lines({"id": second["id"]})
    else:
        placed.patch_lines({"id": first["id"], "quantity": "77"}, {"id": second["id"]})
        world.let_time_pass()
        world.bc.delete("salesOrderLines", theirs)
    return placed


def quantities(placed: Placed) -> tuple[list[int], list[int]]:
    shop = sorted(int(Decimal(row["quantity"])) for row in placed.shop["lines"])
    return shop, sorted(int(row["quantity"]) for row in placed.bc_lines())


def lost(world: World) -> list[tuple[Any, ...]]:
    return world.sql("select property, rule, winner, shop_value, bc_value from conflict")


@variants("removed_in", list(Side))
def test_a_later_removal_wins_and_the_edit_it_took_along_is_recorded(world: World, removed_in: Side) -> None:
    placed = dispute(world, removed_in)
    run = world.step("order")
    assert not run.failed()
    assert quantities(placed) == ([5], [5])
    values = (None, "77") if removed_in is Side.SHOP else ("77", None)
    assert lost(world) == [("quantity", "last_writer", str(removed_in), *values)]
    ((shop_at, bc_at, versions),) = world.sql(
        "select shop_edited_at, bc_edited_at, shop_version is not null and bc_version is not null from conflict"
    )
    assert versions
    assert (shop_at > bc_at) == (removed_in is Side.SHOP)
    assert run.finding("order", "conflicts_listed").found == 1
    assert world.step("order", full=True).writes() == 0


@variants("removed_in", list(Side))
def test_an_edit_that_outranks_a_removal_brings_the_line_back(
    world: World, monkeypatch: pytest.MonkeyPatch, removed_in: Side
) -> None:
    policy = f"conflict: {removed_in.other}"
    edited_flows(world.data.parent, monkeypatch, order=("conflict: last_writer", policy))
    placed = dispute(world, removed_in)
    run = world.step("order")
    assert not run.failed()
    assert quantities(placed) == ([5, 77], [5, 77])
    placed.agree()
    ((prop, rule, winner, *values),) = lost(world)
    assert (prop, rule, winner) == ("quantity", str(removed_in.other), str(removed_in.other))
    assert sorted(values, key=str) == ["77", None]
    assert world.step("order", full=True).writes() == 0


def test_a_line_that_is_brought_back_is_there_once_though_the_answer_was_lost(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    edited_flows(world.data.parent, monkeypatch, order=("conflict: last_writer", "conflict: customwebshop"))
    placed = dispute(world, Side.BC)
    match = {"method": "POST", "path": "salesOrderLines"}
    world.bc.faults({"match": match, "fault": {"drop": "after"}, "times": 1})
    world.step("order")
    world.bc.no_faults()
    assert not world.step("order", full=True).failed()
    assert quantities(placed) == ([5, 77], [5, 77])
    assert world.step("order", full=True).writes() == 0


@variants("take", list(Side))
def test_under_policy_manual_a_person_decides_between_removal_and_edit(
    world: World, monkeypatch: pytest.MonkeyPatch, take: Side
) -> None:
    edited_flows(world.data.parent, monkeypatch, order=("conflict: last_writer", "conflict: manual"))
    placed = dispute(world, Side.SHOP)
    for _ in range(2):
        run = world.step("order", full=True)
        assert not run.failed()
        assert run.writes() == 0
        assert quantities(placed) == ([5], [5, 77])
        assert "open" in [row["winner"] for row in run.finding("order", "conflicts_listed").rows]
    resolve(placed.id, take, flow="order")
    assert not world.step("order").failed()
    assert quantities(placed) == (([5], [5]) if take is Side.SHOP else ([5, 77], [5, 77]))
    assert ("quantity", "manual", str(take)) in [row[:3] for row in lost(world)]
    assert world.step("order", full=True).writes() == 0


def test_what_a_person_decided_is_about_the_edit_that_was_shown(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    edited_flows(world.data.parent, monkeypatch, order=("conflict: last_writer", "conflict: manual"))
    placed = dispute(world, Side.SHOP)
    world.step("order")
    resolve(placed.id, Side.SHOP, flow="order")
    [theirs] = [row["id"] for row in placed.bc_lines() if row["quantity"] == 77]
    world.bc.patch("salesOrderLines", theirs, {"quantity": 78})
    assert world.step("order", full=True).writes() == 0
    assert quantities(placed) == ([5], [5, 78]), "nobody has said what becomes of this one"
