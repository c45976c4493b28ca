"""A system that was restored from a backup is not taken for one that was edited."""

from pathlib import Path
from typing import Any

import pytest

from talk_pipeline.flows.sides import Side
from talk_pipeline.run.plan import prepare
from talk_pipeline_tests.flow_files import edited_flows
from talk_pipeline_tests.outcome import Run
from talk_pipeline_tests.pipeline.records import customer, line, order, product
from talk_pipeline_tests.users import Api
from talk_pipeline_tests.variants import variants
from talk_pipeline_tests.world import World

SIDES = list(Side)
ALL = ("customer", "product", "order")


@pytest.fixture
def buyers(world: World) -> list[str]:
    """Three customers that are in step."""
    if not world.tells_times():
        pytest.skip("a shop that tells no times is judged by versions and numbers alone")
    customers = [world.shop.post("customers", customer(f"C{n}"))["id"] for n in range(3)]
    for _ in range(2):
        assert world.step("customer").success
    return customers


def api(world: World, side: Side) -> Api:
    return world.shop if side is Side.SHOP else world.bc


def website(world: World, key: str) -> tuple[Any, Any]:
    bc = world.bc.get("customers", world.counterpart("customer", key))
    return world.shop.get("customers", key)["website"], bc["website"]


def everything(world: World) -> Any:
    """All that both systems hold."""
    return world.shop.all("customers"), world.bc.all("customers")


def edit_both(world: World, buyers: list[str]) -> None:
    """One edit on either side, synchronized."""
    first, second = buyers[:2]
    world.let_time_pass()
    world.shop.patch("customers", first, {"website": "www.new-in-shop.example"})
    world.bc.patch("customers", world.counterpart("customer", second), {"website": "www.new-in-bc.example"})
    run = world.step("customer")
    assert run.success, run.problems
    assert website(world, first)[1] == "www.new-in-shop.example"
    assert website(world, second)[0] == "www.new-in-bc.example"


def assert_stopped(world: World, run: Run, side: Side) -> None:
    assert not run.success
    told = world.sql("select distinct side from reversal")
    assert told == [(str(side),)], run.problems


def assert_settled(world: World, *flows: str) -> None:
    assert world.sql("select count(*) from reversal") == [(0,)]
    run = world.step(*(flows or ("customer",)), full=True)
    assert run.success, run.problems
    assert (run.writes(), run.failed()) == (0, [])


@variants("full", [False, True], ids=["incremental", "full"])
@variants("side", SIDES)
def test_what_went_back_stops_all_until_the_newer_values_are_brought_forward(
    world: World, buyers: list[str], side: Side, full: bool
) -> None:
    api(world, side).control("backup")
    edit_both(world, buyers)
    api(world, side).control("restore")
    world.let_time_pass()
    world.shop.patch("customers", buyers[2], {"website": "www.since.example"})
    before = everything(world)
    for again in (False, True):
        assert_stopped(world, world.step("customer", full=full or again), side)
        assert everything(world) == before
    run = world.step("customer", restored=side)
    assert run.success, run.problems
    assert website(world, buyers[0]) == ("www.new-in-shop.example",) * 2
    assert website(world, buyers[1]) == ("www.new-in-bc.example",) * 2
    assert website(world, buyers[2]) == ("www.since.example",) * 2
    assert_settled(world)


