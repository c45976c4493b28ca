"""What follows from an outcome: bases, links, refusals and the journal, in one transaction."""

from dataclasses import replace
from pathlib import Path

from talk_pipeline.engine.kinds import HoldKind
from talk_pipeline.engine.model import Outcome, Result
from talk_pipeline.engine.plan.refusals import ask_again
from talk_pipeline.engine.snapshot.dirty import is_matched
from talk_pipeline.engine.state import journal
from talk_pipeline.flows.loading import load_flows
from talk_pipeline.flows.sides import Side
from talk_pipeline_tests.engine.book import Book
from talk_pipeline_tests.flow_files import copied_flows

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
    assert links == [("s1", "bC1", "created", False)], "the shop may be to be told of it yet"
    assert book.plan("customer") == []


def test_after_an_outcome_the_flow_is_matched_anew(book: Book) -> None:
    edited(book)
    assert is_matched(book.db, book.flows["customer"])
    book.write("customer", BC)
    assert not is_matched(book.db, book.flows["customer"])


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


def test_a_system_is_asked_again_for_what_another_record_stood_in_the_way_of(book: Book) -> None:
    shop = edited(book)
    [intent] = book.write("customer", BC)
    book.say("customer", SHOP, shop, {"website": "www.c.example"})
    book.plan("customer")
    taken = Outcome(Result.REFUSED, reason="another has it", about_another=True)
    book.conclude("customer", BC, [(replace(intent, intent_id="again"), taken)])
    refused = "select count(*) from refusal where about_another"
    ask_again(book.db, book.flows["customer"], SHOP)
    assert book.rows(refused) == [(1,)]
    ask_again(book.db, book.flows["customer"], BC)
    assert book.rows(refused) == [(0,)]


def test_an_intent_without_an_outcome_is_what_it_was(book: Book) -> None:
    edited(book)
    [intent] = book.write("customer", BC)
    book.db.execute("update journal set outcome = null")
    [found] = journal.open_intents(book.db, "customer", BC)
    assert (found.main, found.children, found.intent_id) == (intent.main, (), intent.intent_id)
    assert found.interrupted


def test_where_one_way_values_of_a_created_record_start_from(book: Book) -> None:
    book.say("product", SHOP, "s1", {"sku": "P1", "active": "true", "stock": "12.0"})
    book.plan("product")
    book.write("product", BC, answered={"stock": "0"})
    start = "select shop_id, shop_value, bc_value, agreed_at is null from base where property = 'stock'"
    assert book.rows(start) == [("s1", "12.0", "0", True)], "as the shop says it"
    assert ("customwebshop", "stock") not in {(row[0], row[3]) for row in book.plan("product")}


def test_a_conflict_names_who_decided_that_very_one(tmp_path: Path) -> None:
    flows = copied_flows(tmp_path / "flows", customer=("conflict: last_writer", "conflict: manual"))
    with Book.opened(tmp_path / "state", load_flows(flows)) as book:
        pairs = [book.pair("customer", number, {"website": "www.a.example"}) for number in ("C1", "C2")]
        for shop, bc in pairs:
            for side, key, name in ((SHOP, shop, "shop"), (BC, bc, "bc")):
                book.say("customer", side, key, {"website": f"www.{name}.example"})
                book.plan("customer")
                book.say("customer", side, key, {"phone": f"+45 {name}"})
        for shop, person in zip([shop for shop, _ in pairs], ("a person", "another"), strict=True):
            book.db.execute(
                "insert into resolution values ('customer', ?, 'website', 'customwebshop', 'www.shop.example',"
                " 'www.bc.example', ?, now()::timestamp)",
                [shop, person],
            )
        book.db.execute("update resolution set decided_at = '2026-01-01'")
        assert {row[3] for row in book.plan("customer") if row[5] is None} == {"website"}
        seen = book.rows(
            "select s.shop_id, s.edited_at, b.edited_at, s.version, b.version from edit s"
            " join edit b using (part, shop_id, property) where property = 'website'"
            " and s.side = 'customwebshop' and b.side = 'businesscentral' order by all"
        )
        assert len({value for row in seen for value in row}) == 10, "each its own"
        book.write("customer", BC)
        told = "select shop_id, shop_edited_at, bc_edited_at, shop_version, bc_version from conflict order by all"
        assert book.rows(told) == seen
        decided = (
            "select shop_id, property, decided_by, winner, shop_value, bc_value from conflict order by all"
        )
        values = ("customwebshop", "www.shop.example", "www.bc.example")
        assert book.rows(decided) == [
            ("sC1", "website", "a person", *values),
            ("sC2", "website", "another", *values),
        ]
        assert book.rows("select * from resolution") == []
