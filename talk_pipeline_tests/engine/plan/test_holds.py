"""What must not be written yet, and what goes all the same; records of different kinds have the same ids here."""

from datetime import timedelta
from pathlib import Path

import pytest

from talk_pipeline.engine.kinds import HoldKind, LinkState
from talk_pipeline.engine.plan.holds import quiet_at
from talk_pipeline.engine.state.connection import now
from talk_pipeline.engine.state.rows import insert
from talk_pipeline.engine.state.tables import LinkRow
from talk_pipeline_tests.engine.book import Book
from talk_pipeline_tests.engine.plan.trade import BC, CUSTOMER, LINE, ORDER, SHOP, as_said_there, linked
from talk_pipeline_tests.flow_files import copied_flows, flows_in


def planned(book: Book, flow: str) -> dict[tuple[str, str, str | None], str | None]:
    """Why each change waits, None where it goes: by target, id of the record or line, and property."""
    book.plan(flow)
    rows = book.rows(
        "select target, coalesce(shop_id, bc_id), property, hold_kind from change where flow = ?", flow
    )
    return {(target, key, name): kind for target, key, name, kind in rows}


def kinds(book: Book, flow: str, key: str) -> set[str | None]:
    """The same of all changes of one record of the shop, with its lines."""
    book.plan(flow)
    return {
        kind
        for (kind,) in book.rows(
            "select hold_kind from change where flow = ? and root_shop_id = ?", flow, key
        )
    }


def test_a_record_that_waits_takes_its_lines_with_it_and_no_other(shop: Book) -> None:
    shop.say("order", SHOP, "2", {**ORDER, "number": "O2", "customer_id": "9"}, children=[LINE])
    shop.say("order", SHOP, "3", {**ORDER, "number": "O3"}, children=[LINE])
    assert kinds(shop, "order", "2") <= {HoldKind.WAITING}
    assert kinds(shop, "order", "3") == {None}
    assert shop.rows("select state from status where flow = 'order'") == [("waiting",)]


def test_the_second_of_one_number_waits_with_its_lines_and_the_first_goes_with_its_own(shop: Book) -> None:
    for key in ("2", "3"):
        shop.say("order", SHOP, key, {**ORDER, "number": "O2"}, children=[LINE])
    assert kinds(shop, "order", "2") == {None}
    assert kinds(shop, "order", "3") == {HoldKind.WAITING}
    held = "select count(*), count(hold_reason) from change where part = 'order.lines' and root_shop_id = '3'"
    [(lines, reasons)] = shop.rows(held)
    assert lines == reasons > 0


def test_a_new_line_of_an_unknown_product_waits_by_itself(shop: Book) -> None:
    lines = [{**LINE, "description": "Other"}, {**LINE, "id": "2", "product_id": "7"}, {**LINE, "id": "3"}]
    shop.say("order", SHOP, "1", {"email": "a@a.example"}, children=lines)
    found = planned(shop, "order")
    assert found.pop(("businesscentral", "1", "email")) is None
    assert found.pop(("businesscentral", "1/1", "description")) is None
    assert {kind for (_, key, _), kind in found.items() if key == "1/2"} == {HoldKind.WAITING}
    assert {kind for (_, key, _), kind in found.items() if key == "1/3"} == {None}


def test_a_new_line_goes_whatever_its_order_waits_for(shop: Book) -> None:
    lines = [LINE, {**LINE, "id": "2", "description": "Other"}]
    shop.say("order", SHOP, "1", {"customer_id": "7"}, children=lines)
    shop.say("order", SHOP, "2", {**ORDER, "number": "O2"}, children=[LINE])
    found = planned(shop, "order")
    assert found["businesscentral", "1", "customer_id"] == HoldKind.WAITING
    assert {kind for (_, key, _), kind in found.items() if key == "1/2"} == {None}


def test_a_reference_to_an_unknown_record_waits_and_the_rest_goes(shop: Book) -> None:
    shop.say("order", SHOP, "1", {"customer_id": "7", "email": "a@a.example"})
    found = planned(shop, "order")
    assert found["businesscentral", "1", "customer_id"] == HoldKind.WAITING
    assert found["businesscentral", "1", "email"] is None


def test_what_it_refers_to_is_looked_for_on_its_own_side(shop: Book) -> None:
    """A customer of Business Central may have the id that an order of the shop names, and no other has."""
    shop.alone()
    shop.namesakes = None
    shop.say("customer", SHOP, "2", {**CUSTOMER, "number": "C2"})
    shop.say("customer", BC, "7", {**CUSTOMER, "number": "C2", "active": ""})
    shop.plan("customer")
    shop.say("order", SHOP, "1", {"customer_id": "7"})
    assert planned(shop, "order")["businesscentral", "1", "customer_id"] == HoldKind.WAITING


