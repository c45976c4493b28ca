"""Which records become a pair, which are left to a person, and which are nobody's."""

from pathlib import Path

import pytest

from talk_pipeline.engine.match import links
from talk_pipeline.engine.match.counterparts import counterparts, linked_ids
from talk_pipeline.flows.sides import Side
from talk_pipeline_tests.engine.book import Book
from talk_pipeline_tests.flow_files import copied_flows, flows_in


def shop(book: Book, record_id: str, number: str | None, **values: str) -> None:
    book.say("customer", Side.SHOP, record_id, {"number": number, **values})


def bc(book: Book, record_id: str, number: str | None, **values: str) -> None:
    book.say("customer", Side.BC, record_id, {"number": number, **values})


def matched(book: Book) -> list[tuple[str, ...]]:
    links.match(book.db, book.flows["customer"])
    return book.rows("select shop_id, bc_id, rule from link order by all")


def test_one_and_one_are_a_pair(book: Book) -> None:
    shop(book, "s1", "C1")
    bc(book, "b1", "c1 ")
    bc(book, "b2", "C2")
    assert matched(book) == [("s1", "b1", "number")], "a code is the same in small letters"


def test_the_rules_go_in_order(book: Book) -> None:
    shop(book, "s1", "C1", email="a@shop.example")
    bc(book, "b1", "C9", email="a@shop.example")
    bc(book, "b2", "C1", email="b@shop.example")
    assert matched(book) == [("s1", "b2", "number")]


def test_two_candidates_are_left_to_a_person_and_not_offered_to_the_next_rule(book: Book) -> None:
    shop(book, "s1", None, email="a@shop.example")
    for key in ("b1", "b2"):
        bc(book, key, None, email="a@shop.example")
    assert matched(book) == []
    found = [(row.shop_id, row.bc_id, row.property) for row in links.candidates(book.db, "customer")]
    assert found == [("s1", "b1", "email"), ("s1", "b2", "email")]


def test_who_has_two_candidates_by_one_rule_gets_no_third_by_the_next(book: Book) -> None:
    shop(book, "s1", "C1", email="a@shop.example")
    for key in ("b1", "b2"):
        bc(book, key, "C1")
    bc(book, "b3", "C3", email="a@shop.example")
    assert matched(book) == []
    assert {row.bc_id for row in links.candidates(book.db, "customer")} == {"b1", "b2"}


@pytest.mark.parametrize("create", ["always", "both"])
def test_what_is_not_synchronized_is_no_counterpart_unless_that_would_be_made_anew(
    tmp_path: Path, create: str
) -> None:
    said = f"scope: {{active: [true]}}\n  create: {create}\n"
    folder = copied_flows(tmp_path / "flows", customer=("create: always #", f"{said}  #"))
    with Book.opened(tmp_path / "state", flows_in(folder)) as book:
        shop(book, "s1", "C1", active="false")
        shop(book, "s2", "C2", active="true")
        for key in ("1", "2"):
            bc(book, f"b{key}", f"C{key}")
        one_more = [("s1", "b1", "number")] if create == "both" else []
        assert matched(book) == [*one_more, ("s2", "b2", "number")]


@pytest.mark.parametrize("blank", [None, "", " "])
def test_a_blank_key_matches_nothing(book: Book, blank: str | None) -> None:
    shop(book, "s1", blank)
    bc(book, "b1", blank)
    assert matched(book) == []


def test_a_key_that_belongs_to_a_pair_makes_the_newcomer_ambiguous(book: Book) -> None:
    book.pair("customer", "C1")
    shop(book, "s2", "C1")
    assert matched(book) == [("sC1", "bC1", "number")]
    [row] = links.candidates(book.db, "customer")
    assert (row.shop_id, row.bc_id, row.linked) == ("s2", "bC1", Side.BC)


def test_a_pair_that_was_made_a_moment_ago_is_hit_as_well(book: Book) -> None:
    shop(book, "s1", "C1", email="a@shop.example")
    bc(book, "b1", "C1", email="a@shop.example")
    shop(book, "s2", None, email="a@shop.example")
    shop(book, "s3", "C3", email="b@shop.example")
    bc(book, "b3", None, email="b@shop.example")
    shop(book, "s4", "C3")  # that of a pair which a later rule makes
    assert matched(book) == [("s1", "b1", "number"), ("s3", "b3", "email")]
    found = [(row.shop_id, row.bc_id, row.property) for row in links.candidates(book.db, "customer")]
    assert found == [("s2", "b1", "email"), ("s4", "b3", "number")]


def test_a_pair_kept_apart_is_never_made(book: Book) -> None:
    shop(book, "s1", "C1")
    bc(book, "b1", "C1")
    book.db.execute(
        "insert into apart (flow, shop_id, bc_id, held, never) values ('customer', 's1', 'b1', false, true)"
    )
    assert matched(book) == []
    found = counterparts(book.db, book.flows["customer"], Side.BC, ["b1"], of="s1")
    assert (found.linked, found.taken, found.parted) == (False, frozenset(), frozenset({"b1"}))


def test_of_more_than_two_with_one_key_those_that_a_person_leaves_together_are_pairs(book: Book) -> None:
    for at in ("1", "2"):
        shop(book, f"s{at}", "C1")
        bc(book, f"b{at}", "C1")
    book.db.execute(
        "insert into apart (flow, shop_id, bc_id, held, never)"
        " values ('customer', 's1', 'b2', false, true), ('customer', 's2', 'b1', false, true)"
    )
    assert matched(book) == [("s1", "b1", "number"), ("s2", "b2", "number")]


def test_what_a_request_without_an_answer_may_have_made_is_nobody_elses_counterpart(book: Book) -> None:
    shop(book, "s1", "C1")
    book.db.execute(
        "insert into journal (intent_id, flow, part, target, operation, shop_id, natural_key, intent_at)"
        " values ('i1', 'customer', 'customer', 'businesscentral', 'create', 's1', 'C1', now())"
    )
    shop(book, "s2", None, email="a@shop.example")
    bc(book, "b1", "C1", email="a@shop.example")
    assert matched(book) == []
    book.db.execute("update journal set outcome = 'refused'")
    bc(book, "b2", "C2")
    assert matched(book) == [("s1", "b1", "number")]


def test_who_has_a_counterpart(book: Book) -> None:
    book.pair("customer", "C1")
    assert linked_ids(book.db, book.flows["customer"], Side.BC) == {"bC1"}
    found = counterparts(book.db, book.flows["customer"], Side.BC, ["bC1", "b2"], of="sC1")
    assert (found.linked, found.taken) == (True, frozenset({"bC1"}))


def test_who_has_no_link_is_found_long_after_it_was_settled(tmp_path: Path) -> None:
    """A shop record that is not created is not dirty either, and its state says why it has no link."""
    folder = copied_flows(tmp_path / "flows", customer=("create: always", "create: never"))
    with Book.opened(tmp_path / "state", flows_in(folder)) as book:
        shop(book, "s1", "C1", company_name="A")
        book.plan("customer")
        assert book.in_step("customer") == 0
        bc(book, "b1", "C1")
        assert matched(book) == [("s1", "b1", "number")]


def test_who_is_new_is_found_among_those_that_have_links(book: Book) -> None:
    book.pair("customer", "C1")
    bc(book, "b2", "C2")
    assert matched(book) == [("sC1", "bC1", "number")]
    shop(book, "s2", "C2")
    assert matched(book) == [("s2", "b2", "number"), ("sC1", "bC1", "number")]
