"""What a restored system lost, and nothing brings back, is told until a person has acknowledged it."""

import json

import pytest

from talk_pipeline.engine.report.waiting import Kind
from talk_pipeline.flows.sides import Side
from talk_pipeline_tests.cli.command_line import run as run_command
from talk_pipeline_tests.outcome import Run
from talk_pipeline_tests.pains.test_restored import ALL, api, assert_settled, assert_stopped
from talk_pipeline_tests.pains.test_restored import buyers as buyers  # noqa: PLC0414
from talk_pipeline_tests.pipeline.decisions.test_attention import explained, of
from talk_pipeline_tests.pipeline.records import customer, line, order, product
from talk_pipeline_tests.variants import variants
from talk_pipeline_tests.world import World

CHECK = "losses_acknowledged"
CLOSED = ("closed", "posted in Business Central: its story ended there")


@pytest.fixture
def placed(world: World, buyers: list[str]) -> str:
    """An article, an order that backups of both have, and one that was deleted on both sides."""
    item = str(world.shop.post("products", product("P0"))["id"])
    early, deleted = (
        world.shop.post("orders", order(name, buyers[0], [line(item)]))["id"] for name in ("EARLY", "DELETED")
    )
    assert world.step().success
    if world.shows_deletions():  # else it is only known to have vanished
        world.bc.delete("salesOrders", world.counterpart("order", deleted))
        world.shop.delete("orders", deleted)
        assert world.step("order", full=True).success
    for side in Side:
        api(world, side).control("backup")
    world.let_time_pass()
    # what shows by its times that either system went back
    world.shop.patch("orders", early, {"email": "since@company.example"})
    assert world.step("order").success
    world.let_time_pass()
    world.bc.patch("salesOrders", world.counterpart("order", early), {"phoneNumber": "+45 11 11 11 11"})
    assert world.step("order").success
    return item


def placed_since(world: World, item: str, *, posted: bool = False) -> tuple[str, str]:
    """An order of a new customer that no backup has, as both systems know it."""
    buyer = world.shop.post("customers", customer("NEW"))["id"]
    late = str(world.shop.post("orders", order("LATE", buyer, [line(item, "7")]))["id"])
    assert world.step().success
    bc_id = world.counterpart("order", late)
    if posted:
        world.bc.read(world.bc.http.post(f"/salesOrders({bc_id})/Microsoft.NAV.shipAndInvoice"))
        assert world.step("order", full=True).success
        assert (world.state("order", late) or ("",))[0] == "closed"
    return late, bc_id


def restored(world: World, *sides: Side) -> Run:
    """These were restored, and a person says so of one after the other."""
    for side in sides:
        api(world, side).control("restore")
    stopped = world.step(full=True)
    assert not stopped.success
    for side in sides:
        done = world.step(restored=side)
    assert done.success, done.problems
    return world.step(full=True)


def numbers(world: World) -> tuple[list[str], list[str]]:
    """Of the orders that are there, and of the customers in Business Central."""
    orders = world.bc.orders().values()
    companies = world.bc.all("customers").values()
    return sorted(one["externalDocumentNumber"] for one in orders), sorted(one["number"] for one in companies)


