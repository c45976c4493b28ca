"""The command that undoes a run, in a process of its own: what it prints, and its exit statuses."""

import json

import pytest

from talk_pipeline_tests.cli.command_line import run
from talk_pipeline_tests.pipeline.records import customer
from talk_pipeline_tests.world import World


@pytest.mark.slow
def test_a_run_is_undone(world: World) -> None:
    ids = [world.shop.post("customers", customer(number))["id"] for number in ("C1", "C2")]
    world.step("customer")
    for shop_id in ids:
        world.shop.patch("customers", shop_id, {"website": "www.wrong.example"})
    wrong = world.step("customer").run_id
    world.bc.patch("customers", world.counterpart("customer", ids[1]), {"website": "www.mended.example"})
    dry = run("undo", wrong[:10], "--dry-run", "--json")
    assert dry.returncode == 0, dry.stderr
    planned = json.loads(dry.stdout)
    assert [one["shop_id"] for one in planned["undo"]["put_back"]] == [ids[0]]
    assert planned["flows"]["customer"]["writes"]["businesscentral"]["update"] == 0
    done = run("undo", wrong[:10], "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert set(told) == {"run", "flows", "checks", "undo"}
    assert set(told["flows"]) == {"customer"}
    assert told["undo"]["run"] == wrong
    assert [(one["now"], one["before"]) for one in told["undo"]["put_back"]] == [
        ("www.wrong.example", "www.c1.example")
    ]
    left = told["undo"]["left"]
    assert [(one["shop_id"], one["reason"]) for one in left] == [
        (ids[1], f"written again since, by run {told['undo']['by']}")
    ]
    assert world.bc.get("customers", world.counterpart("customer", ids[0]))["website"] == "www.c1.example"
    shown = run("undo", told["undo"]["by"])
    assert shown.returncode == 0, shown.stderr
    for expected in ("put back: 2 values", "www.mended.example", "www.wrong.example", "left as they are: 0"):
        assert expected in shown.stdout
    assert world.shop.get("customers", ids[1])["website"] == "www.wrong.example"


def test_a_run_that_is_not_there(world: World) -> None:
    assert run("undo", "abc").returncode == 2
    assert "no run is recorded" in run("undo", "abc").stderr
    world.shop.post("customers", customer())
    wrote = world.step("customer").run_id
    wrote_nothing = world.step("customer").run_id
    unknown = run("undo", "abc")
    assert unknown.returncode == 2
    assert unknown.stderr.startswith("error: no run is known as 'abc'; the latest that wrote:")
    assert wrote in unknown.stderr
    for arguments, expected in (
        ((wrote_nothing,), f"error: run {wrote_nothing} wrote nothing\n"),
        ((wrote, "--flow", "order"), f"error: run {wrote} wrote nothing in order; it wrote in customer\n"),
        ((wrote, "--flow", "nonsense"), "error: no flow 'nonsense'; there are: customer, product, order\n"),
    ):
        refused = run("undo", *arguments)
        assert (refused.returncode, refused.stderr) == (2, expected)
