"""Slow is not lost: what a system may still be working on is not created a second time, and nothing else stops."""

from datetime import UTC
from pathlib import Path

import pytest

from talk_pipeline.engine.report.progress import progress
from talk_pipeline_tests.flow_files import edited_flows
from talk_pipeline_tests.outcome import Run
from talk_pipeline_tests.pipeline.charges import NAMED
from talk_pipeline_tests.pipeline.faults import rule
from talk_pipeline_tests.pipeline.mishaps import cut_short
from talk_pipeline_tests.pipeline.records import customer, line, order, product
from talk_pipeline_tests.slowness import longest, patience
from talk_pipeline_tests.users import Row
from talk_pipeline_tests.variants import variants
from talk_pipeline_tests.world import World

LONGEST = 600.0


@pytest.fixture(autouse=True)
def _scaled_down(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """We lose patience after a second, and the answer may come for ten minutes."""
    longest(monkeypatch, tmp_path, seconds=LONGEST)
    patience(monkeypatch, seconds=1)


def time_passes(world: World) -> None:
    """Whatever was sent is certainly over."""
    world.sql("update journal set open_until = open_until - interval 1 hour")


def let_it_arrive(world: World) -> None:
    """What was held is carried out, though nobody waits for the answer any more."""
    for api in (world.shop, world.bc):
        api.no_faults()


def settled(world: World, flow: str, *, late: bool) -> None:
    """What was sent arrives, or is over: runs go through from then on, and soon have nothing left to write."""
    if late:
        let_it_arrive(world)
    else:
        time_passes(world)
    for _ in range(2):
        run = world.step(flow, full=True)
        assert not run.failed()
    assert run.writes() == 0


def waits(world: World, run: Run, flow: str, shop_id: str) -> None:
    """It is waiting, named as such, and that is a warning."""
    assert run.success, run.problems
    assert not run.failed()
    state, reason = world.state(flow, shop_id) or ("", "")
    assert state == "waiting"
    assert reason.startswith("sent to ")
    assert "; it may be at work there until" in reason
    assert run.finding(flow, "writes_answered").verdict == "warned"
    assert run[flow]["failed"] == 0


def placed(world: World) -> tuple[str, str, str]:
    buyer = world.shop.post("customers", customer())["id"]
    item = world.shop.post("products", product())["id"]
    order_id = world.shop.post("orders", order("O1", buyer, [line(item), line(item, "5", "20.00")]))["id"]
    return buyer, item, order_id


MADE = [("customer", "customers"), ("product", "items"), ("order", "salesOrders")]


@variants(("flow", "entity"), MADE)
def test_a_slow_create_waits_and_is_found(world: World, flow: str, entity: str) -> None:
    """The answer comes after we gave up and before the longest time: the next run finds it."""
    buyer, item, order_id = placed(world)
    key = {"customer": buyer, "product": item, "order": order_id}[flow]
    world.bc.faults(rule("POST", entity, hold=True))
    run = world.step()
    waits(world, run, flow, key)
    if flow != "order":
        assert "is not linked (waiting" in (world.state("order", order_id) or ("", ""))[1]
    let_it_arrive(world)
    assert not world.step().failed()
    assert world.state(flow, key) is None
    assert len(world.bc.all(entity)) == 1
    assert len(world.bc.orders()) == 1


def test_what_never_came_is_created_once_the_longest_time_has_passed(world: World) -> None:
    buyer, _, order_id = placed(world)
    world.bc.faults(rule("POST", "salesOrders", drop="before"))
    waits(world, world.step(), "order", order_id)
    world.shop.patch("customers", buyer, {"website": "www.goes.example"})
    run = world.step(full=True)
    waits(world, run, "order", order_id)
    assert run.writes("customer") == 1, "nothing else stops"
    time_passes(world)
    assert not world.step("order").failed()
    assert [row["externalDocumentNumber"] for row in world.bc.orders().values()] == ["O1"]


@variants("status", [408, 500, 503])
def test_what_business_central_itself_ended_need_not_wait(world: World, status: int) -> None:
    buyer = world.shop.post("customers", customer())["id"]
    said = {"error": {"code": "Internal_ServerError", "message": "It is over."}}
    world.bc.faults(rule("POST", "customers", status=status, body=said, content_type="application/json"))
    world.step("customer")
    assert not world.step("customer").failed()
    assert world.counterpart("customer", buyer)


@variants(
    "fault",
    [{"status": 504}, {"status": 502}, {"status": 503, "body": "<html>", "content_type": "text/html"}],
)
def test_a_gateway_says_nothing_of_what_it_passed_on(world: World, fault: Row) -> None:
    buyer = world.shop.post("customers", customer())["id"]
    world.bc.faults(rule("POST", "customers", **fault))
    waits(world, world.step("customer"), "customer", buyer)
    assert not world.bc.all("customers")


def test_a_kill_while_a_request_is_at_work(world: World) -> None:
    """Right after it a run finds nothing, and waits from then on: when the request left is not known better."""
    buyer = world.shop.post("customers", customer())["id"]
    world.bc.faults(rule("POST", "customers", hold=True))
    cut_short(world, "customer")
    waits(world, world.step("customer"), "customer", buyer)
    let_it_arrive(world)
    assert not world.step("customer").failed()
    assert list(world.bc.all("customers")) == [world.counterpart("customer", buyer)]


@pytest.mark.parametrize("place", ["intend", "leave"])
def test_a_kill_before_the_request_left_is_known(world: World, place: str) -> None:
    buyer = world.shop.post("customers", customer())["id"]
    cut_short(world, "customer", at=place)
    assert world.writes()["businesscentral"] == 0
    assert not world.step("customer").failed()
    assert world.counterpart("customer", buyer)


def test_a_refused_connection_needs_no_waiting(world: World) -> None:
    """A token that is not answered, too, says that the request itself never left."""
    buyer = world.shop.post("customers", customer())["id"]
    world.bc.faults(rule("POST", "customers", status=429), rule("POST", "token", times=None, drop="before"))
    world.step("customer")
    world.bc.no_faults()
    assert not world.step("customer").failed()
    assert world.counterpart("customer", buyer)


@variants("late", [True, False], ids=["comes late", "never comes"])
def test_a_slow_order_line_is_there_once(world: World, late: bool) -> None:
    _, item, order_id = placed(world)
    assert not world.step().failed()
    held = [{"id": row["id"]} for row in world.shop.get("orders", order_id)["lines"]]
    world.shop.patch("orders", order_id, {"lines": [*held, line(item, "3", "7.00")]})
    fault = {"hold": True} if late else {"drop": "before"}
    world.bc.faults(rule("POST", "salesOrderLines", **fault))
    waits(world, world.step("order"), "order", order_id)
    world.shop.patch("orders", order_id, {"email": "meanwhile@buyer.example"})
    run = world.step("order", full=True)
    waits(world, run, "order", order_id)
    assert run["order"]["writes"]["businesscentral"]["update"] == 1, "other changes of the order go"
    settled(world, "order", late=late)
    (there,) = world.bc.orders().values()
    assert sorted(row["quantity"] for row in there["salesOrderLines"]) == [2, 3, 5]
    assert len(world.shop.get("orders", order_id)["lines"]) == 3


@variants("late", [True, False], ids=["comes late", "never comes"])
def test_a_slow_charge_is_there_once(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, late: bool
) -> None:
    """Nothing tells two of them apart: a new one there may be the one on its way, whatever it holds by now."""
    if not world.charges("order"):
        pytest.skip("this shop's description says nothing of charges")
    edited_flows(tmp_path, monkeypatch, order=NAMED)
    order_id = placed(world)[2]
    assert not world.step().failed()
    world.shop.patch("orders", order_id, {"shipping_amount": "79.00"})
    fault = {"hold": True} if late else {"drop": "before"}
    world.bc.faults(rule("POST", "salesOrderLines", **fault))
    waits(world, world.step("order"), "order", order_id)
    if late:
        let_it_arrive(world)
        (mine,) = _charges(world)
        world.bc.patch("salesOrderLines", mine["id"], {"unitPrice": 85})
        run = world.step("order", full=True)
        waits(world, run, "order", order_id)
        held = world.sql("select target, hold_kind from change where part = 'order.shipping' group by all")
        assert sorted(held) == [("businesscentral", "waiting"), ("customwebshop", "waiting")]
    time_passes(world)
    for _ in range(3):
        run = world.step("order", full=True)
        assert not run.failed()
    assert run.writes() == 0
    (there,) = _charges(world)
    assert world.shop.get("orders", order_id)["shipping_amount"] == f"{there['unitPrice']:.2f}"


def _charges(world: World) -> list[Row]:
    (there,) = world.bc.orders().values()
    return [row for row in there["salesOrderLines"] if row["lineType"] == "Account"]


@pytest.mark.slow
def test_ninety_slow_orders_are_there_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """At 1.6 s each they would outlast any answer in one batch; here at a tenth of that, as our patience is."""
    buyer, item, _ = placed(world)
    for n in range(2, 91):
        world.shop.post("orders", order(f"O{n}", buyer, [line(item)]))
    world.step("customer", "product")
    patience(monkeypatch, seconds=12)
    monkeypatch.setattr("talk_pipeline.systems.businesscentral.pacing.ANSWER_SECONDS", 3.0)
    world.bc.control("limits", {"operation_latency": 0.16})
    run = world.step("order")
    assert not run.failed()
    assert run["order"]["waiting"] == 0, "no batch outlasted our patience"
    assert len(world.bc.orders()) == 90


def test_what_may_be_on_its_way_is_nobody_elses_counterpart(world: World) -> None:
    """Two accounts with one e-mail: what was created for one is not matched with the other, nor made for it too."""
    first = world.shop.post("customers", customer("C1", email="same@company.example"))["id"]
    world.bc.faults(rule("POST", "customers", hold=True))
    waits(world, world.step("customer"), "customer", first)
    second = world.shop.post("customers", customer("C2", email="same@company.example"))["id"]
    run = world.step("customer")
    assert not run.failed()
    assert f"is that of {first}, which goes first" in (world.state("customer", second) or ("", ""))[1]
    let_it_arrive(world)
    assert not world.step("customer").failed()
    (there,) = world.bc.all("customers").values()
    assert (there["number"], there["id"]) == ("C1", world.counterpart("customer", first))
    assert (world.state("customer", second) or ("", ""))[0] == "ambiguous"


def test_a_shop_that_knows_keys_answers_a_repeated_create_once(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The very same request goes again at once, with its key, though the record was edited meanwhile."""
    if world.profile != "reference":
        pytest.skip("of shops with idempotency keys")
    edited_flows(tmp_path, monkeypatch, customer=("create: always", "create: both"))
    made = world.bc.post("customers", {"number": "B1", "displayName": "Made there", "type": "Company"})
    world.shop.faults(rule("POST", "customers", hold=True))
    cut_short(world, "customer")
    world.bc.patch("customers", made["id"], {"displayName": "Made there, and edited"})
    for _ in range(2):
        assert not world.step("customer").failed()
    (there,) = world.shop.all("customers").values()
    assert there["company_name"] == "Made there, and edited"
    let_it_arrive(world)
    assert len(world.shop.all("customers")) == 1
    assert len(world.bc.all("customers")) == 1


@variants("late", [True, False], ids=["comes late", "never comes"])
def test_a_shop_without_keys_is_waited_for(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, late: bool
) -> None:
    if world.profile != "reference":
        pytest.skip("of one shop, without its keys")
    edited_flows(tmp_path, monkeypatch, customer=("create: always", "create: both"))
    file = tmp_path / "connector.yaml"
    file.write_text(file.read_text().replace("idempotency_header: Idempotency-Key\n", ""))
    made = world.bc.post("customers", {"number": "B1", "displayName": "Made there", "type": "Company"})
    world.shop.faults(rule("POST", "customers", **({"hold": True} if late else {"drop": "before"})))
    for _ in range(2):
        run = world.step("customer")
        assert not run.failed()
        assert run.finding("customer", "writes_answered").rows[0]["record"] == made["id"]
    if late:
        let_it_arrive(world)
    else:
        time_passes(world)
    assert not world.step("customer").failed()
    assert len(world.shop.all("customers")) == 1
    assert world.step("customer", full=True).writes() == 0


def test_when_the_time_has_passed_is_told_to_the_sensors(world: World) -> None:
    buyer, _, _ = placed(world)
    world.bc.faults(rule("POST", "customers", drop="before"))
    run = world.sync()
    waits(world, run, "customer", buyer)
    (until,) = world.sql("select open_until from journal where outcome = 'unknown'")
    for name in ("customer", "order"):  # one run takes both
        completed = progress(world.data, name).completed
        assert completed
        assert completed.rests_until == until[0].replace(tzinfo=UTC)
        assert not completed.undone, "there is nothing to do before that"


@pytest.mark.slow
def test_two_records_with_one_create_key_are_an_error(world: World) -> None:
    _, _, order_id = placed(world)
    assert not world.step().failed()
    bc_id = world.counterpart("order", order_id)
    customer_id = world.bc.get("salesOrders", bc_id)["customerId"]
    sold = {"lineType": "Item", "itemId": next(iter(world.bc.all("items"))), "quantity": 1}
    said = {"customerId": customer_id, "externalDocumentNumber": "O1", "salesOrderLines": [sold]}
    twin = world.bc.post("salesOrders", said)
    run = world.sync()
    finding = run.finding("order", "create_keys_unique")
    assert finding.verdict == "failed"
    assert {bc_id, twin["id"]} <= set(str(finding.rows[0]["records"]).strip("[]").split(", "))
    for one in (bc_id, twin["id"]):
        world.bc.control(f"sales-orders/{one}/release")
    assert world.sync(full=True).finding("order", "create_keys_unique").verdict == "failed", (
        "both may be sent out"
    )
    world.bc.control(f"sales-orders/{twin['id']}/reopen")
    world.bc.delete("salesOrders", twin["id"])
    assert not world.sync(full=True).failed()
