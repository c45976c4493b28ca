"""A conflict is shown until a person says that it was seen, run after run, and what it cost is told with it."""

from datetime import timedelta
from typing import Any

import pytest

from talk_pipeline.engine.manual import acknowledging
from talk_pipeline.engine.manual.decisions import Decision
from talk_pipeline.engine.report.conflicts import unacknowledged
from talk_pipeline.engine.report.progress import progress
from talk_pipeline.engine.report.waiting import Kind
from talk_pipeline.engine.state.connection import now
from talk_pipeline.flows.sides import Side
from talk_pipeline.installation import carry_out, forget, prune
from talk_pipeline.settings import Settings
from talk_pipeline.states import known_state
from talk_pipeline_tests.flow_files import flows_in
from talk_pipeline_tests.outcome import Run
from talk_pipeline_tests.pipeline.by_hand import WHO
from talk_pipeline_tests.pipeline.decisions.test_attention import of
from talk_pipeline_tests.pipeline.decisions.test_resolutions import disputed, resolve  # noqa: F401
from talk_pipeline_tests.pipeline.records import customer, line, order, product
from talk_pipeline_tests.world import World

CHECK = "conflicts_acknowledged"


def acknowledge(flow: str = "customer", text: str | None = None, **how: Any) -> Decision:
    return carry_out(Settings.load(), flow, lambda hand: acknowledging.acknowledge(hand, text, **how), by=WHO)


def overwritten(world: World, pair: tuple[str, str], name: str) -> Run:
    """Both sides say something else of a website; the shop says it later."""
    world.bc.patch("customers", pair[1], {"website": f"www.{name}-bc.example"})
    world.let_time_pass()
    world.shop.patch("customers", pair[0], {"website": f"www.{name}-shop.example"})
    return world.step("customer")


def left(world: World) -> list[tuple[Any, ...]]:
    return world.sql("select shop_id, property from conflict where acknowledged_at is null order by all")


def test_a_conflict_is_shown_until_it_is_acknowledged(world: World, pair: tuple[str, str]) -> None:
    first = overwritten(world, pair, "one")
    assert first.finding("customer", "conflicts_listed").found == 1
    later = world.step("customer")
    assert later.finding("customer", "conflicts_listed").found == 0, "that one tells of its own run"
    finding = later.finding("customer", CHECK)
    assert (finding.verdict, finding.found) == ("warned", 1)
    (row,) = finding.rows
    assert (row["number"], row["property"], row["loser"], row["lost"], row["run"]) == (
        "C1",
        "website",
        "businesscentral",
        "www.one-bc.example",
        first.run_id,
    )
    ((rule, recorded_at),) = world.sql("select rule, recorded_at from conflict")
    assert (row["rule"], row["recorded_at"]) == (rule, recorded_at)
    assert row["age"].endswith(("second", "seconds"))

    done = acknowledge()
    assert done.details == {"conflicts": 1, "losses": 0}
    assert world.sql("select acknowledged_by, acknowledged_at >= recorded_at from conflict") == [(WHO, True)]
    after = world.step("customer")
    assert after.writes() == 0
    assert (after.finding("customer", CHECK).verdict, after.finding("customer", CHECK).found) == ("passed", 0)
    assert acknowledge().details == {"conflicts": 0, "losses": 0}


def test_an_acknowledgement_gives_a_run_nothing_to_do(world: World, pair: tuple[str, str]) -> None:
    overwritten(world, pair, "one")
    told = "starts_with(key, 'lease:') or starts_with(key, 'found:') or key = 'left'"
    held = f"select key, value from meta where not ({told}) order by 1"
    before = world.sql(held)
    acknowledge()
    assert world.sql(held) == before
    assert progress(world.data, "customer").decided_at is None, "no sensor is woken"


