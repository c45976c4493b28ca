"""An order of very many lines, told so that a person finds what differs in it."""

import json

from talk_pipeline_tests.cli.command_line import run
from talk_pipeline_tests.pipeline.records import customer, line, order, product
from talk_pipeline_tests.world import World

LINES = 60


def test_lines_in_step_are_told_in_number_and_what_differs_by_name(world: World) -> None:
    buyer, item = (
        world.shop.post("customers", customer())["id"],
        world.shop.post("products", product())["id"],
    )
    made = world.shop.post("orders", order("W1", buyer, [line(item) for _ in range(LINES)]))
    for flow in ("customer", "product", "order"):
        world.step(flow)
    there = world.counterpart("order", made["id"])
    before = run("explain", "order", "W1")
    assert before.returncode == 0, before.stdout
    assert f"order.lines: {LINES} more, in step on both sides: --json has all" in before.stdout
    assert f"order: {made['id']} = {there}" in before.stdout
    lines = made["lines"]
    lines[-1]["quantity"] = "7"
    world.shop.patch("orders", made["id"], {"lines": lines})
    world.sync("order", dry_run=True)
    differing = run("explain", "order", "W1")
    assert f"order.lines: {LINES - 1} more, in step on both sides" in differing.stdout
    assert differing.stdout.count("order.lines: ") == 2
    assert f"order.lines: {made['id']}/{lines[-1]['id']} = " in differing.stdout
    (part,) = (
        one
        for one in json.loads(run("explain", "order", "W1", "--json").stdout)["parts"]
        if one["part"] == "order.lines"
    )
    assert len(part["records"]) == LINES
