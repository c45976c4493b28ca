"""Proving a description against the live shop: what is said of it is asked of it, one small request a statement.

Nothing is changed: the one write that is tried carries values the record already has, and either a version that
cannot be right or what makes this shop check and not write.
"""

import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from talk_pipeline.engine.model import Record, Result, Write
from talk_pipeline.flows.properties import Side
from talk_pipeline.flows.vocabulary import Flow
from talk_pipeline.systems.customwebshop.spec import paths
from talk_pipeline.systems.customwebshop.spec.description import Description, Entity, Shared
from talk_pipeline.systems.customwebshop.spec.fields import Field, Times
from talk_pipeline.systems.customwebshop.spec.paging import further_page
from talk_pipeline.systems.customwebshop.spec.paths import MISSING
from talk_pipeline.systems.customwebshop.spec.places import header_of
from talk_pipeline.systems.customwebshop.wire.answers import UnexpectedShapeFault
from talk_pipeline.systems.customwebshop.wire.client import Customwebshop
from talk_pipeline.systems.customwebshop.wire.records import Reader, parse, rows_of
from talk_pipeline.systems.errors import AccessFault, SystemFault
from talk_pipeline.systems.http import Answer

SHOWN = 600
LOOKED_AT = 20  # records, before a list that none of them shows is told to be missing
NO_VERSION = '"no-such-version"'

At = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Probe:
    """What came of asking.

    Attributes:
        level: problem: it will not work; warning: look at it; ok.
        at: the key of the description it is about.
    """

    level: Literal["ok", "warning", "problem"]
    at: At
    message: str


async def probe(shop: Customwebshop, flow: Flow, description: Description) -> AsyncIterator[Probe]:
    """Everything that can be asked about one flow's entity."""
    name = flow.customwebshop.entity
    prober = _Prober(shop, flow, description)
    said = description.model_fields_set - description.entities[name].model_fields_set
    try:
        async for found in prober.run():
            yield _placed(found, name, for_all=said)
    except AccessFault:
        raise
    except UnexpectedShapeFault as fault:
        key = prober.asking if fault.key == "path" else tuple(fault.key.split("."))
        yield _placed(Probe("problem", key, str(fault)), name, for_all=said)
    except SystemFault as fault:
        if "cannot be reached" in str(fault):
            raise
        size = prober.entity.paging.size_parameter
        at: At = ("paging",) if size and size in str(fault) else prober.asking
        yield _placed(Probe("problem", at, str(fault)), name, for_all=said)


def _placed(found: Probe, entity: str, *, for_all: set[str]) -> Probe:
    """Where the file says it: once for all entities, or at this one."""
    if found.at[0] in Shared.model_fields and found.at[0] in for_all:
        return Probe(found.level, found.at, f"{entity}: {found.message}")
    return Probe(found.level, ("entities", entity, *found.at), found.message)


