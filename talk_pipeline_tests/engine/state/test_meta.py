"""Facts about a state are read once while it is open, and are what stands in the file whoever wrote them."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import duckdb
import pytest

from talk_pipeline.engine.state.connection import Connection, transaction
from talk_pipeline.engine.state.database import State
from talk_pipeline.engine.state.meta import forget_meta, get_meta, joined_meta, set_meta


class Stopped(Exception):
    """What ends a transaction on its way."""


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    state = State(tmp_path)
    with state.once() as db:
        set_meta(db, "one", "1")
        set_meta(db, "two", "2")
    yield state
    state.release()


def stored(db: Connection, key: str) -> list[tuple[str]]:
    return db.execute("select value from meta where key = ?", [key]).fetchall()


def test_a_fact_stands_in_the_file_as_it_was_set_last(state: State) -> None:
    with state.open() as db:
        set_meta(db, "one", "other")
        set_meta(db, "three", "3")
        forget_meta(db, "two")
        forget_meta(db, "four")
        assert joined_meta(db, ["three", "two", "one"]) == "other 3"
    state.release()
    with State(state.file.parent).once() as db:
        assert (stored(db, "one"), stored(db, "two"), stored(db, "three")) == ([("other",)], [], [("3",)])


def test_what_a_transaction_takes_back_is_known_no_more(state: State) -> None:
    with state.open() as db:
        assert get_meta(db, "one") == "1"
        with suppress(Stopped), transaction(db):
            set_meta(db, "one", "other")
            forget_meta(db, "two")
            raise Stopped
        assert (get_meta(db, "one"), get_meta(db, "two")) == ("1", "2")
        set_meta(db, "one", "other")  # though it was set to this before
        assert stored(db, "one") == [("other",)]


def test_a_statement_that_fails_takes_its_transaction_back(state: State) -> None:
    with state.open() as db:
        db.execute("begin")
        set_meta(db, "one", "other")
        with pytest.raises(duckdb.Error):
            db.execute("insert into meta values ('two', 'again')")
        db.execute("rollback")
        assert get_meta(db, "one") == "1"


@pytest.mark.parametrize(
    "query",
    [
        "update meta set value = 'other' where key = 'one'",
        "with n as (select 'one' as k) update meta set value = 'other' from n where key = k",
        "delete from meta; insert into meta values ('one', 'other')",
    ],
)
def test_whatever_writes_facts_is_seen(state: State, query: str) -> None:
    with state.open() as db:
        assert get_meta(db, "one") == "1"
        db.execute(query)
        assert get_meta(db, "one") == "other"


def test_what_others_wrote_meanwhile_is_seen(state: State) -> None:
    with state.open() as db:
        assert get_meta(db, "one") == "1"
    state.release()
    with State(state.file.parent).once() as db:
        set_meta(db, "one", "other")
    with state.open() as db:
        assert get_meta(db, "one") == "other"
