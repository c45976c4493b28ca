"""The records of a system as they are now, read as its description says."""

import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from math import prod
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from iso4217 import Currency

from talk_pipeline.audit import NotAuditableError
from talk_pipeline.audit.wire import NOWHERE, Connection, Paging, Words, at, placed, says_none, text

# what is said of a value by these, and not of values below it
_OF_A_VALUE = {
    *("path", "template", "type", "values", "join", "const", "write", "case", "prefix", "per", "percent_off"),
    *("factor", "decimal", "emptied"),
}

_NAMED = re.compile(r"\{(?:id|record:([^{}]+))\}")


class Entity:
    """What a system has of one kind, by what the description says of all kinds and of this one."""

    def __init__(
        self, connection: Connection, said: Words, as_meant: Callable[[Any], Any] = lambda row: row
    ) -> None:
        self.said, self._connection, self._as_meant = said, connection, as_meant
        self.parts: dict[str, Words] = {"": said, **said.get("children", {})}
        self._fields = {
            name: dict.fromkeys(part.get("lacks", ())) | dict(_fields(part.get("fields", {})))
            for name, part in self.parts.items()
        }

    def field(self, name: str, part: str = "") -> Words | None:
        """How a property of the record, or of a list of it, is described; None where there is none."""
        known, ways = self._fields.get(part, {}), name.split(".")
        groups = (".".join(ways[:end]) for end in range(len(ways), 0, -1))
        found: Words | None = next((known[group] for group in groups if group in known), {})
        told_alone = any(
            f"{name}.".startswith(f"{one}.") for one in self.parts.get(part, {}).get("unwritten", ())
        )
        return {**found, "write": "false"} if found is not None and told_alone else found

    def takes(self, part: str) -> bool:
        """Whether changes of a list are taken."""
        forbidden = "none" in (self.said.get("writes"), self.said.get("update"))
        return not forbidden and bool(self.parts.get(part, {}).get("write") != "false")

    def rows(self) -> Iterator["Row"]:
        """All records in scope."""
        said = self.said
        query = {**said.get("query", {}), **said.get("deleted", {}).get("query", {})}
        for entry, beside in self._connection.pages_beside(said["path"], said, query):
            data = self._as_meant(at(entry, said.get("element", "")))
            key = self._key(data, said) or ""
            if said.get("summaries") == "true":
                asks = self._asks(said.get("read", {}).get("body"), key, data)
                whole = self._connection.read(self._filled(key, "{item}", None), asks)
                data, beside = at(whole, said.get("record", "")), whole
            if data is not None and "parts" in said:
                for name, one in said["parts"].items():
                    data = {**data, f"@{name}": self._part(key, one, data, beside)}
            row = Row(self, key, data)
            if data is not None and row.is_within(said.get("scope", {})):  # else gone meanwhile
                yield row

    def _part(self, key: str, said: Any, data: Any, beside: Any) -> Any:
        """What else belongs to a record, and stands elsewhere, be it in the answer that has the record."""
        said = {"path": said} if isinstance(said, str) else said
        if "refers" in said:
            how, reference = self.said["included"], at(data, said["refers"])
            named = [how["by"]] if isinstance(how.get("by", "id"), str) else how["by"]
            there = {_told(one, named): one for one in at(beside, how["at"]) or ()}
            if isinstance(reference, list):
                return [there[_told(one, named)] for one in reference]
            return there[_told(reference, named)] if reference else None
        asks = self._asks(said.get("body"), key, data)
        return at(self._connection.read(self._filled(key, said["path"], data), asks), said.get("at", ""))

    def lines(self, row: "Row", part: str) -> Iterator["Row"]:
        """A list of a record, in scope; one that is of the record itself has one entry."""
        said = self.parts.get(part, {"path": part})
        if said.get("single") == "true":
            found = [row.data]
        elif "path" in said:
            found = self._to_its_end(row, said) if "paging" in said else at(row.data, said["path"])
            found = [] if says_none(found, said) else found
        else:
            asks = self._asks(said.get("read", {}).get("body"), row.id, row.data)
            asked = {**said, "list": {"body": asks}} if asks else said
            found = list(self._connection.pages(self._filled(row.id, said["url"], row.data), asked, {}))
        found = list(found.values()) if isinstance(found, dict) else found
        if not isinstance(found, list):
            raise NotAuditableError(f"{self.said['path']} {row.id}: there is no list of {part}")
        found = [at(one, said.get("element", "")) for one in found]
        meant = said.get("where", {}).items()
        for n, data in enumerate(found):
            says = ((at(data, place), word) for place, word in meant)
            if any((text(told) or "") != word and (word or told is not False) for told, word in says):
                continue
            own = "1" if said.get("single") else self._key(data, said) or n
            line = Row(self, f"{row.id}/{own}", data, part, row.data)
            closer = any(line.is_within(one) for one in said.get("closer", ()))
            if line.is_within(said.get("scope", {})) and not closer:
                yield line

    def _to_its_end(self, row: "Row", said: Words) -> list[Any]:
        """A list in a record with what follows, for which the record is asked for again."""
        paging, data, body = Paging(said["paging"]), row.data, self.said.get("read", {}).get("body")
        found: list[Any] = []
        while True:
            entries = at(data, said["path"]) or []
            if entries and entries == found[-len(entries) :]:
                raise NotAuditableError(f"{self.said['path']} {row.id}: {said['path']} comes to no end")
            found += entries
            following = paging.after(entries, data, None)
            if not following:
                return found
            asked, where = paging.further({}, following), self._filled(row.id, "{item}", None)
            if body:
                again = self._connection.read(where, placed(self._asks(body, row.id, data), asked))
            else:
                again = self._connection.read(where, query=asked)
            data = at(again, self.said.get("record", ""))

    def moment(self, said: str, form: str | None) -> datetime:
        """A moment in one of the forms that a description knows."""
        if form in ("epoch", "epoch_ms"):
            seconds = float(said) / (1000 if form == "epoch_ms" else 1)
            return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
        rfc = form in (None, "rfc3339")
        moment = datetime.fromisoformat(said) if rfc else datetime.strptime(said, form or "")  # noqa: DTZ007
        return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(self.said.get("time_zone", "UTC")))

    def inside(self, template: str, whole: str) -> str | None:
        """What stands where a template has {}, in a text that is like it."""
        before, _, after = template.replace("{shop}", self._connection.base).partition("{}")
        found = re.fullmatch(f"{re.escape(before)}(.+){re.escape(after)}", whole)
        return found[1] if found else None

    def _key(self, data: Any, said: Words) -> str | None:
        """What tells it apart: what is said at a place, or in an address there."""
        how, whole = said.get("id", "id"), self._whole(data, said) or ""
        if isinstance(how, str):
            return whole or None
        key = self.inside(how.get("template", "{}"), whole)
        if whole and not key:
            raise NotAuditableError(f"{self.said['path']}: {whole} is not like {how['template']}")
        return key

    def _whole(self, data: Any, said: Words) -> str | None:
        how = said.get("id", "id")
        return text(at(data, how if isinstance(how, str) else how.get("path", "id")))

    def _asks(self, body: Any, key: str, data: Any) -> Any:
        """What is sent to ask for something of a record."""
        whole, how = self._whole(data, self.said), self.said.get("id")
        is_number = isinstance(how, dict) and how.get("type") == "number"
        return _about(body, int(whole or 0) if is_number else whole, key, data)

    def _filled(self, key: str, template: str, data: Any) -> str:
        filled = template.replace("{item}", self.said.get("item", "{path}/{id}"))

        def word(name: re.Match[str]) -> str:
            value = key if name[2] == "id" else text(at(data, name[2].partition(":")[2])) or ""
            as_it_is = name[1] or not name.start()
            return re.sub(r"\{[^{}]*\}", "", value) if as_it_is else quote(value, safe="")

        return re.sub(r"\{(\+?)(id|record:[^{}]+)\}", word, filled.replace("{path}", self.said["path"]))