def test_one_record_one_flow_or_up_to_a_time(world: World, pair: tuple[str, str]) -> None:
    other = world.shop.post("customers", customer("C2"))["id"]
    world.step("customer")
    there = world.counterpart("customer", other)
    overwritten(world, pair, "one")
    overwritten(world, (other, there), "two")
    assert len(left(world)) == 2
    assert acknowledge(text="C2").details == {"conflicts": 1, "losses": 0}
    assert left(world) == [(pair[0], "website")]
    between = now()
    overwritten(world, (other, there), "three")
    assert acknowledge(until=between).details == {"conflicts": 1, "losses": 0}
    assert left(world) == [(other, "website")], "what came after the time is still to be seen"
    assert acknowledge("product").details == {"conflicts": 0, "losses": 0}
    assert acknowledge().details == {"conflicts": 1, "losses": 0}
    assert left(world) == []


def test_a_line_belongs_to_its_order(world: World) -> None:
    buyer = world.shop.post("customers", customer())["id"]
    item = world.shop.post("products", product())["id"]
    placed = world.shop.post("orders", order("O1", buyer, [line(item, "2")]))
    world.step()
    (there,) = world.bc.get("salesOrders", world.counterpart("order", placed["id"]))["salesOrderLines"]
    world.bc.patch("salesOrderLines", there["id"], {"quantity": 4})
    world.let_time_pass()
    own = placed["lines"][0]["id"]
    world.shop.patch("orders", placed["id"], {"lines": [{"id": own, "quantity": "3"}]})
    world.step("order")
    flows = flows_in()
    with known_state(Settings.load()).once() as db:
        (one,) = unacknowledged(db, [flows["order"]])
    assert (one.shop_id, one.number, one.prop, one.loser) == (
        placed["id"],
        "O1",
        f"lines[{own}].quantity",
        Side.BC,
    )
    assert (one.shop_value, one.bc_value, one.lost) == ("3", "4", "4")
    assert acknowledge("order", "O1").details == {"conflicts": 1, "losses": 0}


@pytest.mark.parametrize("days", [31, 4000])
def test_it_is_shown_until_it_is_acknowledged_however_long_ago_it_was(
    world: World, pair: tuple[str, str], days: int
) -> None:
    overwritten(world, pair, "one")
    world.sql("update conflict set recorded_at = ?", now() - timedelta(days=days))
    prune(Settings.load())
    finding = world.step("customer").finding("customer", CHECK)
    assert (finding.verdict, finding.found, len(finding.rows)) == ("warned", 1, 1)
    assert [one.flow for one in of(Kind.UNACKNOWLEDGED)] == ["customer"]
    flow = flows_in()["customer"]
    with known_state(Settings.load()).once() as db:
        assert len(unacknowledged(db, [flow])) == 1
        assert unacknowledged(db, [flow], since=now() - timedelta(days=days - 1)) == []
    assert acknowledge(since=now() - timedelta(days=days - 1)).details == {"conflicts": 0, "losses": 0}
    assert acknowledge().details == {"conflicts": 1, "losses": 0}
    assert world.step("customer").finding("customer", CHECK).found == 0


def test_who_decided_a_conflict_need_not_acknowledge_it(
    world: World,
    disputed: tuple[str, str],  # noqa: F811
) -> None:
    resolve(disputed[0], Side.SHOP, "website")
    run = world.step("customer")
    assert run.finding("customer", "conflicts_listed").found == 2, "the one decided, and the open one"
    assert run.finding("customer", CHECK).found == 0
    assert world.sql("select acknowledged_by = decided_by from conflict") == [(True,)]


@pytest.mark.reaches
def test_a_forgotten_person_leaves_no_conflict(world: World, pair: tuple[str, str]) -> None:
    overwritten(world, pair, "one")
    forget(Settings.load(), "customer", "C1", by=WHO)
    assert world.step("customer").finding("customer", CHECK).found == 0
    assert world.sql("select count(*) from conflict") == [(0,)]


@pytest.mark.parametrize("acknowledged", [True, False])
def test_a_backup_keeps_who_acknowledged(world: World, pair: tuple[str, str], acknowledged: bool) -> None:
    from talk_pipeline.installation import back_up, restore

    overwritten(world, pair, "one")
    if acknowledged:
        acknowledge()
    back_up(Settings.load(), world.data.parent / "kept.duckdb", overwrite=False)
    acknowledge()
    restore(Settings.load(), world.data.parent / "kept.duckdb")
    assert len(left(world)) == (0 if acknowledged else 1)
