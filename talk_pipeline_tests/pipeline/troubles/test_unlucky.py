"""Things that happen at the wrong moment: lost answers, edits in between, keys used twice, codes that come late."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from pathlib import Path

import pytest

from talk_pipeline.engine.model import Record
from talk_pipeline.systems.customwebshop.wire.client import Customwebshop
from talk_pipeline_tests.flow_files import edited_flows
from talk_pipeline_tests.pipeline.faults import rule
from talk_pipeline_tests.pipeline.mishaps import cut_short, lines_of, placed
from talk_pipeline_tests.pipeline.records import customer, line, order, product
from talk_pipeline_tests.users import Row
from talk_pipeline_tests.variants import variants
from talk_pipeline_tests.world import World


def add_line(world: World, order_id: str, new: Row) -> None:
    held = [{"id": row["id"]} for row in world.shop.get("orders", order_id)["lines"]]
    world.shop.patch("orders", order_id, {"lines": [*held, new]})


@variants("identical", [True, False], ids=["like another line", "a new one"])
@variants("dropped", ["before", "after", "crash"])
def test_an_added_line_of_unknown_outcome_is_there_once(world: World, identical: bool, dropped: str) -> None:
    order_id, item = placed(world)
    add_line(world, order_id, line(item) if identical else line(item, "3", "7.00"))
    if dropped == "crash":
        cut_short(world)
    else:
        world.bc.faults(rule("POST", "salesOrderLines", drop=dropped))
        world.step()
        world.bc.no_faults()
    assert not world.step(full=True).failed()
    added = (2, 100) if identical else (3, 7)
    assert lines_of(world) == sorted([(2, 100), (5, 20), added])
    assert world.step(full=True).writes() == 0


@variants("another", [True, False], ids=["and another line", "nothing else"])
def test_a_conflict_settled_in_a_request_of_unknown_outcome_is_recorded(world: World, another: bool) -> None:
    """The request also made a line, which the match rules have met before anybody looks what came of it."""
    order_id, item = placed(world)
    bc_id = world.counterpart("order", order_id)
    (product_id,) = world.bc.all("items")
    made = world.bc.post(f"salesOrders({bc_id})/salesOrderLines", {"itemId": product_id, "quantity": 7})
    values = ("said@shop.example", "said@later.example")
    world.shop.patch("orders", order_id, {"email": values[0]})
    world.let_time_pass()
    world.bc.patch("salesOrders", bc_id, {"email": values[1]})
    cut_short(world, "order")
    held = world.shop.get("orders", order_id)
    assert held["email"] == values[1]
    twin = held["lines"][2]["id"]
    if another:
        add_line(world, order_id, line(item, "4"))
    assert not world.step("order", full=True).failed()
    found = world.sql("select property, rule, winner, shop_value, bc_value from conflict")
    assert found == [("email", "last_writer", "businesscentral", *values)]
    assert sorted(row[0] for row in lines_of(world)) == ([2, 4, 5, 7] if another else [2, 5, 7])
    assert len(world.shop.get("orders", order_id)["lines"]) == 3 + another
    assert world.counterpart("order.lines", f"{order_id}/{twin}") == f"{bc_id}/{made['id']}"
    assert world.step("order", full=True).writes() == 0


def test_a_line_in_the_place_of_one_whose_update_was_not_answered_keeps_what_it_says(world: World) -> None:
    """What Business Central holds of the removed line was told by us: it is nobody's edit of the new one."""
    order_id, item = placed(world)
    first, second = world.shop.get("orders", order_id)["lines"]
    rows = [{"id": first["id"], "quantity": "3"}, {"id": second["id"]}]
    world.shop.patch("orders", order_id, {"lines": rows})
    cut_short(world, "order")
    assert lines_of(world) == [(3, 100), (5, 20)]
    again = line(item, first["quantity"])
    world.shop.patch("orders", order_id, {"lines": [{"id": second["id"]}, again]})
    assert not world.step("order", full=True).failed()
    held = world.shop.get("orders", order_id)["lines"]
    assert [float(row["quantity"]) for row in held] == [5, 2]
    assert lines_of(world) == [(2, 100), (5, 20)]
    assert world.step("order", full=True).writes() == 0
    assert world.sql("select count(*) from base where shop_id not in (select shop_id from link)") == [(0,)]


