"""The records of both systems as they are now: the shop's by its description, Business Central's by its API."""

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html.entities import html5
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from iso4217 import Currency

from talk_pipeline.audit import NotAuditableError, UnreachableError
from talk_pipeline.audit.wire import Connection, Words, at, text

# what a description may say without the audit misreading it; all else is refused by name
_KNOWN = re.findall(
    r"\w+",
    "path id item paging query records element record summaries times time_zone modified deleted children fields"
    " lacks name base_path headers auth limits entities version updated_since latest compare_minutes create update"
    " delete read_only bodies texts blank idempotency_header dry_run error webhooks search url write parent"
    " untouched remove single constants type format currency values case join separator const",
)
_FIELD = {
    "path",
    "type",
    "values",
    "join",
    "const",
    "write",
    "case",
    "per",
    "percent_off",
    "factor",
    "template",
}
AT = "lastModifiedDateTime"


@dataclass(frozen=True, slots=True)
class Row:
    """A record or line as its system shows it now: text by the names the flow has for its places."""

    id: str
    values: Mapping[str, str | None]
    modified: datetime | None = None  # UTC, as the state keeps it
    lines: Mapping[str, list["Row"]] = field(default_factory=dict)
    deleted: bool = False


class Shop:
    """One entity of a described shop."""

    def __init__(self, connection: Connection, description: Words, entity: str) -> None:
        self._connection, self._description = connection, {**description, **description["entities"][entity]}
        self._parts: dict[str, Words] = {"": self._description, **self._description.get("children", {})}
        self._fields = {name: dict(_fields(said.get("fields", {}))) for name, said in self._parts.items()}
        told = [
            *self._parts.values(),
            *(one for fields in self._fields.values() for one in fields.values() if one),
        ]
        if unknown := {f"`{key}`" for said in told for key in set(said) - set(_KNOWN)}:
            raise NotAuditableError(
                f"the connector says of {entity} what the audit cannot read: {', '.join(sorted(unknown))}"
            )

    def field(self, name: str, lines: str = "") -> Words | None:
        """How a property of the record, or of a list of it, is described; None where the shop has none."""
        lacks = dict.fromkeys(self._parts.get(lines, {}).get("lacks", ()))
        fields, ways = {**lacks, **self._fields.get(lines, {})}, name.split(".")
        groups = [".".join(ways[:end]) for end in range(len(ways), 0, -1)]
        return next((fields[one] for one in groups if one in fields), {})

    def takes(self, lines: str) -> bool:
        """Whether the shop takes changes of a list."""
        return bool(self._parts.get(lines, {}).get("write") != "false")

    def rows(self, names: list[str], lists: Mapping[str, list[str]]) -> Iterator[Row]:
        """All records, with these properties of theirs and of their lists."""
        said, deleted = self._description, self._description.get("deleted", {})
        query = {**said.get("query", {}), **deleted.get("query", {})}
        for entry in self._connection.pages(said["path"], said, query):
            data = at(entry, said["element"]) if "element" in said else entry
            key = text(at(data, said.get("id", "id"))) or ""
            if said.get("summaries") == "true":
                data = self._connection.read(self._filled(key, "{item}"))
                data = at(data, said["record"]) if "record" in said else data
            if data is not None:  # else gone meanwhile
                places = said.get("modified", ())
                told = (text(at(data, one)) for one in ([places] if isinstance(places, str) else places))
                first = next(filter(None, told), None)
                moment = self._moment(first, said.get("times")) if first else None
                mark = text(at(data, deleted["at"])) if "at" in deleted else None
                gone = mark in deleted["values"] if "values" in deleted else mark not in (None, "false")
                below = {name: list(self._lines(key, data, name, wanted)) for name, wanted in lists.items()}
                values = {name: self._value(name, "", data, {}) for name in names}
                yield Row(key, values, moment and moment.astimezone(UTC).replace(tzinfo=None), below, gone)

    def _lines(self, key: str, record: Any, name: str, wanted: list[str]) -> Iterator[Row]:
        lines = self._parts.get(name, {"path": name})
        single = lines.get("single") == "true"
        where = self._filled(key, lines.get("url", ""))
        if single or "path" in lines:
            found = [record] if single else at(record, lines["path"])
        else:
            found = list(self._connection.pages(where, lines, {}))
        found = list(found.values()) if isinstance(found, dict) else found
        if not isinstance(found, list):
            raise NotAuditableError(f"{self._description['path']} {key}: there is no list of {name}")
        for n, row in enumerate(found):
            values = {one: self._value(one, name, row, record) for one in wanted}
            own = "1" if single else text(at(row, lines.get("id", "id")))
            yield Row(f"{key}/{own or n}", values)

    def _filled(self, key: str, template: str) -> str:
        filled = template.replace("{item}", self._description.get("item", "{path}/{id}"))
        return filled.replace("{path}", self._description["path"]).replace("{id}", quote(key, safe=""))

    def _value(self, name: str, lines: str, data: Any, record: Any) -> str | None:
        how = self.field(name, lines)
        if how is None or "const" in how:
            return str(how["const"]) if how else None
        parts = filter(None, (text(at(data, path)) for path in how.get("join", [how.get("path", name)])))
        said, kind, words = how.get("separator", " ").join(parts), how.get("type"), how.get("values", {})
        if "html" in (kind, self._description.get("texts")):
            said = re.sub(r"&(#\w+|\w+);", _character, said)
        value: str = words.get(said, words.get("*", said) if said else said)
        try:
            if value and kind in ("time", "date"):
                form = how.get("format", self._description.get("times") if kind == "time" else None)
                moment = self._moment(value, form)
                return moment.isoformat() if kind == "time" else moment.date().isoformat()
            if value and kind == "minor":
                code = self._value(how["currency"], "", record or data, {}) if "currency" in how else "EUR"
                return format(Decimal(value).scaleb(-(Currency((code or "EUR").upper()).exponent or 0)), "f")
        except (ValueError, ArithmeticError):
            pass  # what cannot be understood is compared as it is
        return value or None

    def _moment(self, said: str, form: str | None) -> datetime:
        if form in ("epoch", "epoch_ms"):
            seconds = float(said) / (1000 if form == "epoch_ms" else 1)
            return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
        rfc = form in (None, "rfc3339")
        moment = datetime.fromisoformat(said) if rfc else datetime.strptime(said, form or "")  # noqa: DTZ007
        zone = ZoneInfo(self._description.get("time_zone", "UTC"))
        return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _character(entity: re.Match[str]) -> str:
    return html.unescape(entity[0]) if entity[1][0] == "#" else html5.get(f"{entity[1]};", entity[0])