class _Prober:
    def __init__(self, shop: Customwebshop, flow: Flow, description: Description) -> None:
        self.shop = shop
        self.flow = flow
        self.entity: Entity = description.collections[flow.customwebshop.entity]
        self.times = self.entity.moments
        self.reader = Reader(flow, self.entity, self.times)
        self.asking: At = ("path",)

    async def run(self) -> AsyncIterator[Probe]:
        raw, answer = await self.shop.sample(self.flow.name)
        yield Probe("ok", ("path",), f"a page of {len(raw)} records")
        if not raw:
            yield Probe("warning", ("path",), "no records: nothing more can be proven")
            return
        sample = [parse(one) for one in raw]
        if not all(isinstance(one, dict) for one in sample):
            yield Probe("problem", ("records",), f"entries are no records: {_shown(sample[0])}")
            return
        for found in self._ids(sample):
            yield found
            if found.level == "problem":
                return
        self.asking = ("paging",)
        yield await self._second_page(answer)
        record_id = str(paths.text_of(paths.get(sample[0], self.entity.id)))
        self.asking = ("item",)
        record = await self.shop.get(self.flow.name, record_id)
        if record is None:
            yield Probe(
                "problem", ("item",), f"{self.entity.item} does not find {record_id}, which is listed"
            )
            return
        for found in self._shown_alike(sample[0], parse(record.payload)):
            yield found
        known = [record, *[one async for one in self._until_lists_show(sample[1:LOOKED_AT], record)]]
        whole = [parse(one.payload) for one in known]
        full = whole if self.entity.summaries or self.entity.parts else sample
        for found in self._properties(full, whole):
            yield found
        for found in self._modified(sample):
            yield found
        self.asking = ("updated_since",)
        async for found in self._updated_since(raw):
            yield found
        self.asking = ("latest",)
        if self.entity.latest:
            latest = await self.shop.latest(self.flow.name)
            yield Probe("ok" if latest else "warning", ("latest",), f"latest change {latest}")
        self.asking = ("version",)
        async for found in self._conditional(record):
            yield found
        self.asking = ("dry_run",)
        async for found in self._dry(record):
            yield found

    def _ids(self, sample: Sequence[Any]) -> list[Probe]:
        ids = [paths.text_of(paths.get(one, self.entity.id)) for one in sample]
        if None in ids:
            return [Probe("problem", ("id",), _missing(self.entity.id, sample))]
        if len(set(ids)) < len(ids):
            return [Probe("problem", ("id",), f"{self.entity.id!r} is not different in each record")]
        return []

    async def _second_page(self, answer: Answer) -> Probe:
        pages = 0
        async for _ in self.shop.scan(self.flow.name, since=None):
            pages += 1
            if pages == 2:
                break
        if pages == 2:
            return Probe("ok", ("paging",), "a second page is another one")
        if told := further_page(answer, parse(answer.body), self.entity.records):
            text = f"the list ends after one page, but {told}: there is a next page that `paging` does not follow"
            return Probe("problem", ("paging",), text)
        return Probe("ok", ("paging",), "one page is all")

    def _shown_alike(self, listed: Any, record: Any) -> Iterator[Probe]:
        """What only one of list and record shows would be taken for blank where it is read from the other."""
        if hidden := self.reader.hidden(record, shown=listed):
            text = f"one record by itself does not show {', '.join(hidden)}, which the list does"
            yield Probe("problem", ("item",), f"{text}: ask for it, as in item: '{{path}}/{{id}}?fields=...'")
        whole = not (self.entity.summaries or self.entity.parts)
        if whole and (hidden := self.reader.hidden(listed, shown=record)):
            text = f"the list does not show {', '.join(hidden)}, which one record by itself does"
            yield Probe("problem", ("path",), f"{text}: ask for it by query, or say summaries: true")

    async def _until_lists_show(self, sample: Sequence[Any], record: Record) -> AsyncIterator[Record]:
        """Further records by themselves, until each list with an address of its own has shown an entry."""
        empty = {
            name: lines
            for name, lines in self.reader.lists()
            if lines.path is None and not rows_of(parse(record.payload), name, lines)
        }
        for one in sample:
            if not empty:
                return
            further = await self.shop.get(self.flow.name, str(paths.text_of(paths.get(one, self.entity.id))))
            if further is not None:
                data = parse(further.payload)
                empty = {name: lines for name, lines in empty.items() if not rows_of(data, name, lines)}
                yield further

    def _properties(self, sample: Sequence[Any], whole: Sequence[Any]) -> list[Probe]:
        found = [*self._found(self.reader.fields(), sample, ("fields",))]
        for name, lines in self.reader.lists():
            rows = [row for one in [*sample, *whole] for row in rows_of(one, name, lines)]
            where: At = ("children", name)
            if not rows:
                found.append(
                    Probe("warning", where, f"no record shown has entries at {lines.path or lines.url}")
                )
                continue
            if any(paths.get(row, lines.id) is MISSING for row in rows):
                found.append(Probe("problem", (*where, "id"), _missing(lines.id, rows)))
            found += self._found(self.reader.fields(name), rows, (*where, "fields"))
        return found

    def _found(self, fields: Mapping[str, Field], sample: Sequence[Any], at: At) -> Iterator[Probe]:
        told = 0
        lacking: dict[str, None] = {}
        for name, field in fields.items():
            for source in field.sources(name):
                values = [value for one in sample if (value := paths.get(one, source)) is not MISSING]
                if not values:
                    if self._weight(name) == "problem":
                        yield Probe("problem", (*at, name), _missing(source, sample))
                    else:
                        lacking[name] = None
                        text = f"no record has {source!r} (looked at {len(sample)})"
                        yield Probe("warning", (*at, name), text)
                    continue
                form = self.entity.bodies == "form"  # where everything that is written is text
                wrong = next(
                    (value for value in values if not _fits(field, value, self.times, form=form)), None
                )
                if wrong is not None:
                    yield Probe("warning", (*at, name), _unfit(field, source, wrong))
                else:
                    told += 1
        if lacking:
            yield Probe(
                "warning",
                at,
                f"what it has no place for goes into one line, lacks: [{', '.join(lacking)}]; "
                f"a record looks like {_shown(sample[0])}",
            )
        yield Probe("ok", at, f"{told} places found as described, in {len(sample)} records")

    def _weight(self, name: str) -> Literal["warning", "problem"]:
        """A problem where the flow cannot do without the property."""
        for prop in self.flow.root.properties:
            if prop.shop_paths == (name,) and (prop.required or prop.name == self.flow.create_key):
                return "problem"
        return "warning"

    def _modified(self, sample: Sequence[Any]) -> list[Probe]:
        places = self.entity.modified_at
        if not places:
            return [Probe("ok", ("modified",), "not told: every snapshot is a full one")]
        for where in places:
            if all(paths.get(one, where) is MISSING for one in sample):
                return [Probe("problem", ("modified",), _missing(where, sample))]
        values = [next((told for at in places if (told := paths.get(one, at))), None) for one in sample]
        where = " | ".join(places)
        if None in values:
            without = f"{where} is blank in a record, so that no change of it is seen: name a second place"
            return [Probe("problem", ("modified",), f"{without}: {_shown(sample[values.index(None)])}")]
        wrong = next((value for value in values if self.times.read(value) is None), None)
        if wrong is not None:
            return [
                Probe(
                    "problem",
                    ("modified",),
                    f"{where}: {_shown(wrong)} is no time of format {self.times.format}",
                )
            ]
        moments = [moment for value in values if (moment := self.times.read(value))]
        ahead = max(moments) - datetime.now(UTC)
        if ahead > timedelta(minutes=10):
            text = f"{max(moments)} lies {ahead} ahead of now: is time_zone right?"
            return [Probe("warning", ("modified",), text)]
        return [Probe("ok", ("modified",), f"{where}: {max(moments)}")]

    async def _updated_since(self, raw: Sequence[str]) -> AsyncIterator[Probe]:
        if self.entity.updated_since is None:
            return
        name = self.entity.updated_since.parameter
        future = await self._count(datetime.now(UTC) + timedelta(days=400))
        past = await self._count(datetime(2000, 1, 1, tzinfo=UTC))
        at: At = ("updated_since", "parameter")
        if future:
            yield Probe("problem", at, f"{name!r} is ignored: {future} records changed after next year")
        elif not past:
            yield Probe(
                "problem", at, f"{name!r} shows nothing changed since the year 2000, yet there are records"
            )
        else:
            yield Probe("ok", at, f"{name!r} is heeded")

    async def _count(self, since: datetime) -> int:
        async for page in self.shop.scan(self.flow.name, since=since):
            return len([record for record in page if record.payload])
        return 0

    async def _conditional(self, record: Record) -> AsyncIterator[Probe]:
        version = self.entity.version
        if version is None:
            yield Probe("ok", ("version",), "none: records are read again before each write")
            return
        if record.version is None:
            where = header_of(version.at) or version.at
            yield Probe("problem", ("version", "at"), f"the record {record.id} comes without {where}")
            return
        name, value = self._unchanged(record)
        if name is None or version.condition.lower() == "if-unmodified-since":
            return
        wrong = "0" if record.version.isdigit() else NO_VERSION
        write = Write(
            entity=self.flow.customwebshop.entity,
            operation="update",
            id=record.id,
            version=wrong,
            values={name: value},
            idempotency_key="",
            current=record.payload,
        )
        outcome = (await self.shop.write(self.flow.name, [write]))[0]
        if outcome.result is Result.STALE:
            yield Probe("ok", ("version",), f"{version.condition} is heeded")
        elif outcome.result is Result.DONE:
            text = f"{version.condition} is ignored: a write against a wrong version went through"
            yield Probe("problem", ("version", "condition"), text)
        else:
            text = (
                f"a write of {name} against a wrong version: {outcome.reason}; if that says the record has "
                "changed, name it under stale or stale_code, else look at update and error"
            )
            yield Probe("warning", ("version",), text)

    async def _dry(self, record: Record) -> AsyncIterator[Probe]:
        """A write of what is there already, which the shop checks and does not carry out."""
        name, value = self._unchanged(record)
        if self.entity.dry_run is None or name is None:
            return
        write = Write(
            entity=self.flow.customwebshop.entity,
            operation="update",
            id=record.id,
            version=record.version,
            values={name: value},
            idempotency_key="",
            current=record.payload,
        )
        outcome = await self.shop.write_dry(self.flow.name, write)
        if outcome is not None and outcome.result is Result.DONE:
            yield Probe("ok", ("dry_run",), f"a write of {name} was checked")
        elif outcome is not None:
            yield Probe(
                "problem", ("dry_run",), f"a write of {name} as it is was turned away: {outcome.reason}"
            )

    def _unchanged(self, record: Record) -> tuple[str | None, str | None]:
        """A property of the record that can be written with the value it has."""
        values = self.reader.contents(record.payload).values
        for prop in self.flow.root.properties:
            for path in prop.shop_paths if prop.goes_to(Side.SHOP) and not prop.refers_to else ():
                field = self.reader.fields().get(path)
                if field and field.writable and values.get(path) is not None:
                    return path, values[path]
        return None, None


