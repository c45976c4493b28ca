"""A record's shape on the wire: a table of entries that each show a part of a record and read it back.

Two laws hold for every entry. What comes back as it was shown changes nothing, however much the form on the wire
had cut off. And reading says only what the document names, so that a partial update stays partial; only a
`whole` one makes blanks of what is missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from talk_pipeline.sandbox.customwebshop.errors import invalid, no_field
from talk_pipeline.sandbox.customwebshop.profiles.forms import SAME, Form
from talk_pipeline.sandbox.store import Row

_LINE = re.compile(r"lines\[(\d+)\]\.?(.*)")


class Entry(Protocol):
    """A part of a shape."""

    @property
    def wires(self) -> tuple[str, ...]:
        """Where it stands on the wire, as dotted paths."""

    def show(self, row: Row, about: Row, document: Row) -> None:
        """Put its part of a record into a document."""

    def read(
        self, document: Mapping[str, Any], current: Row, about: Row, values: Row, *, whole: bool
    ) -> None:
        """Put what the document says into the values to write; raises `ShopError`."""

    def named(self, field: str) -> str | None:
        """What it calls that field of the record, if it is its own."""


@dataclass(frozen=True, slots=True)
class Plain:
    """One value in one place.

    Attributes:
        wire: its dotted path on the wire.
        field: its dotted path in the record.
        form: how it is told on the wire.
        fixed: whether the shop works it out; what a document says of it must be what was shown.
        lax: whether what a document says of a fixed one does not matter.
        missing: what a whole update that leaves it out makes of it.
    """

    wire: str
    field: str
    form: Form = SAME
    fixed: bool = False
    lax: bool = False
    missing: Any = None

    @property
    def wires(self) -> tuple[str, ...]:
        """Its one place."""
        return (self.wire,)

    def wire_value(self, row: Row, about: Row) -> Any:
        """Its value on the wire."""
        value = look(row, self.field)[1]
        return self.form.blank if value is None else self.form.show(value, about)

    def show(self, row: Row, about: Row, document: Row) -> None:
        """Put the value where it belongs."""
        put(document, self.wire, self.wire_value(row, about))

    def read(
        self, document: Mapping[str, Any], current: Row, about: Row, values: Row, *, whole: bool
    ) -> None:
        """Take the value over if it is another than was shown."""
        named, raw = look(document, self.wire)
        if not named:
            if whole and not self.fixed:
                put(values, self.field, self.missing)
            return
        if self.lax or same(raw, self.wire_value(current, about)):
            return
        if self.fixed:
            raise invalid(self.wire, f"{self.wire} is set by the shop and cannot be written.")
        put(values, self.field, self._taken(raw, about))

    def named(self, field: str) -> str | None:
        """Its place, if the field is its own."""
        return self.wire if field == self.field else None

    def _taken(self, raw: Any, about: Row) -> Any:
        if raw is None or raw == self.form.blank:
            return None
        try:
            return self.form.read(raw, about)
        except (ValueError, TypeError, ArithmeticError) as error:
            raise invalid(self.wire, f"{self.wire} is not valid. {error}") from error


@dataclass(frozen=True, slots=True)
class Name:
    """A contact's name in two places: the first word, and the others."""

    first: str
    last: str
    field: str = "contact_name"

    @property
    def wires(self) -> tuple[str, ...]:
        """Both places."""
        return (self.first, self.last)

    def show(self, row: Row, about: Row, document: Row) -> None:
        """Part the name."""
        for wire, part in zip(self.wires, self._parts(row), strict=True):
            put(document, wire, part)

    def read(
        self, document: Mapping[str, Any], current: Row, about: Row, values: Row, *, whole: bool
    ) -> None:
        """Join the name; a part that is not named stays."""
        parts = ["", ""] if whole else [*self._parts(current)]
        for position, wire in enumerate(self.wires):
            named, raw = look(document, wire)
            if named:
                if raw is not None and not isinstance(raw, str):
                    raise invalid(wire, f"{wire} is text.")
                parts[position] = raw or ""
        if tuple(parts) != self._parts(current):
            values[self.field] = " ".join(part for part in parts if part) or None

    def named(self, field: str) -> str | None:
        """Its last part stands for both."""
        return self.last if field == self.field else None

    def _parts(self, row: Row) -> tuple[str, str]:
        first, _, last = str(row.get(self.field) or "").partition(" ")
        return first, last