def test_a_customer_that_is_blocked_is_no_target_and_may_be_a_source(shop: Book) -> None:
    linked(shop, "customer", "2", {**CUSTOMER, "number": "C2"})
    shop.say("customer", BC, "b2", {"active": "All"})
    shop.say("order", SHOP, "1", {"customer_id": "2"})
    assert planned(shop, "order")["businesscentral", "1", "customer_id"] == HoldKind.WAITING
    [(reason,)] = shop.rows("select hold_reason from change where property = 'customer_id'")
    assert reason == "customer_id 2 active is false in Business Central"
    shop.say("order", SHOP, "1", {"customer_id": "1"})
    shop.say("order", BC, "b1", {"customer_id": "b2"})
    assert planned(shop, "order")["customwebshop", "1", "customer_id"] is None


@pytest.mark.parametrize(("state", "waits"), [("active", {HoldKind.WAITING}), ("closed", {None})])
def test_what_ended_is_referred_to_under_no_condition(
    shop: Book, state: str, waits: set[HoldKind | None]
) -> None:
    linked(shop, "customer", "2", {**CUSTOMER, "number": "C2"})
    shop.say("customer", BC, "b2", {"active": "All"})
    shop.alone()
    shop.db.execute("update link set state = ? where part = 'customer' and shop_id = '2'", [state])
    shop.say("order", SHOP, "1", {"customer_id": "2"})
    assert kinds(shop, "order", "1") == waits


def test_what_a_line_cannot_say_there_holds_that_line(shop: Book) -> None:
    lines = [LINE, {**LINE, "id": "2", "description": "x" * 101}, {**LINE, "id": "3"}]
    shop.say("order", SHOP, "1", {}, children=lines)
    found = planned(shop, "order")
    assert {kind for (_, key, _), kind in found.items() if key == "1/2"} == {HoldKind.QUARANTINED}
    assert {kind for (_, key, _), kind in found.items() if key == "1/3"} == {None}
    reasons = {reason for (reason,) in shop.rows("select hold_reason from change where shop_id = '1/2'")}
    assert all(reason.startswith("description: 101 characters, at most 100 fit") for reason in reasons)


def test_a_released_order_keeps_what_is_guarded(shop: Book) -> None:
    linked(shop, "order", "2", {**ORDER, "number": "O2"}, lines=[LINE])
    shop.say("order", BC, "b1", {"status": "Open"})
    lines = [{**LINE, "quantity": "2", "description": "Other"}, {**LINE, "id": "2"}]
    for key in ("1", "2"):
        shop.say("order", SHOP, key, {"currency": "EUR", "email": "a@a.example"}, children=lines)
    shop.say("order", BC, "b1", {"phone": "+45 20 20 20 20"})
    found = planned(shop, "order")
    held = {(key, name) for (_, key, name), kind in found.items() if kind == HoldKind.GUARDED}
    assert {("1", "currency"), ("1/1", "quantity"), ("1/2", "description")} <= held
    assert not held & {("1", "email"), ("1/1", "description"), ("1", "phone"), ("1", "status")}
    assert not [key for key, _ in held if key.startswith("2")]
    assert found["customwebshop", "1", "phone"] is None


def test_another_customer_waits_for_the_lines_of_its_own_order_alone(shop: Book) -> None:
    """In Business Central it works the lines out anew, and with them what was edited there."""
    linked(shop, "customer", "2", {**CUSTOMER, "number": "C2"})
    linked(shop, "order", "2", {**ORDER, "number": "O2"}, lines=[LINE])
    edited = {**as_said_there("order", LINE), "quantity": "7"}
    shop.say("order", BC, "b1", {}, children=[edited])
    for key in ("1", "2"):
        shop.say("order", SHOP, key, {"customer_id": "2"})
    found = planned(shop, "order")
    assert found["customwebshop", "1/1", "quantity"] is None
    assert found["businesscentral", "1", "customer_id"] == HoldKind.DEFERRED
    assert found["businesscentral", "2", "customer_id"] is None