def test_a_number_that_was_posted_before_is_left_to_a_person(world: World) -> None:
    order_id, item = placed(world)
    buyer = world.shop.get("orders", order_id)["customer_id"]
    world.bc.control(f"sales-orders/{world.counterpart('order', order_id)}/ship")
    world.bc.control(f"sales-orders/{world.counterpart('order', order_id)}/invoice")
    world.step(full=True)
    again = []
    for _ in range(2):  # the same number once more, twice
        world.shop.delete("orders", order_id)
        order_id = world.shop.post("orders", order("O1", buyer, [line(item)]))["id"]
        again.append(order_id)
        assert world.step(full=True).success
    state = world.state("order", again[-1])
    assert state is not None
    assert state[0] == "ambiguous"
    assert "belongs already to" in state[1]
    assert "posted" in state[1]
    assert not world.bc.orders()
    assert world.step(full=True).writes() == 0


def test_what_was_posted_for_another_customer_under_that_number_closes_nothing(world: World) -> None:
    """Clerks may have typed the customers' own numbers into that place: the shop's goods are still to be sent."""
    order_id, item = placed(world)
    buyer = world.shop.get("orders", order_id)["customer_id"]
    sold = {"itemId": world.counterpart("product", item), "quantity": 1, "unitPrice": 80}
    other = world.bc.post("customers", {"number": "K", "displayName": "K", "type": "Company"})["id"]
    body = {"customerId": other, "externalDocumentNumber": "1001", "salesOrderLines": [sold]}
    entered = world.bc.post("salesOrders", body)["id"]
    world.bc.read(world.bc.http.post(f"/salesOrders({entered})/Microsoft.NAV.shipAndInvoice"))
    late = world.shop.post("orders", order("1001", buyer, [line(item)]))["id"]
    for _ in range(2):
        assert world.step(full=True).success
        state, reason = world.state("order", late) or ("", "")
        assert state == "quarantined"
        assert "1001 was posted before" in reason
        assert f"for customer_id K ({other}) and not " in reason
    world.shop.patch("orders", late, {"number": "1001-A"})
    assert world.step().success
    assert world.bc.orders()[world.counterpart("order", late)]["customerId"] != other