@variants("side", SIDES)
def test_records_made_since_the_backup_meet_again_once(world: World, buyers: list[str], side: Side) -> None:
    """Customers, orders and lines that the restored system lost, or has again though they were removed."""
    items = [world.shop.post("products", product(f"P{n}"))["id"] for n in range(2)]
    early = world.shop.post("orders", order("EARLY", buyers[0], [line(items[0]), line(items[1], "5")]))["id"]
    assert world.step().success
    api(world, side).control("backup")
    edit_both(world, buyers)
    new = world.shop.post("customers", customer("NEW"))["id"]
    late = world.shop.post("orders", order("LATE", new, [line(items[0])]))["id"]
    held = world.shop.get("orders", early)["lines"]
    world.shop.patch("orders", early, {"lines": [held[0], line(items[0], "7")]})
    assert world.step().success
    api(world, side).control("restore")
    assert_stopped(world, world.step(), side)
    run = world.step(restored=side)
    assert run.success, run.problems
    central = world.bc.orders()
    lines = central[world.counterpart("order", early)]["salesOrderLines"]
    assert sorted(row["quantity"] for row in lines) == [2, 7]
    assert sorted(float(row["quantity"]) for row in world.shop.get("orders", early)["lines"]) == [2, 7]
    assert sorted(row["externalDocumentNumber"] for row in central.values()) == ["EARLY", "LATE"]
    companies = [row["displayName"] for row in world.bc.all("customers").values()]
    assert sorted(companies) == ["Company C0", "Company C1", "Company C2", "Company NEW"]
    if side is Side.BC:
        assert world.counterpart("customer", new) in world.bc.all("customers")
        assert world.counterpart("order", late) in central
    assert_settled(world, *ALL)


def test_a_single_record_of_a_flow_that_was_lost_is_made_anew_and_one_deleted_before_is_not(
    world: World, buyers: list[str]
) -> None:
    """By itself it might have been deleted by somebody, and is so where others are not known to have gone back."""
    item = world.shop.post("products", product("P0"))["id"]
    known = [world.shop.post("orders", order(name, buyers[0], [line(item)]))["id"] for name in "AB"]
    assert world.step().success
    world.bc.delete("salesOrders", world.counterpart("order", known[0]))
    world.bc.control("backup")
    edit_both(world, buyers)
    buyer = world.shop.post("customers", customer("NEW"))["id"]
    world.shop.post("orders", order("C", buyer, [line(item)]))
    invoiced = world.counterpart("order", known[1])
    world.bc.read(world.bc.http.post(f"/salesOrders({invoiced})/Microsoft.NAV.shipAndInvoice"))
    assert world.step(full=True).success
    world.bc.control("restore")
    assert_stopped(world, world.step(), Side.BC)
    assert world.step(restored=Side.BC).success
    assert sorted(row["externalDocumentNumber"] for row in world.bc.orders().values()) == ["B", "C"]
    states = dict(world.sql("select shop_id, state from status where flow = 'order'"))
    assert states == {known[0]: "broken"}
    world.shop.patch("orders", known[1], {"email": "open.again@company.example"})
    assert world.step().success
    assert world.bc.get("salesOrders", invoiced)["email"] == "open.again@company.example"


def test_what_was_taken_for_a_deletion_before_the_restore_was_noticed_is_made_anew(
    world: World, buyers: list[str]
) -> None:
    """The customer is read before the orders, which alone tell of the restore."""
    item = world.shop.post("products", product("P0"))["id"]
    first = world.shop.post("orders", order("A", buyers[0], [line(item)]))["id"]
    assert world.step().success
    world.bc.control("backup")
    world.let_time_pass()
    world.shop.patch("orders", first, {"email": "since@company.example"})
    buyer = world.shop.post("customers", customer("NEW"))["id"]
    world.shop.post("orders", order("B", buyer, [line(item)]))
    assert world.step().success
    world.bc.control("restore")
    assert_stopped(world, world.step(full=True), Side.BC)
    assert world.step(restored=Side.BC).success
    assert sorted(row["externalDocumentNumber"] for row in world.bc.orders().values()) == ["A", "B"]
    assert world.bc.get("salesOrders", world.counterpart("order", first))["email"] == "since@company.example"
    assert_settled(world, *ALL)


