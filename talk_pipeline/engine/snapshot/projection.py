"""Payload -> what a flow reads in it: raw and canonical values, problems, and a hash of it all.

Done once, when a record lands. A value that the other side cannot represent becomes a problem of that
property of that record, with the reason; it stops nothing here.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import ClassVar

import msgspec

from talk_pipeline.engine.kinds import Gone
from talk_pipeline.engine.model import Child, Contents, Decode
from talk_pipeline.engine.snapshot.columns import Column, Company, read
from talk_pipeline.engine.state.connection import Connection
from talk_pipeline.engine.state.rows import Row, insert
from talk_pipeline.flows.properties import Property
from talk_pipeline.flows.scoping import lies_in
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.values import Context, Value, tidy
from talk_pipeline.flows.vocabulary import Flow, Part


@dataclass(frozen=True, slots=True)
class Projected(Row):
    """What a flow reads in one record or child: a row of the `record` table."""

    TABLE: ClassVar[str] = "record"
    part: str
    side: Side
    id: str
    root_id: str
    position: int
    version: str | None
    row_hash: str
    open: bool
    raw: Mapping[str, Value]
    canon: Mapping[str, Value]
    problems: Mapping[str, str]


def keep(db: Connection, rows: Iterable[Projected]) -> None:
    """Appends rows; part by part, since those of one part name the same properties."""
    parts: dict[str, list[Projected]] = {}
    for row in rows:
        parts.setdefault(row.part, []).append(row)
    for found in parts.values():
        insert(db, found)


FORGOTTEN = "{}"
"""The payload of a record of which nothing is known any more but that it is gone."""


def understood(decode: Decode, payload: str) -> Contents:
    """What a payload says; of one that was forgotten, nothing."""
    return Contents({}, {}) if payload == FORGOTTEN else decode(payload)


def in_scope(part: Part, side: Side, values: Mapping[str, Value]) -> bool:
    """Whether a record belongs to the part at all, and to no other that asks for it more closely."""
    return side is Side.SHOP or (
        lies_in(part.alternatives, values)
        and not any(lies_in(words, values) for words in part.yields_to.values())
    )


def counts(part: Part, side: Side, values: Mapping[str, Value]) -> bool:
    """Whether what a side shows of a child is one: an amount that is blank or zero may say that there is none."""
    if part.there_by is None:
        return True
    found = (tidy(values.get(path)) for path in part.by_name[part.there_by].paths(side))
    value = next((one for one in found if one is not None), None)
    try:
        return value is not None and bool(Decimal(value))
    except InvalidOperation:
        return True  # whatever that is, the flow names it


def child_key(root_id: str, own_id: str) -> str:
    """A child's id in the state: its own id is unique within its parent only."""
    return f"{root_id}/{own_id}"


def own_id(root_id: str, key: str) -> str:
    """The id by which the system knows a child."""
    return key[len(root_id) + 1 :]


@dataclass(frozen=True, slots=True)
class Told:
    """What a system says of a record: as much as there is to project."""

    id: str
    version: str | None
    contents: Contents
    gone: str | None


