"""Business Central's records on its pages: the properties of the entity files, written as the back office does."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, Protocol

from talk_pipeline.sandbox.businesscentral import values
from talk_pipeline.sandbox.businesscentral.company import Company
from talk_pipeline.sandbox.businesscentral.schema import DECIMALS, Property, schema
from talk_pipeline.sandbox.businesscentral.views import View
from talk_pipeline.sandbox.control import Refused, System
from talk_pipeline.sandbox.pages.desk import Field, Record, Sheet, Texts
from talk_pipeline.sandbox.store import Row

_LINES = "salesOrderLines"
_PARENT = {_LINES: "salesOrders"}
_PARENT_ID = "documentId"
_COLUMNS = {
    "customers": ("number", "displayName", "email", "lastModifiedDateTime"),
    "items": ("number", "displayName", "unitPrice", "lastModifiedDateTime"),
    "salesOrders": ("number", "customerName", "status", "totalAmountIncludingTax", "lastModifiedDateTime"),
    _LINES: ("sequence", "lineObjectNumber", "description", "quantity", "unitPrice", "netAmount"),
}
_ACTIONS = {"salesOrders": ("release", "review", "reject", "reopen", "ship", "invoice")}
_ON_CREATE = ("writable", "fixed")
_ON_CHANGE = ("writable", "not_on_create")
_YES_NO = (("true", "yes"), ("false", "no"))
_NUMBER = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?")
_ESCAPED = re.compile(r"_x([0-9A-F]{4})_")


class _BackOffice(System, Protocol):
    def on_order(self, verb: str, key: str, wish: Mapping[str, Any]) -> Mapping[str, Any]:
        """Release, ship and so on."""


class CentralDesk:
    """The desk of the main company."""

    title = "Business Central"

    def __init__(self, system: _BackOffice, company: Callable[[], Company]) -> None:
        self._system = system
        self._company = company
        self.sheets: Mapping[str, Sheet] = {
            name: Sheet(
                name,
                "line" if name in _PARENT else schema().sets[name].entity,
                columns,
                tuple(_input(entry) for entry in schema().sets[name].properties.values()),
                lines=_LINES if name == _PARENT[_LINES] else None,
                of=_PARENT.get(name),
                actions=_ACTIONS.get(name, ()),
            )
            for name, columns in _COLUMNS.items()
        }

    def rows(self, sheet: Sheet, *, of: str = "") -> Iterable[Row]:
        """The records of the company."""
        if sheet.of:
            return self._company().lines(of) if of else ()
        rows = self._company().table(sheet.name).rows.values()
        return sorted(rows, key=lambda row: row["lastModifiedDateTime"], reverse=True)

    def read(self, sheet: Sheet, row: Row) -> Record:
        """One of them, as the API shows it."""
        return self._record(sheet, View(self._company(), self._company().set(sheet.name))(row))

    def find(self, sheet: Sheet, key: str) -> Record:
        """The record of that id or number."""
        return self._record(sheet, self._system.record(sheet.name, key))

    def create(self, sheet: Sheet, texts: Texts, *, of: str = "") -> str:
        """Make a record."""
        parent = {_PARENT_ID: of} if sheet.of else {}
        return str(self._write("create", sheet, "", {**parent, **_values(sheet, texts)})["id"])

    def change(self, sheet: Sheet, key: str, texts: Texts) -> None:
        """Change a record."""
        self._write("update", sheet, key, _values(sheet, texts))

    def delete(self, sheet: Sheet, key: str) -> None:
        """Delete a record."""
        self._write("delete", sheet, key, {})

    def act(self, sheet: Sheet, key: str, action: str) -> None:
        """Release an order, ship it and so on."""
        if sheet.name not in _ACTIONS:
            raise Refused(f"A {sheet.one} cannot be told to {action}.", status=404)
        self._system.on_order(action, key, {})

    def offers(self, target: str) -> Iterator[tuple[str, str]]:
        """Ids, numbers or codes, each with the name of its record."""
        name, _, column = target.partition(".")
        for row in self._company().table(name).in_order():
            yield row[column], row.get("displayName") or row.get("number") or ""

    def _write(self, verb: str, sheet: Sheet, key: str, document: Row) -> Mapping[str, Any]:
        return self._system.back_office(verb, sheet.name, key=key, values=document, seconds_ago=0)

    def _record(self, sheet: Sheet, shown: Mapping[str, Any]) -> Record:
        texts = {field.name: _text(shown[field.name]) for field in sheet.fields}
        return Record(shown["id"], shown["@odata.etag"], texts, shown[_PARENT_ID] if sheet.of else "")


def _input(entry: Property) -> Field:
    choices = _YES_NO if entry.kind == "Boolean" else tuple((each, _label(each)) for each in entry.members)
    return Field(
        entry.name,
        _hint(entry),
        choices=choices,
        refers_to=".".join(entry.ref) if entry.ref else None,
        default=_text(values.show(entry, values.default(entry))),
        on_create=entry.mode in _ON_CREATE and entry.name != _PARENT_ID,
        on_change=entry.mode in _ON_CHANGE,
    )


def _hint(entry: Property) -> str:
    most = f", {entry.length} at most" if entry.length else ""
    match entry.kind:
        case "Boolean" | "Enum":
            return ""
        case "Code" | "Text" | "Guid" if entry.ref:
            return f"{entry.ref[1]} of one of {entry.ref[0]}{most}"
        case "Date":
            return "date, YYYY-MM-DD"
        case "Int32" | "Int64":
            return "whole number"
        case kind if kind in DECIMALS:
            return f"number, {DECIMALS[kind]} decimals"
        case kind:
            return f"{kind.lower()}{most}"


def _label(member: str) -> str:
    """A member of an enum as people read it."""
    return _ESCAPED.sub(lambda found: chr(int(found.group(1), 16)), member).strip() or "(blank)"


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    return "" if value in (values.NO_ID, values.NO_DATE) else str(value)


def _values(sheet: Sheet, texts: Texts) -> Row:
    """What a caller of the API would send for these texts."""
    properties = schema().sets[sheet.name].properties
    return {name: _value(properties[name], text) for name, text in texts.items()}


def _value(entry: Property, text: str) -> Any:
    match entry.kind:
        case "Boolean":
            return {"true": True, "false": False}.get(text, text)
        case "Guid":
            return text or values.NO_ID
        case "Date":
            return text or values.NO_DATE
        case "Int32" | "Int64" if _NUMBER.fullmatch(text) and "." not in text:
            return int(text)
        case kind if kind in DECIMALS:
            return Decimal(text) if _NUMBER.fullmatch(text) else text or None
        case _:
            return text
