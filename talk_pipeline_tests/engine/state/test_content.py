"""Findings that are kept are forgotten by every statement that writes what they may hang on, however it is put."""

import pytest

from talk_pipeline.engine.state.content import ASIDE, FOUND
from talk_pipeline.engine.state.database import State
from talk_pipeline.engine.state.meta import get_meta, set_meta
from talk_pipeline.engine.state.migrations import TABLES
from talk_pipeline.engine.state.workspace import Temp
from talk_pipeline_tests.engine.book import Book

NAMES = [line.split()[5] for line in TABLES.splitlines() if line.startswith("create table")]
KEY = f"{FOUND}customer"


def keep(book: Book) -> None:
    set_meta(book.db, KEY, "kept")
    book.db.findings_kept()


def is_kept(book: Book) -> bool:
    return get_meta(book.db, KEY) == "kept"


def writes(table: str, column: str) -> list[str]:
    """Whatever may change a table; none of it finds a row, which nobody knows beforehand."""
    return [
        f"insert into {table} select * from {table} where false",
        f"INSERT INTO {table}\nselect * from {table} where false",
        f"update {table} set {column} = null where false",
        f"delete from {table} where false",
        f"truncate {table}",
        f"-- a remark\ndelete from {table} where false",
        f"with n as (select 1) insert into {table} select * from {table} where false",
        f"with n as (delete from {table} where false returning *) select * from n",
        f"with n as ( /* ( */ update {table} set {column} = null where false returning *) from n",
        f"with n as (with m as (select 1) delete from {table} where false returning *) from n",
        f"delete from meta where false; with n as (delete from {table} where false returning *) from n",
        f"explain analyze delete from {table} where false",
        f"prepare gone as delete from {table} where false; execute gone; deallocate gone",
        f"create or replace temp table taken as with n as (delete from {table} where false returning *) from n",
        f"merge into {table} using (select 1 as x) n on false when matched then delete",
        f"insert into main.{table} select * from {table} where false",
        f"create table if not exists copied as from {table}; alter table copied rename to other",
    ]


@pytest.mark.parametrize("table", [name for name in NAMES if name not in ASIDE])
def test_every_way_to_write_a_table_forgets(book: Book, table: str) -> None:
    column = next(iter(book.db.types(table)))
    for query in writes(table, column):
        keep(book)
        book.db.execute(query)
        assert not is_kept(book), query
        book.db.execute("drop table if exists other")


def test_what_is_told_of_runs_and_read_forgets_nothing(book: Book) -> None:
    book.db.execute("create or replace temp table gathered as select 1 as one")
    keep(book)
    for table in ASIDE:
        column = next(iter(book.db.types(table)))
        book.db.execute(f"insert into {table} select * from {table} where false")
        book.db.execute(f"update {table} set {column} = null where false")
        book.db.execute(f"delete from {table} where false")
    book.db.execute("insert into gathered values (2)")
    book.db.execute("select 'delete', ['update', 'delete'] from link where state <> 'update'")
    assert is_kept(book)


def test_a_write_beside_what_is_told_of_runs_forgets(book: Book) -> None:
    keep(book)
    book.db.execute("delete from dirty; delete from link")
    assert not is_kept(book)


def test_what_is_taken_back_is_taken_back_with_its_forgetting(book: Book) -> None:
    keep(book)
    book.db.execute("begin")
    book.db.execute("delete from link")
    assert not is_kept(book)
    book.db.execute("rollback")
    assert is_kept(book)
    book.db.execute("delete from link")
    assert not is_kept(book)


def test_another_opening_forgets_as_well(book: Book) -> None:
    book.db.execute("delete from link")
    keep(book)
    book.state.release()
    other = State(book.state.folder)
    with other.once() as db:
        db.execute("delete from link")
        set_meta(db, KEY, "kept")
    with book.state.open():
        assert is_kept(book)
        book.db.execute("delete from link")
        assert not is_kept(book)


def test_no_temporary_table_is_called_as_one_of_the_state() -> None:
    def below(kind: type[Temp]) -> set[str]:
        return {one.NAME for one in kind.__subclasses__()}.union(*map(below, kind.__subclasses__()))

    assert not below(Temp) & set(NAMES)
