"""A connection to the state, and what every room does with one."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from talk_pipeline.disks import without_room
from talk_pipeline.engine.state.content import ASIDE, FACTS, FORGET, FOUND, statements

Cursor = duckdb.DuckDBPyConnection
"""What a statement found, until the next one."""
Parameters = Sequence[object] | Mapping[str, object] | None

OPENED = "set errors_as_json = true; set enable_progress_bar = false"
"""What is said to a connection first: errors tell the operating system's number, where there is one.

DuckDB draws a bar by itself in what it takes for a shell, such as a process that another Python started.
"""

# as DuckDB calls what it cannot read; an IO error without the operating system's number is a file that ends early,
# or a checkpoint that found no room
_DAMAGE = ("Data Corruption", "Serialization", "IO")


class Connection:
    """A connection that reads the text of a statement once, and knows which ones write what is held of records.

    Attributes:
        file: where what is damaged lies, for people.
        keeps_findings: findings of the state at hand are forgotten once something of it is written.

    Args:
        spilled: where what does not fit into the memory is put for the while; by default in the folder that whoever
            runs this happens to stand in.
    """

    def __init__(
        self,
        file: str = ":memory:",
        *,
        read_only: bool = False,
        threads: int | None = None,
        memory: str | None = None,
        spilled: Path | None = None,
    ) -> None:
        self.file = Path(file)
        self._db = duckdb.connect(file, read_only=read_only)
        self._db.execute(OPENED)
        self._types: dict[str, dict[str, str]] = {}
        self._temporary: set[str] = set()
        self._forgotten = False
        self._facts: dict[str, str] | None = None
        self.keeps_findings = False
        if threads is not None:
            self.threads = threads
        if memory is not None:
            self._db.execute("set memory_limit = $1", [memory])
        if spilled is not None:
            self._db.execute("set temp_directory = $1", [str(spilled)])

    @property
    def threads(self) -> int:
        """The most that work at once."""
        row = self._db.execute("select current_setting('threads')").fetchone()
        return int(row[0]) if row else 1

    @threads.setter
    def threads(self, most: int) -> None:
        self._db.execute("set threads = $1", [most])

    def close(self) -> None:
        """Leaves the file to others."""
        self._db.close()

    def execute(self, query: str, parameters: Parameters = None) -> Cursor:
        """Runs a statement, or several without parameters.

        Raises:
            OSError: what the operating system says, such as that the disk is full.
            StateBrokenError: what the file holds is damaged, or cut short.
            duckdb.Error: whatever else the database says of it.
        """
        told = statements(query)
        self._temporary |= told.makes
        if told.unsettles:
            self._forgotten = False
        if self.keeps_findings and not self._forgotten and not told.writes <= self._temporary | ASIDE:
            if self._facts is None or any(key.startswith(FOUND) for key in self._facts):
                self._run(FORGET)  # before, so that it holds even where all ends between the two
                self._facts = None
            self._forgotten = True
        if told.retells:
            self._facts = None
        return self._run(told.read[0] if len(told.read) == 1 else query, parameters)

    @property
    def facts(self) -> Mapping[str, str]:
        """What is noted of the state as a whole, by key; nobody else writes to it as long as it is open here."""
        if self._facts is None:
            self._facts = dict(self._run(f"select key, value from {FACTS}").fetchall())
        return self._facts

    @facts.setter
    def facts(self, facts: Mapping[str, str]) -> None:
        self._facts = dict(facts)

    def _run(self, statement: duckdb.Statement | str, parameters: Parameters = None) -> Cursor:
        try:
            return self._db.execute(statement, parameters)
        except duckdb.Error as error:
            self._facts = None  # with it, a transaction has taken back what it did
            raise self._named(error) from None

    def _named(self, error: duckdb.Error) -> Exception:
        kind, brace, rest = str(error).partition("{")
        try:
            told = json.loads(brace + rest)
        except ValueError:
            return error  # of a transaction it is in words alone
        message = " ".join(str(told["exception_message"]).split())
        if "errno" in told:
            return OSError(int(told["errno"]), message)
        if told["exception_type"] not in _DAMAGE:
            return type(error)(kind + message)
        if full := without_room(self.file.parent):
            return OSError(full.errno, message)
        return StateBrokenError(broken(self.file, f"it is damaged: {message}"))

    def findings_kept(self) -> None:
        """Findings were kept: the next statement that writes has to forget them again."""
        self._forgotten = False

    def types(self, table: str) -> Mapping[str, str]:
        """The columns of a table with their types, looked up once: column -> type as DuckDB writes it."""
        if table not in self._types:
            described = self.execute(f"select name, type from pragma_table_info('{table}')").fetchall()
            self._types[table] = dict(described)
        return self._types[table]


class StateBusyError(RuntimeError):
    """Another process holds the database longer than it is worth waiting."""


class StateMismatchError(ValueError):
    """The database belongs to other systems, or to another version of the pipeline."""


class StateBrokenError(ValueError):
    """What lies where the database should be is none, none of ours, or damaged."""


def broken(file: Path, why: str) -> str:
    """What is to be told of a file that cannot be used."""
    return (
        f"{file} cannot be used: {why}. Put a backup in its place, or move it away and synchronize"
        " anew: records are paired again by the match rules"
    )


def now() -> datetime:
    """The present in UTC, as the database keeps it (no offset)."""
    return datetime.now(UTC).replace(tzinfo=None)


def naive(moment: datetime | None) -> datetime | None:
    """An aware instant as the database keeps it: UTC without an offset."""
    return moment.astimezone(UTC).replace(tzinfo=None) if moment else None


def stamp(moment: datetime | None) -> str | None:
    """An instant of the database for a document."""
    return f"{moment.isoformat(timespec='milliseconds')}Z" if moment else None


def to_the_millisecond(moment: datetime) -> datetime:
    """As exact as every system tells it, and as it is told."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


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
