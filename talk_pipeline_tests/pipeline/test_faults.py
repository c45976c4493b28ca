"""What goes wrong between us and the systems: nothing is created twice, nothing is lost, others go on."""

import contextlib
from typing import Any

import pytest

from talk_pipeline.engine.apply import outcomes
from talk_pipeline.engine.state import journal
from talk_pipeline_tests.flow_files import edited_flows
from talk_pipeline_tests.pipeline.records import customer, line, order, product
from talk_pipeline_tests.world import World

Row = dict[str, Any]


def rule(method: str, path: str, *, times: int | None = 1, nth: int = 1, **fault: Any) -> Row:
    return {"match": {"method": method, "path": path, "nth": nth}, "fault": fault, "times": times}


def seeded(world: World, orders: int = 1) -> tuple[str, list[str]]:
    buyer = world.shop.post("customers", customer())["id"]
    item = world.shop.post("products", product())["id"]
    placed = [
        world.shop.post("orders", order(f"O{n}", buyer, [line(item), line(item, "5", "20.00")]))["id"]
        for n in range(orders)
    ]
    return buyer, placed


def settled(world: World, *, orders: int) -> None:
    """After two runs without faults: one counterpart each, nothing left to do."""
    for api in (world.shop, world.bc):
        api.no_faults()
    for _ in range(2):
        run = world.step(full=True)
        assert run.success, run.problems
    assert not run.failed()
    assert run.writes() == 0
    numbers = [row["externalDocumentNumber"] for row in world.bc.orders().values()]
    assert sorted(numbers) == sorted(f"O{n}" for n in range(orders))
    assert len(world.bc.all("customers")) == 1
    assert len(world.bc.all("items")) == 1
    for row in world.shop.all("orders").values():
        assert row["erp_number"]


LOST_ANSWERS = [
    rule("POST", "salesOrders", drop="after"),
    rule("POST", "salesOrders", drop="before"),
    rule("POST", "salesOrders", status=500, when="after"),
    rule("POST", "salesOrders", status=503, when="before"),
    rule("POST", "salesOrders", status=504, when="after"),
    rule("POST", "salesOrders", truncate=True),
    rule("POST", "salesOrders", status=408, when="after"),
    rule("POST", "salesOrders", status=429),
    rule("POST", "salesOrders", status=429, retry_after=1),
    rule("POST", "customers", drop="after"),
    rule("POST", "customers", status=500, when="after"),
    rule("POST", "$batch", drop="after"),
    rule("POST", "$batch", drop="before"),
    rule("POST", "$batch", status=503, when="after"),
    rule("POST", "$batch", truncate=True),
    rule("GET", "salesOrders", status=503),
    rule("GET", "customers", status=429, retry_after=1),
    rule("GET", "items", drop="before"),
    rule("GET", "items", truncate=True),
    rule("POST", "salesOrders", status=502, body="<html>Bad gateway</html>", content_type="text/html"),
    rule("POST", "salesOrders", status=503, retry_after=1, when="before"),
    rule("POST", "salesOrders", delay=0.5),
    rule("POST", "salesOrders", drip=0.5),
    rule("GET", "items", status=502, body="<html>Bad gateway</html>", content_type="text/html"),
    rule("GET", "items", status=503, retry_after="Wed, 21 Oct 2015 07:28:00 GMT"),
    rule("GET", "items", status=504),
    rule("GET", "items", status=408),
    rule("GET", "items", status=413),
    rule("GET", "items", delay=0.5),
    rule("GET", "items", drip=0.5),
    rule("GET", "companyInformation", status=503),
    rule("POST", "token", status=503),
    rule("GET", "customers", expired_token=True),
    rule("POST", "salesOrders", expired_token=True),
]


@pytest.mark.parametrize("fault", LOST_ANSWERS, ids=lambda r: f"{r['match']['path']}-{r['fault']}")
def test_nothing_is_created_twice(world: World, fault: Row) -> None:
    count = 3 if "$batch" in fault["match"]["path"] else 1
    seeded(world, orders=count)
    world.bc.faults(fault)
    world.step()
    settled(world, orders=count)


