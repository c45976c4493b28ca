"""The past is kept as long as it is said, and what is not over has no age."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from talk_pipeline.engine.report import runs
from talk_pipeline.engine.state import retention
from talk_pipeline.engine.state.connection import now
from talk_pipeline.flows.sides import Side
from talk_pipeline_tests.engine.book import Book

PAST = ("journal", "journal_value", "conflict", "stage", "check_result", "run", "decision")
DAY = timedelta(days=1)


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    with Book.opened(tmp_path) as book:
        book.pair("customer", "C1")
        for number, run_id in enumerate(("old", "last")):
            runs.begin(book.db, ["customer"], run_id=run_id)
            book.say("customer", Side.SHOP, "sC1", {"email": f"e{number}@company.example"})
            book.say("customer", Side.BC, "bC1", {"email": f"e{number}@central.example"})
            book.plan("customer")
            for side in Side:
                book.write("customer", side, run_id=run_id)
            runs.ended(book.db, run_id=run_id)
            book.db.execute("insert into stage (run_id, flow, name) values (?, 'customer', 'plan')", [run_id])
            book.db.execute(
                "insert into check_result (run_id, flow, name, checked_at) values (?, 'customer', ?, ?)",
                [run_id, run_id, now()],
            )
            book.db.execute(
                "insert into decision (flow, action, shop_id, done_by, done_at)"
                " values ('customer', ?, 'sC9', 'Ann', ?)",
                [run_id, now()],
            )
        moved = {"old": 500 * DAY, "last": 450 * DAY}
        for run_id, ago in moved.items():
            at = {"id": run_id, "at": now() - ago}
            for table, column in (
                ("journal", "intent_at"),
                ("journal", "outcome_at"),
                ("conflict", "recorded_at"),
                ("conflict", "acknowledged_at"),
                ("check_result", "checked_at"),
                ("run", "started_at"),
            ):
                book.db.execute(f"update {table} set {column} = $at where run_id = $id", at)
            book.db.execute("update decision set done_at = $at where action = $id", at)
        yield book


def counts(book: Book) -> dict[str, int]:
    return {table: book.rows(f"select count(*) from {table}")[0][0] for table in PAST}


def test_what_is_older_goes_and_the_last_run_stays_whole(book: Book) -> None:
    before = counts(book)
    assert retention.prune(book.db, before=now() - 501 * DAY) == 0
    assert counts(book) == before
    bases = book.rows("select * from base order by all")
    removed = retention.prune(book.db, before=now() - 480 * DAY)
    after = counts(book)
    assert removed == sum(before.values()) - sum(after.values())
    assert all(0 < after[table] < before[table] for table in PAST), after
    assert {run_id for (run_id,) in book.rows("select run_id from written")} == {"last"}
    assert retention.prune(book.db, before=now()) == 1, "the other decision; all else is of the last run"
    assert book.rows("select * from base order by all") == bases


@pytest.mark.parametrize("outcome", [None, "unknown"])
def test_what_has_no_outcome_is_never_too_old(book: Book, outcome: str | None) -> None:
    book.db.execute("update journal set outcome = ? where run_id = 'old'", [outcome])
    values = book.rows("select count(*) from journal_value")
    retention.prune(book.db, before=now())
    assert book.rows("select count(*) from journal_value") == values


@pytest.mark.parametrize("target", Side)
def test_a_create_that_a_person_has_to_say_something_of_is_never_too_old(book: Book, target: Side) -> None:
    """What it may have become is known by what was sent; any other of its time goes."""
    own = f"{target.other.short}_id"
    book.db.execute(
        f"update journal set operation = 'create', target = $1, outcome = 'refused', {own} = 'x1'"
        " where run_id = 'old'",
        [target],
    )
    book.db.execute(
        "insert into refusal (flow, part, target, record_id, refusal_kind)"
        " values ('customer', 'customer', ?, 'x1', 'outcome_unknown')",
        [target],
    )
    retention.prune(book.db, before=now() - 480 * DAY)
    assert book.rows("select target from journal where run_id = 'old'") == [(target,)]
    assert book.rows("select distinct target from written where run_id = 'old'") == [(target,)]
    book.db.execute("update refusal set refusal_kind = 'refused'")
    retention.prune(book.db, before=now() - 480 * DAY)
    assert book.rows("select target from journal where run_id = 'old'") == []


def test_who_was_forgotten_is_known_for_good(book: Book) -> None:
    """A backup may be older than any time for which the past is kept."""
    book.db.execute("update decision set action = 'forgotten' where action = 'old'")
    retention.prune(book.db, before=now())
    assert book.rows("select action, shop_id from decision") == [("forgotten", "sC9")]


def test_what_nobody_acknowledged_is_never_too_old(book: Book) -> None:
    book.db.execute("update conflict set acknowledged_at = null")
    conflicts = book.rows("select count(*) from conflict")
    retention.prune(book.db, before=now())
    assert book.rows("select count(*) from conflict") == conflicts


def test_a_decision_that_holds_keeps_who_made_it(book: Book) -> None:
    book.db.execute("update link set rule = 'by hand' where part = 'customer'")
    book.db.execute("update decision set shop_id = 'sC1' where action = 'old'")
    retention.prune(book.db, before=now())
    assert book.rows("select action from decision") == [("old",)]
