"""A connection to the state, and what every room does with one."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache

import duckdb

Cursor = duckdb.DuckDBPyConnection
"""What a statement found, until the next one."""


class Connection:
    """A connection that reads the text of a statement once: that takes as long as working out how to run it."""

    def __init__(
        self,
        file: str = ":memory:",
        *,
        read_only: bool = False,
        threads: int | None = None,
        memory: str | None = None,
    ) -> None:
        self._db = duckdb.connect(file, read_only=read_only)
        self._types: dict[str, dict[str, str]] = {}
        if threads is not None:
            self._db.execute("set threads = $1", [threads])
        if memory is not None:
            self._db.execute("set memory_limit = $1", [memory])

    def close(self) -> None:
        """Leaves the file to others."""
        self._db.close()

    def execute(
        self, query: str, parameters: Sequence[object] | Mapping[str, object] | None = None
    ) -> Cursor:
        """Runs a statement, or several without parameters.

        Raises:
            duckdb.Error: what the database says of it.
        """
        statements = _statements(query)
        return self._db.execute(statements[0] if len(statements) == 1 else query, parameters)

    def types(self, table: str) -> Mapping[str, str]:
        """The columns of a table with their types, looked up once: column -> type as DuckDB writes it."""
        if table not in self._types:
            described = self.execute(f"select name, type from pragma_table_info('{table}')").fetchall()
            self._types[table] = dict(described)
        return self._types[table]


@lru_cache(maxsize=1024)
def _statements(query: str) -> list[duckdb.Statement]:
    return duckdb.extract_statements(query)


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
