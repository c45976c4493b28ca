"""A connection to the state, and what every room does with one."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import duckdb

Connection = duckdb.DuckDBPyConnection


class StateBusyError(RuntimeError):
    """Another process holds the database longer than it is worth waiting."""


class StateMismatchError(ValueError):
    """The database belongs to other systems, or to another version of the pipeline."""


class StateBrokenError(ValueError):
    """What lies where the database should be is none, or none of ours."""


def now() -> datetime:
    """The present in UTC, as the database keeps it (no offset)."""
    return datetime.now(UTC).replace(tzinfo=None)


def naive(moment: datetime | None) -> datetime | None:
    """An aware instant as the database keeps it: UTC without an offset."""
    return moment.astimezone(UTC).replace(tzinfo=None) if moment else None


@contextmanager
def transaction(db: Connection) -> Iterator[None]:
    """All or nothing; what runs inside is on disk when it returns."""
    db.execute("begin")
    try:
        yield
    except BaseException:
        db.execute("rollback")
        raise
    db.execute("commit")
