"""What a landing makes of what a system tells: what is dirty, what has left, what is no edit."""

from dataclasses import replace

import pytest

from talk_pipeline.engine.kinds import Gone
from talk_pipeline.engine.model import Contents
from talk_pipeline.engine.snapshot.batch import Landing
from talk_pipeline.engine.snapshot.landing import land
from talk_pipeline.engine.snapshot.spooling import absent, spool
from talk_pipeline.engine.snapshot.watermarks import watermark
from talk_pipeline.flows.sides import Side
from talk_pipeline_tests.engine.book import START, Book

ME = {"number": "C1", "email": "a@shop.example"}


def dirty(book: Book) -> list[tuple[str, ...]]:
    return book.rows("select side, id from dirty order by all")


def test_a_new_record_is_dirty_and_one_told_again_is_not(book: Book) -> None:
    landed = book.say("customer", Side.SHOP, "s1", ME)
    assert (landed.read, landed.changed) == (1, 1)
    assert dirty(book) == [("customwebshop", "s1")]
    book.in_step("customer")
    book.db.execute("delete from dirty")
    again = book.say("customer", Side.SHOP, "s1", {})
    assert (again.read, again.changed) == (1, 0)
    assert dirty(book) == []


def test_what_no_flow_reads_makes_nothing_dirty_and_is_kept_byte_for_byte(book: Book) -> None:
    book.say("customer", Side.SHOP, "s1", ME)
    book.db.execute("delete from dirty")
    assert book.say("customer", Side.SHOP, "s1", {"unheard of": "x"}).changed == 0
    [(payload,)] = book.rows("select payload from snapshot")
    assert '"unheard of": "x"' in payload


def test_an_answer_to_our_own_write_is_no_edit(book: Book) -> None:
    book.say("customer", Side.SHOP, "s1", ME)
    [before] = book.rows("select edited_at from snapshot")
    record = book.record("customer", Side.SHOP, "s1", {"email": "b@shop.example"})
    book.tell("customer", Side.SHOP, [record], own=True, fetched=False)
    assert book.rows("select edited_at from snapshot") == [before]
    record = book.record("customer", Side.SHOP, "s1", {"email": "c@shop.example"})
    book.tell("customer", Side.SHOP, [record])
    assert book.rows("select edited_at from snapshot") != [before]


def test_only_a_fetch_moves_the_watermark_and_never_beyond_its_beginning(book: Book) -> None:
    book.tell("customer", Side.SHOP, [book.record("customer", Side.SHOP, "s1", ME)], fetched=False)
    assert watermark(book.db, "customer", Side.SHOP).modified_at is None
    began = START.replace(tzinfo=None)
    book.tell("customer", Side.SHOP, [book.record("customer", Side.SHOP, "s2", ME)], read_until=began)
    assert watermark(book.db, "customer", Side.SHOP).modified_at == began


def test_what_a_full_scan_lacks_has_left_only_for_a_reason(book: Book) -> None:
    book.say("customer", Side.SHOP, "s1", ME)
    book.say("customer", Side.SHOP, "s2", ME | {"number": "C2"})
    book.tell("customer", Side.SHOP, [book.record("customer", Side.SHOP, "s2", {})], full=True)
    assert book.rows("select id from snapshot where gone is not null") == []
    book.tell("customer", Side.SHOP, [], gone={"s1": Gone.DELETED})
    assert book.rows("select id, gone from snapshot where gone is not null") == [("s1", "deleted")]
    assert absent(book.db, "customer", Side.SHOP) == ["s2"], "what has left is missed no more"


def test_a_record_of_another_scope_is_not_landed(book: Book) -> None:
    record = book.record("customer", Side.BC, "b1", ME | {"type": "Person"})
    projector = book.projector("customer", Side.BC)
    spool(book.db, [record])
    landed = land(
        book.db,
        projector,
        lambda _: Contents({"type": "Person", "number": "C1"}),
        landing=Landing(fetched=True),
    )
    assert (landed.changed, landed.outside) == (0, 1)
    assert book.rows("select count(*) from snapshot") == [(0,)]


@pytest.mark.parametrize("versions", [True, False])
def test_what_is_held_did_not_go_back_whatever_else_is_told_of_it(book: Book, versions: bool) -> None:
    """While its system is suspected: as of a computed number that moves neither version nor modified time."""
    record = book.record("customer", Side.BC, "b1", ME)
    record = record if versions else replace(record, version=None)
    for number in range(3):
        told = replace(record, payload=record.payload.replace("{", f'{{"unheard of": {number}, ', 1))
        landed = book.tell("customer", Side.BC, [told], suspected=number > 0)
        assert landed.reversals == ()
        assert book.rows("select count(*) from reversal") == [(0,)]


def test_a_state_of_before_went_back_while_its_system_is_suspected(book: Book) -> None:
    """In a shop whose modified times stand still."""
    first = replace(book.record("customer", Side.BC, "b1", ME), version=None)
    edited = book.record("customer", Side.BC, "b1", {"email": "b@shop.example"})
    edited = replace(edited, version=None, modified_at=first.modified_at)
    for record in (first, edited):
        book.tell("customer", Side.BC, [record])
    assert len(book.tell("customer", Side.BC, [first], suspected=True).reversals) == 1