def _fields(said: Words, group: str = "") -> Iterator[tuple[str, Words | None]]:
    for name, one in said.items():
        if isinstance(one, dict) and not set(one) & _FIELD:
            yield from _fields(one, f"{group}{name}.")
        else:
            path = None if one in ("~", "null", "") else {"path": one}
            yield f"{group}{name}", one if isinstance(one, dict) else path


def central(
    connection: Connection,
    path: str,
    select: list[str],
    lists: Mapping[str, tuple[str, list[str]]],
    scopes: Words,
) -> Iterator[Row]:
    """The records of an entity set of Business Central in scope, with their lists; these properties of each.

    Lists by name, each with its place and its properties; of one place more than one may be made.
    """
    query = {"$select": ",".join(["id", *select])}
    if lists:
        places = dict.fromkeys(place for place, _ in lists.values())
        asked = {
            place: dict.fromkeys(
                ["id", *(one for at, names in lists.values() if at == place for one in names)]
            )
            for place in places
        }
        inner = (f"{place}($select={','.join(names)})" for place, names in asked.items())
        query["$expand"] = ",".join(inner)
    said = {"records": "value", "paging": {"style": "next_url", "next": "['@odata.nextLink']"}}
    try:
        for data in connection.pages(path, said, query):
            rows = {
                name: [(one, _values_of(one, names)) for one in data[place]]
                for name, (place, names) in lists.items()
            }
            lines = {
                name: [
                    Row(f"{data['id']}/{one['id']}", told)
                    for one, told in found
                    if _within(told, scopes[name])
                ]
                for name, found in rows.items()
            }
            moment = (
                datetime.fromisoformat(data[AT]).astimezone(UTC).replace(tzinfo=None)
                if AT in select
                else None
            )
            if _within(_values_of(data, select), scopes.get("", {})):
                yield Row(str(data["id"]), _values_of(data, select), moment, lines)
    except (KeyError, TypeError, ValueError) as error:
        raise UnreachableError(f"{path} of Business Central lacks what was asked for: {error}") from None


def _within(told: Mapping[str, str | None], scope: Words) -> bool:
    """Whether each property is one of the words asked for, whatever their case."""
    return all(
        (told[path] or "").upper() in [one.strip().upper() for one in words.split("|") if one.strip()]
        for path, words in scope.items()
    )


def _values_of(data: Any, select: list[str]) -> dict[str, str | None]:
    told = {}
    for name in select:
        said = text(data[name])
        if said and re.fullmatch(
            r"\w+", said
        ):  # a member of an enumeration is told without special characters
            said = re.sub(r"_x([0-9A-Fa-f]{4})_", lambda found: chr(int(found[1], 16)), said)
        blank = said is None or said.startswith("0001-01-01") or re.fullmatch(r"[0-]{36}| ", said)
        told[name] = None if blank else said
    return told
