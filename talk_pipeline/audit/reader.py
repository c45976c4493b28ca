"""The records of both systems as they are now, each read as its description says."""

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from iso4217 import Currency

from talk_pipeline.audit import NotAuditableError
from talk_pipeline.audit.wire import Connection, Words, at, text

# what is said of a value by these, and not of values below it
_OF_A_VALUE = {"path", "type", "values", "join", "const", "write", "case"}
# what a description may say that would be misread here: refused by name
NOT_READ = {"per", "percent_off", "factor", "template", "decimal", "parts", "list", "where", "empty"}


@dataclass(frozen=True, slots=True)
class Row:
    """A record or line as its system shows it now: text by the names that a flow has for its places."""

    id: str
    values: Mapping[str, str | None]
    modified: datetime | None = None  # UTC, as the state keeps it
    lines: Mapping[str, list["Row"]] = field(default_factory=dict)
    deleted: bool = False


class Entity:
    """What a system has of one kind, by the system's description."""

    def __init__(self, connection: Connection, description: Words, entity: str) -> None:
        self._connection, self._said = connection, {**description, **description["entities"][entity]}
        self._parts: dict[str, Words] = {"": self._said, **self._said.get("children", {})}
        self._fields = {
            name: dict.fromkeys(part.get("lacks", ())) | dict(_fields(part.get("fields", {})))
            for name, part in self._parts.items()
        }
        told = [
            *self._parts.values(),
            *(one for known in self._fields.values() for one in known.values() if one),
        ]
        if unread := sorted({f"`{key}`" for said in told for key in NOT_READ & set(said)}):
            raise NotAuditableError(
                f"the connector says of {entity} what the audit cannot read: {', '.join(unread)}"
            )

    def field(self, name: str, lines: str = "") -> Words | None:
        """How a property of the record, or of a list of it, is described; None where there is none."""
        known, ways = self._fields.get(lines, {}), name.split(".")
        groups = (".".join(ways[:end]) for end in range(len(ways), 0, -1))
        return next((known[group] for group in groups if group in known), {})

    def takes(self, lines: str) -> bool:
        """Whether changes of a list are taken."""
        return bool(self._parts.get(lines, {}).get("write") != "false")

    def rows(self, names: list[str], lists: Mapping[str, list[str]]) -> Iterator[Row]:
        """All records, with these properties of theirs and of their lists."""
        said, deleted = self._said, self._said.get("deleted", {})
        for entry in self._connection.pages(
            said["path"], said, said.get("query", {}) | deleted.get("query", {})
        ):
            data = at(entry, said.get("element", ""))
            key = text(at(data, said.get("id", "id"))) or ""
            if said.get("summaries") == "true":
                data = at(self._connection.read(self._filled(key, "{item}")), said.get("record", ""))
            if data is None:
                continue  # gone meanwhile
            places = said.get("modified", ())
            told = (text(at(data, one)) for one in ([places] if isinstance(places, str) else places))
            moment = next((self._moment(one, said.get("times")) for one in told if one), None)
            mark = text(at(data, deleted["at"])) if "at" in deleted else None
            values = {name: self._value(name, "", data, {}) for name in names}
            if not _within(values, said.get("scope", {})):
                continue
            yield Row(
                id=key,
                values=values,
                modified=moment and moment.astimezone(UTC).replace(tzinfo=None),
                lines={name: list(self._lines(key, data, name, wanted)) for name, wanted in lists.items()},
                deleted=mark in deleted.get("values", {mark} - {None, "false"}),
            )

    def _lines(self, key: str, record: Any, name: str, wanted: list[str]) -> Iterator[Row]:
        said = self._parts.get(name, {"path": name})
        single = said.get("single") == "true"
        if single or "path" in said:
            found = [record] if single else at(record, said["path"])
        else:
            found = list(self._connection.pages(self._filled(key, said["url"]), said, {}))
        found = list(found.values()) if isinstance(found, dict) else found
        if not isinstance(found, list):
            raise NotAuditableError(f"{self._said['path']} {key}: there is no list of {name}")
        for n, row in enumerate(found):
            own = "1" if single else text(at(row, said.get("id", "id"))) or n
            values = {one: self._value(one, name, row, record) for one in wanted}
            if _within(values, said.get("scope", {})):
                yield Row(f"{key}/{own}", values)

    def _filled(self, key: str, template: str) -> str:
        filled = template.replace("{item}", self._said.get("item", "{path}/{id}"))
        return filled.replace("{path}", self._said["path"]).replace("{id}", quote(key, safe=""))

    def _value(self, name: str, lines: str, data: Any, record: Any) -> str | None:
        how = self.field(name, lines)
        if how is None or "const" in how:
            return str(how["const"]) if how else None
        parts = filter(None, (text(at(data, path)) for path in how.get("join", [how.get("path", name)])))
        said, kind, words = how.get("separator", " ").join(parts), how.get("type"), how.get("values", {})
        if "html" in (kind, self._said.get("texts")):
            said = re.sub(r"&(?:#\w+|\w+);", lambda entity: html.unescape(entity[0]), said)
        if self._said.get("texts") == "odata":
            said = _of_odata(said)
        value: str = words.get(said, words.get("*", said) if said else said)
        try:
            if value and kind == "time":
                return self._moment(value, how.get("format", self._said.get("times"))).isoformat()
            if value and kind == "date":
                return self._moment(value, how.get("format")).date().isoformat()
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
        return (
            moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(self._said.get("time_zone", "UTC")))
        )


def _fields(said: Words, group: str = "") -> Iterator[tuple[str, Words | None]]:
    for name, one in said.items():
        if isinstance(one, dict) and not set(one) & (_OF_A_VALUE | NOT_READ):
            yield from _fields(one, f"{group}{name}.")
        elif isinstance(one, dict):
            yield f"{group}{name}", one
        else:
            yield f"{group}{name}", None if one in ("~", "null", "") else {"path": one}


def _within(values: Mapping[str, str | None], scope: Words) -> bool:
    """Whether each property is one of the words asked for, whatever their case."""
    return all(
        (values[path] or "").upper() in [one.strip().upper() for one in words.split("|") if one.strip()]
        for path, words in scope.items()
    )


def _of_odata(said: str) -> str:
    """A text of Business Central: what stands for a blank is one, and the name of a choice has its signs."""
    if said.startswith("0001-01-01") or re.fullmatch(r"[0-]{36}| ", said):
        return ""
    decoded = re.sub(r"_x([0-9A-Fa-f]{4})_", lambda found: chr(int(found[1], 16)), said)
    return decoded if re.fullmatch(r"\w+", said) else said