def test_what_went_back_with_a_restore_is_nobodys_edit(world: World, buyers: list[str]) -> None:
    """A city and a postal code, each of which Business Central works out of the other."""
    world.bc.control("backup")
    world.let_time_pass()
    world.shop.patch("customers", buyers[0], {"address": {"city": "Odense C", "postal_code": "5000"}})
    assert not world.step("customer").failed()
    world.bc.control("restore")
    assert world.step("customer", restored=Side.BC).success
    bc = world.bc.get("customers", world.counterpart("customer", buyers[0]))
    assert (bc["city"], bc["postalCode"]) == ("Odense C", "5000")
    assert world.sql("select count(*) from conflict") == [(0,)]


@pytest.mark.slow
def test_approved_what_it_shows_is_taken_for_edits(world: World, buyers: list[str]) -> None:
    world.bc.control("backup")
    edit_both(world, buyers)
    world.bc.control("restore")
    # an approval that was given before anything was seen is none of this
    assert_stopped(world, world.step("customer", approve=True), Side.BC)
    run = world.step("customer", approve=True)
    assert run.success, run.problems
    assert website(world, buyers[0]) == ("www.c0.example",) * 2
    assert website(world, buyers[1]) == ("www.c1.example",) * 2
    assert_settled(world)


def test_it_is_an_error_on_the_checklist_with_examples_and_a_dry_run_says_the_same(
    world: World, buyers: list[str]
) -> None:
    world.bc.control("backup")
    edit_both(world, buyers)
    world.bc.control("restore")
    before = everything(world)
    for dry_run in (True, False):
        run = world.sync("customer", dry_run=dry_run)
        assert run.problems == []
        finding = next(
            f for name, f in run.findings["customer"].items() if name == "businesscentral.not_restored"
        )
        assert (finding.verdict, finding.found) == ("failed", 2)
        assert "2 records went back" in finding.summary
        assert "--restored businesscentral" in finding.summary
        assert {row["id"] for row in finding.rows} == {
            world.counterpart("customer", key) for key in buyers[:2]
        }
        assert run.writes() == 0
    assert everything(world) == before
    # the other flows of the system are stopped too, and without the blocking check before it
    assert not world.step("product").success


@variants("side", SIDES)
def test_a_system_that_people_worked_on_since_is_noticed_too(
    world: World, buyers: list[str], side: Side
) -> None:
    """Its latest change is no earlier than the one known; what was newest before is not shown any more."""
    api(world, side).control("backup")
    edit_both(world, buyers)
    api(world, side).control("restore")
    world.let_time_pass()
    phone = "phone" if side is Side.SHOP else "phoneNumber"
    for key, prop, value in (
        (buyers[2], "website", "www.worked.example"),
        (buyers[0], phone, "+45 55 55 55 55"),  # of a record that lost something else
    ):
        record = key if side is Side.SHOP else world.counterpart("customer", key)
        api(world, side).back_office("PATCH", f"customers/{record}", {prop: value})
    assert_stopped(world, world.step("customer"), side)
    assert world.step("customer", restored=side).success
    assert website(world, buyers[2]) == ("www.worked.example",) * 2
    assert website(world, buyers[0]) == ("www.new-in-shop.example",) * 2
    assert world.shop.get("customers", buyers[0])["phone"] == "+45 55 55 55 55"
    assert_settled(world)


def test_a_system_that_is_what_it_was_again_is_not_suspected(world: World, buyers: list[str]) -> None:
    world.bc.control("backup", {"name": "old"})
    edit_both(world, buyers)
    world.bc.control("backup", {"name": "new"})
    world.bc.control("restore", {"name": "old"})
    assert_stopped(world, world.step("customer"), Side.BC)
    world.bc.control("restore", {"name": "new"})
    assert_settled(world) if world.step("customer").success else pytest.fail("still stopped")


