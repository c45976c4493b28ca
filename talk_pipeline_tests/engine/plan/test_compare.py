"""What a plan holds, from what both sides say: edits, conflicts, creates, and what must wait."""

from pathlib import Path

import pytest

from talk_pipeline.engine.kinds import HoldKind, LinkState
from talk_pipeline.engine.plan.circuit_breaker import volume
from talk_pipeline.engine.plan.status import states
from talk_pipeline.engine.state.connection import now
from talk_pipeline.engine.state.rows import insert, insert_columns
from talk_pipeline.engine.state.tables import LinkRow
from talk_pipeline.flows.loading import load_flows
from talk_pipeline.flows.sides import Side
from talk_pipeline_tests.engine.book import Book
from talk_pipeline_tests.engine.plan.trade import CUSTOMER, linked
from talk_pipeline_tests.flow_files import copied_flows

SHOP, BC = Side.SHOP, Side.BC


def test_a_pair_in_step_has_nothing_to_say(book: Book) -> None:
    book.pair("customer", "C1", {"website": "www.a.example"})
    assert book.changes("customer") == []
    assert states(book.db, "customer")["active"] == 1


def test_an_edit_of_either_side_goes_to_the_other(book: Book) -> None:
    shop, bc = book.pair("customer", "C1", {"website": "www.a.example", "phone": "+45 11 11 11 11"})
    book.say("customer", SHOP, shop, {"website": "www.b.example"})
    book.say("customer", BC, bc, {"phone": "+45 22 22 22 22"})
    assert book.plan("customer") == [
        ("businesscentral", "update", shop, "website", "www.b.example", None),
        ("customwebshop", "update", shop, "phone", "+45 22 22 22 22", None),
    ]


def test_equal_edits_move_the_base_and_write_nothing(book: Book) -> None:
    shop, bc = book.pair("customer", "C1", {"website": "www.a.example"})
    for side, key in ((SHOP, shop), (BC, bc)):
        book.say("customer", side, key, {"website": "www.b.example"})
    assert book.plan("customer") == []
    base = book.rows("select shop_value, bc_value from base where property = 'website'")
    assert base == [("www.b.example", "www.b.example")]


@pytest.mark.parametrize("side", list(Side))
def test_another_spelling_of_one_side_is_what_it_holds_from_then_on(book: Book, side: Side) -> None:
    shop, bc = book.pair("customer", "1", {"phone": "+45 33 12 34 56"})
    book.say("customer", side, shop if side is Side.SHOP else bc, {"phone": "+4533123456"})
    assert book.plan("customer") == []
    held = {Side.SHOP: "+45 33 12 34 56", Side.BC: "+45 33 12 34 56"} | {side: "+4533123456"}
    assert book.rows("select shop_value, bc_value from base where property = 'phone'") == [
        (held[Side.SHOP], held[Side.BC])
    ]


@pytest.mark.parametrize("side", list(Side))
def test_what_nobody_can_read_is_not_agreed_with_a_blank(book: Book, side: Side) -> None:
    shop, bc = book.pair("customer", "C1")
    book.say("customer", side, shop if side is Side.SHOP else bc, {"email": "@nobody"})
    [(target, _, _, name, value, kind)] = book.plan("customer")
    assert (target, name, value, kind) == (side.other, "email", "@nobody", HoldKind.QUARANTINED)
    assert book.rows("select shop_value, bc_value from base where property = 'email'") == [(None, None)]


def test_of_two_edits_the_later_one_wins_and_it_is_a_conflict(book: Book) -> None:
    shop, bc = book.pair("customer", "C1", {"website": "www.a.example"})
    book.say("customer", SHOP, shop, {"website": "www.shop.example"})
    book.say("customer", BC, bc, {"website": "www.bc.example"})
    assert book.plan("customer") == [("customwebshop", "update", shop, "website", "www.bc.example", None)]
    assert book.rows("select conflict, rule from change") == [(True, "last_writer")]


def test_an_edit_that_was_taken_back_is_none(book: Book) -> None:
    shop, _ = book.pair("customer", "C1", {"website": "www.a.example"})
    book.say("customer", SHOP, shop, {"website": "www.b.example"})
    assert len(book.plan("customer")) == 1
    book.say("customer", SHOP, shop, {"website": "www.a.example"})
    assert book.plan("customer") == []
    assert book.rows("select count(*) from edit where side = 'customwebshop'") == [(0,)]


