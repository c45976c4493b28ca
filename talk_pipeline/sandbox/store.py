"""Records in memory for reading, written through to one SQLite file.

One thread owns a store: the event loop that serves both systems. Rows are plain dicts that are replaced and
never edited in place, so undoing a transaction means putting the old row objects back. Every outermost
transaction is one commit; a process killed between two requests loses nothing.

What a row means, and which rows a set may hold, is up to the servers.
"""

from __future__ import annotations

import sqlite3
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from talk_pipeline.sandbox import wire
from talk_pipeline.sandbox.errors import SandboxError

Row = dict[str, Any]
OrderKey = tuple[Any, ...]

_LAYOUT = 1


@dataclass(frozen=True, slots=True)
class Change:
    """One row before and after a committed transaction; None stands for "was not there"."""

    table: str
    old: Row | None
    new: Row | None


class Table:
    """The rows of one set: by id, in key order, and by the values of a few indexed properties."""

    def __init__(self, name: str, *, order: Callable[[Row], OrderKey], indexed: Sequence[str] = ()) -> None:
        self.name = name
        self.rows: dict[str, Row] = {}
        self._order = order
        self._sorted: list[tuple[OrderKey, str]] = []
        self._indexes: dict[str, dict[Any, dict[str, None]]] = {name: {} for name in indexed}

    def __len__(self) -> int:
        return len(self.rows)

    def get(self, key: str) -> Row | None:
        """The row with that id."""
        return self.rows.get(key)

    def indexes(self, name: str) -> bool:
        """Whether `find` answers for that property."""
        return name in self._indexes

    def find(self, name: str, value: Any) -> list[Row]:
        """Rows whose indexed property holds the value, in key order."""
        ids = self._indexes[name].get(value)
        if not ids:
            return []
        rows = [self.rows[key] for key in ids]
        if len(rows) > 1:
            rows.sort(key=self._order)
        return rows

    def first(self, name: str, value: Any) -> Row | None:
        """The first such row, or None."""
        found = self.find(name, value)
        return found[0] if found else None

    def in_order(self, *, after: OrderKey | None = None) -> Iterator[Row]:
        """Rows in key order, from just behind a key on."""
        start = bisect_right(self._sorted, after, key=lambda entry: entry[0]) if after is not None else 0
        for position in range(start, len(self._sorted)):
            yield self.rows[self._sorted[position][1]]

    def order_key(self, row: Row) -> OrderKey:
        """What the table sorts the row by."""
        return self._order(row)

    def place(self, row: Row) -> None:
        """Put the row in, replacing the one with its id."""
        key = row["id"]
        self.remove(key)
        self.rows[key] = row
        insort(self._sorted, (self._order(row), key))
        for name, index in self._indexes.items():
            index.setdefault(row.get(name), {})[key] = None

    def remove(self, key: str) -> None:
        """Take the row out, if it is there."""
        row = self.rows.pop(key, None)
        if row is None:
            return
        entry = (self._order(row), key)
        del self._sorted[bisect_left(self._sorted, entry)]
        for name, index in self._indexes.items():
            ids = index[row.get(name)]
            del ids[key]
            if not ids:
                del index[row.get(name)]