@variants("first", list(Side))
def test_what_both_restored_systems_lost_is_told_until_it_is_acknowledged(
    world: World, placed: str, first: Side
) -> None:
    late, bc_id = placed_since(world, placed)
    done = restored(world, first, first.other)
    done.look()
    finding = done.finding("order", CHECK)
    assert (finding.verdict, finding.found) == ("warned", 1)
    (row,) = finding.rows
    assert (row["number"], row["shop_id"], row["bc_id"]) == ("LATE", late, bc_id)
    assert "total_incl_tax 875" in row["held"]
    assert "LATE" not in numbers(world)[0]
    found = {(one.flow, one.number): one for one in of(Kind.LOST)}
    assert set(found) == {("customer", "NEW"), ("order", "LATE")}, "what people deleted is none of it"
    lost = found["order", "LATE"]
    assert (lost.shop_id, lost.bc_id, lost.state) == (late, bc_id, "lost")
    assert lost.reason == "gone from both systems: each lost it when it was restored"
    assert f"talk-pipeline explain order {bc_id}" in lost.next_step
    assert f"talk-pipeline acknowledge order {late}" in lost.next_step
    document = explained(lost)
    assert (document["state"], document["reason"]) == (lost.state, lost.reason)
    assert document["next_step"].endswith(f"talk-pipeline acknowledge order {late}")

    # what is not acknowledged is in a backup of the state too
    kept = world.data.parent / "kept.duckdb"
    assert run_command("backup", str(kept)).returncode == 0
    assert run_command("acknowledge", "order", bc_id).returncode == 0
    assert [one.flow for one in of(Kind.LOST)] == ["customer"]
    assert run_command("restore", str(kept)).returncode == 0
    assert len(of(Kind.LOST)) == 2
    shown = run_command("conflicts").stdout
    for text in ("order LATE\n", "customer NEW ", " and 2 lost records in all", lost.reason):
        assert text in shown
    told = json.loads(run_command("conflicts", "order", "--json").stdout)["losses"]
    assert [(one["number"], one["shop_id"], one["bc_id"]) for one in told] == [("LATE", late, bc_id)]
    (command,) = (line for line in shown.splitlines() if line.startswith("seen? "))
    acknowledged = run_command(*command.split()[2:]).stdout.splitlines()
    seen = [one for one in acknowledged if one.endswith(" and 1 lost record acknowledged")]
    assert [one.partition(":")[0] for one in seen] == ["customer", "order"]
    assert of(Kind.LOST) == []
    assert world.step("order", full=True).finding("order", CHECK).verdict == "passed"
    assert_settled(world, *ALL)


def test_what_was_posted_and_lost_by_business_central_alone_is_no_closed_story(
    world: World, placed: str
) -> None:
    """The shop knows by its status that it was posted, so that it is over there; nobody has billed it any more."""
    late, bc_id = placed_since(world, placed, posted=True)
    restored(world, Side.BC)
    (lost,) = of(Kind.LOST)
    assert (lost.shop_id, lost.bc_id, lost.number) == (late, bc_id, "LATE")
    assert lost.reason.startswith(
        "businesscentral lost it when it was restored; customwebshop still has it, and it is left alone: status is"
    )
    assert explained(lost)["reason"] == lost.reason
    # open again in the shop, it is made anew
    world.shop.patch("orders", late, {"status": "open"})
    assert world.step().success
    assert of(Kind.LOST) == []
    assert numbers(world)[0] == ["EARLY", "LATE"]
    lines = world.bc.orders()[world.counterpart("order", late)]["salesOrderLines"]
    assert [row["quantity"] for row in lines] == [7]
    assert_settled(world, *ALL)


def test_an_order_that_was_posted_and_lost_is_noticed_though_nothing_else_was(
    world: World, buyers: list[str]
) -> None:
    """Nothing that is listed went back: the order left the list before, and its invoice is in none."""
    item = world.shop.post("products", product("P0"))["id"]
    assert world.step().success
    world.bc.control("backup")
    late = world.shop.post("orders", order("LATE", buyers[0], [line(item)]))["id"]
    assert world.step().success
    bc_id = world.counterpart("order", late)
    world.bc.read(world.bc.http.post(f"/salesOrders({bc_id})/Microsoft.NAV.shipAndInvoice"))
    for _ in range(2):
        run = world.step(full=True)
        assert (run.success, world.state("order", late)) == (True, CLOSED), run.problems
    world.bc.control("backup", {"name": "right"})
    world.bc.control("restore")
    stopped = world.step(full=True)
    assert_stopped(world, stopped, Side.BC)
    assert "1 record posted before is neither open nor posted" in stopped.problems[0]
    # the wrong backup was restored
    world.bc.control("restore", {"name": "right"})
    assert_settled(world, *ALL) if world.step(full=True).success else pytest.fail("still stopped")
    world.bc.control("restore")
    assert_stopped(world, world.step(full=True), Side.BC)
    assert world.step(restored=Side.BC).success
    (lost,) = of(Kind.LOST)
    assert (lost.shop_id, lost.bc_id, lost.number) == (late, bc_id, "LATE")
    assert_settled(world, *ALL)


