"""What a create of which nobody knows may have become: known by its key, or by when it came."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from talk_pipeline.engine.kinds import RefusalKind
from talk_pipeline.engine.match import links
from talk_pipeline.engine.match.becoming import may_be_made, may_meet
from talk_pipeline.engine.model import Intended, Intent, Outcome, Result, Sent
from talk_pipeline.engine.plan.refusals import refuse
from talk_pipeline.engine.state import journal
from talk_pipeline.engine.state.connection import now
from talk_pipeline.flows.sides import Side
from talk_pipeline_tests.engine.book import START, Book
from talk_pipeline_tests.flow_files import copied_flows, flows_in

SHOP, BC = Side.SHOP, Side.BC
EMAIL = "a@shop.example"
CAME = START.replace(tzinfo=None)
"""When the first record of the book came, but for a minute each."""


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    folder = copied_flows(tmp_path / "flows", customer=("create: always", "create: both"))
    with Book.opened(tmp_path / "state", flows_in(folder)) as book:
        book.say("customer", SHOP, "s1", {"number": "c-1", "company_name": "A", "email": EMAIL, "active": ""})
        yield book


def sent(book: Book, key: str | None, *, doubted: bool = False, at: datetime | None = None) -> None:
    """The record of the shop was sent to be created and not answered, or what became of it a person has to say."""
    main = Intended("customer", "create", "s1", None, {"email": Sent(EMAIL, EMAIL, None)})
    intent = Intent("customer", BC, "s1", None, main, natural_key=key)
    book.alone()
    journal.intend(book.db, "run", [intent], recalculated=[])
    book.db.execute("update journal set left_at = intent_at, open_until = intent_at + interval 1 day")
    if at:
        book.db.execute("update journal set intent_at = ?", [at])
    if doubted:
        unknown = Outcome(Result.REFUSED, reason="no answer came", refusal=RefusalKind.OUTCOME_UNKNOWN)
        journal.note_outcomes(book.db, [(intent, unknown)], at=now())
        refuse(book.db, book.flows["customer"], [(intent, unknown)])


def there(book: Book, key: str, number: str, **values: str) -> None:
    book.say("customer", BC, key, {"number": number, "company_name": "A", "active": "", **values})


def made(book: Book) -> list[str]:
    book.crowded()
    found = may_be_made(book.db, book.flows["customer"])
    rows = book.db.execute(f"select side, id, source_id from {found.NAME} order by id").fetchall()
    book.alone()
    assert {(side, source) for side, _, source in rows} <= {(BC, "s1")}
    return [key for _, key, _ in rows]


@pytest.mark.parametrize("doubted", [False, True])
def test_a_code_is_the_same_in_capitals(book: Book, doubted: bool) -> None:
    there(book, "b1", "C-1", email="other@bc.example")
    there(book, "b2", "C-2")
    sent(book, "c-1", doubted=doubted)
    assert made(book) == ["b1"]
    book.say("customer", SHOP, "s2", {"number": "C9", "email": "other@bc.example", "company_name": "A"})
    book.plan("customer")
    assert book.rows("select shop_id, bc_id from link") == []
    copied = "select distinct bc_id from change where target = 'customwebshop' and operation = 'create'"
    assert book.rows(copied) == [("b2",)]


@pytest.mark.parametrize("doubted", [False, True])
def test_who_may_be_its_counterpart_is_not_created_beside_it_and_stays_to_be_looked_at(
    book: Book, doubted: bool
) -> None:
    there(book, "b1", "C-1", email="other@bc.example")
    sent(book, "c-1", doubted=doubted)
    book.say("customer", SHOP, "s2", {"number": "C9", "email": "other@bc.example", "company_name": "A"})
    book.plan("customer")
    ((state, reason),) = book.rows("select state, reason from status where shop_id = 's2'")
    assert (state, book.rows("select 1 from change where shop_id = 's2'")) == ("waiting", [])
    assert reason.startswith("email other@bc.example is that of b1, which may be what s1 was created as")
    book.in_step("customer")
    assert set(book.rows("select side, id from dirty")) == {(BC, "b1"), (SHOP, "s1"), (SHOP, "s2")}


def test_by_another_property_or_kept_apart_it_is_none(book: Book) -> None:
    there(book, "b1", "C-1", email="other@bc.example")
    sent(book, "c-1")
    book.say("customer", SHOP, "s2", {"number": "C9", "email": "third@bc.example", "company_name": "A"})
    flow = book.flows["customer"]
    assert not may_meet(book.db, flow, may_be_made(book.db, flow))
    book.say("customer", SHOP, "s2", {"email": "other@bc.example"})
    assert may_meet(book.db, flow, may_be_made(book.db, flow)).found == 1
    book.db.execute("insert into apart (flow, shop_id, bc_id) values ('customer', 's2', 'b1')")
    assert not may_meet(book.db, flow, may_be_made(book.db, flow))
    book.db.execute("insert into apart (flow, shop_id, bc_id) values ('customer', 's1', 'b1')")
    assert made(book) == []


def test_without_a_key_it_may_be_whatever_came_since_as_long_as_it_is_awaited(book: Book) -> None:
    """As far back as changes are looked for; what is linked, gone or older is none."""
    for at in range(4):  # two minutes after the first record of the book, and so on
        there(book, f"b{at}", f"C-{at}")
    book.tell("customer", BC, [book.record("customer", BC, "b4", {"number": "C-4"})])
    sent(book, None, at=CAME + timedelta(minutes=4 + 5))
    assert made(book) == ["b2", "b3", "b4"]
    book.db.execute("update snapshot set gone = 'deleted' where id = 'b3'")
    book.db.execute(
        "insert into link (part, shop_id, bc_id, state) values ('customer', 's3', 'b4', 'active')"
    )
    assert made(book) == ["b2"]
    book.db.execute("update journal set skew_seconds = -60")
    assert made(book) == ["b1", "b2"]
    book.db.execute("update journal set outcome = 'failed'")
    assert made(book) == []


def test_where_no_times_are_told_it_is_what_was_first_seen_since(book: Book) -> None:
    for at in range(2):
        there(book, f"b{at}", f"C-{at}")
    book.db.execute("update snapshot set modified_at = null")
    sent(book, None, at=CAME)
    assert made(book) == ["b0", "b1"]
    book.db.execute("delete from dirty where id = 'b0'")
    assert made(book) == ["b1"]


def test_without_a_key_a_doubt_is_of_those_alone_that_say_what_was_sent(book: Book) -> None:
    """One that nobody settles would hold back more records with every day."""
    there(book, "b1", "C-1", email=EMAIL.upper())
    there(book, "b2", "C-2", email="other@bc.example")
    sent(book, None, doubted=True, at=CAME)
    assert made(book) == ["b1"]
    book.db.execute("delete from journal_value")
    assert made(book) == ["b1", "b2"], "nothing was sent by which it could be told"


def test_a_doubt_ends_with_what_it_is_about(book: Book) -> None:
    there(book, "b1", "C-1", email=EMAIL)
    sent(book, "c-1", doubted=True)
    book.tell("customer", SHOP, [book.record("customer", SHOP, "s1", {"company_name": "B"})])
    assert made(book) == ["b1"]
    links.match(book.db, book.flows["customer"])
    assert book.rows("select shop_id, bc_id, rule from link") == [("s1", "b1", "number")]
