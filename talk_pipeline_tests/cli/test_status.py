"""`status` and `attention`: what they tell is what the database holds; the release; completion in a shell."""

import json
import os
import subprocess
import sys
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from talk_pipeline.engine.state.connection import now
from talk_pipeline_tests.cli.command_line import run
from talk_pipeline_tests.pipeline.records import customer
from talk_pipeline_tests.world import World


def document(command: str) -> dict[str, Any]:
    done = run(command, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def test_how_things_stand(world: World) -> None:
    for command in ("status", "attention"):
        nothing = run(command)
        assert (nothing.returncode, "talk-pipeline sync first" in nothing.stderr) == (2, True)
    world.shop.post("customers", customer("C1"))
    world.shop.post("customers", customer("Q1", currency="DKR"))
    world.sync()
    started = dict(world.sql("select flow, started_at from run"))
    told = document("status")
    assert (told["version"], told["run"]["verdict"]) == (version("talk-pipeline"), "warned")
    assert set(told["flows"]) == {"customer", "product", "order"}
    ((run_id,),) = world.sql("select distinct run_id from run")
    assert told["run"]["id"] == run_id
    for name, one in told["flows"].items():
        assert one["last_success"] == run_id
        assert one["in_step_at"] == f"{started[name].isoformat(timespec='milliseconds')}Z"
        assert (one["open_requests"], one["open_until"]) == (0, None)
    assert told["attention"]["total"] == told["attention"]["counts"]["quarantined"] == 1
    shown = run("status").stdout
    assert f"run {run_id} of " in shown
    assert "WARNED" in shown
    assert "waiting for a person: 1 (1 quarantined); see talk-pipeline attention" in shown

    listed = document("attention")
    (item,) = listed["items"]
    ((shop_id, reason, since),) = world.sql(
        "select shop_id, reason, since from status where state = 'quarantined'"
    )
    assert (item["shop_id"], item["reason"], item["number"]) == (shop_id, reason, "Q1")
    assert item["since"] == f"{since.isoformat(timespec='milliseconds')}Z"
    assert (listed["total"], listed["counts"]) == (1, told["attention"]["counts"])
    shown = run("attention").stdout
    assert "\nquarantined: customer Q1 Company Q1, " in shown
    below = shown.splitlines()
    assert {f"    {reason}", f"    next: {item['next_step']}"} <= set(below), "whole, to be copied"
    assert "waiting for a person: 1 (1 quarantined)" in shown


def test_a_flow_that_no_run_carries_through_lags_behind(world: World) -> None:
    world.shop.post("customers", customer())
    first = world.sync("customer")
    world.sql("update run set started_at = ?", now() - timedelta(days=3))
    world.sync("customer", dry_run=True)
    told = document("status")
    assert told["run"]["dry_run"] is True
    lagging = told["flows"]["customer"]
    assert lagging["last_success"] == first.run_id
    assert abs(lagging["lag_seconds"] - 3 * 86_400) < 600
    assert told["flows"]["order"] == {
        "last_success": None,
        "in_step_at": None,
        "lag_seconds": None,
        "open_requests": 0,
        "open_until": None,
    }
    shown = run("status").stdout
    assert "3 days" in shown
    assert "never" in shown
    world.sql(
        "insert into journal (intent_id, flow, outcome, open_until)"
        " values ('i1', 'customer', 'unknown', timestamp '2030-01-02 03:04:05'), ('i2', 'customer', null, null)"
    )
    told = document("status")["flows"]["customer"]
    assert (told["open_requests"], told["open_until"]) == (2, "2030-01-02T03:04:05.000Z")
    assert "2, until 2030-01-02 03:04:05" in run("status").stdout


def test_a_run_is_of_what_it_synchronizes_and_not_of_what_it_reads_for_that(world: World) -> None:
    """Of orders, the customers and products that they refer to are read and checked, and no more."""
    world.shop.post("customers", customer())
    first, second = world.sync("customer"), world.sync("order")
    done = run("checklist", "--format", "json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["run"]["id"], told["run"]["flows"]) == (second.run_id, ["order"])
    assert told["run"]["verdict"] == document("status")["run"]["verdict"] == "passed"
    by_verdict = {one["check"]: one for one in told["flows"]["customer"]}
    assert by_verdict["every_record_accounted_for"]["summary"] == "not run: the run was of order alone"
    assert by_verdict["every_record_accounted_for"]["earlier"]["run"] == first.run_id

    fault = {"match": {"method": "GET", "path": "*/customers"}, "fault": {"status": 400}, "times": None}
    world.bc.faults(fault)
    world.sync("order")
    world.bc.no_faults()
    broken = run("checklist", "--format", "json")
    assert broken.returncode == 3
    told = json.loads(broken.stdout)
    assert "answers 400" in told["run"]["problems"]["customer"]
    assert {one["verdict"] for one in told["flows"]["order"]} == {"passed"}, "they go on with what is held"


def test_a_run_that_is_stopped_carries_nothing_through(world: World) -> None:
    buyers = [world.shop.post("customers", customer(f"C{n}"))["id"] for n in range(30)]
    first = world.sync("customer")
    for buyer in buyers:
        world.shop.patch("customers", buyer, {"website": "www.wrong.example"})
    assert not world.sync("customer").success
    told = document("status")
    assert told["run"]["verdict"] == "failed"
    assert told["flows"]["customer"]["last_success"] == first.run_id
    assert told["attention"]["counts"]["stopped"] == 1


def test_the_release() -> None:
    done = run("--version")
    assert (done.returncode, done.stdout) == (0, f"talk-pipeline {version('talk-pipeline')}\n")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_completes_commands(shell: str) -> None:
    done = subprocess.run(
        [str(Path(sys.executable).parent / "talk-pipeline")],
        env=os.environ
        | {
            "_TALK_PIPELINE_COMPLETE": f"complete_{shell}",
            "COMP_WORDS": "talk-pipeline ackn",
            "COMP_CWORD": "1",
            "_TYPER_COMPLETE_ARGS": "talk-pipeline ackn",
            "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert "acknowledge" in done.stdout
    assert "checklist" not in done.stdout
