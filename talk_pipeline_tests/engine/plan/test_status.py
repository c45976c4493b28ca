"""The state that a shop record is in, and what stays to be looked at; ids repeat from kind to kind."""

from dataclasses import replace
from pathlib import Path

import pytest

from talk_pipeline.engine.plan.status import clear_dirty, states
from talk_pipeline.flows.sides import Side
from talk_pipeline_tests.engine.book import Book
from talk_pipeline_tests.flow_files import copied_flows, flows_in

SHOP, BC = Side.SHOP, Side.BC
BUYER = {"company_name": "A", "active": "true"}


def pair(book: Book, flow: str, key: str, values: dict[str, str]) -> None:
    """Two records that say the same, linked; `b` and the shop's id is Business Central's."""
    book.say(flow, SHOP, key, values)
    there = {"order": {"status": "Draft", "customer_id": "b1"}}.get(flow, {"active": ""})
    book.say(flow, BC, f"b{key}", values | {name: there[name] for name in there if name in values})
    book.plan(flow)
    book.in_step(flow)


@pytest.fixture
def shop(book: Book) -> Book:
    """Two customers and an order of one, linked."""
    pair(book, "customer", "1", {**BUYER, "number": "C1"})
    pair(book, "customer", "2", {**BUYER, "number": "C2"})
    pair(book, "order", "1", {"number": "O1", "customer_id": "1", "status": "open"})
    assert book.rows("select distinct state from link") == [("active",)]
    assert not book.rows("select * from status")
    assert not book.rows("select * from dirty")
    return book


def leave(book: Book, flow: str, side: Side, key: str) -> None:
    book.tell(flow, side, [replace(book.record(flow, side, key, {}), deleted=True)])


def told(book: Book, flow: str) -> dict[str, tuple[str, str]]:
    book.plan(flow)
    rows = book.rows("select shop_id, state, reason from status where flow = ?", flow)
    return {key: (state, reason) for key, state, reason in rows}


def counted(book: Book, flow: str) -> dict[str, int]:
    return {state: number for state, number in states(book.db, flow).items() if number}


def dirty(book: Book, flow: str) -> set[tuple[str, str]]:
    clear_dirty(book.db, book.flows[flow])
    return set(book.rows("select side, id from dirty where flow = ?", flow))


def test_a_half_of_a_pair_that_is_gone_breaks_it(shop: Book) -> None:
    leave(shop, "customer", BC, "b1")
    assert told(shop, "customer") == {"1": ("broken", "the Business Central record is deleted")}
    leave(shop, "customer", SHOP, "2")
    assert told(shop, "customer") == {
        "1": ("broken", "the Business Central record is deleted"),
        "2": ("broken", "the shop record is deleted"),
    }
    assert counted(shop, "customer") == {"broken": 2}
    assert counted(shop, "order") == {"active": 1}
    shop.say("customer", BC, "b1", {})
    assert told(shop, "customer") == {"2": ("broken", "the shop record is deleted")}
    assert counted(shop, "customer") == {"active": 1, "broken": 1}


def test_what_left_the_scope_is_told_with_what_it_left(tmp_path: Path) -> None:
    within = ("  conflict: last_writer", "  scope: {active: {one_of: [true]}}\n  conflict: last_writer")
    with Book.opened(tmp_path / "state", flows_in(copied_flows(tmp_path / "flows", customer=within))) as book:
        pair(book, "customer", "1", {**BUYER, "number": "C1"})
        book.say("customer", SHOP, "1", {"active": "false"})
        state, reason = told(book, "customer")["1"]
        assert state == "excluded"
        assert reason.startswith("left the scope: active ")


def test_pairs_whose_keys_crossed_are_told_with_both(shop: Book) -> None:
    for key, number in (("1", "C2"), ("2", "C1")):
        shop.say("customer", SHOP, key, {"number": number})
    found = told(shop, "customer")
    assert {state for state, _ in found.values()} == {"held"}
    assert found["1"][1].startswith("unlinked: its number is C2 in the shop and C1 in Business Central")


def test_since_when_stays_while_the_state_does(shop: Book) -> None:
    leave(shop, "customer", BC, "b1")
    told(shop, "customer")
    since = shop.rows("select since from status")
    shop.say("customer", SHOP, "1", {"website": "www.a.example"})
    told(shop, "customer")
    assert shop.rows("select since from status") == since


def test_what_was_posted_is_closed_at_the_end_of_the_run(shop: Book) -> None:
    shop.db.execute("update snapshot set gone = 'posted' where flow = 'order' and side = 'businesscentral'")
    shop.say("order", SHOP, "1", {"phone": "+45 20 20 20 20"})
    shop.db.execute("delete from change")
    clear_dirty(shop.db, shop.flows["order"])
    assert shop.rows("select state from link where part = 'order'") == [("closed",)]
    assert shop.rows("select distinct state from link where part = 'customer'") == [("active",)]
    assert shop.rows("select flow, shop_id, state, reason from status") == [
        ("order", "1", "closed", "posted in Business Central: its story ended there")
    ]
    assert counted(shop, "order") == {"closed": 1}


