"""Payload -> what a flow reads in it: raw and canonical values, problems, and a hash of it all.

Done once, when a record lands. A value that the other side cannot represent becomes a problem of that
property of that record, with the reason; it stops nothing here.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import ClassVar
from zoneinfo import ZoneInfo

import msgspec

from talk_pipeline.engine.kinds import Gone
from talk_pipeline.engine.model import Child, Contents
from talk_pipeline.engine.state.rows import Row
from talk_pipeline.flows.properties import Property, Side
from talk_pipeline.flows.scoping import means
from talk_pipeline.flows.splitting import laid_out
from talk_pipeline.flows.values import Context, UnmappableError, Value, tidy
from talk_pipeline.flows.vocabulary import Flow, Part


@dataclass(frozen=True, slots=True)
class Company:
    """What the meaning of values depends on beside the record: the local currency and the time zone."""

    currency: str
    zone: ZoneInfo

    def context(self, raw: Mapping[str, Value]) -> Context:
        """The context of one record's values."""
        return Context(lcy=self.currency, zone=self.zone, sibling=raw.get)


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


def in_scope(part: Part, side: Side, values: Mapping[str, Value]) -> bool:
    """Whether a record belongs to the part at all."""
    return side is Side.SHOP or all(
        any(means(values.get(path), word) for word in wanted) for path, wanted in part.alternatives.items()
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


MOST_REMEMBERED = (
    20_000  # values of a property, with what they mean: towns and currencies come again, names do not
)


@dataclass(frozen=True, slots=True)
class Column:
    """One property as the records of one side are read.

    Attributes:
        paths: where it may be, the first filled one counts.
        constant: what it is where it is nowhere.
        only: what a constant means, where the shop has no place for anything else.
        within: what the scope of the flow asks for in its place of Business Central, if anything.
        leaves: whether a value that cannot be represented matters: it is to go to the other side.
        meanings: canonical form and problem by value, and by the country it was read in.
    """

    prop: Property
    paths: tuple[str, ...]
    constant: Value
    leaves: bool
    only: Value = None
    within: tuple[str, ...] = ()
    meanings: dict[tuple[Value, Value], tuple[Value, str | None]] = field(default_factory=dict)

    def raw(self, values: Mapping[str, Value]) -> Value:
        """What a record holds."""
        for path in self.paths:
            value = tidy(values.get(path))
            if value is not None:
                return value
        return self.constant

    def meaning(self, side: Side, raw: Mapping[str, Value], *, company: Company) -> tuple[Value, str | None]:
        """The canonical form, and the problem with it."""
        value, country = raw[self.prop.name], raw.get(self.prop.country) if self.prop.country else None
        known = self.meanings.get((value, country))
        if known is None:
            if len(self.meanings) >= MOST_REMEMBERED:
                self.meanings.clear()
            try:
                known = self.prop.canonical(side, value=value, context=company.context(raw)), None
            except UnmappableError as error:
                known = self.unmappable(value, error)
            if self.only is not None and known[0] != self.only:
                told = f"{value or 'blank'}, and the shop has no other than {self.only}"
                known = known[0], known[1] or told
            if self.within and known[0] is not None and not any(means(known[0], one) for one in self.within):
                told = f"{value!r} is outside of what the flow is for: {' or '.join(self.within)}"
                known = known[0], known[1] or told
            self.meanings[value, country] = known
        return known

    def unmappable(self, value: Value, error: UnmappableError) -> tuple[Value, str | None]:
        """What a value that cannot be represented means."""
        return (None, str(error)) if self.leaves else (value, None)


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
        rows = [
            self._row(part, record_id, key=child_key(record_id, child.id), child=child, position=position)
            for part in self.flow.parts[1:]
            for position, child in enumerate(self._children(part, contents))
        ]
        raw, canon, problems = self._values(self.flow.root, contents.values, record_id)
        for prop in self.flow.root.properties:
            if prop.derived and self.side is Side.BC:
                raw[prop.name] = canon[prop.name] = self._derive(prop, canon[prop.name], contents, gone)
        guard = self.flow.guard
        is_open = not (guard and self.side is Side.BC) or contents.values.get(guard.bc) in guard.open_while
        digest = _digest([raw, gone, is_open, [(row.part, row.id, row.raw) for row in rows]])
        root = Projected(
            self.flow.name, self.side, record_id, record_id, 0, version, digest, is_open, raw, canon, problems
        )
        return [root, *rows]

    def project_child(self, part: Part, record_id: str, child: Child) -> Projected:
        """The row of a single child, as a system answers after writing it."""
        return self._row(part, record_id, key=child_key(record_id, child.id), child=child, position=-1)

    def _children(self, part: Part, contents: Contents) -> Iterator[Child]:
        for child in contents.children.get(part.paths[self.side], ()):
            if in_scope(part, self.side, child.values) and counts(part, self.side, child.values):
                yield child

    def _row(self, part: Part, record_id: str, *, key: str, child: Child, position: int) -> Projected:
        raw, canon, problems = self._values(part, child.values, key)
        if self.side is Side.SHOP and part.unset:
            problems[part.key] = self._nowhere(part, raw)
        return Projected(
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

    def _nowhere(self, part: Part, raw: Mapping[str, Value]) -> str:
        """Why a child has no place in Business Central: whoever sets up the flow has not named one."""
        what = raw.get(part.there_by) if part.there_by else None
        return (
            f"{what or 'one'} has no place in Business Central yet: say where by settings.constants.{part.unset}"
            f" in the flow file {self.flow.name}.yaml"
        )

    def _values(
        self, part: Part, values: Mapping[str, Value], record_id: str
    ) -> tuple[dict[str, Value], dict[str, Value], dict[str, str]]:
        columns = self.columns[part.name]
        raw = {column.prop.name: column.raw(values) for column in columns}
        if self.side is Side.SHOP:
            raw |= {one.name: one.unsaid(record_id) for one in part.references if raw[one.name] is None}
        else:
            raw |= {one.name: one.told(raw[one.name]) for one in part.references}
        roomless: dict[str, UnmappableError] = {}
        for group in part.splits:
            try:
                raw |= laid_out(group, self.side, raw)
            except UnmappableError as error:
                roomless |= {prop.name: error for prop in group}
        canon: dict[str, Value] = {}
        problems: dict[str, str] = {}
        for column in columns:
            name = column.prop.name
            if name in roomless:
                canon[name], problem = column.unmappable(raw[name], roomless[name])
            else:
                canon[name], problem = column.meaning(self.side, raw, company=self.company)
            if column.prop.in_currency and self.side is Side.SHOP:
                try:
                    self._require_local_currency(column.prop, raw[name], values)
                except UnmappableError as error:
                    canon[name], foreign = column.unmappable(raw[name], error)
                    problem = problem or foreign
            if problem is not None:
                problems[name] = problem
        return raw, canon, problems

    def _require_local_currency(self, prop: Property, value: Value, values: Mapping[str, Value]) -> None:
        """An amount means nothing without its currency; nor may one be filled in where another is expected."""
        if prop.in_currency is None:
            return
        currency = tidy(values.get(prop.in_currency))
        own = self.company.currency
        if currency is not None and currency.upper() != own:
            raise UnmappableError(
                f"{value or 'an amount here'} is in {currency.upper()}, but Business Central keeps it in {own}"
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
