"""A temporary table is there once it was made, and never what an earlier step left."""

from typing import ClassVar

from talk_pipeline.engine.state.workspace import Temp
from talk_pipeline_tests.engine.book import Book


class Numbers(Temp):
    NAME: ClassVar[str] = "numbers"
    COLUMNS: ClassVar[str] = "n integer"


def test_it_takes_the_place_of_what_was_there(book: Book) -> None:
    made = Numbers.made(book.db, "select unnest($some::integer[]) as n", {"some": [1, 2]})
    assert made
    assert book.rows(f"select * from {made.NAME}") == [(1,), (2,)]
    assert not Numbers.made(book.db, "select 1 as n where false")
    assert not Numbers.empty(book.db)


def test_it_outlives_the_file_being_left_to_others(book: Book) -> None:
    Numbers.made(book.db, "select 7 as n")
    book.state.release()
    with book.state.open() as db:
        assert db.execute("select n from numbers").fetchall() == [(7,)]