def test_what_is_left_to_do_stays_dirty_and_nothing_else_does(shop: Book) -> None:
    shop.say("customer", SHOP, "1", {"website": "www.a.example"})
    shop.say("customer", SHOP, "2", {"company_name": "A "})
    shop.say("customer", SHOP, "3", {**BUYER, "number": "C3", "email": "x" * 81})
    shop.say("customer", SHOP, "4", {**BUYER, "number": "C4"})
    shop.plan("customer")
    left = {("customwebshop", "1"), ("customwebshop", "3"), ("customwebshop", "4")}
    assert dirty(shop, "customer") == left
    assert counted(shop, "customer") == {"active": 2, "quarantined": 1, "unaccounted": 1}
    shop.write("customer", BC)
    shop.plan("customer")
    assert dirty(shop, "customer") == {("customwebshop", "3")}
    assert counted(shop, "customer") == {"active": 3, "quarantined": 1}


def test_candidates_stay_dirty_on_both_sides(book: Book) -> None:
    for key in ("1", "2"):
        book.say(
            "customer", BC, f"b{key}", {**BUYER, "number": f"X{key}", "active": "", "email": "a@a.example"}
        )
    book.say("customer", SHOP, "1", {**BUYER, "number": "C1", "email": "a@a.example"})
    assert told(book, "customer")["1"][0] == "ambiguous"
    assert dirty(book, "customer") == {
        ("customwebshop", "1"),
        ("businesscentral", "b1"),
        ("businesscentral", "b2"),
    }


def test_two_met_when_nothing_is_left_to_tell(book: Book) -> None:
    book.say("customer", SHOP, "1", {**BUYER, "number": "C1", "website": "www.a.example"})
    book.say("customer", BC, "b1", {**BUYER, "number": "C1", "active": ""})
    book.plan("customer")
    clear_dirty(book.db, book.flows["customer"])
    assert book.rows("select met_at is null from link") == [(True,)]
    book.write("customer", BC)
    book.plan("customer")
    clear_dirty(book.db, book.flows["customer"])
    [(met,)] = book.rows("select met_at from link")
    assert met is not None
    book.say("customer", SHOP, "1", {"website": "www.b.example"})
    book.plan("customer")
    clear_dirty(book.db, book.flows["customer"])
    assert book.rows("select met_at from link") == [(met,)]


def test_a_closed_story_says_what_came_of_both(shop: Book) -> None:
    shop.say("order", SHOP, "1", {"status": "cancelled"})
    leave(shop, "order", BC, "b1")
    assert told(shop, "order") == {
        "1": ("closed", "it is over in the shop, and the Business Central record is deleted")
    }
    leave(shop, "order", SHOP, "1")
    assert told(shop, "order") == {"1": ("closed", "gone on both sides")}
    shop.say("order", BC, "b1", {})
    assert told(shop, "order") == {
        "1": ("broken", "its Business Central record is back, and the shop record is deleted")
    }


def test_what_a_person_unlinked_is_held_by_hand(shop: Book) -> None:
    shop.db.execute(
        "update link set state = 'held', rule = 'by hand' where part = 'customer' and shop_id = '1'"
    )
    shop.say("customer", SHOP, "1", {"website": "www.a.example"})
    assert told(shop, "customer") == {"1": ("held", "unlinked by hand")}


def test_who_shares_is_told_with_whom_until_that_is_gone(shop: Book) -> None:
    shop.db.execute(
        "update link set state = 'attached', bc_id = null, shared_id = 'b2'"
        " where part = 'customer' and shop_id = '1'"
    )
    shop.say("customer", SHOP, "1", {"website": "www.a.example"})
    shared = "it shares Business Central's C2 with 2, which leads"
    assert told(shop, "customer") == {"1": ("attached", shared)}
    leave(shop, "customer", BC, "b2")
    gone = "the Business Central record that it shares is deleted"
    assert told(shop, "customer")["1"] == ("broken", gone)


def test_what_ended_stays_so_where_nothing_is_held_of_the_other_any_more(shop: Book) -> None:
    shop.say("order", SHOP, "1", {"status": "cancelled"})
    leave(shop, "order", BC, "b1")
    told(shop, "order")
    shop.db.execute("delete from snapshot where flow = 'order' and side = 'businesscentral'")
    leave(shop, "order", SHOP, "1")
    assert told(shop, "order")["1"][0] == "closed"