def test_an_edit_that_was_taken_back_in_another_spelling_is_none(book: Book) -> None:
    """Also where the other side has said something meanwhile: the next edit is a later one."""
    shop, bc = book.pair("customer", "C1", {"email": "info@a.example"})
    book.say("customer", SHOP, shop, {"email": "info@b.example"})
    book.plan("customer")
    book.say("customer", SHOP, shop, {"email": "Info@A.example"})
    book.say("customer", BC, bc, {"email": "info@c.example"})
    assert book.plan("customer") == [("customwebshop", "update", shop, "email", "info@c.example", None)]
    assert book.rows("select side from edit where property = 'email'") == [("businesscentral",)]
    book.say("customer", SHOP, shop, {"email": "info@d.example"})
    assert book.plan("customer") == [("businesscentral", "update", shop, "email", "info@d.example", None)]


def test_a_number_spelled_otherwise_is_compared_in_the_country_of_its_own_record(book: Book) -> None:
    shop, bc = book.pair("customer", "C1", {"phone": "20 12 34 56", "address.country": "NO"})
    book.say("customer", SHOP, shop, {"phone": "+47 20 12 34 56"})
    book.say("customer", BC, bc, {"phone": "21 00 00 00"})
    assert book.plan("customer") == [("customwebshop", "update", shop, "phone", "21 00 00 00", None)]
    assert book.rows("select conflict from change") == [(False,)]


def test_what_both_had_blank_is_agreed_too_and_the_later_edit_of_it_wins(book: Book) -> None:
    shop, bc = book.pair("customer", "C1")
    assert book.rows("select shop_value, bc_value from base where property = 'website'") == [(None, None)]
    book.say("customer", SHOP, shop, {"website": "www.shop.example"})
    book.say("customer", BC, bc, {"website": "www.bc.example"})
    assert book.plan("customer") == [("customwebshop", "update", shop, "website", "www.bc.example", None)]


def test_a_record_without_a_counterpart_is_created_whole(book: Book) -> None:
    book.say("customer", SHOP, "s1", {"number": "C1", "company_name": "A", "email": "a@a.example"})
    planned = {row[3]: row[4] for row in book.plan("customer") if row[1] == "create"}
    assert (planned["number"], planned["email"]) == ("C1", "a@a.example")


def test_what_refers_to_something_without_a_counterpart_waits(book: Book) -> None:
    book.say("order", SHOP, "o1", {"number": "O1", "customer_id": "s1", "status": "open"})
    assert {row[5] for row in book.plan("order")} <= {HoldKind.WAITING, None}
    [(state, reason)] = book.rows("select state, reason from status where flow = 'order'")
    assert (state, reason) == ("waiting", "customer_id s1 is not linked yet")


def test_of_new_records_that_share_a_key_one_goes_first(book: Book) -> None:
    for key in ("s1", "s2"):
        book.say("customer", SHOP, key, {"number": "C1", "company_name": "A"})
    holds = {(row[2], row[5]) for row in book.plan("customer")}
    assert holds == {("s1", None), ("s2", HoldKind.WAITING)}


def test_a_plan_of_every_pair_trips_the_breaker(book: Book) -> None:
    def told(side: Side, website: str) -> None:
        said = {f"C{n}": {"company_name": "A", "number": f"C{n}", "website": website} for n in range(30)}
        book.tell(
            "customer", side, [book.record("customer", side, key, values) for key, values in said.items()]
        )

    for side in Side:
        told(side, "www.a.example")
    book.plan("customer")
    book.in_step("customer")
    assert book.rows("select count(*) from link where part = 'customer' and state = 'active'") == [(30,)]
    assert volume(book.db, book.flows["customer"]).safe
    told(SHOP, "www.wrong.example")
    book.plan("customer")
    found = volume(book.db, book.flows["customer"])
    assert (found.safe, found.touched) == (False, 30)


@pytest.mark.parametrize("side", [SHOP, BC])
def test_an_edit_taken_back_in_another_spelling_is_forgotten(book: Book, side: Side) -> None:
    shop, bc = book.pair("customer", "C1", {"email": "a@b.example"})
    place = (side, shop if side is SHOP else bc)
    book.say("customer", *place, {"email": "c@d.example"})
    book.say("customer", side.other, bc if side is SHOP else shop, {"email": "e@f.example"})
    book.plan("customer")
    edits = "select side from edit where property = 'email' order by 1"
    assert book.rows(edits) == [(str(BC),), (str(SHOP),)]
    book.say("customer", *place, {"email": "A@B.example"})
    book.plan("customer")
    assert book.rows(edits) == [(str(side.other),)]


