"""A run answers what it changed, why, what waits and how it was started: held against the database."""

import json
from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest

from talk_pipeline.engine.report.attention import attention
from talk_pipeline.settings import Settings
from talk_pipeline.states import known_state
from talk_pipeline_tests.cli.command_line import run as command
from talk_pipeline_tests.dagster.test_shown import shown
from talk_pipeline_tests.flow_files import flows_in
from talk_pipeline_tests.outcome import Run
from talk_pipeline_tests.pipeline.records import customer
from talk_pipeline_tests.world import World, opened_world

# asked without the view that is tested
SENT = """
select v.property, v.before, v.sent, j.target, j.operation, v.rule, coalesce(j.outcome, 'unknown'), j.reason
from journal j join journal_value v on v.intent_id = j.intent_id
where j.flow = 'customer' and j.run_id = ? and v.rule <> 'send_with'
  and (j.operation <> 'create' or v.sent is not null)
"""
COLUMNS = ("property", "before", "after", "target", "operation", "rule", "outcome", "reason")


def tags(world: World, run: Run) -> dict[str, str]:
    found = world.instance.get_run_by_id(run.run_id)
    assert found is not None
    return {name: value for name, value in found.tags.items() if not name.startswith((".", "dagster/"))}


def as_texts(rows: list[tuple[Any, ...]]) -> list[tuple[str, ...]]:
    return sorted(tuple("" if value is None else str(value) for value in row) for row in rows)


pytestmark = pytest.mark.xdist_group("run page")  # two runs for all that look at them


@pytest.fixture(scope="module")
def edited(
    tmp_path_factory: pytest.TempPathFactory, instance: dg.DagsterInstance
) -> Iterator[tuple[World, Run, Run]]:
    """A run that creates two records, and one that updates one, creates one, and is refused one more."""
    with opened_world(tmp_path_factory.mktemp("edited"), instance=instance) as world:
        yield _edited(world)


def _edited(world: World) -> tuple[World, Run, Run]:
    ids = [world.shop.post("customers", customer(f"C{n}"))["id"] for n in range(2)]
    first = world.sync("customer")
    world.shop.patch("customers", ids[0], {"website": "www.new.example", "email": "new@company.example"})
    world.shop.patch("customers", ids[1], {"website": "www.ours.example"})
    world.bc.patch("customers", world.counterpart("customer", ids[1]), {"website": "www.theirs.example"})
    world.shop.post("customers", customer("R1"))
    world.bc.faults({"match": {"method": "POST", "path": "customers"}, "fault": {"status": 400}, "times": 1})
    return world, first, world.sync("customer")


def test_every_value_that_was_written_is_shown_with_what_came_of_it(edited: tuple[World, Run, Run]) -> None:
    world, first, second = edited
    told = shown(world, second)["sync/customer"]
    held = as_texts(world.sql(SENT, second.run_id))
    assert 4 <= len(held) <= 100
    assert as_texts([tuple(row[name] for name in COLUMNS) for row in told["written"]]) == held
    assert told["written shown"] == (
        f"{len(held)} of {len(held)}; all: talk-pipeline writes {second.run_id} --flow customer"
    )
    assert {row["number"] for row in told["written"] if row["operation"] == "update"} == {"C0", "C1"}
    outcomes = [row["outcome"] for row in told["written"]]
    assert "refused" in outcomes
    assert outcomes == sorted(outcomes, key=lambda one: one == "done"), "what failed comes first"
    assert all(
        row["number"] == "R1" and row["reason"] for row in told["written"] if row["outcome"] == "refused"
    )
    kinds = [row["operation"] for row in told["written"] if row["outcome"] == "done"]
    assert kinds == sorted(kinds, key=["delete", "update", "create"].index)
    website = next(row for row in told["written"] if (row["number"], row["property"]) == ("C0", "website"))
    assert (website["before"], website["after"], website["rule"]) == (
        "www.c0.example",
        "www.new.example",
        "edit",
    )

    listed = json.loads(command("writes", second.run_id[:12], "--json").stdout)
    assert listed["run"] == second.run_id
    assert as_texts([tuple(row[name] for name in COLUMNS) for row in listed["writes"]]) == held
    last = command("writes", "--flow", "customer").stdout
    assert "www.new.example" in last
    assert f"run {second.run_id} sent {len(held)} values" in last
    assert json.loads(command("writes", "--flow", "product", "--json").stdout)["writes"] == []
    wrong = command("writes", "nothing")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert json.loads(command("writes", first.run_id, "--json").stdout)["run"] == first.run_id


def test_what_waits_is_shown_with_the_flow(edited: tuple[World, Run, Run]) -> None:
    world, first, second = edited
    assert shown(world, first)["sync/customer"]["waiting"] == []
    told = shown(world, second)["sync/customer"]
    with known_state(Settings.load()).once() as db:
        items = attention(db, flows_in(), names=("customer",)).items
    assert [(row["kind"], row["number"], row["next step"]) for row in told["waiting"]] == [
        (str(item.kind), item.number, item.next_step) for item in items
    ]
    assert {row["kind"] for row in told["waiting"]} == {"refused", "unacknowledged"}
    assert told["waiting shown"] == f"{len(items)} of {len(items)}; all: talk-pipeline attention"


def test_a_long_list_says_how_long_it_is(world: World) -> None:
    for number in range(12):
        world.shop.post("customers", customer(f"C{number}"))
    run = world.sync("customer")
    told = shown(world, run)["sync/customer"]
    total = len(world.sql(SENT, run.run_id))
    assert total > 100
    assert len(told["written"]) == 100
    assert told["written shown"].startswith(f"100 of {total};")


def test_the_tags_of_a_run_tell_what_it_was_and_what_came_of_it(edited: tuple[World, Run, Run]) -> None:
    world, first, second = edited
    nothing = {"failed": "0", "conflicts": "0"}
    assert tags(world, first) == {"trigger": "command line", "written": "2", **nothing}
    done = world.sql("select count(*) from journal where run_id = ? and outcome = 'done'", second.run_id)
    failed = world.sql("select count(*) from journal where run_id = ? and outcome = 'refused'", second.run_id)
    conflicts = world.sql("select count(*) from conflict where run_id = ?", second.run_id)
    assert (done, failed, conflicts) == ([(2,)], [(1,)], [(1,)])
    told = {"written": "2", "failed": "1", "conflicts": "1"}
    assert tags(world, second) == {"trigger": "command line", **told}
    dry = world.sync("customer", dry_run=True)
    assert tags(world, dry) == {"trigger": "command line", "written": "0", **nothing, "dry_run": "true"}
    back = world.sync("customer", undo=second.run_id[:12], approve=True)
    assert tags(world, back)["undo_of"] == second.run_id
    assert tags(world, back)["approved"] == "true"
    assert int(tags(world, back)["written"]) == back.writes() > 0
    undone = shown(world, back)["sync/customer"]
    replaced = world.sql(
        "select coalesce(j.shop_id, ''), j.target, v.property, v.sent, v.before from journal j"
        " join journal_value v on v.intent_id = j.intent_id where j.run_id = ? and j.operation = 'update'",
        second.run_id,
    )
    assert len(replaced) == undone["put back, in number"] == 3
    columns = ("shop_id", "target", "property", "now", "before")
    assert as_texts([tuple(row[name] for name in columns) for row in undone["put back"]]) == as_texts(
        replaced
    )
    assert (undone["left as they are"], undone["left as they are, in number"]) == ([], 0)
