"""What records show of the description they came by; nothing is asked of a shop here."""

import json
import re
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Literal

from talk_pipeline.flows.mistakes import Location
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow
from talk_pipeline.systems.customwebshop.spec import paths
from talk_pipeline.systems.customwebshop.spec.description import Entity
from talk_pipeline.systems.customwebshop.spec.fields import Field
from talk_pipeline.systems.customwebshop.spec.paths import MISSING, Json, JsonOrMissing
from talk_pipeline.systems.customwebshop.spec.times import Times
from talk_pipeline.systems.customwebshop.wire.records import Reader, rows_of
from talk_pipeline.wording import counted

LONGEST_EXCERPT = 600
_BARE = {
    "bool": re.compile("true|false"),
    "number": re.compile(r"-?\d+(\.\d*)?"),
    "minor": re.compile(r"-?\d+"),
    "minor_text": re.compile(r"-?\d+"),
}


@dataclass(frozen=True, slots=True)
class Probe:
    """What came of asking.

    Attributes:
        level: problem: it will not work; warning: look at it; ok.
        at: the key of the description it is about.
    """

    level: Literal["ok", "warning", "problem"]
    at: Location
    message: str


class Evidence:
    """What records of one flow's entity show."""

    def __init__(self, flow: Flow, entity: Entity, reader: Reader, *, texts: bool) -> None:
        self._texts = texts  # whether everything is one on the wire
        self._flow = flow
        self._entity = entity
        self._reader = reader

    def ids(self, sample: Sequence[Json]) -> list[Probe]:
        """Whether each record has an id of its own; nothing is said where it has."""
        ids = [self._entity.id.read(one) for one in sample]
        if None in ids:
            return [Probe("problem", ("id",), self._idless(sample))]
        if len(set(ids)) < len(ids):
            return [Probe("problem", ("id",), f"{self._entity.id} is not different in each record")]
        return []

    def _idless(self, sample: Sequence[Json]) -> str:
        said = next((one for row in sample if (one := paths.get(row, self._entity.id.path))), None)
        if self._entity.id.template and said:
            return f"{self._entity.id.path} is {excerpt(said)}, which is not like {self._entity.id.template}"
        return _missing(self._entity.id.path, sample)

    def compare_readings(self, listed: Json, record: Json) -> Iterator[Probe]:
        """What only one of list and record shows would be taken for blank where it is read from the other."""
        if hidden := self._reader.hidden(record, other=listed):
            text = f"one record by itself does not show {', '.join(hidden)}, which the list does"
            yield Probe("problem", ("item",), f"{text}: ask for it, as in item: '{{path}}/{{id}}?fields=...'")
        whole = not (self._entity.summaries or self._entity.parts)
        if whole and (hidden := self._reader.hidden(listed, other=record)):
            text = f"the list does not show {', '.join(hidden)}, which one record by itself does"
            yield Probe("problem", ("path",), f"{text}: ask for it by query, or say summaries: true")

    def properties(self, sample: Sequence[Json], whole: Sequence[Json]) -> list[Probe]:
        """Whether the values are where the description says, and look like it; lists are looked for in both."""
        found = [*self._check_fields(self._reader.fields(), sample, ("fields",), self._sent())]
        for name, lines in self._reader.lists():
            rows = [row for one in [*sample, *whole] for row in rows_of(one, name, lines)]
            where: Location = ("children", name)
            if not rows:
                level: Literal["ok", "warning"] = "ok" if name in self._reader.optional else "warning"
                text = f"no record shown has entries at {lines.path or lines.url}"
                found.append(Probe(level, where, text))
                continue
            if not lines.single and any(paths.get(row, lines.id.path) is MISSING for row in rows):
                found.append(Probe("problem", (*where, "id"), _missing(lines.id.path, rows)))
            found += self._check_fields(self._reader.fields(name), rows, (*where, "fields"), self._sent(name))
        return found

    def modified(self, sample: Sequence[Json]) -> list[Probe]:
        """Whether the records tell when they were modified, by a clock that is right."""
        places = self._entity.modified_at
        if not places:
            return [Probe("ok", ("modified",), "not told: every snapshot is a full one")]
        for where in places:
            if all(paths.get(one, where) is MISSING for one in sample):
                return [Probe("problem", ("modified",), _missing(where, sample))]
        values = [next((stamp for at in places if (stamp := paths.get(one, at))), None) for one in sample]
        where = " | ".join(places)
        if None in values:
            without = f"{where} is blank in a record, so that no change of it is seen: name a second place"
            return [Probe("problem", ("modified",), f"{without}: {excerpt(sample[values.index(None)])}")]
        wrong = next((value for value in values if self._reader.times.read(value) is None), None)
        if wrong is not None:
            return [
                Probe(
                    "problem",
                    ("modified",),
                    f"{where}: {excerpt(wrong)} is no time of format {self._reader.times.format}",
                )
            ]
        moments = [moment for value in values if (moment := self._reader.times.read(value))]
        ahead = max(moments) - datetime.now(UTC)
        if ahead > timedelta(minutes=10):
            text = f"{max(moments)} lies {ahead} ahead of now: is time_zone right?"
            return [Probe("warning", ("modified",), text)]
        return [Probe("ok", ("modified",), f"{where}: {max(moments)}")]

    def _sent(self, path: str | None = None) -> set[str]:
        """What of a record, or of one of its lists, the flow ever writes to this shop: how that looks matters."""
        sent: set[str] = set()
        for part in self._flow.parts:
            if part.paths.get(Side.SHOP) != path:
                continue
            edited = [prop for prop in part.properties if prop.goes_to(Side.SHOP)]
            made = bool(edited) if path else self._flow.settings.creates(Side.SHOP)
            told = [prop for prop in part.properties if prop.mapped] if made else edited
            sent.update(name for prop in told if prop.dir != "=" for name in prop.shop_paths)
        return sent

    def _check_fields(
        self, fields: Mapping[str, Field], sample: Sequence[Json], at: Location, sent: Container[str]
    ) -> Iterator[Probe]:
        as_described = 0
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
                # what is never written, or as text whatever it is
                untyped = self._entity.bodies == "form" or name not in sent
                filled = [value for value in values if not self._is_blank(field, value)]
                wrong = [value for value in filled if not self._fits(field, value, untyped=untyped)]
                if wrong:
                    always = len(wrong) == len(filled) > 1  # of one record alone nothing follows
                    level: Literal["problem", "warning"] = "problem" if always else "warning"
                    yield Probe(level, (*at, name), _unfit(field, source, wrong[0], self._reader.times))
                else:
                    as_described += 1
        if lacking:
            yield Probe(
                "warning",
                at,
                f"what it has no place for goes into one line, lacks: [{', '.join(lacking)}]; "
                f"a record looks like {excerpt(sample[0])}",
            )
        yield Probe(
            "ok",
            at,
            f"{counted(as_described, 'place')} found as described, in {counted(len(sample), 'record')}",
        )

    def _is_blank(self, field: Field, value: Json) -> bool:
        return value in (None, "") or field.is_nothing(value, self._reader.nothing)

    def _fits(self, field: Field, value: Json, *, untyped: bool) -> bool:
        if self._texts and isinstance(value, str) and field.type in _BARE:
            return _BARE[field.type].fullmatch(value) is not None
        return _fits(field, value, self._reader.times, untyped=untyped)

    def _weight(self, name: str) -> Literal["warning", "problem"]:
        """A problem where the flow cannot do without the property."""
        for prop in self._flow.root.properties:
            if prop.shop_paths == (name,) and (prop.required or prop.name == self._flow.create_key):
                return "problem"
        return "warning"