class Store:
    """All tables of both systems and the file behind them; without a path nothing is written.

    Attributes:
        fresh: whether there was nothing to go on with when the store was opened.
    """

    def __init__(self, path: Path | None) -> None:
        self._tables: dict[str, Table] = {}
        self._undo: list[tuple[Table, str, Row | None]] = []
        self._depth = 0
        self._listeners: list[Callable[[list[Change]], None]] = []
        self._loaded: dict[str, list[Row]] = {}
        self._db = _open(path) if path is not None else None
        if self._db is not None:
            for place, body in self._db.execute("SELECT place, body FROM record"):
                self._loaded.setdefault(place, []).append(wire.read(body))
        self.fresh = not self._loaded

    def table(
        self,
        name: str,
        *,
        order: Callable[[Row], OrderKey] = lambda row: (row["id"],),
        indexed: Sequence[str] = (),
        restore: Callable[[Row], Row] = lambda row: row,
    ) -> Table:
        """The table of that name, made and filled from the file when first asked for.

        Args:
            name: place of the rows in the file.
            order: the key the rows are kept sorted by.
            indexed: properties that `Table.find` answers for.
            restore: turns a row as kept in the file back into the one that was put.
        """
        if name not in self._tables:
            table = self._tables[name] = Table(name, order=order, indexed=indexed)
            for row in self._loaded.pop(name, []):
                table.place(restore(row))
        return self._tables[name]

    def listen(self, listener: Callable[[list[Change]], None]) -> None:
        """Call back after each commit with what changed."""
        self._listeners.append(listener)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; an inner transaction undoes only its own part, the outermost one commits."""
        mark = len(self._undo)
        self._depth += 1
        try:
            yield
        except BaseException:
            self._roll_back(mark)
            raise
        finally:
            self._depth -= 1
        if self._depth == 0:
            self._commit()

    def put(self, table: Table, row: Row) -> None:
        """Insert or replace a row inside a transaction."""
        self._remember(table, row["id"])
        table.place(row)

    def drop(self, table: Table, key: str) -> None:
        """Delete a row inside a transaction."""
        self._remember(table, key)
        table.remove(key)

    def clear(self, prefix: str) -> None:
        """Delete every row of the tables whose name begins so."""
        for name, table in self._tables.items():
            if name.startswith(prefix):
                for key in list(table.rows):
                    self.drop(table, key)

    def copy(self, prefix: str) -> dict[str, list[Row]]:
        """The rows of the tables whose name begins so."""
        return {
            name: list(table.rows.values()) for name, table in self._tables.items() if name.startswith(prefix)
        }

    def put_back(self, prefix: str, copy: Mapping[str, Sequence[Row]]) -> None:
        """Replace the rows of those tables by the ones copied before, inside a transaction."""
        self.clear(prefix)
        for name, rows in copy.items():
            for row in rows:
                self.put(self._tables[name], row)

    def close(self) -> None:
        """Let go of the file."""
        if self._db is not None:
            self._db.close()
            self._db = None

    def _remember(self, table: Table, key: str) -> None:
        if not self._depth:
            raise AssertionError("a write outside a transaction")
        self._undo.append((table, key, table.get(key)))

    def _roll_back(self, mark: int) -> None:
        while len(self._undo) > mark:
            table, key, old = self._undo.pop()
            if old is None:
                table.remove(key)
            else:
                table.place(old)

    def _commit(self) -> None:
        before: dict[tuple[str, str], tuple[Table, Row | None]] = {}
        for table, key, old in self._undo:
            before.setdefault((table.name, key), (table, old))
        self._undo.clear()
        changes = [
            Change(name, old, table.get(key))
            for (name, key), (table, old) in before.items()
            if old is not table.get(key)
        ]
        if not changes:
            return
        if self._db is not None:
            self._write(self._db, changes)
        for listener in self._listeners:
            listener(changes)

    def _write(self, db: sqlite3.Connection, changes: list[Change]) -> None:
        gone = ((c.table, c.old["id"]) for c in changes if c.new is None and c.old is not None)
        stored = ((c.table, c.new["id"], wire.keep(c.new)) for c in changes if c.new is not None)
        try:
            with db:
                db.executemany("DELETE FROM record WHERE place = ? AND id = ?", gone)
                db.executemany("INSERT OR REPLACE INTO record VALUES (?, ?, ?)", stored)
        except sqlite3.Error as error:
            raise SandboxError(f"the sandbox could not write its state file: {error}") from error


def _open(path: Path) -> sqlite3.Connection:
    """Open or create the state file, for this process alone."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(path, timeout=0.5, check_same_thread=False)
        # One writer by design: a second sandbox on the same file is told so instead of mixing its records in.
        db.execute("PRAGMA locking_mode = EXCLUSIVE")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute("BEGIN IMMEDIATE")
        layout = db.execute("PRAGMA user_version").fetchone()[0]
        tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if layout not in (0, _LAYOUT) or (layout == 0 and tables):
            db.close()
            raise SandboxError(
                f"{path} is not a state file this version of the sandbox can read; use another --state"
            )
        db.execute(
            "CREATE TABLE IF NOT EXISTS record"
            " (place TEXT, id TEXT, body BLOB, PRIMARY KEY (place, id)) WITHOUT ROWID"
        )
        db.execute(f"PRAGMA user_version = {_LAYOUT}")
        db.commit()
    except (sqlite3.Error, OSError) as error:
        is_busy = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY
        reason = "another sandbox is using it" if is_busy else str(error)
        raise SandboxError(f"the sandbox cannot use the state file {path}: {reason}") from error
    return db
