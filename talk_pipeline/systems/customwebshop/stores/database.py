"""A SQL database as a shop's door: an entity is a table or a statement, its lines are a table that names it.

Each record is written in one transaction: it is locked and read, compared with what was read before, changed, and
read again. What the database takes for two edits at once is thereby decided by it alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc

from talk_pipeline.redaction import learn, redacted
from talk_pipeline.systems.customwebshop.spec import paths
from talk_pipeline.systems.customwebshop.spec.paths import MISSING, Json
from talk_pipeline.systems.customwebshop.spec.times import Times
from talk_pipeline.systems.customwebshop.stores.columns import shown, taken
from talk_pipeline.systems.customwebshop.stores.store import (
    Change,
    GoneError,
    NotDoneError,
    PerhapsDoneError,
    RefusedError,
    Row,
    StaleError,
)
from talk_pipeline.systems.customwebshop.stores.tables import Table, Tables
from talk_pipeline.systems.customwebshop.wire.evidence import Probe
from talk_pipeline.systems.customwebshop.wire.records import Reader, row_id, rows_of
from talk_pipeline.systems.errors import ConfigurationFault, UnavailableFault
from talk_pipeline.systems.protocol import Stamps

PAGE = 1000
SNAPSHOTS = {"postgresql": "REPEATABLE READ", "mysql": "REPEATABLE READ", "mariadb": "REPEATABLE READ"}
"""Where a record and its lines are read as they were at one moment only if that is asked for."""


class Database:
    """One database.

    Args:
        url: its address, with whatever lets us in.
        setting: the variable that holds it.
    """

    knows_again = False

    def __init__(self, url: str, *, setting: str) -> None:
        self._setting = setting
        try:
            self._url = sa.make_url(url)
        except exc.ArgumentError:
            example = "postgresql+psycopg://user:password@host/shop"
            raise ConfigurationFault(
                f"{setting} is no address of a database; write one such as {example}"
            ) from None
        learn(self._url.password)
        where = self._url.host or ""
        self.name = f"{self._url.get_backend_name()}://{where}/{self._url.database or ''}"
        self.skew_seconds = 0.0

    @cached_property
    def _engine(self) -> sa.Engine:
        try:
            engine = sa.create_engine(self._url, hide_parameters=True, pool_pre_ping=True)
        except (exc.NoSuchModuleError, exc.ArgumentError, ImportError) as error:
            kind = self._url.drivername
            raise ConfigurationFault(
                f"{self._setting}: no driver for {kind} is installed ({error}); install it beside the pipeline"
            ) from None
        if self._untyped:
            sa.event.listen(engine, "connect", _by_itself)
            sa.event.listen(engine, "begin", _begin)
        return engine

    @property
    def _untyped(self) -> bool:
        return self._url.get_backend_name() == "sqlite"

    @cached_property
    def _tables(self) -> Tables:
        return Tables(self._engine)

    def open(self) -> None:
        """Proves that it answers, and how far its clock is ahead."""
        with self._reading() as db:
            there = None if self._untyped else db.execute(sa.select(sa.func.current_timestamp())).scalar()
        if isinstance(there, datetime) and there.tzinfo is not None:
            self.skew_seconds = round((there - datetime.now(UTC)).total_seconds(), 3)

    def close(self) -> None:
        """Lets go of its connections."""
        if "_engine" in self.__dict__:
            self._engine.dispose()

    def pages(self, reader: Reader, *, since: datetime | None) -> Iterator[Sequence[Row]]:
        """Records in the order of their ids, lines included; each page as it was at one moment."""
        last: Any = None
        while True:
            with self._reading() as db:
                table = self._tables.read(reader.entity)
                own = table.column(reader.entity.id.path)
                query = table.query().order_by(own).limit(PAGE + 1)
                if last is not None:
                    query = query.where(own > last)
                if since is not None:
                    modified = self._modified(reader, table)
                    later = modified >= self._moment(reader, table, since)
                    # what says no time may have changed
                    query = query.where(sa.or_(modified.is_(None), later))
                more = db.execute(query).mappings().all()
                table.check_alone(own.name, more)
                found = more[:PAGE]
                rows = self._joined(db, reader, table, found)
            if rows:
                yield rows
            if len(more) <= PAGE:
                return
            last = found[-1][own.name]

    def newest(self, reader: Reader, *, most: int) -> Stamps:
        """When the records modified last were modified."""
        with self._reading() as db:
            table = self._tables.read(reader.entity)
            modified = self._modified(reader, table)
            query = table.query().where(modified.is_not(None)).order_by(modified.desc()).limit(most)
            found = db.execute(query).mappings().all()
        return reader.stamps(table.row(one) for one in found)

    def get(self, reader: Reader, record_id: str) -> Row | None:
        """One record, lines included."""
        with self._reading() as db:
            return self._one(db, reader, record_id)

    def keyed(self, reader: Reader, path: str) -> Iterator[Row]:
        """All records without their lines: what is equal is not asked of the database, which may ignore case."""
        with self._reading() as db:
            table = self._tables.read(reader.entity)
            for found in db.execute(table.query()).mappings().yield_per(PAGE):
                yield table.row(found)

    def carry_out(self, reader: Reader, change: Change) -> Row | None:
        """One change in one transaction."""
        committing = False
        try:
            engine = self._engine.execution_options(to_write=True)
            with engine.connect() as db, db.begin() as transaction:
                record_id = self._apply(db, reader, change)
                row = None if change.operation == "delete" else self._one(db, reader, record_id)
                if row is None and change.operation != "delete":  # rolled back, or nobody would ever see it
                    raise RefusedError(
                        f"{reader.entity.path}: it would not be among the records that are read"
                    )
                committing = True
                transaction.commit()
        except exc.DBAPIError as error:
            raise self._not_done(error, committing=committing) from None
        except ValueError as error:
            raise RefusedError(str(error)) from None
        return row

    def look(self, reader: Reader) -> Iterator[Probe]:
        """Tables and columns, and whether moments are written as they are read."""
        from talk_pipeline.systems.customwebshop.stores.looking import look

        with self._reading() as db:
            yield from look(db, self._tables, reader, untyped=self._untyped)

    def _apply(self, db: sa.Connection, reader: Reader, change: Change) -> str:
        """Writes what a change changes, and returns the record's id."""
        entity, table = reader.entity, self._tables.written(reader.entity)
        if change.operation == "create":
            after = change.after(None)
            values = self._stamped(reader, table, after, None)
            record_id = self._insert(db, table, entity.id.path, values)
            self._write_lines(db, reader, {}, after, record_id)
            return str(paths.text_of(shown(table.column(entity.id.path), record_id)))
        before = self._one(db, reader, change.id or "", lock=True)
        if before is None:
            raise GoneError("the record is gone")
        if not change.fits(before):
            raise StaleError("the record changed since it was read")
        own = self._value(table, entity.id.path, before.get(entity.id.path), reader.times)
        where = [table.only_row(db, entity, own)]
        # for databases that lock no row when asked to
        if entity.version and entity.version.at in table.columns:
            held = self._value(table, entity.version.at, before.get(entity.version.at), reader.times)
            where.append(table.column(entity.version.at) == held)
        if change.operation == "delete":
            self._write_lines(db, reader, before, {}, own)
            done = db.execute(sa.delete(table.source).where(*where)).rowcount
        else:
            after = change.after(before)
            self._write_lines(db, reader, before, after, own)
            values = self._stamped(reader, table, after, before)
            done = db.execute(sa.update(table.source).where(*where).values(values)).rowcount if values else 1
        if done == 0:
            raise StaleError("the record changed while it was written")
        return change.id or ""

    def _write_lines(self, db: sa.Connection, reader: Reader, before: Row, after: Row, own: Any) -> None:
        for name, lines in reader.lists():
            if lines.table is None:
                continue
            table = self._tables.named(lines.table)
            key, parent = table.column(lines.id.path), table.column(lines.parent or "")
            was = {row_id(lines, row, at): row for at, row in enumerate(rows_of(before, name, lines))}
            kept: set[str] = set()
            for row in rows_of(after, name, lines):
                if not isinstance(row, dict):
                    continue
                line_id = paths.text_of(row.get(lines.id.path))
                if line_id not in was:
                    values = self._values(table, row, {}, reader.times) | {parent.name: own}
                    values |= {name: table.next(db, name, parent == own) for name in lines.stamps}
                    self._insert(db, table, lines.id.path, values)
                    continue
                kept.add(line_id)
                if values := self._values(table, row, was[line_id], reader.times):
                    same = key == self._value(table, lines.id.path, line_id, reader.times)
                    db.execute(sa.update(table.source).where(same, parent == own).values(values))
            for line_id in was.keys() - kept if name in _lists_of(reader, after) or not after else ():
                same = key == self._value(table, lines.id.path, line_id, reader.times)
                db.execute(sa.delete(table.source).where(same, parent == own))

    def _insert(self, db: sa.Connection, table: Table, key: str, values: Mapping[str, Any]) -> Any:
        """Makes a row; returns its id as the database has it."""
        statement, own = sa.insert(table.source).values(dict(values)), table.column(key)
        if key in values:
            db.execute(statement)
            given = values[key]
            return given.value if isinstance(given, sa.BindParameter) else given
        if self._engine.dialect.insert_returning:
            return db.execute(statement.returning(sa.type_coerce(own, sa.types.NULLTYPE))).scalar_one()
        made = db.execute(statement).inserted_primary_key
        return made[0] if made else None

    def _stamped(self, reader: Reader, table: Table, after: Row, before: Row | None) -> dict[str, Any]:
        """The columns a write sets."""
        lists = {lines.path for _, lines in reader.lists() if lines.table}
        names = {paths.steps(path)[0] for path in lists if path}
        own = {key: value for key, value in after.items() if key not in names}
        values = self._values(table, own, before or {}, reader.times)
        for name, stamp in reader.entity.stamps.items():
            if stamp == "now":
                moment = reader.times.write(datetime.now(UTC) + timedelta(seconds=self.skew_seconds))
                values[name] = self._value(table, name, moment, reader.times)
            else:
                values[name] = sa.func.coalesce(table.column(name), 0) + 1 if before is not None else 1
        return values

    def _values(self, table: Table, row: Mapping[str, Json], before: Json, times: Times) -> dict[str, Any]:
        """What differs, by column."""
        held = before if isinstance(before, dict) else {}
        return {
            name: self._value(table, name, value, times)
            for name, value in row.items()
            if held.get(name, MISSING) != value
        }

    def _value(self, table: Table, name: str, value: Json, times: Times) -> Any:
        column = table.column(name)
        found = taken(column, value, times=times, typed=not self._untyped)
        return sa.literal(found, sa.types.NULLTYPE) if self._untyped and found is not None else found

    def _modified(self, reader: Reader, table: Table) -> sa.ColumnElement[Any]:
        columns = [
            sa.type_coerce(table.column(path), sa.types.NULLTYPE) for path in reader.entity.modified_at
        ]
        return columns[0] if len(columns) == 1 else sa.func.coalesce(*columns)

    def _moment(self, reader: Reader, table: Table, since: datetime) -> Any:
        name = reader.entity.modified_at[0]
        return self._value(table, name, reader.times.since(since), reader.times)

    def _one(self, db: sa.Connection, reader: Reader, record_id: str, *, lock: bool = False) -> Row | None:
        table = self._tables.read(reader.entity)
        try:
            wanted = self._value(table, reader.entity.id.path, record_id, reader.times)
        except ValueError:  # no id of this kind can be there
            return None
        query = table.query().where(table.column(reader.entity.id.path) == wanted)
        if lock and table.stored:
            query = query.with_for_update()
        found = db.execute(query).mappings().all()
        table.check_alone(reader.entity.id.path, found)
        rows = self._joined(db, reader, table, found)
        return rows[0] if rows else None

    def _joined(
        self, db: sa.Connection, reader: Reader, table: Table, found: Sequence[sa.RowMapping]
    ) -> list[Row]:
        """Rows with their lines."""
        rows = [table.row(one) for one in found]
        own = [one[reader.entity.id.path] for one in found]
        for _, lines in reader.lists():
            if lines.table is None:
                continue
            below, of = self._tables.named(lines.table), f"{table.name}.{reader.entity.id.path}"
            listed = below.entries(db, lines, own, of=of) if own else {}
            for row, key in zip(rows, own, strict=True):
                paths.put(row, lines.path or "", listed.get(key, []))
        return rows

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        try:
            engine, level = self._engine, SNAPSHOTS.get(self._url.get_backend_name())
            with (engine.execution_options(isolation_level=level) if level else engine).connect() as db:
                yield db
        except exc.DBAPIError as error:
            if isinstance(error, exc.ProgrammingError) and not error.connection_invalidated:
                raise ConfigurationFault(f"{self.name}: {error.orig}") from None
            raise UnavailableFault(
                f"{self.name} gives no usable answer ({self._setting}): {str(error.orig).strip()}"
            ) from None

    def _not_done(self, error: exc.DBAPIError, *, committing: bool) -> NotDoneError:
        """What an error means for the change: until it was to be committed, nothing of it is there."""
        said = redacted(str(error.orig).strip())
        if committing and (error.connection_invalidated or isinstance(error, exc.OperationalError)):
            return PerhapsDoneError(said)
        if error.connection_invalidated or isinstance(error, exc.OperationalError | exc.InterfaceError):
            return NotDoneError(said)
        return RefusedError(said, about_another=isinstance(error, exc.IntegrityError))


def _lists_of(reader: Reader, after: Row) -> set[str]:
    return {
        name for name, lines in reader.lists() if lines.path and paths.get(after, lines.path) is not MISSING
    }


def _by_itself(connection: Any, _record: object) -> None:
    """SQLite's driver begins no transaction of its own: a record and its lines are read as of one moment."""
    connection.isolation_level = None


def _begin(db: sa.Connection) -> None:
    """Whoever is to write waits here, and not where another has read what is then overwritten."""
    db.exec_driver_sql("begin immediate" if db.get_execution_options().get("to_write") else "begin")
