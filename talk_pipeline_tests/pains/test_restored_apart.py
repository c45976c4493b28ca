"""A system was restored, and the flows learn of it one after the other: none of them forgets it for another."""

from talk_pipeline.flows.sides import Side
from talk_pipeline_tests.pains.test_both_restored import told
from talk_pipeline_tests.pains.test_restored import (
    ALL,
    api,
    assert_settled,
    assert_stopped,
    edit_both,
    website,
)
from talk_pipeline_tests.pains.test_restored import buyers as buyers  # noqa: PLC0414
from talk_pipeline_tests.pipeline.records import line, order, product
from talk_pipeline_tests.world import World


def placed(world: World, buyers: list[str]) -> str:
    """An order that is in step."""
    item = world.shop.post("products", product())["id"]
    key = str(world.shop.post("orders", order("A", buyers[0], [line(item)]))["id"])
    assert world.step().success
    return key


def test_decided_for_one_flow_a_single_record_of_another_that_went_back_is_no_edit(
    world: World, buyers: list[str]
) -> None:
    """In a state that nobody had read, and by a few seconds: by itself that is what a late commit looks like."""
    key = placed(world, buyers)
    bc_id = world.counterpart("order", key)
    world.bc.patch("salesOrders", bc_id, {"email": "unread@company.example"})
    world.let_time_pass()
    world.bc.control("backup")
    edit_both(world, buyers)
    world.bc.patch("salesOrders", bc_id, {"email": "since@company.example"})
    assert world.step().success
    world.bc.control("restore")
    assert_stopped(world, world.step("customer"), Side.BC)
    assert world.step("customer", restored=Side.BC).success
    assert_stopped(world, world.step(), Side.BC)
    assert world.step(restored=Side.BC).success
    assert world.bc.get("salesOrders", bc_id)["email"] == "since@company.example"
    assert world.shop.get("orders", key)["email"] == "since@company.example"
    assert_settled(world, *ALL)


def test_what_was_taken_for_an_edit_before_the_restore_was_noticed_is_brought_forward(
    world: World, buyers: list[str]
) -> None:
    """The customer is read before the orders, which alone tell of the restore for certain."""
    key, bc_id = placed(world, buyers), world.counterpart("customer", buyers[0])
    world.bc.patch("customers", bc_id, {"website": "www.unread.example"})
    world.let_time_pass()
    world.bc.control("backup")
    world.let_time_pass()
    world.bc.patch("customers", bc_id, {"website": "www.since.example"})
    world.shop.patch("orders", key, {"email": "since@company.example"})
    assert world.step().success
    world.bc.control("restore")
    assert_stopped(world, world.step(full=True), Side.BC)
    assert website(world, buyers[0])[0] == "www.since.example"
    assert world.step(restored=Side.BC).success
    assert website(world, buyers[0]) == ("www.since.example",) * 2
    email = world.bc.get("salesOrders", world.counterpart("order", key))["email"]
    assert email == "since@company.example"
    assert_settled(world, *ALL)


def test_what_a_system_turns_out_to_have_is_not_told_as_lost_though_another_flow_is_read_before(
    world: World, buyers: list[str]
) -> None:
    """The wrong backup of Business Central lacked what was said of customers, who are synchronized alone first."""
    key = placed(world, buyers)
    world.shop.control("backup")
    world.let_time_pass()
    world.shop.patch("orders", key, {"email": "since@company.example"})
    assert world.step().success
    world.bc.control("backup")
    for word in ("www.one.example", "www.two.example"):
        world.let_time_pass()
        world.bc.patch("customers", world.counterpart("customer", buyers[0]), {"website": word})
        assert world.step().success
    world.bc.control("backup", {"name": "right"})
    for side in Side:
        api(world, side).control("restore")
    assert not world.step(full=True).success
    assert world.sql("select distinct flow from reversal where side = 'businesscentral'") == [("customer",)]
    world.sync(restored=Side.SHOP)  # Dagster has Business Central read first
    assert "email" in told(), "as far as is known"
    world.bc.control("restore", {"name": "right"})
    for flows in (("customer",), ALL):
        run = world.step(*flows)
        assert run.success, run.problems
    assert told() == {}
    assert world.shop.get("orders", key)["email"] == "since@company.example"
    assert_settled(world, *ALL)
