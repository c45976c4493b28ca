"""Values as a system tells them -> raw values and what they mean, property by property.

Many records are read at once: what a property is, is asked once for all of them, and what a value means once for
all that hold it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from talk_pipeline.flows.properties import Property
from talk_pipeline.flows.scoping import means
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.splitting import laid_out
from talk_pipeline.flows.values import Context, UnmappableError, Value, tidy
from talk_pipeline.flows.vocabulary import Part

MOST_REMEMBERED = (
    20_000  # values of a property, with what they mean: towns and currencies come again, names do not
)

Values = tuple[dict[str, Value], dict[str, Value], dict[str, str]]
"""Of one record, by property: raw and canonical values, and what is wrong with them."""

Key = Value | tuple[Value, Value]
"""What the meaning of a value depends on: itself, and what it is read in where that matters."""


@dataclass(frozen=True, slots=True)
class Company:
    """What the meaning of values depends on beside the record: the local currency and the time zone."""

    currency: str
    zone: ZoneInfo

    def context(
        self, raw: Mapping[str, Value], *, current: Value = None, toward_shop: bool = False
    ) -> Context:
        """The context of one record's values."""
        return Context(self.currency, self.zone, raw.get, current, toward_shop)


@dataclass(frozen=True, slots=True)
class Column:
    """One property as the records of one side are read.

    Attributes:
        paths: where it may be, the first filled one counts.
        constant: what it is where it is nowhere.
        only: what a constant means, where the shop has no place for anything else.
        within: what the scope of the flow asks for in its place of Business Central, if anything.
        leaves: whether a value that cannot be represented matters: it is to go to the other side.
        meanings: the canonical form of what was read already.
        troubles: what is wrong with it, if anything.
    """

    prop: Property
    paths: tuple[str, ...]
    constant: Value
    leaves: bool
    only: Value = None
    within: tuple[str, ...] = ()
    meanings: dict[Key, Value] = field(default_factory=dict)
    troubles: dict[Key, str] = field(default_factory=dict)

    def raw(self, rows: Sequence[Mapping[str, Value]]) -> list[Value]:
        """What each record holds."""
        found: list[Value] = [None] * len(rows)
        for at, path in enumerate(self.paths):
            told = [tidy(value) for value in [values.get(path) for values in rows]]
            found = told if at == 0 else [one or other for one, other in zip(found, told, strict=True)]
        return found if self.constant is None else [value or self.constant for value in found]

    def keys(self, raw: Mapping[str, Sequence[Value]]) -> Sequence[Key]:
        """By what the meaning of each value is known."""
        values, countries = raw[self.prop.name], raw.get(self.prop.country or "")
        return values if countries is None else list(zip(values, countries, strict=True))

    def understand(self, side: Side, keys: Sequence[Key], *, company: Company) -> None:
        """Learns what these values mean."""
        new = set(keys).difference(self.meanings)
        if len(self.meanings) + len(new) > MOST_REMEMBERED:
            self.meanings.clear()
            self.troubles.clear()
            new = set(keys)
        context = company.context({})
        for key in new:
            if isinstance(key, tuple):
                value, country = key
                context = company.context({self.prop.country or "": country})
            else:
                value = key
            try:
                meant, problem = self.prop.canonical(side, value=value, context=context), None
            except UnmappableError as error:
                meant, problem = self.unmappable(value, error)
            if self.only is not None and meant != self.only:
                problem = problem or f"{value or 'blank'}, and the shop has no other than {self.only}"
            if self.within and meant is not None and not any(means(meant, one) for one in self.within):
                problem = (
                    problem or f"{value!r} is outside of what the flow is for: {' or '.join(self.within)}"
                )
            self.meanings[key] = meant
            if problem is not None:
                self.troubles[key] = problem

    def unmappable(self, value: Value, error: UnmappableError) -> tuple[Value, str | None]:
        """What a value that cannot be represented means."""
        return (None, str(error)) if self.leaves else (value, None)


def read(
    columns: Sequence[Column],
    part: Part,
    side: Side,
    *,
    company: Company,
    rows: Sequence[Mapping[str, Value]],
    keys: Sequence[str],
) -> Iterator[Values]:
    """What records or children of a part say.

    Args:
        columns: its properties.
        part: of the flow.
        side: that tells it.
        company: what meanings depend on as well.
        rows: what is told of each, by path.
        keys: the id of each.
    """
    raw = {column.prop.name: column.raw(rows) for column in columns}
    for one in part.references:
        told = raw[one.name]
        if side is Side.SHOP:
            meant = raw[one.of] if one.of else keys
            raw[one.name] = [
                one.unsaid(key) if value is None else value for value, key in zip(told, meant, strict=True)
            ]
        else:
            raw[one.name] = [one.told(value) for value in told]
    roomless = _laid_out(part, side, raw)
    canon: dict[str, list[Value]] = {}
    problems: list[dict[str, str]] = [{} for _ in rows]
    for column in columns:
        name, asked = column.prop.name, column.keys(raw)
        column.understand(side, asked, company=company)
        canon[name] = list(map(column.meanings.__getitem__, asked))
        if column.troubles:
            for at, key in enumerate(asked):
                if key in column.troubles:
                    problems[at][name] = column.troubles[key]
        for at, error in roomless.get(name, {}).items():  # what is wrong with the whole text says more
            problems[at].pop(name, None)
            canon[name][at], problem = column.unmappable(raw[name][at], error)
            problems[at] |= {name: problem} if problem else {}
        if column.prop.in_currency and side is Side.SHOP:
            for at, error in _foreign(column.prop, raw[name], rows, currency=company.currency):
                canon[name][at], problem = column.unmappable(raw[name][at], error)
                problems[at] = ({name: problem} if problem else {}) | problems[at]
    names = tuple(raw)
    for held, meant, wrongs in zip(
        zip(*raw.values(), strict=True), zip(*canon.values(), strict=True), problems, strict=True
    ):
        yield dict(zip(names, held, strict=True)), dict(zip(names, meant, strict=True)), wrongs


def _laid_out(part: Part, side: Side, raw: dict[str, list[Value]]) -> dict[str, dict[int, UnmappableError]]:
    """Lays texts out over the properties they go on in; returns which have no room, by property and row."""
    roomless: dict[str, dict[int, UnmappableError]] = {}
    for group in part.splits:
        for at in range(len(raw[group[0].name])):
            try:
                laid = laid_out(group, side, {prop.name: raw[prop.name][at] for prop in group})
            except UnmappableError as error:
                for prop in group:
                    roomless.setdefault(prop.name, {})[at] = error
            else:
                for name, value in laid.items():
                    raw[name][at] = value
    return roomless


def _foreign(
    prop: Property, told: Sequence[Value], rows: Sequence[Mapping[str, Value]], *, currency: str
) -> Iterator[tuple[int, UnmappableError]]:
    """Amounts of another currency than the company's, by row.

    An amount means nothing without its currency; nor may one be filled in where another is expected.
    """
    for at, values in enumerate(rows):
        given = tidy(values.get(prop.in_currency or ""))
        if given is not None and given.upper() != currency:
            told_at = told[at] or "an amount here"
            yield (
                at,
                UnmappableError(
                    f"{told_at} is in {given.upper()}, but Business Central keeps it in {currency}"
                ),
            )
