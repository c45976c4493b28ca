"""The circuit breaker: by count and by share, for each operation of each flow, and no way around it."""

from pathlib import Path

import pytest

from talk_pipeline.engine.plan.circuit_breaker import beyond
from talk_pipeline.flows.tuning import Breaker, Limit
from talk_pipeline_tests.flow_files import edited_flows
from talk_pipeline_tests.pipeline.records import customer, line, order, product
from talk_pipeline_tests.world import World


def limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flow: str, limits: str) -> None:
    """The packaged flows, one of them with these limits beside those it has."""
    edited_flows(tmp_path, monkeypatch, **{flow: ("breaker: {", f"breaker: {{{limits}, ")})


def tripped(world: World, *flows: str, full: bool = False) -> str:
    """A run that the breaker stopped before anything was written; returns why."""
    run = world.step(*flows, full=full)
    assert not run.success
    assert run.writes() == 0
    return run.finding(flows[0], "change_volume_safe").summary


@pytest.mark.parametrize(
    ("limit", "number", "of", "exceeded"),
    [
        (Limit(), 10_000, 1, []),
        (Limit(count=3), 3, 100, []),
        (Limit(count=3), 4, 100, ["3"]),
        (Limit(count=0), 1, 100, ["0"]),
        (Limit(share=0.1), 10, 100, []),
        (Limit(share=0.1), 11, 100, ["10%"]),
        (Limit(share=0.1), 4, 4, []),  # a share of so few says nothing
        (Limit(count=3, share=0.1), 11, 100, ["3", "10%"]),
    ],
)
def test_a_limit_is_exceeded_by_count_or_by_share(
    limit: Limit, number: int, of: int, exceeded: list[str]
) -> None:
    assert list(beyond(limit, number, of=of, minimum=5)) == exceeded


def test_a_number_alone_is_a_count_and_deletions_are_limited_by_default() -> None:
    breaker = Breaker.model_validate({"creates": 7, "disappeared": 4})
    assert (breaker.creates, breaker.disappeared) == (Limit(count=7), Limit(count=4))
    assert (breaker.updates, breaker.deletes) == (
        Limit(),
        Limit(count=10, share=0.5, minimum=3),
    )
    assert Breaker().creates == Limit(), "what is missing is created without asking"


