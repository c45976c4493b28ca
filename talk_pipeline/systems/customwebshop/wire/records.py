"""Reading the records of one entity: id, version, modified time and values, wherever this shop has them."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

import msgspec

from talk_pipeline.engine.model import Child, Contents, Record
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.values import Value, tidy, upper
from talk_pipeline.flows.vocabulary import Flow
from talk_pipeline.systems.customwebshop.spec import paths
from talk_pipeline.systems.customwebshop.spec.description import Entity
from talk_pipeline.systems.customwebshop.spec.fields import Field
from talk_pipeline.systems.customwebshop.spec.lines import FieldSet, Lines
from talk_pipeline.systems.customwebshop.spec.paths import MISSING, Json, JsonOrMissing
from talk_pipeline.systems.customwebshop.spec.places import header_of, read_place
from talk_pipeline.systems.customwebshop.spec.times import Times
from talk_pipeline.systems.errors import UnavailableFault

APART = "@children"
"""Where a record's payload keeps lists that came from a path of their own; everything else is as received."""

SINGLE = "1"
"""The id of the only entry that properties of the record are."""


_decoder = msgspec.json.Decoder(float_hook=Decimal)


def parse(text: str | bytes) -> Json:
    """JSON with every fraction as it was written.

    Raises:
        ValueError: it is none.
    """
    found: Json
    try:
        found = _decoder.decode(text)  # a fifth of what Python's own takes, and the same wherever it is read
    except ValueError:
        found = json.loads(text, parse_float=Decimal)  # which takes more for JSON, and says what is wrong
    return found


class Sought:
    """Ids of records by the values that are looked for; a value in another case is no other."""

    def __init__(self, values: Sequence[str]) -> None:
        self._wanted = {upper(value): value for value in values}
        self.ids: dict[str, list[str]] = {}

    def meant(self, said: Value) -> str | None:
        """The value that a record says, if it is one of them."""
        return self._wanted.get(upper(tidy(said) or ""))

    def note(self, value: str, record: Record) -> None:
        """A record that says it: one that was deleted does not count, and none counts twice."""
        if not record.deleted and record.id not in self.ids.get(value, ()):
            self.ids.setdefault(value, []).append(record.id)


class Fields(dict[str, Field]):
    """The fields of a record, or of an entry, by property.

    Attributes:
        ways: each with the names on the way to its value, where that is what stands there and no more, as of nearly
            all: what a field is would else be asked anew of every record.
    """

    def __init__(self, fields: Mapping[str, Field], *, nothing: Json) -> None:
        super().__init__(fields)
        ways = {name: _way(field, name) for name, field in fields.items() if nothing is None}
        self.ways = [(name, field, ways.get(name)) for name, field in fields.items()]


def _way(field: Field, name: str) -> tuple[str, ...] | None:
    steps = paths.steps(field.path or name) if field.by_itself else ()
    names = tuple(step for step in steps if isinstance(step, str))
    return names if names and len(names) == len(steps) else None


