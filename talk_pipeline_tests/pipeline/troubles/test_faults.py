"""What goes wrong between us and the systems: nothing is created twice, nothing is lost, others go on."""

import pytest

from talk_pipeline_tests.pipeline.faults import rule, seeded, settled
from talk_pipeline_tests.pipeline.mishaps import cut_short, edited_before_intending
from talk_pipeline_tests.pipeline.records import customer, product
from talk_pipeline_tests.users import Row
from talk_pipeline_tests.variants import variants
from talk_pipeline_tests.world import World

LOST_ANSWERS = [
    # three kinds first
    rule("POST", "salesOrders", drop="after"),
    rule("POST", "$batch", drop="after"),
    rule("POST", "salesOrders", status=504, when="after"),
    rule("POST", "salesOrders", drop="before"),
    rule("POST", "customers", drop="after"),
    rule("GET", "items", truncate=True),
    rule("POST", "salesOrders", status=500, when="after"),
    rule("POST", "salesOrders", status=503, when="before"),
    rule("POST", "salesOrders", truncate=True),
    rule("POST", "salesOrders", status=408, when="after"),
    rule("POST", "salesOrders", status=429),
    rule("POST", "salesOrders", status=429, retry_after=1),
    rule("POST", "customers", status=500, when="after"),
    rule("POST", "$batch", drop="before"),
    rule("POST", "$batch", status=503, when="after"),
    rule("POST", "$batch", truncate=True),
    rule("GET", "salesOrders", status=503),
    rule("GET", "customers", status=429, retry_after=1),
    rule("GET", "items", drop="before"),
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


@variants("fault", LOST_ANSWERS, first=3, ids=lambda r: f"{r['match']['path']}-{r['fault']}")
def test_nothing_is_created_twice(world: World, fault: Row) -> None:
    count = 3 if "$batch" in fault["match"]["path"] else 1
    seeded(world, orders=count)
    world.bc.faults(fault)
    world.step()
    settled(world, orders=count)


def test_a_status_that_never_reached_the_shop_is_told_again(world: World) -> None:
    """It is concluded there from lines and from posting, and kept by the shop like any other word."""
    _, (order,) = seeded(world)
    world.step()
    world.bc.control(f"sales-orders/{world.counterpart('order', order)}/ship")
    world.bc.control(f"sales-orders/{world.counterpart('order', order)}/invoice")
    world.shop.faults(rule("PATCH", "orders", drop="before"))
    world.step(full=True)
    assert not world.step(full=True).failed()
    assert world.shop.get("orders", order)["status"] == "completed"
    assert (world.state("order", order) or ("", ""))[0] == "closed"


def test_what_the_shop_forbids_of_one_record_is_left_and_all_else_goes_on(
    world: World, pair: tuple[str, str]
) -> None:
    if world.profile != "reference":
        pytest.skip("a shop whose description tells no codes, or that is asked otherwise")
    item = world.shop.post("products", product("P0"))["id"]
    world.step()
    world.bc.patch("customers", pair[1], {"website": "www.bc.example"})
    world.bc.patch("items", world.counterpart("product", item), {"displayName": "Renamed"})
    world.shop.faults(rule("PATCH", "customers", status=403))
    run = world.step()
    assert not run.problems, "nobody has to look at the credentials"
    assert run["customer"]["failed"] == 1
    assert world.shop.get("products", item)["name"] == "Renamed"
    ((outcome, reason),) = world.sql("select outcome, reason from journal where outcome = 'failed'")
    assert reason.startswith("403: forbidden: "), (outcome, reason)
    assert not world.step().failed()
    assert world.shop.get("customers", pair[0])["website"] == "www.bc.example"


SHOP_FAULTS = [
    rule("PATCH", "orders", drop="after"),
    rule("PATCH", "orders", drop="before"),
    rule("PATCH", "orders", status=500, when="after"),
    rule("PATCH", "orders", status=429, retry_after=1),
    rule("GET", "orders", status=502),
    rule("GET", "orders", truncate=True),
]


@variants("fault", SHOP_FAULTS, first=2, ids=lambda r: f"{r['match']['path']}-{r['fault']}")
def test_a_shop_that_stumbles_gets_its_values(world: World, fault: Row) -> None:
    seeded(world)
    world.shop.faults(fault)
    world.step()
    settled(world, orders=1)


@pytest.mark.parametrize("place", ["intend", "intended", "settle"])
@variants("at", [1, 2, 3])
def test_a_crash_loses_nothing(world: World, place: str, at: int) -> None:
    """The run dies in the middle of its at-th batch; the next one needs no help."""
    seeded(world, orders=2)
    cut_short(world, at=place, nth=at)
    settled(world, orders=2)


def test_an_edit_between_reading_and_writing_is_not_lost(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Business Central changes after the snapshot: the stale write is planned anew in the same run."""
    buyer = world.shop.post("customers", customer())["id"]
    world.step("customer")
    bc_id = world.counterpart("customer", buyer)
    world.shop.patch("customers", buyer, {"website": "www.shop.example"})
    edit = {"phoneNumber": "+45 55 55 55 55"}
    edited_before_intending(monkeypatch, lambda: world.bc.patch("customers", bc_id, edit))
    run = world.step("customer")
    assert not run.failed()
    assert world.sql("select count(*) from journal where outcome = 'stale'") == [(1,)]
    assert world.bc.get("customers", bc_id)["website"] == "www.shop.example"
    assert world.shop.get("customers", buyer)["phone"] == "+45 55 55 55 55"


@pytest.mark.reaches
def test_an_edit_in_the_shop_meanwhile_is_not_overwritten(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    buyer = world.shop.post("customers", customer())["id"]
    world.step("customer")
    bc_id = world.counterpart("customer", buyer)
    world.bc.patch("customers", bc_id, {"website": "www.bc.example"})
    edit = {"phone": "+45 55 55 55 55"}
    edited_before_intending(monkeypatch, lambda: world.shop.patch("customers", buyer, edit))
    assert not world.step("customer").failed()
    assert world.shop.get("customers", buyer)["website"] == "www.bc.example"


@variants("status", [404, 410, 405, 304], first=2)
def test_a_page_of_a_gateway_removes_nothing_and_puts_nothing_aside(world: World, status: int) -> None:
    """Neither is a line gone that it says it does not know, nor does the order wait for a person."""
    _, (placed,) = seeded(world)
    world.step()
    kept, _removed = world.shop.get("orders", placed)["lines"]
    world.shop.patch("orders", placed, {"lines": [{"id": kept["id"]}]})
    world.let_time_pass()
    page = "" if status == 304 else "<html>Not found</html>"
    world.bc.faults(rule("DELETE", "salesOrderLines", status=status, body=page, content_type="text/html"))
    world.step("order")
    assert world.sql("select reason from refusal") == []
    settled(world, orders=1)
    (order,) = world.bc.orders().values()
    assert [line["quantity"] for line in order["salesOrderLines"]] == [2]
    assert [line["quantity"] for line in world.shop.get("orders", placed)["lines"]] == ["2"]


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


@variants("served", ["previous", "same"])
@variants("nth", [2, 3])
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


AMISS = [{"status": 412}, {"expired_token": True}, {"status": 409}, {"status": 504}, {"status": 425}]


@variants("amiss", AMISS, ids=str)
def test_a_question_that_is_answered_amiss_once_stops_no_run(world: World, amiss: Row) -> None:
    seeded(world)
    world.shop.faults(*(rule("GET", name, **amiss) for name in ("customers", "products", "orders")))
    questions = [("GET", name) for name in ("compan", "customers", "items", "salesOrders")]
    world.bc.faults(*(rule(method, name, **amiss) for method, name in [*questions, ("POST", "token")]))
    run = world.step()
    assert run.success, run.problems
    settled(world, orders=1)


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


@pytest.mark.parametrize("status", [500, 403])
@pytest.mark.parametrize("then", [{"drop": "before"}, {"status": 412}], ids=["unanswered", "moved"])
def test_a_record_that_a_system_fails_on_stops_no_other(
    world: World, then: Row, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    _, (first, second) = seeded(world, orders=2)
    world.step()
    failing = f"salesOrders({world.counterpart('order', first)})"
    world.bc.faults(
        rule("PATCH", failing, times=None, **then), rule("GET", failing, times=None, status=status)
    )
    for number in ("1", "2"):
        for key in (first, second):
            world.shop.patch("orders", key, {"shipping_address": {"city": f"Town {number}"}})
        run = world.step("order")
        assert run.success, run.problems
        there = {row["externalDocumentNumber"]: row["shipToCity"] for row in world.bc.orders().values()}
        assert there["O1"] == f"Town {number}"
        assert there["O0"] != f"Town {number}"
    told = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert any("stays open: " in text and str(status) in text for text in told), told
    world.sql("update journal set open_until = open_until - interval 1 hour")
    settled(world, orders=2)
    towns = {row["shipToCity"] for row in world.bc.orders().values()}
    assert towns == {"Town 2"}


def test_a_step_that_a_look_keeps_from_being_taken_is_told(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    _, (key,) = seeded(world)
    world.step()
    lines = world.shop.get("orders", key)["lines"]
    world.shop.patch("orders", key, {"lines": [{**lines[0], "quantity": "7"}, {"id": lines[1]["id"]}]})
    failing = f"salesOrders({world.counterpart('order', key)})"
    world.bc.faults(rule("GET", failing, times=None, status=500))
    assert world.step("order").success
    told = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert any(f"order {key}: the rest of it waits" in text and "500" in text for text in told), told
    settled(world, orders=1)