def test_a_create_that_gets_its_number_there_is_found_by_what_was_sent(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edited_flows(tmp_path, monkeypatch, customer=("number: shop #", "number: series #"))
    world.bc.control("settings", {"customer_numbers": "series"})
    key = world.shop.post("customers", customer(email=None))["id"]
    world.bc.faults(rule("POST", "customers", drop="after"))
    world.step("customer")
    assert not world.step("customer").failed()
    assert list(world.bc.all("customers")) == [world.counterpart("customer", key)]


@variants("dropped", [None, "before", "after"])
@pytest.mark.parametrize(
    ("flow", "entity", "record"),
    [
        ("customer", "customers", {"number": "B1", "displayName": "Made there", "type": "Company"}),
        ("product", "items", {"number": "B1", "displayName": "Made there", "type": "Inventory"}),
    ],
)
def test_a_record_made_in_business_central_comes_to_the_shop_once(
    world: World,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    flow: str,
    entity: str,
    record: Row,
    dropped: str | None,
) -> None:
    edited_flows(tmp_path, monkeypatch, **{flow: ("create: always", "create: both")})
    world.bc.post(entity, record)
    if dropped:
        world.shop.faults(rule("POST", flow, drop=dropped), rule("POST", entity, drop=dropped))
    for _ in range(3):
        world.step(flow)
        world.shop.no_faults()
    (made,) = world.shop.all(f"{flow}s").values()
    assert made.get("number") == "B1" or made.get("sku") == "B1"
    assert len(world.bc.all(entity)) == 1
    assert world.step(flow).writes() == 0


@pytest.mark.reaches
def test_an_edit_after_a_lost_create_is_not_overwritten(world: World) -> None:
    key = world.shop.post("customers", customer())["id"]
    cut_short(world, "customer")
    (bc_id,) = world.bc.all("customers")
    world.bc.patch("customers", bc_id, {"website": "www.edited.example"})
    for _ in range(2):
        world.step("customer")
    assert world.bc.get("customers", bc_id)["website"] == "www.edited.example"
    assert world.shop.get("customers", key)["website"] == "www.c1.example"
    state = world.state("customer", key)
    assert state is not None
    assert state[0] == "quarantined"
    assert "outcome unknown" in state[1]


def test_what_a_lost_create_may_have_become_is_not_copied_back(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edited_flows(tmp_path, monkeypatch, customer=("create: always", "create: both"))
    made = {"number": "B1", "displayName": "Made there", "website": "www.there.example"}
    bc_id = world.bc.post("customers", made)["id"]
    cut_short(world, "customer")
    (key,) = world.shop.all("customers")
    world.shop.patch("customers", key, {"website": "www.edited.example", "number": "B1"})
    for _ in range(3):
        world.step("customer", full=True)
    assert list(world.bc.all("customers")) == [bc_id]
    state = world.state("customer", key)
    assert state is not None
    assert state[0] == "ambiguous"
    assert f"may be what {bc_id} was created as" in state[1]


def test_a_property_new_in_the_mapping_overwrites_nothing_in_numbers(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    website = "  - {shop: website,                     dir: <->, bc: website,               type: text(80)}\n"
    edited_flows(tmp_path, monkeypatch, customer=(website, ""))
    keys = [world.shop.post("customers", customer(f"C{n}"))["id"] for n in range(30)]
    assert not world.step("customer").failed()
    for key in keys:
        world.bc.patch("customers", world.counterpart("customer", key), {"website": "www.there.example"})
    world.step("customer")
    monkeypatch.delenv("TALK_FLOWS_DIR")
    run = world.step("customer")
    assert not run.success
    assert "30 of 30 linked pairs would change" in run.problems[0]
    assert {row["website"] for row in world.bc.all("customers").values()} == {"www.there.example"}
    planned = world.sql("select distinct before from change where property = 'website' and target like 'b%'")
    assert planned == [("www.there.example",)], (
        "what Business Central holds was read before anything was planned"
    )


def test_an_edit_during_a_long_scan_is_seen_by_the_next_one(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edited_flows(tmp_path, monkeypatch, customer=("overlap_minutes: 5", "overlap_minutes: 0"))
    key = world.shop.post("customers", customer())["id"]
    scan = Customwebshop.scan

    async def long_scan(
        self: Customwebshop, flow: str, *, since: datetime | None
    ) -> AsyncIterator[Sequence[Record]]:
        async for page in scan(self, flow, since=since):
            yield page
        world.let_time_pass()
        world.shop.patch("customers", key, {"website": "www.meanwhile.example"})
        world.let_time_pass()
        late = world.shop.post("customers", customer("LATE"))["id"]
        async for page in scan(self, flow, since=since):
            yield [record for record in page if record.id == late]

    with monkeypatch.context() as patch:
        patch.setattr(Customwebshop, "scan", long_scan)
        world.step("customer")
    world.step("customer")
    bc_id = world.counterpart("customer", key)
    assert world.bc.get("customers", bc_id)["website"] == "www.meanwhile.example"


@variants("status", [400, 404, 413])
def test_a_batch_refused_as_a_whole_goes_in_parts(world: World, status: int) -> None:
    for n in range(20):
        world.shop.post("customers", customer(f"C{n}"))
    world.bc.faults(rule("POST", "$batch", times=2, status=status))
    run = world.step("customer")
    assert not run.failed()
    assert (run["customer"]["linked"], run["customer"]["quarantined"]) == (20, 0)
    assert len(world.bc.all("customers")) == 20


def test_a_code_that_comes_later_is_asked_again_in_a_full_scan(world: World) -> None:
    world.shop.post("products", product("P0"))
    for _ in range(2):  # the first read of an empty Business Central leaves no watermark
        world.step("product")
    key = world.shop.post("products", product(category="LATER"))["id"]
    world.step("product")
    state = world.state("product", key)
    assert state is not None
    assert state[0] == "quarantined"
    world.bc.post("itemCategories", {"code": "LATER", "displayName": "Later"})
    assert world.step("product").writes() == 0, "not asked again for nothing"
    assert not world.step("product", full=True).failed()
    assert world.counterpart("product", key)