def _fits(field: Field, value: Json, times: Times, *, untyped: bool) -> bool:
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
        case "minor_text":
            return isinstance(value, str) and _BARE[field.type].fullmatch(value) is not None
        case "time":
            return field.read({"x": value}, "x", known={}, times=times) != str(value) or "T" in str(value)
        case _:
            return isinstance(value, str) or (untyped and not isinstance(value, dict | list))


def _unfit(field: Field, source: str, value: Json, times: Times) -> str:
    kinds = {bool: "bool", int: "number", Decimal: "number"}
    kind = kinds.get(type(value))
    if kind and field.type == "text":
        return f"{source} is a {kind} on the wire: say type: {kind}"
    other = {"minor": "minor_text", "minor_text": "minor"}.get(field.type)
    if other and _fits(field.but(type=other), value, times, untyped=False):
        return f"{source} is {excerpt(value)} on the wire: say type: {other}"
    what = "whole number of minor units" if other else field.type
    return f"{source} is {excerpt(value)}, which is no {what}"


def _missing(path: str, sample: Sequence[Json]) -> str:
    """What is not there, with what stands at the last place on the way that is."""
    for way in paths.ways(path):
        values = [value for one in sample if (value := paths.get(one, way)) not in (MISSING, None)]
        if values:
            return f"no record has {path!r} (looked at {len(sample)}); {way} is such as {excerpt(values[0])}"
    return f"no record has {path!r} (looked at {len(sample)}), such as {excerpt(sample[0])}"


def excerpt(value: JsonOrMissing) -> str:
    """A value for a person to read, cut where it is long."""
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= LONGEST_EXCERPT else f"{text[:LONGEST_EXCERPT]} …"
