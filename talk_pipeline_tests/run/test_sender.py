"""While requests are under way, their intents are on disk and the file of the state is free for others."""

import threading
import time

import duckdb

from talk_pipeline_tests.pipeline.faults import rule
from talk_pipeline_tests.pipeline.records import customer
from talk_pipeline_tests.world import World

SECONDS = 30.0


def test_others_can_look_while_an_answer_is_waited_for(world: World) -> None:
    world.shop.post("customers", customer())
    world.bc.faults(rule("POST", "customers", hold=True))
    running = threading.Thread(target=world.pass_over, args=("customer",))
    running.start()
    try:
        deadline = time.monotonic() + SECONDS
        while not any(one["fired"] for one in world.bc.rules()):
            assert time.monotonic() < deadline, "nothing was sent"
            time.sleep(0.01)
        assert _looked(world, deadline) == [(1, 1)]
    finally:
        world.bc.no_faults()
        running.join(SECONDS)
    assert len(world.bc.all("customers")) == 1


def _looked(world: World, deadline: float) -> list[tuple[int, int]]:
    """How many requests are in the journal, and how many have left; by whoever gets hold of the file."""
    while time.monotonic() < deadline:
        try:
            rows = world.sql("select count(*), count(left_at) from journal where outcome is null")
            return [(int(known), int(left)) for known, left in rows]
        except duckdb.Error:
            time.sleep(0.05)
    raise AssertionError("the file was never free")
