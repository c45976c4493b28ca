"""A second file with all that a state holds: written table by table into a new one, and proven before it counts.

Never a copy of a file's bytes, but for one that nobody uses and that is such a copy, or is to stay as it is: others
may be in use, and hold pages of what was deleted.
"""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import duckdb

from talk_pipeline.disks import takes_no_more, without_room
from talk_pipeline.engine.state.connection import Connection, StateBrokenError
from talk_pipeline.engine.state.database import State
from talk_pipeline.engine.state.left import journals_of
from talk_pipeline.engine.state.meta import forget_meta, get_meta, set_meta, tables_of
from talk_pipeline.engine.state.migrations import SCHEMA_VERSION, prepare
from talk_pipeline.pieces import alike, beside, left_beside

_OWED = "compact"
Counts = Mapping[str, int]
"""Rows by table."""


def write_copy(state: State, file: Path, *, named: Path | None = None) -> Counts:
    """Writes all that a state holds into a new file, on disk when this returns.

    Args:
        state: what is copied.
        file: the new one.
        named: what people know it by, if its own name is for a moment only.

    Raises:
        StateBrokenError: what was written is not what was read.
    """
    place = named or file
    _remove(file)
    with _finding_room(place), state.once() as db:
        path = str(file).replace("'", "''")
        db.execute(f"attach '{path}' as copied")
        try:
            alike(file, place)  # before there is anything in it
            db.execute("use copied")
            # to forget them is to write to the state, and no transaction writes to both
            db.keeps_findings = False
            prepare(db, file)
            db.keeps_findings = True
            tables = tables_of(db)
            db.execute("delete from meta")
            for table in tables:
                db.execute(f"insert into copied.{table} by name select * from state.{table}")
            counts = _counts(db, "state", tables)
        finally:
            db.execute("use state")
            db.execute("detach copied")
    if proven(file) != counts:
        raise StateBrokenError(
            f"{file} was written and does not hold what {state.file} does: is its disk well?"
        )
    with _finding_room(place), file.open("rb+") as written:
        os.fsync(written.fileno())
    return counts


@contextmanager
def _finding_room(file: Path) -> Iterator[None]:
    """Names the copy where its disk is full: of a checkpoint DuckDB does not tell which of two files it was."""
    try:
        yield
    except (OSError, StateBrokenError, duckdb.Error) as error:
        full = without_room(file.parent)
        if full is not None and takes_no_more(full):
            raise OSError(full.errno, full.strerror, str(file)) from error
        raise


def owe(db: Connection) -> bool:
    """Notes, before anything is removed, that a fresh copy is due; returns whether it was since one was killed."""
    owed = get_meta(db, _OWED) is not None
    set_meta(db, _OWED, "something was removed")
    return owed


def compact(state: State, *, due: bool = True) -> None:
    """Puts a fresh copy in the place of a state's file: nothing of what was deleted is left in it.

    Args:
        state: that of which something was deleted.
        due: whether there was anything.
    """
    if due:
        replace_by_copy(state, state.file)
    with state.once() as db:
        forget_meta(db, _OWED)


def replace_by_copy(state: State, file: Path) -> None:
    """Puts a fresh copy of a state in the place of a file, which stays as it is until the copy is proven.

    Raises:
        StateBrokenError: what was written is not what was read.
    """
    fresh = _fresh(file)
    try:
        write_copy(state, fresh, named=file)
        fresh.replace(file)
        for one in journals_of(file).values():  # of the file that was there
            one.unlink()
    finally:
        _remove(fresh)


def copy_whole(file: Path, place: Path) -> None:
    """A copy of a file that nobody uses: it is there whole, and on disk, or not at all."""
    fresh = _fresh(place)
    shutil.copyfile(file, fresh)
    alike(fresh, file)
    with fresh.open("rb+") as written:
        os.fsync(written.fileno())
    fresh.replace(place)


def _fresh(file: Path) -> Path:
    """Where a copy is made that is to be in the place of a file; what a kill left there goes.

    One is made at a time: a lease is held meanwhile.
    """
    for one in left_beside(file):
        one.unlink(missing_ok=True)
    return beside(file)


def _remove(file: Path) -> None:
    """A copy that does not count, with what was on its way into it when the disk was full."""
    for one in (file, *journals_of(file).values()):
        one.unlink(missing_ok=True)


def proven(file: Path) -> Counts:
    """The rows of a file of this schema version, opened by itself.

    Raises:
        StateBrokenError: it cannot be opened, or is of another version.
    """
    try:
        with closing(Connection(str(file), read_only=True)) as db:
            version = db.execute("select value from meta where key = 'schema'").fetchone()
            counts = _counts(db, db.execute("select current_database()").fetchall()[0][0], tables_of(db))
    except (duckdb.Error, OSError, StateBrokenError) as error:
        raise StateBrokenError(
            f"{file} was written and cannot be read: {str(error).splitlines()[0]}"
        ) from error
    if version != (SCHEMA_VERSION,):
        raise StateBrokenError(f"{file} was written and is of schema version {version}")
    return counts


def _counts(db: Connection, database: str, tables: list[str]) -> Counts:
    found = {}
    for table in tables:
        row = db.execute(f'select count(*) from "{database}".{table}').fetchone()
        found[table] = int(row[0]) if row else 0
    return found
