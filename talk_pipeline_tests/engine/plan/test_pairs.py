"""What of the touched pairs is laid out to be compared: never what nobody has to say anything of."""

from pathlib import Path

import pytest

from talk_pipeline.engine.plan import compare
from talk_pipeline.flows.sides import Side
from talk_pipeline_tests.engine.book import Book
from talk_pipeline_tests.flow_files import copied_flows, flows_in

SHOP, BC = Side.SHOP, Side.BC
LAID_OUT = "select shop_id, property from pair order by all"


def _met(book: Book, *, names: list[str]) -> None:
    """Customers of both sides that meet for the first time, in Business Central without a website."""
    for name in names:
        common = {"number": name, "company_name": f"Company {name}"}
        book.say("customer", SHOP, f"s{name}", {**common, "website": f"www.{name.lower()}.example"})
        book.say("customer", BC, f"b{name}", common)


def test_what_two_records_say_alike_when_they_first_meet_is_agreed_and_not_laid_out(book: Book) -> None:
    _met(book, names=["C1"])
    book.plan("customer")

    assert book.db.execute(LAID_OUT).fetchall() == [("sC1", "website")]
    agreed = book.db.execute(
        "select shop_value, bc_value from base where property = 'company_name'"
    ).fetchall()
    assert agreed == [("Company C1", "Company C1")]


def test_what_is_as_it_was_agreed_is_not_laid_out(book: Book) -> None:
    shop, _ = book.pair("customer", "C1", {"website": "www.a.example", "phone": "+45 11 11 11 11"})
    book.say("customer", SHOP, shop, {"website": "www.b.example"})
    book.plan("customer")

    assert book.db.execute(LAID_OUT).fetchall() == [(shop, "website")]


def test_all_that_differs_is_planned_however_few_are_looked_at_at_once(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compare, "AT_ONCE", 2)
    names = [f"C{at}" for at in range(7)]
    _met(book, names=names)

    planned = book.plan("customer")

    assert [(target, shop, name) for target, _, shop, name, *_ in planned] == [
        ("businesscentral", f"s{name}", "website") for name in names
    ]


def test_what_was_stored_otherwise_and_is_the_same_by_now_is_no_mismatch_any_more(book: Book) -> None:
    shop, _ = book.pair("customer", "C1", {"website": "www.a.example", "phone": "+45 11 11 11 11"})
    book.db.execute("update base set mismatches = 2 where property in ('website', 'phone')")
    book.say("customer", SHOP, shop, {"phone": "+45 22 22 22 22"})
    book.plan("customer")

    counted = book.rows("select property, mismatches from base where mismatches > 0 or property = 'website'")
    assert counted == [("phone", 2), ("website", 0)] or counted == [("website", 0), ("phone", 2)]


def test_a_word_of_a_person_is_over_when_the_two_who_meet_say_the_same_after_all(tmp_path: Path) -> None:
    by_hand = ("initial: fill", "initial: manual")
    with Book.opened(
        tmp_path / "state", flows_in(copied_flows(tmp_path / "flows", customer=by_hand))
    ) as book:
        common = {"number": "C1", "company_name": "A"}
        book.say("customer", SHOP, "s1", {**common, "website": "www.a.example"})
        book.say("customer", BC, "b1", {**common, "website": "www.b.example"})
        assert [row[5] for row in book.plan("customer") if row[3] == "website"] == ["manual"]
        book.db.execute(
            "insert into resolution values ('customer', 's1', 'website', 'customwebshop', 'www.a.example',"
            " 'www.b.example', 'a person', now()::timestamp)"
        )
        book.say("customer", BC, "b1", {"website": "www.a.example"})
        book.plan("customer")

        assert book.rows("select shop_value, bc_value from base where property = 'website'") == [
            ("www.a.example", "www.a.example")
        ]
        assert book.rows("select * from resolution") == []
