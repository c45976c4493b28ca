"""What follows from an outcome: bases, links, refusals and the journal, in one transaction."""

from dataclasses import replace

from talk_pipeline.engine.kinds import HoldKind
from talk_pipeline.engine.model import Outcome, Result
from talk_pipeline.engine.state import journal
from talk_pipeline.flows.properties import Side
from talk_pipeline_tests.engine.book import Book

SHOP, BC = Side.SHOP, Side.BC


def edited(book: Book, value: str = "www.b.example") -> str:
    shop, _ = book.pair("customer", "C1", {"website": "www.a.example"})
    book.say("customer", SHOP, shop, {"website": value})
    book.plan("customer")
    return shop


def test_what_was_taken_is_what_both_agreed_on(book: Book) -> None:
    edited(book)
    book.write("customer", BC)
    base = "select shop_value, bc_value, mismatches from base where property = 'website'"
    assert book.rows(base) == [("www.b.example", "www.b.example", 0)]
    assert book.plan("customer") == []
    assert book.in_step("customer") == 0


def test_what_was_stored_otherwise_flows_back_and_is_counted(book: Book) -> None:
    shop = edited(book)
    book.write("customer", BC, answered={"website": "www.stored.example"})
    assert book.rows("select mismatches from base where property = 'website'") == [(1,)]
    assert book.plan("customer") == [("customwebshop", "update", shop, "website", "www.stored.example", None)]


def test_what_was_accepted_and_not_taken_is_refused(book: Book) -> None:
    shop = edited(book)
    book.write("customer", BC, answered={"website": "www.a.example"})
    [(record, reason)] = book.rows("select record_id, reason from refusal")
    assert record == shop
    assert "still holds 'www.a.example'" in reason
    assert [row[5] for row in book.plan("customer")] == [HoldKind.REFUSED]


def test_a_created_record_is_linked_with_its_source(book: Book) -> None:
    book.say("customer", SHOP, "s1", {"number": "C1", "company_name": "A"})
    book.plan("customer")
    book.write("customer", BC)
    links = book.rows("select shop_id, bc_id, rule, met_at is not null from link")
    assert links == [("s1", "bC1", "created", True)]
    assert book.plan("customer") == []


def test_a_refusal_stands_until_the_record_changes(book: Book) -> None:
    shop = edited(book)
    [intent] = book.write("customer", BC)
    book.say("customer", SHOP, shop, {"website": "www.c.example"})
    book.plan("customer")
    refused = Outcome(Result.REFUSED, reason="it is blocked")
    book.conclude("customer", BC, [(replace(intent, intent_id="again"), refused)])
    assert {row[5] for row in book.plan("customer")} == {HoldKind.REFUSED}
    book.say("customer", SHOP, shop, {"website": "www.d.example"})
    assert {row[5] for row in book.plan("customer")} == {None}


def test_an_intent_without_an_outcome_is_what_it_was(book: Book) -> None:
    edited(book)
    [intent] = book.write("customer", BC)
    book.db.execute("update journal set outcome = null")
    [found] = journal.open_intents(book.db, "customer", BC)
    assert (found.main, found.children, found.intent_id) == (intent.main, (), intent.intent_id)
    assert found.interrupted