def _fits(field: Field, value: Any, times: Times, *, form: bool) -> bool:
    """Whether a value looks like what the description says."""
    if value is None or value == "" or field.values or field.template:
        return True
    match field.type:
        case "bool":
            return isinstance(value, bool)
        case "number":
            return isinstance(value, int | Decimal) and not isinstance(value, bool)
        case "minor":
            return isinstance(value, int) and not isinstance(value, bool)
        case "time":
            return field.read({"x": value}, "x", known={}, times=times) != str(value) or "T" in str(value)
        case _:
            untyped = form or field.write is False
            return isinstance(value, str) or (untyped and not isinstance(value, dict | list))


def _unfit(field: Field, source: str, value: Any) -> str:
    kinds = {bool: "bool", int: "number", Decimal: "number"}
    kind = kinds.get(type(value))
    if kind and field.type == "text":
        return f"{source} is a {kind} on the wire: say type: {kind}"
    return f"{source} is {_shown(value)}, which is no {field.type}"


def _missing(path: str, sample: Sequence[Any]) -> str:
    """What is not there, with what stands at the last place on the way that is."""
    for way in paths.ways(path):
        held = [value for one in sample if (value := paths.get(one, way)) not in (MISSING, None)]
        if held:
            return f"no record has {path!r} (looked at {len(sample)}); {way} is such as {_shown(held[0])}"
    return f"no record has {path!r} (looked at {len(sample)}), such as {_shown(sample[0])}"


def _shown(value: Any) -> str:
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]} …"
