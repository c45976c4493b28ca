"""Which records without a counterpart get one, and why others do not; ids repeat from kind to kind."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from talk_pipeline.engine.plan.workspace import Unlinked
from talk_pipeline.flows.loading import load_flows
from talk_pipeline.flows.sides import Side
from talk_pipeline_tests.engine.book import Book
from talk_pipeline_tests.flow_files import copied_flows

SHOP, BC = Side.SHOP, Side.BC
BUYER = {"company_name": "A", "active": "true"}
OPEN = {"status": "open", "customer_id": "1"}


@contextmanager
def creating(policy: str, folder: Path) -> Iterator[Book]:
    """Nothing yet, and customers get counterparts by this policy."""
    flows = copied_flows(folder / "flows", customer=("create: always", f"create: {policy}"))
    with Book.opened(folder / "state", load_flows(flows)) as book:
        yield book


def created(book: Book, flow: str) -> set[tuple[str, str]]:
    """What is to be created where, by the id of what it is made from."""
    book.plan(flow)
    rows = book.rows("select distinct target, coalesce(shop_id, bc_id) from change where part = ?", flow)
    return {(target, key) for target, key in rows}


def states(book: Book, flow: str) -> dict[str, tuple[str, str]]:
    rows = book.rows("select shop_id, state, reason from status where flow = ?", flow)
    return {key: (state, reason) for key, state, reason in rows}


@pytest.mark.parametrize(
    ("policy", "there"),
    [
        ("always", {("businesscentral", "1")}),
        ("both", {("businesscentral", "1"), ("customwebshop", "1")}),
        ("never", set()),
        ("when_referenced", set()),
    ],
)
def test_the_policy_says_what_is_created(tmp_path: Path, policy: str, there: set[tuple[str, str]]) -> None:
    with creating(policy, tmp_path) as book:
        book.say("customer", SHOP, "1", {**BUYER, "number": "C1"})
        book.say("customer", BC, "1", {**BUYER, "number": "C2", "active": ""})
        book.say("product", SHOP, "1", {"sku": "P1", "active": "true"})
        assert created(book, "customer") == there
        assert created(book, "product") == {("businesscentral", "1")}
        reasons = {
            "never": {"1": ("excluded", "the flow links and never creates")},
            "when_referenced": {"1": ("excluded", "no synchronized record refers to it")},
        }
        assert states(book, "customer") == reasons.get(policy, {})


def test_what_synchronized_records_refer_to_is_created(tmp_path: Path) -> None:
    with creating("when_referenced", tmp_path) as book:
        for key in ("1", "2", "3", "4"):
            book.say("customer", SHOP, key, {**BUYER, "number": f"C{key}"})
        book.say("order", SHOP, "1", {**OPEN, "number": "O1"})
        book.say("order", SHOP, "2", {**OPEN, "number": "O2", "customer_id": "2", "status": "completed"})
        book.say("order", SHOP, "3", {**OPEN, "number": "O3", "customer_id": "3"})
        book.say("order", BC, "b3", {"number": "O3", "status": "Draft"})
        book.say("order", SHOP, "4", {**OPEN, "number": "O4", "customer_id": None})
        book.plan("order")
        book.say("order", SHOP, "3", {"status": "completed"})
        assert created(book, "customer") == {("businesscentral", "1"), ("businesscentral", "3")}
        assert set(states(book, "customer")) == {"2", "4"}


def test_what_nothing_is_new_of_is_not_looked_at_again(tmp_path: Path) -> None:
    with creating("both", tmp_path) as book:
        for side, key in ((BC, "8"), (SHOP, "9")):
            gone = book.record("customer", side, key, {**BUYER, "number": f"C{key}", "active": None})
            book.tell("customer", side, [replace(gone, deleted=True)])
        book.plan("customer")
        assert book.in_step("customer") == 0
        book.say("customer", SHOP, "1", {**BUYER, "number": "C1"})
        book.plan("customer")
        assert book.rows(f"select side, id from {Unlinked.NAME}") == [("customwebshop", "1")]


def test_what_was_deleted_before_it_was_linked_is_left(book: Book) -> None:
    for key in ("1", "2"):
        book.say("customer", SHOP, key, {**BUYER, "number": f"C{key}"})
    book.tell("customer", SHOP, [replace(book.record("customer", SHOP, "1", {}), deleted=True)])
    assert created(book, "customer") == {("businesscentral", "2")}
    assert states(book, "customer") == {"1": ("excluded", "deleted, and not linked")}


def test_all_that_does_not_fit_is_named_in_the_order_of_the_flow(book: Book) -> None:
    wrong = {"company_name": "x" * 101, "email": "y" * 81, "website": "z" * 81}
    book.say("customer", SHOP, "1", {**BUYER, "number": "C1", **wrong})
    book.say("customer", SHOP, "2", {**BUYER, "number": "C2"})
    assert created(book, "customer") == {("businesscentral", "2")}
    [(key, (state, reason))] = states(book, "customer").items()
    assert (key, state) == ("1", "quarantined")
    assert [part.partition(":")[0] for part in reason.split("; ")] == ["company_name", "email", "website"]


def test_history_need_not_be_valid(book: Book) -> None:
    book.say("customer", SHOP, "1", {**BUYER, "number": "C1"})
    book.say("order", SHOP, "1", {**OPEN, "number": "O1", "status": "completed", "email": "x" * 81})
    book.say("order", SHOP, "2", {**OPEN, "number": "O2", "email": "x" * 81})
    assert created(book, "order") == set()
    found = states(book, "order")
    assert found["1"][0] == "excluded"
    assert found["1"][1] == "status is completed; created only while: open, processing"
    assert found["2"][0] == "quarantined"


def test_why_it_waits_says_why_the_other_is_not_there(book: Book) -> None:
    book.say("customer", SHOP, "1", {**BUYER, "number": "C1", "company_name": "x" * 101})
    book.plan("customer")
    book.say("customer", SHOP, "2", {**BUYER, "number": "C2"})
    line = {"id": "1", "product_id": "9", "quantity": "1"}
    book.say("order", SHOP, "1", {**OPEN, "number": "O1"}, children=[line])
    book.say("order", SHOP, "2", {**OPEN, "number": "O2", "customer_id": "2"})
    book.say("order", SHOP, "3", {**OPEN, "number": "O3", "customer_id": "2", "status": "completed"})
    assert created(book, "order") == set()
    found = states(book, "order")
    assert found["1"][1].startswith("customer_id 1 is not linked (quarantined: company_name: 101 characters")
    assert found["2"] == ("waiting", "customer_id 2 is not linked yet")
    assert found["3"][0] == "excluded"


def test_what_is_blocked_or_gone_there_is_no_target(book: Book) -> None:
    for key in ("1", "2", "3"):
        book.say("customer", SHOP, key, {**BUYER, "number": f"C{key}"})
        book.say("customer", BC, f"b{key}", {**BUYER, "number": f"C{key}", "active": ""})
        book.say("order", SHOP, key, {**OPEN, "number": f"O{key}", "customer_id": key})
    book.plan("customer")
    book.say("customer", BC, "b1", {"active": "All"})
    book.tell("customer", BC, [replace(book.record("customer", BC, "b2", {}), deleted=True)])
    assert created(book, "order") == {("businesscentral", "3")}
    assert states(book, "order") == {
        "1": ("waiting", "customer_id 1 active is false in Business Central"),
        "2": ("waiting", "customer_id 2 left Business Central (deleted)"),
    }
    book.tell("customer", SHOP, [replace(book.record("customer", SHOP, "2", {}), deleted=True)])
    book.plan("customer")
    assert book.rows("select state from link where shop_id = '2'") == [("closed",)]
    assert created(book, "order") == {("businesscentral", "3")}
    assert states(book, "order")["2"] == ("waiting", "customer_id 2 left Business Central (deleted)")


def test_a_new_record_is_told_whole_with_its_blanks_and_lines(book: Book) -> None:
    book.say("product", SHOP, "1", {"sku": "P1", "active": "true"})
    book.say("product", BC, "b1", {"sku": "P1", "active": "false"})
    book.plan("product")
    book.say("customer", SHOP, "1", {**BUYER, "number": "C1"})
    book.say("customer", BC, "b1", {**BUYER, "number": "C1", "active": ""})
    book.plan("customer")
    lines = [{"id": "1", "product_id": "1", "quantity": "2"}, {"id": "2", "product_id": "1", "quantity": "3"}]
    book.say("order", SHOP, "1", {**OPEN, "number": "O1"}, children=lines)
    book.plan("order")
    told = book.rows(
        "select part, shop_id, property, after, hold_kind, root_shop_id from change order by all"
    )
    assert {row[4:] for row in told} == {(None, "1")}
    said = {row[:3]: row[3] for row in told}
    assert said["order", "1", "number"] == "O1"
    assert said["order", "1", "email"] is None
    assert (said["order.lines", "1/1", "quantity"], said["order.lines", "1/2", "quantity"]) == ("2", "3")


def test_the_other_half_of_what_was_unlinked_by_hand_is_held(tmp_path: Path) -> None:
    """In Business Central alone: a record of the shop may be called as it is."""
    with creating("both", tmp_path) as book:
        for side, active in ((SHOP, "true"), (BC, "")):
            for key in ("1", "2"):
                book.say(
                    "customer", side, key, {**BUYER, "number": f"{side}{key}"[:3] + key, "active": active}
                )
        book.db.execute("insert into apart (flow, shop_id, bc_id, held) values ('customer', '9', '1', true)")
        book.db.execute("insert into apart (flow, shop_id, bc_id, held) values ('customer', '9', '2', false)")
        book.db.execute("insert into apart (flow, shop_id, bc_id, held) values ('product', '9', '2', true)")
        assert created(book, "customer") == {
            ("businesscentral", "1"),
            ("businesscentral", "2"),
            ("customwebshop", "2"),
        }


def test_what_does_not_fit_on_one_side_is_nothing_of_the_other(tmp_path: Path) -> None:
    """Two records that are called alike: the one that may not be created keeps its own reason."""
    with creating("both", tmp_path) as book:
        book.say(
            "customer", BC, "1", {"number": "B1", "company_name": "A", "active": "", "website": "z" * 300}
        )
        book.tell("customer", BC, [replace(book.record("customer", BC, "1", {}), deleted=True)])
        book.say("customer", SHOP, "1", {**BUYER, "number": "C1"})
        assert created(book, "customer") == {("businesscentral", "1")}
        assert states(book, "customer") == {}


def test_who_is_linked_is_told_by_its_side(tmp_path: Path) -> None:
    """The two of a pair are called as two others on the other side, which are new."""
    with creating("both", tmp_path) as book:
        for side, key, number in ((SHOP, "1", "C1"), (BC, "2", "C1"), (SHOP, "2", "C2"), (BC, "1", "C3")):
            active = "true" if side is SHOP else ""
            book.say("customer", side, key, {**BUYER, "number": number, "active": active})
        assert created(book, "customer") == {("businesscentral", "2"), ("customwebshop", "1")}