@dataclass(frozen=True, slots=True)
class Projector:
    """Reads the records of one side of a flow."""

    flow: Flow
    side: Side
    company: Company
    columns: Mapping[str, tuple[Column, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """How each part's properties are read."""
        columns = {
            part.name: tuple(self._column(part, prop) for prop in part.properties) for part in self.flow.parts
        }
        object.__setattr__(self, "columns", columns)

    def _column(self, part: Part, prop: Property) -> Column:
        constant = self.flow.settings.constants[prop.name] if prop.shop is None and prop.mapped else None
        leaves = prop.dir == "<->" or prop.dir == ("->" if self.side is Side.SHOP else "<-")
        if self.side is Side.SHOP:
            within = part.alternatives.get(prop.bc or "", ()) if leaves and not prop.values else ()
            return Column(prop, prop.paths(self.side), constant, leaves, within=within)
        only = prop.value_type.canonical(constant, Context()) if constant and prop.two_way else None
        return Column(prop, prop.paths(self.side), None, leaves, only)

    def project(
        self, record_id: str, *, version: str | None, contents: Contents, gone: str | None
    ) -> list[Projected]:
        """The rows of one record: its own first, then those of its children in scope."""
        return self.project_all([Told(record_id, version, contents, gone)])[0]

    def project_all(self, records: Sequence[Told]) -> list[list[Projected]]:
        """The same of many records, property by property: whatever is the same for all of them is done once."""
        below: list[list[Projected]] = [[] for _ in records]
        for part in self.flow.parts[1:]:
            found = [
                (at, position, child)
                for at, one in enumerate(records)
                for position, child in enumerate(self._children(part, one.contents))
            ]
            placed = [(records[at].id, position, child) for at, position, child in found]
            for (at, _, _), row in zip(found, self._rows(part, placed), strict=True):
                below[at].append(row)
        flow, side = self.flow, self.side
        values = read(
            self.columns[flow.name],
            flow.root,
            side,
            company=self.company,
            rows=[one.contents.values for one in records],
            keys=[one.id for one in records],
        )
        derived = [prop for prop in flow.root.properties if prop.derived and side is Side.BC]
        guard = flow.guard if side is Side.BC else None
        found_rows: list[list[Projected]] = []
        for one, children, (raw, canon, problems) in zip(records, below, values, strict=True):
            for prop in derived:
                raw[prop.name] = canon[prop.name] = self._derive(
                    prop, canon[prop.name], one.contents, one.gone
                )
            is_open = guard is None or one.contents.values.get(guard.bc) in guard.open_while
            digest = _digest([raw, one.gone, is_open, [(row.part, row.id, row.raw) for row in children]])
            root = Projected(
                flow.name, side, one.id, one.id, 0, one.version, digest, is_open, raw, canon, problems
            )
            found_rows.append([root, *children])
        return found_rows

    def project_child(self, part: Part, record_id: str, child: Child) -> Projected:
        """The row of a single child, as a system answers after writing it."""
        return self._rows(part, [(record_id, -1, child)])[0]

    def _children(self, part: Part, contents: Contents) -> Iterator[Child]:
        for child in contents.children.get(part.paths[self.side], ()):
            if in_scope(part, self.side, child.values) and counts(part, self.side, child.values):
                yield child

    def _rows(self, part: Part, children: Sequence[tuple[str, int, Child]]) -> list[Projected]:
        """The rows of children, each with the record it belongs to and its place there."""
        keys = [child_key(record_id, child.id) for record_id, _, child in children]
        values = read(
            self.columns[part.name],
            part,
            self.side,
            company=self.company,
            rows=[child.values for _, _, child in children],
            keys=keys,
        )
        rows: list[Projected] = []
        for (record_id, position, child), key, (raw, canon, problems) in zip(
            children, keys, values, strict=True
        ):
            if self.side is Side.SHOP and part.unset:
                problems[part.key] = self._nowhere(part, raw)
            rows.append(
                Projected(
                    part.name,
                    self.side,
                    key,
                    record_id,
                    position,
                    child.version,
                    _digest(raw),
                    open=True,
                    raw=raw,
                    canon=canon,
                    problems=problems,
                )
            )
        return rows

    def _nowhere(self, part: Part, raw: Mapping[str, Value]) -> str:
        """Why a child has no place in Business Central: whoever sets up the flow has not named one."""
        what = raw.get(part.there_by) if part.there_by else None
        return (
            f"{what or 'one'} has no place in Business Central yet: say where by settings.constants.{part.unset}"
            f" in the flow file {self.flow.name}.yaml"
        )

    def _derive(self, prop: Property, read: Value, contents: Contents, gone: str | None) -> Value:
        if prop.when_closed and gone == Gone.POSTED:
            return prop.when_closed
        rule = prop.when_all
        if rule is None:
            return read
        part = self.flow.part(f"{self.flow.name}.{rule.children}")
        pairs = [
            tuple(child.values.get(path) for path in rule.equal) for child in self._children(part, contents)
        ]
        done = [Decimal(left or 0) == Decimal(right or 0) > 0 for left, right in pairs]
        return rule.gives if done and all(done) else read


def _digest(value: object) -> str:
    return hashlib.blake2b(msgspec.json.encode(value, order="sorted"), digest_size=16).hexdigest()