SHOP_FAULTS = [
    rule("PATCH", "orders", drop="after"),
    rule("PATCH", "orders", drop="before"),
    rule("PATCH", "orders", status=500, when="after"),
    rule("PATCH", "orders", status=429, retry_after=1),
    rule("GET", "orders", status=502),
    rule("GET", "orders", truncate=True),
]


@pytest.mark.parametrize("fault", SHOP_FAULTS, ids=lambda r: f"{r['match']['path']}-{r['fault']}")
def test_a_shop_that_stumbles_gets_its_values(world: World, fault: Row) -> None:
    seeded(world)
    world.shop.faults(fault)
    world.step()
    settled(world, orders=1)


class PowerCutError(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("moment", ["before the intent", "before the request", "before the outcome"])
@pytest.mark.parametrize("at", [1, 2, 3])
def test_a_crash_loses_nothing(world: World, monkeypatch: pytest.MonkeyPatch, moment: str, at: int) -> None:
    """The run dies in the middle of its at-th batch; the next one needs no help."""
    seeded(world, orders=2)
    seen = 0

    def cut(*_: Any, **__: Any) -> None:
        nonlocal seen
        seen += 1
        if seen == at:
            raise PowerCutError

    real_intend, real_conclude = journal.intend, outcomes.conclude

    def intend(*args: Any, **more: Any) -> None:
        if moment == "before the intent":
            cut()
        real_intend(*args, **more)
        if moment == "before the request":
            cut()

    def conclude(*args: Any, **more: Any) -> None:
        if moment == "before the outcome":
            cut()
        real_conclude(*args, **more)

    with monkeypatch.context() as patch:
        patch.setattr(journal, "intend", intend)
        patch.setattr(outcomes, "conclude", conclude)
        with contextlib.suppress(PowerCutError, BaseExceptionGroup):
            world.step()
    assert seen >= at, "the run ended before the cut"
    settled(world, orders=2)


def test_a_poisoned_record_affects_only_itself(world: World) -> None:
    good = [world.shop.post("customers", customer(f"C{n}"))["id"] for n in range(5)]
    bad = world.shop.post("customers", customer("BAD", address={"country": "AQ", "city": "Pole"}))["id"]
    run = world.step("customer")
    assert run["customer"]["linked"] == 5
    assert run["customer"]["quarantined"] == 1
    assert run["customer"]["failed"] == 1
    state, reason = world.state("customer", bad) or ("", "")
    assert state == "quarantined"
    assert "Internal_InvalidTableRelation" in reason
    assert not run.failed()

    world.forget_requests()
    run = world.step("customer")
    assert world.writes()["businesscentral"] == 0, "the same data is not refused twice"
    assert run["customer"]["quarantined"] == 1

    world.shop.patch("customers", bad, {"address": {"country": "DK"}})
    assert world.step("customer")["customer"]["linked"] == 6
    assert len(good) == 5


def test_a_refused_property_does_not_hold_the_other_direction(world: World) -> None:
    buyer = world.shop.post("customers", customer())["id"]
    world.step("customer")
    bc_id = world.counterpart("customer", buyer)
    world.shop.patch("customers", buyer, {"address": {"country": "AQ"}})
    world.bc.patch("customers", bc_id, {"website": "www.new.example"})
    run = world.step("customer")
    assert world.shop.get("customers", buyer)["website"] == "www.new.example"
    assert (world.state("customer", buyer) or ("", ""))[0] == "quarantined"
    assert not run.failed()


def test_a_quarantine_ends_by_itself_when_the_other_side_changes_too(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = ("conflict: last_writer", "conflict: businesscentral")  # whatever times the shop tells
    edited_flows(world.data.parent, monkeypatch, customer=policy)
    buyer = world.shop.post("customers", customer())["id"]
    world.step("customer")
    bc_id = world.counterpart("customer", buyer)
    world.shop.patch("customers", buyer, {"address": {"country": "AQ"}})
    world.step("customer")
    state, reason = world.state("customer", buyer) or ("", "")
    assert (state, "AQ" in reason) == ("quarantined", True)
    world.bc.patch("customers", bc_id, {"country": "SE"})
    assert not world.step("customer").failed()
    assert world.state("customer", buyer) is None
    assert world.shop.get("customers", buyer)["address"]["country"] == "SE"
    assert world.step("customer").writes() == 0


def test_an_edit_between_reading_and_writing_is_not_lost(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Business Central changes after the snapshot: the stale write is planned anew in the same run."""
    buyer = world.shop.post("customers", customer())["id"]
    world.step("customer")
    bc_id = world.counterpart("customer", buyer)
    world.shop.patch("customers", buyer, {"website": "www.shop.example"})
    real = journal.intend
    edited = False

    def edit_first(*args: Any, **more: Any) -> None:
        nonlocal edited
        if not edited:
            edited = True
            world.bc.patch("customers", bc_id, {"phoneNumber": "+45 55 55 55 55"})
        real(*args, **more)

    monkeypatch.setattr(journal, "intend", edit_first)
    run = world.step("customer")
    assert not run.failed()
    assert world.sql("select count(*) from journal where outcome = 'stale'") == [(1,)]
    assert world.bc.get("customers", bc_id)["website"] == "www.shop.example"
    assert world.shop.get("customers", buyer)["phone"] == "+45 55 55 55 55"


def test_an_edit_in_the_shop_meanwhile_is_not_overwritten(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    buyer = world.shop.post("customers", customer())["id"]
    world.step("customer")
    bc_id = world.counterpart("customer", buyer)
    world.bc.patch("customers", bc_id, {"website": "www.bc.example"})
    real = journal.intend
    edited = False

    def edit_first(*args: Any, **more: Any) -> None:
        nonlocal edited
        if not edited:
            edited = True
            world.shop.patch("customers", buyer, {"phone": "+45 55 55 55 55"})
        real(*args, **more)

    monkeypatch.setattr(journal, "intend", edit_first)
    assert not world.step("customer").failed()
    monkeypatch.undo()
    assert world.shop.get("customers", buyer)["website"] == "www.bc.example"


def test_a_system_that_is_away_fails_the_run_and_changes_nothing(world: World) -> None:
    buyer, _ = seeded(world)
    world.step()
    world.shop.patch("customers", buyer, {"website": "www.new.example"})
    world.bc.faults(rule("GET", "customers", times=None, status=503))
    held = world.sql("select count(*) from snapshot")
    run = world.step()
    assert not run.success
    assert "503" in run.problems[0]
    assert world.sql("select count(*) from snapshot") == held
    settled(world, orders=1)


@pytest.mark.parametrize("served", ["previous", "same"])
@pytest.mark.parametrize("nth", [2, 3])
def test_pages_that_shift_lose_and_invent_nothing(world: World, served: str, nth: int) -> None:
    for n in range(12):
        world.shop.post("customers", customer(f"C{n}"))
    world.step("customer")
    world.bc.control("limits", {"page_size": 5})
    world.bc.faults(rule("GET", "customers", nth=nth, stale_page=served))
    run = world.step("customer", full=True)
    assert run.success, run.problems
    assert run.writes() == 0
    assert run["customer"]["broken"] == 0
    world.bc.no_faults()
    run = world.step("customer", full=True)
    assert run.writes() == 0
    assert run["customer"]["linked"] == 12


def test_half_a_listing_is_no_listing(world: World) -> None:
    for n in range(12):
        world.shop.post("customers", customer(f"C{n}"))
    world.step("customer")
    world.bc.control("limits", {"page_size": 5})
    world.bc.faults(rule("GET", "customers", nth=3, times=None, status=503))
    run = world.step("customer", full=True)
    assert not run.success
    world.bc.no_faults()
    run = world.step("customer", full=True)
    assert run.writes() == 0
    assert run["customer"]["linked"] == 12


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
    approved = world.sync("customer", approve=True)
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
    approved = world.sync("customer", full=True, approve=True)
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