@dataclass(frozen=True, slots=True)
class Row:
    """A record as its system shows it now, or a line of one."""

    entity: Entity
    id: str
    data: Any
    part: str = ""  # the list that a line is in
    record: Any = None  # and whose it is

    def says(self, name: str) -> str | None:
        """What it says at a place, by the name that a flow has for it; in words that can be compared."""
        how, all_say = self.entity.field(name, self.part), self.entity.said
        if how is None or "const" in how:
            return str(how["const"]) if how else None
        kind, words = how.get("type"), how.get("values", {})
        found = (at(self.data, path) for path in how.get("join", [how.get("path", name)]))
        no = all_say.get("blank") == "false" and kind != "bool"
        parts = filter(None, (text(one) for one in found if not (no and one is False)))
        said = how.get("separator", " ").join(parts)
        if "html" in (kind, all_say.get("texts")):
            said = re.sub(r"&(?:#\w+|\w+);", lambda entity: html.unescape(entity[0]), said)
        if all_say.get("texts") == "odata":
            said = of_odata(said)
        if "template" in how:
            said = self.entity.inside(how["template"], said) or said
        value: str = words.get(said, words.get("*", said) if said else said)
        value = f"{how.get('prefix', '')}{value}" if value else value
        if value and "decimal" in how:
            value = _pointed(value, how["decimal"])
        try:
            if value and kind == "time":
                return self.entity.moment(value, how.get("format", all_say.get("times"))).isoformat()
            if value and kind == "date":
                return self.entity.moment(value, how.get("format")).date().isoformat()
            if value and kind in ("minor", "minor_text"):
                whole = Row(self.entity, self.id, self.record or self.data)
                code = whole.says(how["currency"]) if "currency" in how else "EUR"
                value = format(Decimal(value).scaleb(-(Currency((code or "EUR").upper()).exponent or 0)), "f")
            if value and "factor" in how:
                value = format(Decimal(value) * Decimal(how["factor"]), "f")
            if value and {"per", "percent_off"} & set(how):
                return self._of_one(Decimal(value), how)
        except (ValueError, ArithmeticError):
            pass  # what cannot be understood is compared as it is
        return value or None

    def _of_one(self, amount: Decimal, how: Words) -> str:
        """The price, or the percentage, of the fewest decimals that comes to an amount at its own decimals."""
        priced, short = "per" in how, amount
        whole = prod(
            Decimal(self.says(name) or 0) for name in ([how["per"]] if priced else how["percent_off"])
        )
        if not whole:
            return format(amount, "f") if priced else "0"
        for places in range(9):
            short = round(amount / whole if priced else 100 - 100 * amount / whole, places)
            comes_to = whole * (short if priced else 1 - short / 100)
            if round(comes_to, -int(amount.as_tuple().exponent)) == amount:
                break
        return format(short, "f")

    def is_within(self, scope: Words) -> bool:
        """Whether it says at each place one of the words asked for, or what begins so, whatever their case."""

        def says(name: str, word: str) -> bool:
            said = (self.says(name) or "").upper()
            return said.startswith(word[:-1]) if word.endswith("*") else said == word

        return all(
            any(says(name, one.strip().upper()) for one in words.split("|") if one.strip())
            for name, words in scope.items()
        )

    @property
    def modified(self) -> set[datetime | None]:
        """When it was changed, as it says itself; UTC without offset, as the state has it.

        Two moments where what it says is of an hour that comes twice.
        """
        places = self.entity.said.get("modified", ())
        stamps = (at(self.data, one) for one in ([places] if isinstance(places, str) else places))
        told = (text(one) for one in stamps if one is not False)
        said = next(filter(None, told), None)
        try:
            moment = self.entity.moment(said, self.entity.said.get("times")) if said else None
            either = [moment.replace(fold=fold) for fold in (0, 1)] if moment else [None]
            return {one and one.astimezone(UTC).replace(tzinfo=None) for one in either}
        except (ValueError, OverflowError):
            return {None}  # no moment at all

    @property
    def is_deleted(self) -> bool:
        """Whether it says that it was deleted."""
        said = self.entity.said.get("deleted", {})
        mark = text(at(self.data, said["at"])) if "at" in said else None
        return mark in said["values"] if "values" in said else mark not in (None, "false")


