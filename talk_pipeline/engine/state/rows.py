"""Rows of the state's tables, written by column name and read back as what they are declared to be.

The declarations are in `state.tables`. Columns travel as lists: one parameter a column, whatever they hold.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import Enum
from operator import attrgetter
from typing import Any, ClassVar, TypeVar, get_type_hints

import msgspec

from talk_pipeline.engine.state.connection import Connection, Cursor

FETCHED_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table; a declaration names the table, its fields are columns."""

    TABLE: ClassVar[str]


R = TypeVar("R", bound=Row)


def insert(db: Connection, rows: Sequence[Row]) -> None:
    """Appends rows of one kind to their table, as one statement."""
    if rows:
        columns = {name: list(map(attrgetter(name), rows)) for name in _columns(type(rows[0]))}
        insert_columns(db, rows[0].TABLE, columns)


def insert_columns(db: Connection, table: str, columns: Mapping[str, Sequence[Any]]) -> None:
    """Appends rows given by column; one that is not named stays null. Nested values are objects or JSON text."""
    if not any(columns.values()):
        return
    types = {name: kind for name, kind in db.types(table).items() if name in columns}
    if unknown := set(columns) - set(types):
        raise KeyError(f"{table} has no column {', '.join(sorted(unknown))}")
    listed = {name: _plain(columns[name], kind) for name, kind in types.items()}
    # what is the same in every row is handed over once: a value costs as much as a comparison of a hundred
    same = {name for name, values in list(listed.items())[1:] if values.count(values[0]) == len(values)}
    given = [values[0] if name in same else values for name, values in listed.items()]
    unnested = ", ".join(
        f"${at}::{_given(kind)}" if name in same else f"unnest(${at}::{_given(kind)}[])"
        for at, (name, kind) in enumerate(types.items(), 1)
    )
    selected = ", ".join(
        _restored(f"c{at}", kind, names=_names_in(columns[name], kind))
        for at, (name, kind) in enumerate(types.items())
    )
    named = ", ".join(f"c{at}" for at in range(len(types)))
    db.execute(
        f"insert into {table} ({', '.join(types)}) select {selected} from (select {unnested}) as t({named})",
        given,
    )


def select(
    db: Connection, kind: type[R], where: str = "", parameters: Mapping[str, object] | None = None
) -> list[R]:
    """The rows of a table that meet a condition, as what they are declared to be.

    Args:
        db: the state.
        kind: the declaration.
        where: what follows the table's name, such as `where part = $part order by shop_id`.
        parameters: of the condition.
    """
    readers = _readers(kind)
    query = f"select {', '.join(readers)} from {kind.TABLE} {where}"
    found = db.execute(query, dict(parameters or {})).fetchall()
    return [
        kind(**{name: _read(readers[name], value) for name, value in zip(readers, row, strict=True)})
        for row in found
    ]


def is_any(db: Connection, those: str, parameters: Mapping[str, object] | None = None) -> bool:
    """Whether there is any of these, as far as a query says which from its `from` on.

    Asked before what would cost more: a statement that writes has the checks look anew, also where it finds none.
    """
    return db.execute(f"select 1 {those} limit 1", dict(parameters or {})).fetchone() is not None


def rows_of(db: Connection, query: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of a query by column name; parameters it does not use are left out."""
    return list(named_rows(db.execute(query, used_in(query, parameters))))


def used_in(query: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that a statement uses: one that it does not use is an error to the database."""
    return {key: value for key, value in parameters.items() if f"${key}" in query}


def named_rows(result: Cursor) -> Iterator[dict[str, Any]]:
    """The rows of a result by column name, some thousands at a time; meanwhile no other statement may run there."""
    names = [column[0] for column in result.description]
    while rows := result.fetchmany(FETCHED_ROWS):
        for row in rows:
            yield dict(zip(names, row, strict=True))


def _columns(kind: type[Row]) -> list[str]:
    return [one.name for one in fields(kind)]


_READERS: dict[type[Row], dict[str, type[Enum] | None]] = {}


def _readers(kind: type[Row]) -> dict[str, type[Enum] | None]:
    """By column, the enum its values are of."""
    if kind not in _READERS:
        hints = get_type_hints(kind)
        _READERS[kind] = {name: _enum_of(hints[name]) for name in _columns(kind)}
    return _READERS[kind]


def _read(enum: type[Enum] | None, value: Any) -> Any:
    return value if enum is None or value is None else enum(value)


def _enum_of(hint: Any) -> type[Enum] | None:
    for one in (hint, *getattr(hint, "__args__", ())):
        if isinstance(one, type) and issubclass(one, Enum):
            return one
    return None


def _plain(values: Sequence[Any], kind: str) -> list[Any]:
    """Nested values travel as JSON text."""
    if not _is_nested(kind):
        return list(values)
    return [
        value if value is None or isinstance(value, str) else msgspec.json.encode(value).decode()
        for value in values
    ]


def _is_nested(kind: str) -> bool:
    return kind.startswith(("MAP", "JSON")) or kind.endswith("[]")


def _given(kind: str) -> str:
    return "varchar" if _is_nested(kind) else kind


def _restored(column: str, kind: str, *, names: Sequence[str]) -> str:
    """The column as what it is to be; a map by way of a struct where all rows have the same names.

    DuckDB looks whether any name of any map is there twice, which is five sixths of the cost; the names of a struct
    are known to be different.
    """
    if names:
        shape = msgspec.json.encode(dict.fromkeys(names, "VARCHAR")).decode().replace("'", "''")
        return f"from_json({column}, '{shape}')::{kind}"
    return f"{column}::json::{kind}" if kind.startswith("MAP") or kind.endswith("[]") else column


def _names_in(values: Sequence[Any], kind: str) -> list[str]:
    """The names that all of these texts by name have, in the same order; nothing where any has others."""
    first = values[0] if kind == "MAP(VARCHAR, VARCHAR)" else None
    if not isinstance(first, dict) or len({name.casefold() for name in first}) < len(first):
        return []  # to a struct names that differ only in case are one
    names = list(first)
    alike = all(isinstance(value, dict) and list(value) == names for value in values)
    return names if alike else []