def test_a_quantity_does_not_wait_for_what_it_leaves_as_it_is(shop: Book) -> None:
    """The price of another order's line was edited in Business Central, and a quantity works prices out anew."""
    linked(shop, "order", "2", {**ORDER, "number": "O2"}, lines=[LINE])
    for key, edit in (("b1", {"description": "Other"}), ("b2", {"unit_price": "7"})):
        shop.say("order", BC, key, {}, children=[{**as_said_there("order", LINE), **edit}])
    for key in ("1", "2"):
        shop.say("order", SHOP, key, {}, children=[{**LINE, "quantity": "3"}])
    found = planned(shop, "order")
    assert found["customwebshop", "1/1", "description"] is None
    assert found["businesscentral", "1/1", "quantity"] is None
    assert found["businesscentral", "2/1", "quantity"] == HoldKind.DEFERRED


def test_a_customer_is_blocked_after_the_orders_that_go_to_it(shop: Book) -> None:
    linked(shop, "customer", "2", {**CUSTOMER, "number": "C2"})
    shop.say("order", SHOP, "2", {**ORDER, "number": "O2"}, children=[LINE])
    for key in ("1", "2"):
        shop.say("customer", SHOP, key, {"active": "false", "website": "www.a.example"})
    later = frozenset({"order"})
    shop.plan("customer", later=later)
    found = {(key, name): kind for _, _, key, name, _, kind in shop.changes("customer")}
    assert found["1", "active"] == HoldKind.DEFERRED
    assert found["2", "active"] is None, "no order goes to that one"
    assert found["1", "website"] is None
    assert {kind for *_, kind in shop.plan("customer")} == {None}, "the orders are not in this run"


def test_an_order_goes_first_whatever_it_refers_to_besides(tmp_path: Path) -> None:
    number = "  - {shop: erp_number,"
    gift = "  - {shop: gift_id, dir: ->, bc: gift, type: reference(product)}\n"
    flows = flows_in(copied_flows(tmp_path / "flows", order=(number, gift + number)))
    with Book.opened(tmp_path / "state", flows) as book:
        linked(book, "customer", "1", CUSTOMER)
        book.say("order", SHOP, "2", ORDER)
        book.say("customer", SHOP, "1", {"active": "false"})
        book.plan("customer", later=frozenset({"order"}))
        assert [row[3:] for row in book.changes("customer")] == [("active", "false", HoldKind.DEFERRED)]


@pytest.mark.parametrize(("part", "led"), [("product", "7"), ("customer", "8")])
def test_whoever_leads_another_record_or_another_kind_of_that_id_leads_no_customer(
    shop: Book, part: str, led: str
) -> None:
    linked(shop, "customer", "7", {**CUSTOMER, "number": "C7"})
    beside = LinkRow(
        part=part,
        shop_id=led,
        bc_id=None,
        root_shop_id=led,
        rule="by hand",
        state=LinkState.ATTACHED,
        linked_at=now(),
        shared_id="b1",
    )
    insert(shop.db, [beside])
    shop.say("order", SHOP, "2", {**ORDER, "number": "O2", "customer_id": "7"}, children=[LINE])
    for key in ("1", "7"):
        shop.say("customer", SHOP, key, {"active": "false"})
    shop.plan("customer", later=frozenset({"order"}))
    found = {key: kind for _, _, key, name, _, kind in shop.changes("customer") if name == "active"}
    assert found == {"1": None, "7": HoldKind.DEFERRED}


def test_an_order_that_is_gone_goes_to_nobody(shop: Book) -> None:
    linked(shop, "customer", "2", {**CUSTOMER, "number": "C2"})
    shop.say("order", SHOP, "2", {**ORDER, "number": "O2"}, children=[LINE])
    shop.say("order", SHOP, "3", {**ORDER, "number": "O3", "customer_id": "2"}, children=[LINE])
    shop.db.execute("update snapshot set gone = 'deleted' where flow = 'order' and id = '2'")
    shop.say("customer", SHOP, "1", {"active": "false"})
    shop.plan("customer", later=frozenset({"order"}))
    assert [row[3:] for row in shop.changes("customer")] == [("active", "false", None)]


def test_an_order_that_only_business_central_has_goes_to_nobody(shop: Book) -> None:
    shop.say("order", BC, "9", {**ORDER, "number": "O9", "status": "Draft"}, children=[LINE])
    shop.say("customer", SHOP, "1", {"active": "false"})
    shop.plan("customer", later=frozenset({"order"}))
    assert [row[3:] for row in shop.changes("customer")] == [("active", "false", None)]


def test_a_customer_that_is_blocked_there_is_told_here_at_once(shop: Book) -> None:
    shop.say("order", SHOP, "2", {**ORDER, "number": "O2"}, children=[LINE])
    shop.say("customer", BC, "b1", {"active": "All"})
    shop.plan("customer", later=frozenset({"order"}))
    assert [row[3:] for row in shop.changes("customer")] == [("active", "All", None)]


