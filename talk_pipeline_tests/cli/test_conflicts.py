"""`conflicts` and `acknowledge`: what they tell is what the database holds, and mistakes are one line."""

import json
from typing import Any

import pytest

from talk_pipeline_tests.cli.command_line import run
from talk_pipeline_tests.flow_files import edited_flows
from talk_pipeline_tests.pipeline.records import customer
from talk_pipeline_tests.world import World


def told(*arguments: str) -> dict[str, Any]:
    done = run("conflicts", *arguments, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def test_conflicts_are_listed_and_acknowledged(world: World) -> None:
    empty = run("conflicts")
    assert (empty.returncode, "talk-pipeline sync first" in empty.stderr) == (2, True)
    shop_id = world.shop.post("customers", customer())["id"]
    world.step("customer")
    assert told()["conflicts"] == []
    assert "no conflict and no lost record waits" in run("conflicts").stdout
    bc_id = world.counterpart("customer", shop_id)
    world.shop.patch("customers", shop_id, {"website": "www.shop.example", "email": "shop@company.example"})
    world.bc.patch("customers", bc_id, {"website": "www.bc.example", "email": "bc@company.example"})
    last = world.step("customer")

    found = told("--days", "2")["conflicts"]
    columns = "flow, shop_id, bc_id, property, rule, winner, shop_value, bc_value, run_id"
    rows = world.sql(f"select {columns} from conflict order by property")
    sides = ("customwebshop", "businesscentral")
    keys = ("flow", "shop_id", "bc_id", "property", "rule", "winner", *sides, "run")
    assert sorted((tuple(one[key] for key in keys) for one in found), key=lambda row: row[3]) == rows
    assert len(rows) == 2
    for one in found:
        assert (one["number"], one["name"], one["run"]) == ("C1", "Company C1", last.run_id)
        assert one["loser"] != one["winner"]
        assert one["lost"] == one[one["loser"]]
        assert 0 <= one["age_seconds"] < 600
    assert told("product")["conflicts"] == []
    shown = run("conflicts", "customer").stdout
    for text in ("2 conflicts in all", "customer C1 Company C1: website\n", "by last_writer; "):
        assert text in shown
    for one in found:
        for side in sides:
            assert f"    {side}: {one[side]}\n" in shown
        assert f"    {one['loser']} lost, by " in shown
    world.sql("update conflict set recorded_at = recorded_at - interval 3 day where property = 'email'")
    assert len(told()["conflicts"]) == 2, "of all time, where nobody asks for less"
    shown = run("conflicts", "customer", "--days", "2").stdout
    assert "1 conflict in all" in shown
    assert seen(shown) == "customer: 1 conflict acknowledged\n", "no more than was shown"
    assert [one["property"] for one in told()["conflicts"]] == ["email"]
    assert seen(run("conflicts", "customer").stdout) == "customer: 1 conflict acknowledged\n"
    assert told()["conflicts"] == []
    again = json.loads(run("acknowledge", "customer", "C1", "--json").stdout)["acknowledged"]
    assert [(one["flow"], one["shop_id"], one["details"]) for one in again] == [
        ("customer", shop_id, {"conflicts": 0, "losses": 0})
    ]
    events = json.loads(run("history", "customer", "C1", "--json").stdout)["events"]
    kept = [one for one in events if one["event"] == "conflict"]
    assert len(kept) == 2
    assert all(one["acknowledged_at"] and "acknowledged by" in one["text"] for one in kept)
    assert "acknowledged by" in run("explain", "customer", "C1").stdout
    everywhere = run("acknowledge", "--until", "2026-01-31")
    assert everywhere.stdout.splitlines() == [
        f"{flow}: 0 conflicts acknowledged" for flow in ("customer", "product", "order")
    ]


def test_an_open_conflict_is_told_beside_those_that_are_decided(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    edited_flows(world.data.parent, monkeypatch, customer=("conflict: last_writer #", "conflict: manual #"))
    shop_id = world.shop.post("customers", customer())["id"]
    world.step("customer")
    world.shop.patch("customers", shop_id, {"website": "www.shop.example"})
    world.bc.patch("customers", world.counterpart("customer", shop_id), {"website": "www.bc.example"})
    world.step("customer")
    assert (told()["conflicts"], told()["undecided"], told("product")["undecided"]) == ([], 1, 0)
    assert (
        "1 open conflict of customer to decide: talk-pipeline attention"
        in run("conflicts", "customer").stdout
    )
    run("resolve", "customer", shop_id, "--take", "customwebshop")
    assert "to decide" not in run("conflicts").stdout


def seen(shown: str) -> str:
    """What is said to whoever runs the command that stands below a list."""
    (command,) = (line for line in shown.splitlines() if line.startswith("seen? "))
    done = run(*command.split()[2:])
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


MISTAKES = [
    (("acknowledge",), "which conflicts? name a flow"),
    (("acknowledge", "--until", "yesterday"), "--until yesterday: no time"),
    (("acknowledge", "--until", "0001-01-01T00:00:00+14:00"), "--until 0001-01-01T00:00:00+14:00: no time"),
    (("acknowledge", "customer", "--since", "then"), "--since then: no time"),
    (("acknowledge", "--since", "2026-01-31"), "which conflicts? name a flow"),
    (("acknowledge", "invoice"), "no flow 'invoice'"),
    (("acknowledge", "customer", "nobody"), "is known as 'nobody'"),
    (("conflicts", "invoice"), "no flow 'invoice'; there are: customer, product, order"),
]


def test_mistakes_are_one_line(world: World) -> None:
    world.step("customer")
    for arguments, message in MISTAKES:
        done = run(*arguments)
        assert (done.returncode, done.stdout) == (2, ""), done.stderr
        assert message in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