class Reader:
    """One flow's records.

    Attributes:
        nothing: what stands where nothing is, but of what is true or false itself.
        skew_seconds: how far the shop's clock is ahead of ours, as its system measures it.
    """

    def __init__(
        self,
        flow: Flow,
        entity: Entity,
        times: Times,
        *,
        address: str = "",
        skew_seconds: Callable[[], float] = float,
    ) -> None:
        self.flow = flow
        self._said = entity
        self.entity = entity.at_home(address)
        self.nothing = False if entity.blank is False else None
        self._address = address
        self.times = times
        self.skew_seconds = skew_seconds
        self.optional = {part.paths[Side.SHOP] for part in flow.parts[1:] if part.optional}
        told = self._told(self.entity, flow.fields(flow.root, Side.SHOP))
        self._root = Fields(told, nothing=self.nothing)
        self._children: dict[str, tuple[Lines, Fields]] = {}
        for part in flow.parts[1:]:
            path = part.paths[Side.SHOP]
            if part.optional and path not in self.entity.children:
                continue
            lines = self.entity.children.get(path) or Lines(path=path)
            told = self._told(lines, flow.fields(part, Side.SHOP))
            self._children[path] = (lines, Fields(told, nothing=self.nothing))

    def _told(self, said: FieldSet, names: tuple[str, ...]) -> dict[str, Field]:
        """The fields of these properties, as this shop writes texts."""
        fields = _ordered(said.fields, names, said.field)
        fields = {name: field.at_home(self._address) for name, field in fields.items()}
        if self.entity.texts == "plain":
            return fields
        return {name: field.but(type="html") if field.is_text else field for name, field in fields.items()}

    @cached_property
    def reading(self) -> str:
        """Changes with what the description says."""
        return hashlib.sha256(self._said.model_dump_json().encode()).hexdigest()[:16]

    def record(self, payload: str, *, headers: Mapping[str, str] | None = None) -> Record:
        """A record as received, with what the engine needs to know of it.

        Raises:
            UnavailableFault: there is no id where the description says.
        """
        return self.told(payload, parse(payload), headers=headers)

    def told(self, payload: str, data: Json, *, headers: Mapping[str, str] | None = None) -> Record:
        """The same of one that is parsed already."""
        entity = self.entity
        record_id = entity.id.read(data)
        if record_id is None:
            raise UnavailableFault(f"{entity.path}: a record has no {entity.id}: {payload[:200]}")
        return Record(
            id=record_id,
            version=self._version(data, headers),
            modified_at=self.modified_at(data),
            deleted=self._deleted(data),
            payload=payload,
        )

    def modified_at(self, data: Json) -> datetime | None:
        """When a record was modified: by the first place that tells."""
        return self.passed(self._stamp(data, self.entity.modified_at))

    def stamps(self, rows: Iterable[Json]) -> dict[str, datetime]:
        """When those records were modified that say so, by their ids."""
        told = ((self.entity.id.read(row), self.modified_at(row)) for row in rows)
        return {key: at for key, at in told if key is not None and at is not None}

    def passed(self, stamp: JsonOrMissing) -> datetime | None:
        """A moment that has passed in the shop; one that can be two is the later of those that have."""
        return self.times.read(stamp, until=self._shops_now)

    def _shops_now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.skew_seconds())

    def _stamp(self, data: Json, places: Sequence[str]) -> JsonOrMissing:
        for path in places:
            stamp = paths.get(data, path)
            if stamp is not self.nothing and paths.text_of(stamp) is not None:
                return stamp
        return None

    def contents(self, payload: str) -> Contents:
        """The values and children of a record."""
        data = parse(payload)
        values = self.values(data)
        children = {
            path: tuple(
                Child(row_id(lines, row, at), None, self._read(row, fields, known=values))
                for at, row in enumerate(rows_of(data, path, lines))
                if lines.meant(row)
            )
            for path, (lines, fields) in self._children.items()
        }
        created = self.entity.created
        return Contents(
            values, children, made_at=self.times.read(self._stamp(data, [created])) if created else None
        )

    def values(self, data: Json) -> dict[str, Value]:
        """The values of a record."""
        return self._read(data, self._root, known={})

    def line_values(self, path: str, row: Json, *, root: Mapping[str, Value]) -> dict[str, Value]:
        """The values of one child."""
        return self._read(row, self._children[path][1], known=root)

    def fields(self, path: str | None = None) -> Mapping[str, Field]:
        """How the flow's properties are told, of the record or of one of its lists."""
        return self._children[path][1] if path else self._root

    def writable(self, names: Iterable[str], path: str | None = None) -> list[str]:
        """Those of the properties that the shop takes, of the record or of one of its lists."""
        fields = self.fields(path)
        return [name for name in names if name in fields and fields[name].writable]

    def hidden(self, data: Json, *, other: Json) -> list[str]:
        """Places that one reading of a record shows and another does not: there it is blank by no one's edit."""
        found = [*_hidden(self._root, [data], [other])]
        for path, (lines, fields) in self._children.items():
            if lines.single:
                found += _hidden(fields, [data], [other])
            if lines.path is None:
                continue
            if paths.get(data, lines.path) is MISSING and paths.get(other, lines.path) is not MISSING:
                found.append(lines.path)
                continue
            rows = rows_of(data, path, lines)
            found += [f"{lines.path}[].{at}" for at in _hidden(fields, rows, rows_of(other, path, lines))]
        return found

    def lists(self) -> Iterator[tuple[str, Lines]]:
        """The record's lists by the name the flow has for them."""
        for path, (lines, _) in self._children.items():
            yield path, lines

    def _read(self, data: Json, fields: "Fields", *, known: Mapping[str, Value]) -> dict[str, Value]:
        values: dict[str, Value] = {}
        for name, field, way in fields.ways:
            if way is None:
                seen = {**known, **values} if not field.as_it_is and known else values
                values[name] = field.read(data, name, known=seen, times=self.times, nothing=self.nothing)
                continue
            found: Any = data
            for step in way:
                found = found.get(step) if type(found) is dict else None
            values[name] = (found or None) if type(found) is str else paths.text_of(found)
        return values

    def _version(self, data: Json, headers: Mapping[str, str] | None) -> str | None:
        version = self.entity.version
        if version is None or (header_of(version.at) and headers is None):
            return None
        return read_place(version.at, headers or {}, data)

    def _deleted(self, data: Json) -> bool:
        deleted = self.entity.deleted
        if deleted is None or deleted.at is None:
            return False
        value = paths.text_of(paths.get(data, deleted.at))
        return value in deleted.values if deleted.values else value not in (None, "false")


