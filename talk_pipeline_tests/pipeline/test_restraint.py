"""What a run leaves alone: what is not the flow's, what nobody deleted, and whatever is too much at once."""

import pytest

from talk_pipeline_tests.pipeline.faults import seeded
from talk_pipeline_tests.pipeline.records import customer, line, order, product
from talk_pipeline_tests.world import World


def test_a_full_scan_finds_what_disappeared_and_deletes_nothing(world: World) -> None:
    buyer = world.shop.post("customers", customer())["id"]
    for _ in range(2):  # the first read of an empty Business Central leaves no watermark
        world.step("customer")
    world.bc.delete("customers", world.counterpart("customer", buyer))
    assert world.step("customer")["customer"]["broken"] == 0, "an incremental read infers nothing"
    run = world.step("customer", full=True)
    assert run["customer"]["broken"] == 1
    assert run.writes() == 0
    assert not world.bc.all("customers")
    assert world.shop.get("customers", buyer)["deleted_at"] is None
    other = world.shop.post("customers", customer("C2"))["id"]
    world.step("customer")
    world.shop.delete("customers", other)
    run = world.step("customer", full=not world.shows_deletions())
    assert run["customer"]["broken"] == 2
    assert len(world.bc.all("customers")) == 1


def test_a_run_with_nothing_to_do_asks_nine_times(world: World) -> None:
    """Each flow once on either side, and who the two systems are; the more only where many were edited lately."""
    if world.profile != "reference":
        pytest.skip("this shop is asked otherwise")
    buyer = world.shop.post("customers", customer())["id"]
    item = world.shop.post("products", product())["id"]
    world.shop.post("orders", order("O1", buyer, [line(item)]))
    for _ in range(2):  # the first read of an empty Business Central leaves no watermark
        assert world.step().success
    world.forget_requests()
    assert world.step().writes() == 0
    assert [api.requests()["reads"] for api in (world.shop, world.bc)] == [4, 5]


def test_a_person_is_never_touched(world: World) -> None:
    person = world.bc.post(
        "customers",
        {"number": "C1", "displayName": "Private", "type": "Person", "email": "c1@company.example"},
    )
    twin = world.shop.post("customers", customer("C2", email="c1@company.example"))["id"]
    world.step("customer")
    assert world.bc.get("customers", person["id"]) == person | {
        "@odata.context": world.bc.get("customers", person["id"])["@odata.context"]
    }
    bc_id = world.counterpart("customer", twin)
    assert bc_id != person["id"]
    world.bc.patch("customers", bc_id, {"type": "Person"})
    run = world.step("customer")
    assert run["customer"]["broken"] == 1
    world.shop.patch("customers", twin, {"website": "www.new.example"})
    assert world.step("customer").writes() == 0
    world.bc.patch("customers", bc_id, {"type": "Company"})
    assert world.step("customer").writes("customer") == 1


def test_the_breaker_stops_mass_changes_until_approved(world: World) -> None:
    buyers = [world.shop.post("customers", customer(f"C{n}"))["id"] for n in range(30)]
    world.step("customer")
    for buyer in buyers:
        world.shop.patch("customers", buyer, {"website": "www.wrong.example"})
    run = world.step("customer")
    assert not run.success
    assert run.finding("customer", "change_volume_safe").verdict == "failed"
    assert run.writes() == 0
    dry = world.sync("customer", dry_run=True)
    assert dry.finding("customer", "change_volume_safe").verdict == "failed", "as the run itself"
    assert dry["customer"]["changes"] == 30
    assert dry.writes() == 0
    approved = world.step("customer", approve=True)
    assert approved.success
    assert approved.writes() == 30


def test_mass_disappearance_is_not_believed(world: World) -> None:
    buyers = [world.shop.post("customers", customer(f"C{n}"))["id"] for n in range(15)]
    world.step("customer")
    for buyer in buyers:
        world.bc.delete("customers", world.counterpart("customer", buyer))
    run = world.step("customer", full=True)
    assert not run.success
    assert "disappeared" in run.finding("customer", "change_volume_safe").summary
    assert run["customer"]["broken"] == 0
    approved = world.step("customer", full=True, approve=True)
    assert approved["customer"]["broken"] == 15
    assert approved.writes() == 0


def test_a_dry_run_writes_nothing_and_shows_the_plan(world: World) -> None:
    seeded(world)
    run = world.sync(dry_run=True)
    assert run.success
    assert not run.failed()
    assert run.writes() == 0
    assert run["customer"]["changes"] == 1
    assert world.writes()["businesscentral"] == 0
    assert not world.bc.all("customers")
    assert world.step().writes() > 0
