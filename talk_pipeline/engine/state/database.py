"""The DuckDB file that holds a company's state: opening it, its schema, its identity.

DuckDB lets one process write: the file is opened late and closed early, and whoever finds it taken waits for
a bounded time and then says who has it. What the tables mean is in schema.sql.
"""

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from talk_pipeline.engine.kinds import HoldKind
from talk_pipeline.stopping import go_on

FILE = "talk.duckdb"
SCHEMA = (Path(__file__).parent / "schema.sql").read_text(encoding="utf-8")
SCHEMA_VERSION = "3"
# what brings a database of an older version up to the named one; tables it lacks are made before
STEPS = {
    "2": (
        "alter table conflict add column if not exists decided_by varchar",
        "alter table conflict add column if not exists decided_at timestamp",
    ),
    "3": (
        "alter table candidate add column if not exists linked varchar",
        "alter table apart add column if not exists never boolean",
        "alter table snapshot add column if not exists earlier varchar[]",
        "alter table journal add column if not exists left_at timestamp",
        "alter table journal add column if not exists open_until timestamp",
        # when these left was not kept: they are treated as what a run left behind that was killed
        "update journal set left_at = intent_at, outcome = null where outcome is null or outcome = 'unknown'",
        "alter table run add column if not exists ended_at timestamp",
        "alter table run add column if not exists problem varchar",
        "alter table run add column if not exists stopped_by varchar",
        "alter table run add column if not exists stopped varchar",
        "alter table run add column if not exists undoes varchar",
        "alter table link add column if not exists met_at timestamp",
        "update link set met_at = linked_at where state = 'active'",
        "alter table refusal add column if not exists about_another boolean",
        "alter table refusal add column if not exists refusal_kind varchar",
        "update refusal set refusal_kind = case when starts_with(reason, 'outcome unknown:')"
        " then 'outcome_unknown' else 'refused' end",
        "alter table change add column if not exists hold_kind varchar",
        "alter table change add column if not exists hold_reason varchar",
        "update change set hold_kind = split_part(withheld, ':', 1),"
        " hold_reason = substr(withheld, strpos(withheld, ':') + 2) where withheld is not null",
        "alter table change drop column withheld",
    ),
}
WAIT_SECONDS = 60.0
MAGIC, MAGIC_AT = b"DUCK", 8

# how a hold is told to people, in whatever query shows one
_LABELS = " ".join(f"when '{kind}' then '{kind.label}'" for kind in HoldKind)
_MACROS = f"""
create or replace temp macro hold_label(kind) as case kind {_LABELS} end;
create or replace temp macro withheld(kind, reason) as hold_label(kind) || ': ' || reason;
create or replace temp macro is_open(outcome) as coalesce(outcome, 'unknown') = 'unknown';
"""

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


class State:
    """One company's DuckDB file under the data folder.

    Attributes:
        beside: the connection without the file: temporary tables made here are seen beside it once it is open.
    """

    def __init__(self, folder: Path, *, wait_seconds: float = WAIT_SECONDS) -> None:
        self.folder = folder
        self.file = folder / FILE
        self.wait_seconds = wait_seconds
        self.beside = duckdb.connect()
        self.beside.execute(_MACROS)
        self._prepared = False
        self._attached = False

    @contextmanager
    def open(self) -> Iterator[Connection]:
        """A connection to the state with the schema in place.

        The file stays open for whoever opens next, until `release`: opening costs more than most queries.

        Raises:
            StateBusyError: another process kept it for longer than `wait_seconds`.
            StateMismatchError: written by another version of the pipeline.
            StateBrokenError: the file is no database, or that of something else.
        """
        if not self._attached:
            self._attach(self.beside)
        yield self.beside

    @contextmanager
    def once(self) -> Iterator[Connection]:
        """A connection that leaves the file to others as soon as it is done."""
        try:
            with self.open() as db:
                yield db
        finally:
            self.release()

    def release(self) -> None:
        """Leaves the file to others: before anything slow, and at the end of a piece of work.

        Temporary tables outlive it: they lie beside the state, in memory.
        """
        if self._attached:
            self.beside.execute("use memory")
            self.beside.execute("detach state")
            self._attached = False

    def _attach(self, db: Connection) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        _look(self.file)
        deadline = time.monotonic() + self.wait_seconds
        path = str(self.file).replace("'", "''")
        while True:
            try:
                db.execute(f"attach '{path}' as state")
            except duckdb.IOException as error:
                if "lock" not in str(error):
                    raise StateBrokenError(_broken(self.file, str(error))) from error
                if time.monotonic() >= deadline:
                    raise StateBusyError(_busy(self.file, str(error))) from error
                go_on()
                time.sleep(0.1)
            except duckdb.Error as error:
                raise StateBrokenError(_broken(self.file, str(error))) from error
            else:
                break
        self._attached = True
        db.execute("use state")
        if not self._prepared:
            try:
                _prepare(db, self.file)
            except StateBrokenError:
                self.release()
                raise
            self._prepared = True

    def identify(self, systems: Mapping[str, str]) -> None:
        """Binds a new database to these systems; refuses an old one that belongs to others.

        Raises:
            StateMismatchError: naming the systems the database knows and those asked for.
        """
        with self.open() as db:
            rows = db.execute("select key, value from meta where starts_with(key, 'system:')").fetchall()
            known = {key.removeprefix("system:"): value for key, value in rows}
            if known and known != dict(systems):
                raise StateMismatchError(
                    f"{self.file} belongs to {_named(known)}, but the settings name {_named(systems)}; "
                    "use another TALK_DATA_DIR for these, or the settings it was made with"
                )
            if not known:
                for name, value in systems.items():
                    db.execute("insert into meta (key, value) values (?, ?)", [f"system:{name}", value])


