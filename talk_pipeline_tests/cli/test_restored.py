"""The exit statuses of a sync that meets a restored system, before and after a person decided."""

import pytest

from talk_pipeline_tests.cli.command_line import run
from talk_pipeline_tests.pipeline.records import customer
from talk_pipeline_tests.world import World


@pytest.mark.slow
def test_stopped_with_exit_1_until_it_is_said_which_side_was_restored(world: World) -> None:
    key = world.shop.post("customers", customer())["id"]
    assert world.step("customer").success
    world.bc.control("backup")
    world.shop.patch("customers", key, {"website": "www.newer.example"})
    assert world.step("customer").success
    world.bc.control("restore")

    stopped = run("sync", "--flow", "customer")
    assert stopped.returncode == 1, stopped.stderr
    shown = run("checklist", "--format", "json")
    assert shown.returncode == 1
    assert "talk-pipeline sync --restored businesscentral" in shown.stdout
    mistaken = run("sync", "--flow", "customer", "--restored", "businesscentral", "--dry-run")
    assert mistaken.returncode == 2
    assert "goes with no --dry-run" in mistaken.stderr
    assert run("sync", "--restored", "shop").returncode == 2
    both = run("sync", "--restored", "customwebshop", "--restored", "businesscentral")
    assert both.returncode == 2
    assert "name one system, and the other one in the next run" in " ".join(both.stderr.split())
    decided = run("sync", "--flow", "customer", "--restored", "businesscentral")
    assert decided.returncode == 0, decided.stdout + decided.stderr
    assert [row["website"] for row in world.bc.all("customers").values()] == ["www.newer.example"]
    assert world.shop.get("customers", key)["website"] == "www.newer.example"