def test_a_reference_to_one_that_shares_means_the_one_that_leads(book: Book) -> None:
    leader, there = book.pair("customer", "C1")
    book.say("customer", SHOP, "s2", {"number": "C2", "company_name": "B"})
    insert(book.db, [attached("s2", there)])
    order = {"number": "O1", "status": "open"}
    book.say("order", SHOP, "o1", {**order, "customer_id": "s2"})
    book.say("order", BC, "bo1", {**order, "status": "Draft", "customer_id": there})
    assert [row for row in book.plan("order") if row[3] == "customer_id"] == []
    book.say("order", SHOP, "o1", {"customer_id": leader})
    assert [row for row in book.plan("order") if row[3] == "customer_id"] == []


def attached(shop_id: str, shared_id: str) -> LinkRow:
    """A customer of the shop that shares one of Business Central with whom it is linked."""
    return LinkRow(
        part="customer",
        shop_id=shop_id,
        bc_id=None,
        root_shop_id=shop_id,
        rule="by hand",
        state=LinkState.ATTACHED,
        linked_at=now(),
        shared_id=shared_id,
    )


def test_a_persons_word_is_for_one_property_of_one_record_and_its_values(tmp_path: Path) -> None:
    flows = copied_flows(tmp_path / "flows", customer=("conflict: last_writer", "conflict: manual"))
    with Book.opened(tmp_path / "state", load_flows(flows)) as book:
        for number in ("C1", "C2"):
            shop, bc = book.pair("customer", number, {"website": "www.a.example", "email": "a@a.example"})
            for side, key, name in ((SHOP, shop, "shop"), (BC, bc, "bc")):
                said = {"website": f"www.{name}.example", "email": f"{name}@a.example"}
                book.say("customer", side, key, said)
        told = {
            "part": ["customer", "customer", "product", "customer"],
            "shop_id": ["sC1", "sC2", "sC2", "sC2"],
            "property": ["website", "website", "email", "email"],
            "winner": ["customwebshop"] * 4,
            "shop_value": ["www.shop.example", "www.earlier.example", "shop@a.example", "shop@a.example"],
            "bc_value": ["www.bc.example", "www.bc.example", "bc@a.example", "earlier@a.example"],
        }
        insert_columns(book.db, "resolution", told)
        taken = [row[2:4] for row in book.plan("customer") if row[5] is None]
        assert taken == [("sC1", "website")]


def test_what_both_agreed_on_is_not_agreed_on_anew_with_each_look(book: Book) -> None:
    shop, _ = book.pair("customer", "C1", {"website": "www.a.example"})
    agreed = "select property, agreed_at from base order by 1"
    before = dict(book.rows(agreed))
    book.say("customer", SHOP, shop, {"website": "www.b.example"})
    book.plan("customer")
    assert dict(book.rows(agreed)) == before


@pytest.mark.parametrize(("state", "agree"), [("active", True), ("closed", False), ("held", False)])
def test_a_reference_means_the_counterpart_only_while_the_two_are_linked(
    shop: Book, state: str, agree: bool
) -> None:
    linked(shop, "customer", "2", {**CUSTOMER, "number": "C2"})
    shop.say("order", SHOP, "1", {"customer_id": "2"})
    shop.say("order", BC, "b1", {"customer_id": "b2"})
    shop.alone()
    shop.db.execute("update link set state = ? where part = 'customer' and shop_id = '2'", [state])
    assert ("customer_id" not in {row[3] for row in shop.plan("order")}) is agree


def test_what_a_new_record_was_given_there_and_another_write_worked_out_anew_is_nobodys_edit(
    book: Book,
) -> None:
    shop, bc = book.pair("customer", "C1", {"website": None})
    book.db.execute(
        "update base set shop_value = null, bc_value = 'www.given.example', agreed_at = null,"
        " resend = 'businesscentral' where property = 'website'"
    )
    book.say("customer", BC, bc, {"website": "www.worked-out.example"})
    book.say("customer", SHOP, shop, {"website": "www.said.example"})
    assert book.plan("customer") == [
        ("businesscentral", "update", shop, "website", "www.said.example", None),
    ]
    assert book.rows("select rule from change") == [("edit",)], "and no conflict"