def test_creates_updates_and_deletes_have_limits_of_their_own(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = "disappearance: {customwebshop: delete} #"
    edited_flows(tmp_path, monkeypatch, customer=("disappearance: flag #", policy))
    file = tmp_path / "flows" / "customer.yaml"
    text = file.read_text()
    limits = "creates: 3, updates: {share: 0.5}, deletes: {count: 1}, share: 1, minimum: 2, disappeared: 10"
    file.write_text(text.replace("share: 0.5, minimum: 25, disappeared: 10", limits))

    keys = [world.shop.post("customers", customer(f"C{n}"))["id"] for n in range(4)]
    reason = tripped(world, "customer")
    assert reason == (
        "4 records would be created, with 0 linked pairs, more than the 3 allowed (breaker.creates)"
    )
    assert not world.bc.all("customers")
    assert world.step("customer", approve=True).writes() == 4

    for key in keys[:3]:
        world.shop.patch("customers", key, {"website": "www.new.example"})
    assert "3 records would be updated, with 4 linked pairs, more than the 50% allowed" in tripped(
        world, "customer"
    )
    world.shop.patch("customers", keys[0], {"website": "www.c0.example"})
    assert world.step("customer").writes() == 2, "half of them is not more than half"

    full = not world.shows_deletions()
    for key in keys[:2]:
        world.shop.delete("customers", key)
    assert "2 records would be deleted, with 4 linked pairs, more than the 1 allowed" in tripped(
        world, "customer", full=full
    )
    assert len(world.bc.all("customers")) == 4
    world.step("customer", full=full, approve=True)
    assert len(world.bc.all("customers")) == 2


def test_an_order_run_does_not_carry_out_what_the_breaker_stopped_of_the_customers(world: World) -> None:
    """Customers that let a new order go first are written by the order's run: with care."""
    buyers = [world.shop.post("customers", customer(f"C{n}"))["id"] for n in range(30)]
    item = world.shop.post("products", product())["id"]
    assert world.step().success
    world.shop.post("orders", order("O1", buyers[0], [line(item)]))
    for buyer in buyers:
        world.shop.patch("customers", buyer, {"website": "www.wrong.example", "active": False})
    assert not world.step().success
    run = world.step("order")
    assert run.success, run.problems
    assert len(world.bc.orders()) == 1
    assert "www.wrong.example" not in {row["website"] for row in world.bc.all("customers").values()}


def test_an_order_run_writes_of_the_customers_only_those_that_waited_for_it(world: World) -> None:
    buyers = [world.shop.post("customers", customer(f"C{n}"))["id"] for n in range(2)]
    item = world.shop.post("products", product())["id"]
    assert world.step().success
    world.shop.post("orders", order("O1", buyers[0], [line(item)]))
    world.shop.patch("customers", buyers[0], {"active": False})
    assert world.step().success
    held = world.bc.get("customers", world.counterpart("customer", buyers[0]))
    assert (held["blocked"], len(world.bc.orders())) == ("All", 1)


def test_creates_that_broke_off_before_the_shop_was_told_are_no_change_of_what_is_in_step(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The numbers that Business Central gave are still to be told: the next run does it, nobody has to approve."""
    limited(tmp_path, monkeypatch, "order", "first_meetings: 0")
    buyer = world.shop.post("customers", customer())["id"]
    item = world.shop.post("products", product())["id"]
    keys = [world.shop.post("orders", order(f"O{n}", buyer, [line(item)]))["id"] for n in range(25)]
    world.shop.faults(
        {"match": {"method": "PATCH", "path": "*/orders/*"}, "fault": {"status": 503}, "times": 10_000}
    )
    world.step()
    assert len(world.bc.orders()) == 25
    assert not any(world.shop.get("orders", key)["erp_number"] for key in keys)
    world.shop.no_faults()
    run = world.step()
    assert run.success, run.problems
    assert all(world.shop.get("orders", key)["erp_number"] for key in keys)
    assert world.step(full=True).writes() == 0

    for key in keys:
        world.shop.patch("orders", key, {"requested_delivery_date": "2026-12-24"})
    assert "25 of 25 linked pairs would change" in tripped(world, "order")


@pytest.mark.slow
def test_orders_that_lose_their_lines_are_deletions_in_small_books_too(world: World) -> None:
    """A shop whose lines are lost shows orders without any; that is no edit of so many."""
    buyer = world.shop.post("customers", customer())["id"]
    item = world.shop.post("products", product())["id"]
    lines = [line(item), line(item, "5", "20.00")]
    keys = [world.shop.post("orders", order(f"O{n}", buyer, lines))["id"] for n in range(4)]
    assert world.step().success
    for key in keys[:2]:
        world.shop.patch("orders", key, {"lines": []})
    assert world.step("order").writes() == 4, "two of four are not more than half"
    world.shop.patch("orders", keys[0], {"lines": lines})
    world.shop.patch("orders", keys[1], {"lines": lines})
    assert world.step("order").success
    for key in keys[:3]:
        world.shop.patch("orders", key, {"lines": []})
    assert tripped(world, "order") == (
        "3 of 4 linked pairs would be deleted or left without lines, more than the 50% allowed (breaker.deletes)"
    )
    held = world.bc.orders().values()
    assert [len(one["salesOrderLines"]) for one in held] == [2, 2, 2, 2]
    assert world.step("order", approve=True).writes() == 6


def test_removed_lines_count_in_number_and_replaced_ones_do_not(world: World) -> None:
    buyer = world.shop.post("customers", customer())["id"]
    item = world.shop.post("products", product())["id"]
    lines = [line(item, str(n)) for n in range(1, 13)]
    key = world.shop.post("orders", order("O1", buyer, lines))["id"]
    assert world.step().success
    kept = world.shop.get("orders", key)["lines"][-1]
    world.shop.patch("orders", key, {"lines": [{"id": kept["id"]}]})
    assert "11 lines would be deleted, with 1 linked pair, more than the 10 allowed" in tripped(
        world, "order"
    )
    world.shop.patch("orders", key, {"lines": [line(item, str(n)) for n in range(20, 32)]})
    run = world.step("order")
    assert run.success, run.problems