def test_what_was_posted_is_no_closed_story_where_it_was_approved_that_it_is_not_there(
    world: World, placed: str
) -> None:
    """Taken for what people did, it is a deletion, and told as one."""
    late, _ = placed_since(world, placed, posted=True)
    world.bc.control("restore")
    assert not world.step(full=True).success
    assert world.step(approve=True).success
    assert world.step(full=True).success
    assert world.state("order", late) == ("broken", "the Business Central record is vanished")
    assert "LATE" in {one.number for one in of(Kind.BROKEN)}


def test_what_was_posted_and_is_open_again_as_was_approved_is_kept_in_step(world: World, placed: str) -> None:
    late, bc_id = placed_since(world, placed)
    world.bc.control("backup")
    world.bc.read(world.bc.http.post(f"/salesOrders({bc_id})/Microsoft.NAV.shipAndInvoice"))
    assert world.step("order", full=True).success
    assert (world.state("order", late) or ("",))[0] == "closed"
    early = next(key for key, row in world.bc.orders().items() if row["externalDocumentNumber"] == "EARLY")
    world.bc.patch("salesOrders", early, {"phoneNumber": "+45 33 33 33 33"})
    assert world.step("order").success
    world.bc.control("restore")
    assert not world.step(full=True).success
    assert world.step(approve=True).success
    world.bc.patch("salesOrders", bc_id, {"phoneNumber": "+45 22 22 22 22"})
    assert world.step().success
    assert world.state("order", late) is None, "it is open, and linked"
    assert world.shop.get("orders", late)["phone"] == "+45 22 22 22 22"
    assert_settled(world, *ALL)


@variants("first", list(Side))
def test_what_was_posted_and_lost_by_both_is_told(world: World, placed: str, first: Side) -> None:
    late, bc_id = placed_since(world, placed, posted=True)
    restored(world, first, first.other)
    (lost,) = (one for one in of(Kind.LOST) if one.flow == "order")
    assert (lost.shop_id, lost.bc_id, lost.number) == (late, bc_id, "LATE")
    assert lost.reason == "gone from both systems: each lost it when it was restored"


@variants("posted", [False, True], ids=["open", "posted"])
def test_what_the_shop_alone_lost_and_does_not_come_back_to_it_is_told(
    world: World, placed: str, posted: bool
) -> None:
    late, bc_id = placed_since(world, placed, posted=posted)
    restored(world, Side.SHOP)
    (lost,) = (one for one in of(Kind.LOST) if one.flow == "order")
    assert (lost.shop_id, lost.bc_id, lost.number) == (late, bc_id, "LATE")
    there = "in businesscentral it is posted" if posted else "businesscentral still has it"
    assert lost.reason == f"customwebshop lost it when it was restored; {there}"
    if posted:
        return
    # entered again by its number, the two are a pair again
    buyer = world.shop.post("customers", customer("NEW"))["id"]
    again = world.shop.post("orders", order("LATE", buyer, [line(placed, "7")]))["id"]
    for _ in range(2):
        assert world.step().success
    assert world.counterpart("order", again) == bc_id
    assert of(Kind.LOST) == []
    assert numbers(world) == (["EARLY", "LATE"], ["C0", "C1", "C2", "NEW"])


@variants("first", list(Side))
def test_what_was_lost_by_both_is_not_what_the_shop_made_since_under_its_id_and_number(
    world: World, placed: str, first: Side
) -> None:
    if not world.tells_births():
        pytest.skip("a shop that does not tell when a record was made")
    late, bc_id = placed_since(world, placed)
    for side in Side:
        api(world, side).control("restore")
    world.let_time_pass()
    buyer = world.shop.post("customers", customer("OTHER"))["id"]
    other = world.shop.post("orders", order("LATE", buyer, [line(placed, "1")]))["id"]
    assert other == late
    assert not world.step(full=True).success
    for side in (first, first.other):
        world.step(restored=side)
    assert world.step(full=True).success
    lost = {one.flow: one for one in of(Kind.LOST)}
    assert (lost["order"].bc_id, lost["order"].number) == (bc_id, "LATE")
    assert lost["customer"].number == "NEW", "not whoever has its id now"
    quantities = {
        row["externalDocumentNumber"]: [one["quantity"] for one in row["salesOrderLines"]]
        for row in world.bc.orders().values()
    }
    if first is Side.BC:
        assert quantities["LATE"] == [1]
    else:  # when the shop's was decided, Business Central seemed to have the other one
        assert of(Kind.HELD)