def rows_of(data: Json, name: str, lines: Lines) -> list[Json]:
    """The entries of a record's list."""
    if lines.single:
        return [data]
    if lines.path is None:
        apart = data.get(APART) if isinstance(data, dict) else None
        found: JsonOrMissing = apart.get(name) if isinstance(apart, dict) else None
    else:
        found = paths.get(data, lines.path)
    if isinstance(found, dict):  # entries by their ids
        found = list(found.values())
    rows = found if isinstance(found, list) else []
    if lines.element is None or lines.path is None:
        return rows
    inner = (paths.get(row, lines.element) for row in rows)
    return [row for row in inner if row is not MISSING]  # which none is: reading checks that


def row_id(lines: Lines, row: Json, at: int) -> str:
    """The id of a list's entry; its position where entries have none."""
    return SINGLE if lines.single else lines.id.read(row) or str(at)


def with_part(payload: str, name: str, part: str | None) -> str:
    """A record with something from elsewhere joined to it."""
    return payload if part is None else _extended(payload, f"@{name}", part)


def with_rows(payload: str, rows: Mapping[str, str]) -> str:
    """A record with lists from elsewhere joined to it."""
    if not rows:
        return payload
    joined = ",".join(f"{json.dumps(name)}:{text}" for name, text in rows.items())
    return _extended(payload, APART, f"{{{joined}}}")


def _extended(payload: str, name: str, value: str) -> str:
    text = payload.rstrip()[:-1].rstrip()
    return f"{text}{'' if text.endswith('{') else ','}{json.dumps(name)}:{value}}}"


def _hidden(fields: Mapping[str, Field], rows: list[Json], other: list[Json]) -> Iterator[str]:
    for source in (source for name, field in fields.items() for source in field.sources(name)):
        present = any(paths.get(row, source) is not MISSING for row in other)
        if rows and present and all(paths.get(row, source) is MISSING for row in rows):
            yield source


def _ordered(
    declared: Mapping[str, Field | None], names: tuple[str, ...], field_of: Callable[[str], Field | None]
) -> dict[str, Field]:
    """The fields of these properties, those that others depend on first."""
    fields = {name: field for name in names if (field := field_of(name)) is not None}
    needed = {name for field in fields.values() for name in (*field.inputs, field.currency) if name}
    for name in needed - set(fields):
        if (field := declared.get(name)) is not None:
            fields[name] = field
    first = [name for name in fields if name in needed]
    ready = sorted(first, key=lambda name: len(fields[name].inputs))
    return {name: fields[name] for name in [*ready, *(n for n in fields if n not in needed)]}
