"""Reading: one record or a page of many, with what was asked to be selected and expanded."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from talk_pipeline.sandbox import wire
from talk_pipeline.sandbox.businesscentral import errors
from talk_pipeline.sandbox.businesscentral.company import Company
from talk_pipeline.sandbox.businesscentral.filters import Filter, compile_filter
from talk_pipeline.sandbox.businesscentral.options import Options
from talk_pipeline.sandbox.businesscentral.schema import EntitySet, Navigation
from talk_pipeline.sandbox.businesscentral.views import View, bare, getter
from talk_pipeline.sandbox.store import Row

Shaper = Callable[[Row], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Page:
    """Some records of a collection.

    Attributes:
        rows: the records.
        count: how many there are in all, if that was asked.
        token: where the next page begins; None on the last one.
        left: of a `$top`, how many the next pages may still hold.
    """

    rows: list[Row]
    count: int | None
    token: str | None
    left: int | None


class Source:
    """The records a collection is made of: a whole set, or those a parent holds.

    Args:
        company: where they live.
        entity_set: their set.
        within: the property and value that tie them to a parent.
        earlier: rows to show as they were before; None for those that were not there.
    """

    def __init__(
        self,
        company: Company,
        entity_set: EntitySet,
        *,
        within: tuple[str, str] | None = None,
        earlier: Mapping[str, Row | None] | None = None,
    ) -> None:
        self.company = company
        self.set = entity_set
        self._within = within
        self._earlier = earlier or {}

    def rows(self, wanted: Filter | None, *, after: tuple[Any, ...] | None = None) -> Iterator[Row]:
        """Rows in key order that pass, found by an index where there is one."""
        table = self.company.table(self.set.name)
        known = wanted.among if wanted else {}
        candidates: list[Row] | None = None
        if self._earlier:
            rows = {**table.rows, **self._earlier}.values()
            candidates = [row for row in rows if row is not None and self._inside(row)]
        elif self._within is not None:
            candidates = table.find(*self._within)
        elif "id" in known:
            candidates = [row for row in map(table.get, known["id"]) if row is not None]
        else:
            name = next((name for name in known if table.indexes(name)), None)
            if name is not None:
                candidates = [row for value in known[name] for row in table.find(name, value)]
        if candidates is not None and len(candidates) > 1:
            candidates.sort(key=table.order_key)
        if candidates is None:
            found: Iterator[Row] = table.in_order(after=after)
        else:
            found = (row for row in candidates if after is None or table.order_key(row) > after)
        return found if wanted is None else filter(wanted.matches, found)

    def _inside(self, row: Row) -> bool:
        return self._within is None or row[self._within[0]] == self._within[1]

    def order_key(self, row: Row) -> tuple[Any, ...]:
        """What the set sorts the row by when nothing else is asked."""
        return self.company.table(self.set.name).order_key(row)


def read_page(source: Source, options: Options, *, size: int) -> Page:
    """One page of a collection."""
    wanted = filter_of(source, options)
    if options.top == 0:
        return Page([], _count(source, wanted, options), None, None)
    limit = size if options.top is None else min(size, options.top)
    if options.orderby:
        rows = _sorted(source, wanted, options)
        start = _resume(rows, options)
        page = rows[start : start + limit + 1]
    else:
        start = 0
        after = _after(options)
        found = source.rows(wanted, after=after)
        skip = options.skip if options.skiptoken is None else 0
        page = list(islice(found, skip, skip + limit + 1))
    more = len(page) > limit
    page = page[:limit]
    left = None if options.top is None else options.top - len(page)
    going_on = more and left != 0
    count = _count(source, wanted, options)
    token = _token(source, page[-1], position=start + len(page)) if going_on else None
    return Page(page, count, token, left if going_on else None)


def filter_of(source: Source, options: Options) -> Filter | None:
    """The compiled filter of a read, if it has one."""
    if options.filter is None:
        return None
    if not source.set.filters:
        raise errors.not_implemented(f"The entity set '{source.set.name}' cannot be filtered.")
    return compile_filter(options.filter, source.company, source.set, nested=options.nested_functions)


def shaper(company: Company, entity_set: EntitySet, options: Options) -> Shaper:
    """What turns a row into the object that was asked for, expansions included."""
    unknown = [name for name in options.select or () if name not in entity_set.properties]
    for name in unknown:
        if name not in entity_set.navigation:
            raise errors.bad_query(f"Could not find a property named '{name}'.")
    view = View(company, entity_set, list(options.select) if options.select is not None else None)
    expansions = [
        (name, _expansion(company, entity_set, name, inner)) for name, inner in options.expand.items()
    ]
    if not expansions:
        return view

    def shape(row: Row) -> dict[str, Any]:
        result = view(row)
        for name, expand in expansions:
            result[name] = expand(row)
        return result

    return shape


def _expansion(company: Company, entity_set: EntitySet, name: str, options: Options) -> Callable[[Row], Any]:
    way = entity_set.navigation.get(name)
    if way is None:
        raise errors.bad_query(
            f"Could not find a navigation property named '{name}' on '{entity_set.entity}'."
        )
    if way.set is None or way.by is None:
        return _bare_expansion(company, way)
    target = company.set(way.set)
    shape = shaper(company, target, options)
    if not way.many:
        rows, holder = company.table(way.set).rows, way.by

        def single(row: Row) -> Any:
            found = rows.get(row[holder])
            return shape(found) if found is not None else None

        return single
    by = way.by

    def many(row: Row) -> Any:
        source = Source(company, target, within=(by, row["id"]))
        page = read_page(source, replace(options, count=False), size=20_000)
        return [shape(found) for found in page.rows]

    return many


def _bare_expansion(company: Company, way: Navigation) -> Callable[[Row], Any]:
    if way.many:
        return lambda row: []
    kind = company.schema.types.get(way.entity)
    if kind is None:  # one of a set that nobody asks for by this way
        return lambda row: None
    return lambda row: bare(way, kind.properties, kind.key, row)


def _sorted(source: Source, wanted: Filter | None, options: Options) -> list[Row]:
    rows = list(source.rows(wanted))
    for name, descending in reversed(options.orderby):
        if name not in source.set.properties:
            raise errors.bad_query(f"Could not find a property named '{name}'.")
        rows.sort(key=_sort_key(source, name), reverse=descending)
    return rows


def _sort_key(source: Source, name: str) -> Callable[[Row], Any]:
    get = getter(source.company, source.set, name)
    members = source.set.properties[name].members
    if members:
        return lambda row: members.index(get(row))
    return get


def _count(source: Source, wanted: Filter | None, options: Options) -> int | None:
    if not options.count:
        return None
    return sum(1 for _ in source.rows(wanted))


# -- where the next page begins ---------------------------------------------------------------------------------


def _token(source: Source, last: Row, *, position: int) -> str:
    document = wire.write([last["id"], list(source.order_key(last)), position])
    return base64.urlsafe_b64encode(document).decode().rstrip("=")


@dataclass(frozen=True, slots=True)
class _Mark:
    """The last record of the page before: its id, its key in the set's order, its place in a sorted listing."""

    id: str
    order: tuple[Any, ...]
    position: int


def _read_token(token: str) -> _Mark:
    try:
        padded = token + "=" * (-len(token) % 4)
        key, order, position = wire.read(base64.urlsafe_b64decode(padded))
        return _Mark(str(key), tuple(order), int(position))
    except (binascii.Error, wire.MalformedJson, ValueError, TypeError) as error:
        raise errors.bad_query("The $skiptoken is malformed.") from error


def _after(options: Options) -> tuple[Any, ...] | None:
    return None if options.skiptoken is None else _read_token(options.skiptoken).order


def _resume(rows: Sequence[Row], options: Options) -> int:
    """Where a sorted listing goes on: behind the last record seen, or by count if that is gone meanwhile."""
    if options.skiptoken is None:
        return options.skip
    mark = _read_token(options.skiptoken)
    return next((place + 1 for place, row in enumerate(rows) if row["id"] == mark.id), mark.position)
