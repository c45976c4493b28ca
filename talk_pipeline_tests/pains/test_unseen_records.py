"""One record that may not be seen (403) waits alone; a list that may not be seen stops its flow."""

import pytest

from talk_pipeline_tests.pipeline.faults import rule
from talk_pipeline_tests.pipeline.records import customer
from talk_pipeline_tests.world import World


@pytest.fixture
def two(world: World) -> tuple[str, str]:
    """Two customers that are linked, the first of which was deleted in Business Central since."""
    first, second = (world.shop.post("customers", customer(f"C{n}"))["id"] for n in range(2))
    assert not world.step("customer").failed()
    world.bc.delete("customers", world.counterpart("customer", first))
    return first, second


@pytest.mark.parametrize("full", [False, True])
def test_one_record_that_may_not_be_seen_waits_alone(world: World, two: tuple[str, str], full: bool) -> None:
    """It is neither there nor gone until it is told; what is edited of others goes on."""
    first, second = two
    unseen = world.counterpart("customer", first)
    world.bc.faults(rule("GET", f"customers({unseen})", times=None, status=403))
    world.shop.patch("customers", second, {"website": "www.new.example"})
    run = world.step("customer", full=full)
    assert run.success, run.problems
    there = world.bc.get("customers", world.counterpart("customer", second))
    assert there["website"] == "www.new.example"
    assert world.state("customer", first) is None
    world.bc.no_faults()
    world.step("customer", full=True)
    assert (world.state("customer", first) or ("",))[0] == "broken"


@pytest.mark.usefixtures("two")
def test_a_list_that_may_not_be_seen_stops_its_flow(world: World) -> None:
    world.bc.faults(rule("GET", "customers", times=None, status=403))
    run = world.step("customer", full=True)
    assert not run.success
    assert any("403" in one for one in run.problems)