class Lines:
    """The lines of an order inside it, written as a whole list and matched by their id.

    Args:
        wire: where the list stands.
        shape: the shape of a line.
        key: where a line has its id.
        form: the form of that id.
    """

    def __init__(self, wire: str, shape: Shape, *, key: str = "id", form: Form = SAME) -> None:
        self.wire = wire
        self._shape = shape
        self._id = Plain(key, "id", form)

    @property
    def wires(self) -> tuple[str, ...]:
        """Its one place."""
        return (self.wire,)

    def show(self, row: Row, about: Row, document: Row) -> None:
        """Show every line."""
        put(document, self.wire, [self.show_line(line, about) for line in row["lines"]])

    def show_line(self, line: Row, about: Row) -> Row:
        """One line."""
        return {self._id.wire: self._id.wire_value(line, about), **self._shape.show(line, about)}

    def read(
        self, document: Mapping[str, Any], current: Row, about: Row, values: Row, *, whole: bool
    ) -> None:
        """Read every line that is named; the others go."""
        named, raw = look(document, self.wire)
        if not named:
            if whole:
                values["lines"] = []
            return
        if not isinstance(raw, list):
            raise invalid(self.wire, f"{self.wire} is a list.")
        values["lines"] = [
            self.line(entry, current, about, where=f"{self.wire}[{position}]", whole=whole)
            for position, entry in enumerate(raw)
        ]

    def line(self, entry: Any, current: Row, about: Row, *, where: str, whole: bool = False) -> Row:
        """One line to write, with its id if it has one."""
        if not isinstance(entry, Mapping):
            raise invalid(where, f"{where} is an object.")
        values: Row = {}
        self._id.read(entry, {}, about, values, whole=False)
        old: Row = next((line for line in current.get("lines") or () if line["id"] == values.get("id")), {})
        rest = {name: value for name, value in entry.items() if name != self._id.wire}
        return values | self._shape.read(rest, old, about=about, whole=whole)

    def named(self, field: str) -> str | None:
        """The place of a line's field, or of the list."""
        found = _LINE.fullmatch(field)
        if found:
            return f"{self.wire}[{found[1]}]" + (f".{self._shape.named(found[2])}" if found[2] else "")
        return self.wire if field == "lines" else None


class Shape:
    """All entries of a record.

    Args:
        entries: the table.
        strict: whether a field that is not in the table is refused; else it is ignored, and so is a fixed one.
    """

    def __init__(self, *entries: Entry, strict: bool = True) -> None:
        self.entries = entries
        self._strict = strict
        self._leaves = {wire for entry in entries for wire in entry.wires}
        self._inner = {wire[: place.start()] for wire in self._leaves for place in re.finditer(r"\.", wire)}

    def show(self, row: Row, about: Row | None = None) -> Row:
        """The record on the wire."""
        document: Row = {}
        for entry in self.entries:
            entry.show(row, row if about is None else about, document)
        return document

    def read(
        self,
        document: Mapping[str, Any],
        current: Row | None,
        *,
        about: Row | None = None,
        whole: bool = False,
    ) -> Row:
        """What to write of a document, in the names of the record.

        Args:
            document: what came over the wire.
            current: the record as it is; None for a new one.
            about: the record that values are told in terms of, if it is another one.
            whole: whether what the document leaves out is to become blank.

        Raises:
            ShopError: if an entry does not take what stands in its place.
        """
        current = current or {}
        if self._strict:
            for wire in _paths(document, self._inner):
                if wire not in self._leaves:
                    raise no_field(wire)
        values: Row = {}
        for entry in self.entries:
            if self._strict or not _fixed(entry):
                entry.read(document, current, current if about is None else about, values, whole=whole)
        return values

    def named(self, field: str) -> str:
        """What the field of a record is called on the wire; its own name if it is not there."""
        found = [(entry, name) for entry in self.entries if (name := entry.named(field))]
        return next((name for _, name in sorted(found, key=lambda e: _fixed(e[0]))), field)


def look(document: Mapping[str, Any], path: str) -> tuple[bool, Any]:
    """Whether a document names a dotted path, and the value there; null stands for all that is below it."""
    value: Any = document
    for step in path.split("."):
        if value is None:
            return True, None
        if not isinstance(value, Mapping):
            raise invalid(path, f"{path} is not where an object belongs.")
        if step not in value:
            return False, None
        value = value[step]
    return True, value


def put(document: Row, path: str, value: Any) -> None:
    """Set the value at a dotted path."""
    *steps, last = path.split(".")
    for step in steps:
        document = document.setdefault(step, {})
    document[last] = value


def same(one: Any, other: Any) -> bool:
    """Whether two values on the wire are one; 1 is not true."""
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def _fixed(entry: Entry) -> bool:
    return isinstance(entry, Plain) and entry.fixed


def _paths(document: Mapping[str, Any], inner: set[str], prefix: str = "") -> Iterator[str]:
    for name, value in document.items():
        path = prefix + name
        if path not in inner:
            yield path
        elif isinstance(value, Mapping):
            yield from _paths(value, inner, f"{path}.")
