"""What is left of an entity that is forgotten, in the rows of the state."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from unicodedata import normalize

import pytest

from talk_pipeline.engine.manual import forgetting, links
from talk_pipeline.engine.manual.lookup import Entity
from talk_pipeline.engine.snapshot.reprojection import reproject
from talk_pipeline.engine.state.connection import now
from talk_pipeline.engine.state.traces import MASK, Words
from talk_pipeline.flows.sides import Side
from talk_pipeline_tests.engine.book import Book

WHO = Entity("customer", "sC1", "bC1")
MAIL = "ann@private.example"


IDS = (
    "id shop_id bc_id root_id root_shop_id root_bc_id record_id shared_id intent_id run_id undoes natural_key"
)
SAID = "payload value before after base source sent shop_value bc_value"
KINDS = (
    "action flow gone hold_kind kind key linked name operation outcome part property refusal_kind resend rule"
    " severity side state target winner"
)
PRINTS = "fingerprint row_hash version shop_version bc_version"
AT_WORK = "acknowledged_by decided_by done_by parted_by"
NO_WORDS = set(" ".join((IDS, SAID, KINDS, PRINTS, AT_WORK)).split())


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    """A customer that we created in Business Central, edited, and that both have lost."""
    with Book.opened(tmp_path) as book:
        book.pair("customer", "C2")
        book.say("customer", Side.SHOP, "sC1", {"number": "C1", "company_name": "Ann", "email": MAIL})
        book.plan("customer")
        book.write("customer", Side.BC)
        book.in_step("customer")
        for side, record_id in ((Side.SHOP, "sC1"), (Side.BC, "bC1")):
            book.tell("customer", side, [], gone={record_id: "vanished"})
        book.plan("customer")
        book.in_step("customer")
        yield book


def said(book: Book) -> list[str]:
    """The tables that know the address."""
    tables = book.rows("select table_name from duckdb_tables() where database_name = 'state'")
    return [
        table
        for (table,) in tables
        if book.rows(f"select 1 from {table} x where contains(cast(x as varchar), ?)", MAIL)
    ]


def words_of(book: Book) -> set[str]:
    return set(forgetting.words_of(book.db, book.flows, [WHO]))


def test_ids_and_hashes_stay(book: Book) -> None:
    assert set(said(book)) == {"snapshot", "record", "base", "journal_value"}
    link = book.rows("select * from link where shop_id = 'sC1'")
    assert MAIL in words_of(book)
    forgetting.forget(book.hand("customer"), WHO)
    assert said(book) == []
    assert book.rows("select * from link where shop_id = 'sC1'") == link
    (key,) = book.rows("select natural_key from journal where shop_id = 'sC1'")
    assert key[0].startswith("sha256:")
    assert len(key[0]) == len("sha256:") + 64
    assert words_of(book) == set()
    hashed = book.rows("select natural_key from journal")
    forgetting.forget(book.hand("customer"), WHO)
    assert book.rows("select natural_key from journal") == hashed, "it may be said again"


def test_what_is_forgotten_is_read_anew_as_nothing(book: Book) -> None:
    """After a release or another flow file: what is gone stays gone, and nothing is planned for it."""
    forgetting.forget(book.hand("customer"), WHO)
    book.db.execute("delete from meta where starts_with(key, 'projection:')")
    for side in Side:
        assert reproject(book.db, book.projector("customer", side), book.decode("customer", side), reading="")
    assert book.plan("customer") == []


def test_a_value_that_others_have_too_is_no_word_for_one(book: Book) -> None:
    book.say("customer", Side.SHOP, "sC1", {"website": "www.shared.example", "phone": "+45 33 12 34 56"})
    book.say("customer", Side.SHOP, "sC2", {"website": "www.shared.example"})
    words = words_of(book)
    assert "+45 33 12 34 56" in words
    assert "www.shared.example" not in words
    assert "C1" not in words, "the key"


def test_words_of_lines_are_its_own_but_for_what_an_article_is_called(book: Book) -> None:
    book.say("product", Side.SHOP, "p1", {"sku": "P1", "name": "Bicycle of steel"})
    for key, words in (("1", "for Ann Bækkegård"), ("2", "for Ann Bækkegård"), ("3", "wrapped in paper")):
        line = {"id": "1", "product_id": "p1", "description": words}
        lines = [line, {**line, "id": "2", "description": "Bicycle of steel"}]
        book.say("order", Side.SHOP, key, {"number": f"O{key}", "email": MAIL}, children=lines)
    orders = [Entity("order", key, None) for key in ("1", "2")]
    assert set(forgetting.words_of(book.db, book.flows, orders[:1])) == set(), "the other order has them too"
    assert set(forgetting.words_of(book.db, book.flows, orders)) == {"for Ann Bækkegård"}
    book.say("order", Side.SHOP, "3", {"email": "another@private.example"})
    assert set(forgetting.words_of(book.db, book.flows, orders)) == {"for Ann Bækkegård", MAIL}


def test_what_is_in_words_for_people_is_looked_through_in_every_table(book: Book) -> None:
    """A column is of ids, kinds, times, names of people at work, or of what systems said; else it is words."""
    columns = book.rows(
        "select table_name, column_name from duckdb_columns() where database_name = 'state' and not internal"
        " and data_type in ('VARCHAR', 'JSON') and table_name in ("
        "  select table_name from duckdb_tables() where database_name = 'state' and not temporary)"
    )
    words = {(table, column) for table, those in forgetting._TEXTS.items() for column in those}
    assert words <= set(columns)
    assert {column for table, column in columns if (table, column) not in words} == NO_WORDS


def test_what_was_linked_with_it_before_goes_along_and_what_it_never_was_does_not(book: Book) -> None:
    for number in ("C3", "C4"):
        book.say("customer", Side.BC, f"b{number}", {"number": number, "company_name": "B"})
    links.keep_apart(book.hand("customer"), "sC1", "bC4")
    links.unlink(book.hand("customer"), "sC1")
    held = Entity("customer", "sC1", None)
    assert forgetting.with_former(book.db, held) == [held, Entity("customer", None, "bC1")]
    lone = Entity("customer", None, "bC1")
    assert forgetting.with_former(book.db, lone) == [lone, Entity("customer", "sC1", None)]
    for one in forgetting.with_former(book.db, held):
        forgetting.forget(book.hand("customer"), one)
    assert said(book) == []


def test_who_both_have_lost_for_long_is_forgotten_by_itself(book: Book) -> None:
    flow = book.flows["customer"]
    assert forgetting.long_gone(book.db, flow, before=now() - timedelta(days=1)) == []
    assert forgetting.long_gone(book.db, flow, before=now() + timedelta(days=1)) == [WHO]
    forgetting.forget(book.hand("customer"), WHO)
    assert forgetting.long_gone(book.db, flow, before=now() + timedelta(days=1)) == []
    book.tell("customer", Side.BC, [], gone={"bC2": "vanished"})
    assert forgetting.long_gone(book.db, flow, before=now() + timedelta(days=1)) == [], "the shop has it"


SPELLED = {
    "Ann Bækkegård": [
        'told "Ann Bækkegård" of',
        '{"a": "Ann B\\u00e6kkeg\\u00e5rd"}',
        '"{\\"a\\": \\"\\\\nAnn B\\\\u00C6kkeg\\\\u00e5rd\\"}"',
        "ANN BÆKKEGÅRD",
        "Ann  Bækkegård",
        "Ann\u00a0Bækkegård",
        "?name=Ann%20B%C3%A6kkeg%C3%A5rd&x",
        "?name=Ann+B%c3%a6kkeg%c3%a5rd",
        f"of {normalize('NFD', 'Ann Bækkegård')}.",
        "<b>Ann B&#230;kkeg&aring;rd</b>",
    ],
    "ann.b+shop@private.example": [
        "Ann.B+Shop@Private.Example",
        "eq%20%27ann.b%2Bshop%40private.example%27",
        "ann.b%252Bshop%2540private.example",
        '"ann.b\\u002Bshop\\u0040private.example"',
        "b'ann.b+shop&#64;private.example'",
    ],
    "+45 61 72 83 94": [
        "at +45 61 72 83 94",
        "+4561728394",
        "+45-61728394",
        "004561728394",
        "(+45) 61.72.83.94",
        "at 61728394.",
        "tel=%2B4561728394",
        "+45%2061%2072%2083%2094",
    ],
    "+4561728394": ["+45 61 72 83 94", "0045 6172 8394"],
}


@pytest.mark.parametrize(
    ("word", "text"), [(word, text) for word, texts in SPELLED.items() for text in texts]
)
def test_a_word_is_found_however_it_is_spelled(word: str, text: str) -> None:
    words = Words([word])
    without = words.taken_from(text)
    assert words.may_be_in(text.encode())
    assert MASK in without
    assert not {"kke", "private"} & set(re.findall("kke|private", without.lower()))
    assert len(re.findall(r"\d", without)) < 4 or not word.startswith("+"), without


@pytest.mark.parametrize("text", ["Annabel", '{"at": 12345678, "b": 1}', "x12345678"])
def test_what_only_looks_like_it_stays(text: str) -> None:
    assert Words(["Anna", "12345678", "ab", "1234"]).taken_from(text) == text


@pytest.mark.parametrize(("word", "text"), [("Ng", "says 'Ng' here"), ("Åse", r"says '\u00c5se' here")])
def test_a_short_word_is_found_where_it_is_told_as_a_value(word: str, text: str) -> None:
    words = Words([word])
    assert words.may_be_in(text.encode())
    assert words.taken_from(text) == f"says {MASK} here"


@pytest.mark.parametrize("text", ["Ng", "Ngorongoro", "'ng'", '{"Ng": "Ng"}', "'12'", "x'Ng"])
def test_elsewhere_a_short_word_is_anybodys(text: str) -> None:
    words = Words(["Ng", "12"])
    assert words.taken_from(text) == text
    assert not words.may_be_in(text.encode())


def test_what_a_system_said_of_its_own_requests_goes_whole(book: Book) -> None:
    book.db.execute("update journal set reason = 'Ng is on no list'")
    book.db.execute(
        "insert into journal (intent_id, flow, part, target, operation, shop_id, root_shop_id, intent_at, reason)"
        " values ('i', 'customer', 'customer', 'businesscentral', 'update', 'sC2', 'sC2', now(), 'Li is on none')"
    )
    forgetting.forget(book.hand("customer"), WHO)
    assert book.rows("select distinct root_shop_id, reason from journal order by all") == [
        ("sC1", MASK),
        ("sC2", "Li is on none"),
    ]


def test_no_value_of_its_fields_is_too_short_to_be_forgotten(tmp_path: Path) -> None:
    with Book.opened(tmp_path) as book:
        book.pair("customer", "C1", {"company_name": "Ng"})
        for side, record_id in ((Side.SHOP, "sC1"), (Side.BC, "bC1")):
            book.tell("customer", side, [], gone={record_id: "vanished"})
        assert "Ng" in set(forgetting.words_of(book.db, book.flows, [WHO]))
        forgetting.forget(book.hand("customer"), WHO)
        tables = book.rows("select table_name from duckdb_tables() where database_name = 'state'")
        for (table,) in tables:
            assert not book.rows(f"select 1 from {table} x where contains(cast(x as varchar), 'Ng')"), table