@variants("full", [False, True], ids=["incremental", "full"])
@variants("side", SIDES)
def test_a_page_that_a_cache_kept_is_no_restore(
    world: World, buyers: list[str], side: Side, full: bool
) -> None:
    world.let_time_pass()
    for n, key in enumerate(buyers):
        told = {"website": f"www.new-{n}.example"}
        if side is Side.BC:
            world.shop.patch("customers", key, told)
        else:
            world.bc.patch("customers", world.counterpart("customer", key), told)
    assert world.step("customer").success
    old_page = {
        "match": {"method": "GET", "path": "customers$"},
        "fault": {"stale_page": "previous"},
        "times": 1,
    }
    api(world, side).faults(old_page)
    run = world.step("customer", full=full)
    assert run.success, run.problems
    assert [website(world, key) for key in buyers] == [(f"www.new-{n}.example",) * 2 for n in range(3)]
    assert_settled(world)


@pytest.mark.slow
def test_single_deletions_late_commits_and_clocks_are_no_restore(world: World, buyers: list[str]) -> None:
    first, second, third = buyers
    world.bc.delete("customers", world.bc.post("customers", {"displayName": "Newest"})["id"])
    assert world.step("customer").success
    late = {"values": {"website": "www.late.example"}, "modified_seconds_ago": 30}
    bc_id = world.counterpart("customer", first)
    world.bc._control.patch(f"/_sandbox/records/customers/{bc_id}", json=late).raise_for_status()
    run = world.step("customer")
    assert run.success, run.problems
    assert website(world, first) == ("www.late.example",) * 2
    # stamped by a clock an hour ahead, then edited when it was right again
    world.bc.control("clock", {"offset": 3600})
    bc_id = world.counterpart("customer", second)
    world.bc.back_office("PATCH", f"customers/{bc_id}", {"website": "www.ahead.example"})
    assert world.step("customer").success
    world.bc.control("clock", {"offset": 0})
    world.bc.back_office("PATCH", f"customers/{bc_id}", {"website": "www.right.example"})
    run = world.step("customer", full=True)
    assert run.success, run.problems
    assert world.shop.get("customers", second)["website"] == "www.right.example"
    # and people may change their minds
    for word in ("www.a.example", "www.b.example", "www.a.example"):
        world.let_time_pass()
        world.shop.patch("customers", third, {"website": word})
        assert world.step("customer").success
    assert world.sql("select count(*) from reversal") == [(0,)]


def test_a_restore_during_a_run_stops_it(
    world: World, buyers: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    world.bc.control("backup")
    edit_both(world, buyers)
    world.let_time_pass()
    world.shop.patch("customers", buyers[0], {"phone": "+45 11 11 11 11"})

    async def restored_meanwhile(*of: Any) -> None:
        await prepare(*of)
        world.bc.control("restore")

    with monkeypatch.context() as patch:
        patch.setattr("talk_pipeline_tests.passing.prepare", restored_meanwhile)
        assert_stopped(world, world.step("customer"), Side.BC)
    run = world.step("customer", restored=Side.BC)
    assert run.success, run.problems
    assert website(world, buyers[0]) == ("www.new-in-shop.example",) * 2
    assert_settled(world)


@variants("side", SIDES)
def test_what_went_back_of_a_property_that_is_mapped_again_later_is_no_edit(
    world: World, buyers: list[str], side: Side, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    api(world, side).control("backup")
    edit_both(world, buyers)
    api(world, side).control("restore")
    assert_stopped(world, world.step("customer"), side)
    edited_flows(tmp_path, monkeypatch, customer=("  - {shop: website, ", "  # - {shop: website, "))
    assert world.step("customer", restored=side).success
    edited_flows(tmp_path, monkeypatch)
    assert world.step("customer", full=True).success
    told = world.sql("select shop_value, bc_value from conflict where property = 'website' order by all")
    before = [(f"www.c{n}.example", f"www.new-in-{at}.example") for n, at in enumerate(("shop", "bc"))]
    assert told == (before if side is Side.SHOP else [(new, old) for old, new in reversed(before)])
    assert_settled(world)