def test_a_customer_is_unblocked_before_the_orders_that_go_to_it(shop: Book) -> None:
    shop.say("customer", SHOP, "1", {"active": "false"})
    shop.say("customer", BC, "b1", {"active": "All"})
    shop.plan("customer")
    shop.say("order", SHOP, "2", {**ORDER, "number": "O2"}, children=[LINE])
    shop.say("customer", SHOP, "1", {"active": "true"})
    shop.plan("customer", later=frozenset({"order"}))
    assert [row[3:] for row in shop.changes("customer")] == [("active", "true", None)]


def test_what_waits_anyway_is_not_said_to_rest(tmp_path: Path) -> None:
    resting = ("  conflict: last_writer", "  quiet_seconds: 600\n  conflict: last_writer")
    flows = flows_in(copied_flows(tmp_path / "flows", order=resting))
    with Book.opened(tmp_path / "state", flows) as book:
        for flow, values in (("customer", CUSTOMER), ("order", ORDER)):
            linked(book, flow, "1", values)
        book.say("order", SHOP, "1", {"customer_id": "9", "email": "a@a.example"})
        edited = now()
        book.db.execute("update snapshot set edited_at = ?", [edited])
        found = {name: kind for (_, _, name), kind in planned(book, "order").items()}
        assert found == {"customer_id": HoldKind.WAITING, "email": HoldKind.RESTING}
        assert quiet_at(book.db, flows["order"]) == edited + timedelta(minutes=10)
        linked(book, "order", "2", {**ORDER, "number": "O2"})
        book.say("order", SHOP, "2", {"email": "b@b.example"})
        later = edited + timedelta(minutes=1)
        book.db.execute("update snapshot set edited_at = if(id = '2', $1, $2)", [later, edited])
        planned(book, "order")
        assert quiet_at(book.db, flows["order"]) == later + timedelta(minutes=10)


def test_whoever_has_its_id_elsewhere_takes_no_customer_out_of_scope(tmp_path: Path) -> None:
    within = ("  conflict: last_writer", "  scope: {active: {one_of: [true]}}\n  conflict: last_writer")
    with Book.opened(tmp_path / "state", flows_in(copied_flows(tmp_path / "flows", customer=within))) as book:
        for flow, values in (("customer", CUSTOMER), ("order", ORDER)):
            linked(book, flow, "1", values)
        book.say("customer", SHOP, "1", {"email": "new@company.example"})
        assert kinds(book, "customer", "1") == {None}
        book.say("customer", SHOP, "1", {"active": "false"})
        assert kinds(book, "customer", "1") == {HoldKind.EXCLUDED}


def test_who_is_called_as_one_that_is_blocked_may_be_referred_to(shop: Book) -> None:
    """In Business Central another customer has the id that the blocked one has in the shop."""
    linked(shop, "customer", "2", {**CUSTOMER, "number": "C2"})
    for side, active in ((SHOP, "true"), (BC, "")):
        key = "3" if side is SHOP else "2"
        shop.say("customer", side, key, {**CUSTOMER, "number": "C3", "active": active})
    shop.plan("customer")
    shop.in_step("customer")
    shop.say("customer", BC, "b2", {"active": "All"})
    linked(shop, "order", "2", {**ORDER, "number": "O2"})
    shop.say("order", SHOP, "1", {"customer_id": "2"})
    shop.say("order", BC, "b2", {"customer_id": "2"})
    assert planned(shop, "order") == {
        ("businesscentral", "1", "customer_id"): HoldKind.WAITING,
        ("customwebshop", "2", "customer_id"): None,
    }


def test_an_order_of_business_central_alone_is_nobodys_where_all_orders_are_made(tmp_path: Path) -> None:
    """Which customer it is for is said there by an id that another one has in the shop; no link has its own."""
    all_of_them = ("  create_scope: {status: [open, processing]} #", "  #")
    flows = flows_in(copied_flows(tmp_path / "flows", order=all_of_them))
    with Book.opened(tmp_path / "state", flows, namesakes=False) as book:
        linked(book, "customer", "1", CUSTOMER)
        book.say("order", BC, "9", {**ORDER, "number": "O9", "status": "Draft"})
        book.say("customer", SHOP, "1", {"active": "false"})
        book.plan("customer", later=frozenset({"order"}))
        assert [row[3:] for row in book.changes("customer")] == [("active", "false", None)]
        book.say("order", SHOP, "2", {**ORDER, "number": "O2", "status": "completed"})
        book.plan("customer", later=frozenset({"order"}))
        assert [row[3:] for row in book.changes("customer")] == [("active", "false", HoldKind.DEFERRED)]