def _fields(said: Words, group: str = "") -> Iterator[tuple[str, Words | None]]:
    for name, one in said.items():
        if isinstance(one, dict) and not set(one) & _OF_A_VALUE:
            yield from _fields(one, f"{group}{name}.")
        elif isinstance(one, dict):
            yield f"{group}{name}", one
        else:
            yield f"{group}{name}", None if one in NOWHERE else {"path": one}


def _told(entry: Any, places: list[str]) -> tuple[str | None, ...]:
    """What tells an entry, or a reference to it, apart."""
    return tuple(text(at(entry, place)) if isinstance(entry, dict) else text(entry) for place in places)


def _about(body: Any, whole: str | int | None, key: str, data: Any) -> Any:
    """A question about one record, by its id as the record says it, or by what is special in that within a text.

    It may name what the record says at a place, too.
    """
    if isinstance(body, dict):
        return {name: _about(one, whole, key, data) for name, one in body.items()}
    if isinstance(body, list):
        return [_about(one, whole, key, data) for one in body]
    if not isinstance(body, str) or set("{}") & set(_NAMED.sub("", body)):
        return body
    if alone := _NAMED.fullmatch(body):
        return at(data, alone[1]) if alone[1] else whole
    return _NAMED.sub(lambda found: text(at(data, found[1])) or "" if found[1] else key, body)


def _pointed(said: str, sign: str) -> str:
    """A number with a point before its decimals and nothing between its thousands; what is none stays as it is."""
    bare = re.sub(r"[\s'’.,]", lambda one: "." if one[0] == sign else "", said)
    return bare if re.fullmatch(r"[+-]?\d*\.?\d*", bare) and bare.strip("+-.") else said


def of_odata(said: str) -> str:
    """A text of Business Central: what stands for a blank is one, and the name of a choice has its signs."""
    if said.startswith("0001-01-01") or re.fullmatch(r"[0-]{36}| |PT0S", said):
        return ""
    decoded = re.sub(r"_x([0-9A-Fa-f]{4})_", lambda found: chr(int(found[1], 16)), said)
    return decoded if re.fullmatch(r"\w+", said) else said