def _named(systems: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in sorted(systems.items()))


def _busy(file: Path, message: str) -> str:
    holder = re.search(r"PID (\d+)", message)
    who = f"process {holder[1]}" if holder else "another process"
    return f"{file} is in use by {who}; wait until its run has ended, or end it"


def _look(file: Path) -> None:
    """DuckDB's own words for another file do not say what to do about it."""
    if file.is_file() and file.stat().st_size:
        with file.open("rb") as opened:
            if opened.read(MAGIC_AT + len(MAGIC))[MAGIC_AT:] != MAGIC:
                raise StateBrokenError(_broken(file, "it is no DuckDB file"))


def _broken(file: Path, why: str) -> str:
    return (
        f"{file} cannot be used: {why.splitlines()[0]}. Put a backup in its place, or move it away and synchronize"
        " anew: records are paired again by the match rules"
    )


def _prepare(connection: Connection, file: Path) -> None:
    tables = {row[0] for row in connection.execute("select table_name from duckdb_tables()").fetchall()}
    if tables and not {"meta", "snapshot", "link"} <= tables:
        raise StateBrokenError(
            f"{file} holds something else ({', '.join(sorted(tables)[:5])}): use another TALK_DATA_DIR"
        )
    connection.execute(SCHEMA)
    row = connection.execute("select value from meta where key = 'schema'").fetchone()
    if row is None:
        connection.execute("insert into meta (key, value) values ('schema', ?)", [SCHEMA_VERSION])
    elif int(row[0]) < int(SCHEMA_VERSION):
        _migrate(connection, known=int(row[0]))
    elif row[0] != SCHEMA_VERSION:
        raise StateMismatchError(
            f"the database has schema version {row[0]}, this release knows {SCHEMA_VERSION}; "
            "use the release that wrote it, or start with an empty TALK_DATA_DIR"
        )


def _migrate(connection: Connection, *, known: int) -> None:
    """All steps or none: a database is of one version or of another."""
    with transaction(connection):
        for version, statements in STEPS.items():
            for statement in statements if int(version) > known else ():
                connection.execute(statement)
        connection.execute("update meta set value = ? where key = 'schema'", [SCHEMA_VERSION])


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


def insert_rows(db: Connection, table: str, rows: list[tuple[Any, ...]]) -> None:
    """Appends rows to a table whose columns they match, as one statement.

    Columns travel as lists: one parameter a column, whatever the number of rows.
    """
    if not rows:
        return
    types = [row[1] for row in db.execute(f"select name, type from pragma_table_info('{table}')").fetchall()]
    columns = [list(column) for column in zip(*rows, strict=True)]
    unnested = ", ".join(f"unnest(${at + 1}::{_listed(kind)})" for at, kind in enumerate(types))
    shown = ", ".join(_restored(f"c{at}", kind) for at, kind in enumerate(types))
    names = ", ".join(f"c{at}" for at in range(len(types)))
    db.execute(f"insert into {table} select {shown} from (select {unnested}) as t({names})", columns)


def _listed(kind: str) -> str:
    """Nested values travel as JSON text."""
    return "varchar[]" if kind.startswith(("MAP", "JSON")) or kind.endswith("[]") else f"{kind}[]"


def _restored(name: str, kind: str) -> str:
    return f"{name}::json::{kind}" if kind.startswith("MAP") or kind.endswith("[]") else name


def rows_of(db: Connection, query: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of a query by column name; parameters it does not use are left out."""
    result = db.execute(query, {key: value for key, value in parameters.items() if f"${key}" in query})
    names = [column[0] for column in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]
