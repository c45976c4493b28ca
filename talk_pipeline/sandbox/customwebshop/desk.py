"""The shop's records on its pages: the fields of `fields`, whatever the wire shape, written as by the back office.

The lines of an order are part of it: a line is changed by writing the order's list, and its version is the order's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from talk_pipeline.sandbox.control import Refused, System
from talk_pipeline.sandbox.customwebshop import fields
from talk_pipeline.sandbox.customwebshop.errors import ShopError
from talk_pipeline.sandbox.customwebshop.shop import Shop
from talk_pipeline.sandbox.pages.desk import Field, Record, Sheet, Texts
from talk_pipeline.sandbox.store import Row

_LINES = "lines"
_COLUMNS = {
    "customers": ("number", "company_name", "email", "updated_at"),
    "products": ("sku", "name", "price", "updated_at"),
    "orders": ("number", "customer_id", "status", "total_incl_tax", "updated_at"),
    _LINES: ("id", "sku", "description", "quantity", "unit_price", "line_total"),
}
_HINTS = {
    "decimal": "number",
    "date": "date, YYYY-MM-DD",
    "instant": "time with zone, as 2026-01-31T12:00:00Z",
    "currency": "three capital letters",
    "texts": "texts, one a line",
}
_YES_NO = (("true", "yes"), ("false", "no"))


class ShopDesk:
    """The desk of the shop."""

    title = "Customwebshop"

    def __init__(self, shop: Shop, system: System) -> None:
        self._shop = shop
        self._system = system
        self.sheets: Mapping[str, Sheet] = {
            name: Sheet(
                name,
                fields.SINGULAR[name],
                _COLUMNS[name],
                tuple(_inputs(entries)),
                lines=_LINES if _LINES in entries else None,
            )
            for name, entries in fields.RESOURCES.items()
        } | {_LINES: Sheet(_LINES, "line", _COLUMNS[_LINES], tuple(_inputs(fields.LINE)), of="orders")}

    def rows(self, sheet: Sheet, *, of: str = "") -> Iterable[Row]:
        """Records that are not deleted."""
        if sheet.of:
            return self._lines(of) if of else ()
        table = self._shop.entities[sheet.name].table
        return (row for row in reversed([*table.in_order()]) if row["deleted_at"] is None)

    def read(self, sheet: Sheet, row: Row) -> Record:
        """One of them."""
        texts = {field.name: _text(_at(row, field.name)) for field in sheet.fields}
        key = f"{row['_of']}:{row['id']}" if sheet.of else row["id"]
        return Record(key, str(row["version"]), texts, row.get("_of", ""))

    def find(self, sheet: Sheet, key: str) -> Record:
        """The record of that key."""
        if sheet.of:
            found = [
                line for line in self._lines(key.partition(":")[0]) if line["id"] == key.partition(":")[2]
            ]
            if not found:
                raise Refused(f"There is no line {key}.", status=404)
            return self.read(sheet, found[0])
        return self.read(sheet, self._row(sheet.name, key))

    def create(self, sheet: Sheet, texts: Texts, *, of: str = "") -> str:
        """Make a record, or add a line to an order."""
        values = _values(sheet, texts)
        if not sheet.of:
            return str(self._write("create", sheet.name, "", values)["id"])
        order = self._write("update", sheet.of, of, {_LINES: [*self._same_lines(of).values(), values]})
        return f"{of}:{order[_LINES][-1]['id']}"

    def change(self, sheet: Sheet, key: str, texts: Texts) -> None:
        """Change a record."""
        values = _values(sheet, texts)
        if sheet.of:
            order, _, line = key.partition(":")
            lines = self._same_lines(order)
            lines[line] |= values
            self._write("update", sheet.of, order, {_LINES: [*lines.values()]})
        else:
            self._write("update", sheet.name, key, values)

    def delete(self, sheet: Sheet, key: str) -> None:
        """Delete a record, or take a line out of its order."""
        if sheet.of:
            order, _, line = key.partition(":")
            lines = [entry for name, entry in self._same_lines(order).items() if name != line]
            self._write("update", sheet.of, order, {_LINES: lines})
        else:
            self._write("delete", sheet.name, key, {})

    def act(self, sheet: Sheet, key: str, action: str) -> None:
        """There is nothing else to do in the shop."""
        raise Refused(f"A {sheet.one} cannot be told to {action}.", status=404)

    def offers(self, target: str) -> Iterator[tuple[str, str]]:
        """Ids, each with the columns that name its record."""
        name = target.partition(".")[0]
        for row in self.rows(self.sheets[name]):
            yield row["id"], " ".join(_text(row[column]) for column in _COLUMNS[name][:2])

    def _write(self, verb: str, name: str, key: str, values: Mapping[str, Any]) -> Mapping[str, Any]:
        return self._system.back_office(verb, name, key=key, values=values, seconds_ago=0)

    def _row(self, name: str, key: str) -> Row:
        try:
            return self._shop.entities[name].get(key)
        except ShopError as error:
            raise Refused(error.message, status=error.status) from error

    def _lines(self, order: str) -> list[Row]:
        row = self._row("orders", order)
        return [{**line, "_of": order, "version": row["version"]} for line in row[_LINES]]

    def _same_lines(self, order: str) -> dict[str, Row]:
        """What leaves each line of an order as it is, by its id."""
        return {line["id"]: {"id": line["id"]} for line in self._row("orders", order)[_LINES]}


def _inputs(entries: Mapping[str, fields.Field], within: str = "") -> Iterator[Field]:
    for name, entry in entries.items():
        if entry.kind == "object":
            yield from _inputs(entry.parts, f"{name}.")
        elif entry.kind != "lines":
            writable = not entry.read_only and name != "id"
            yield Field(
                within + name,
                f"id of a {fields.SINGULAR[entry.refers_to]}"
                if entry.refers_to
                else _HINTS.get(entry.kind, ""),
                choices=_YES_NO if entry.kind == "flag" else tuple((each, each) for each in entry.choices),
                refers_to=entry.refers_to and f"{entry.refers_to}.id",
                default=_text(fields.blank(entry)),
                long=entry.kind == "texts" or name in ("note", "description"),
                on_create=writable,
                on_change=writable,
            )


def _at(row: Row, name: str) -> Any:
    whole, _, part = name.partition(".")
    return (row[whole] or {}).get(part) if part else row[whole]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "\n".join(value)
    return "" if value is None else str(value)


def _values(sheet: Sheet, texts: Texts) -> Row:
    """What a caller of the API would send for these texts; a blank is null."""
    kinds = fields.LINE if sheet.of else fields.RESOURCES[sheet.name]
    values: Row = {}
    for name, text in texts.items():
        whole, _, part = name.partition(".")
        if part:
            values.setdefault(whole, {})[part] = text or None
        else:
            values[whole] = _value(kinds[whole].kind, text)
    return values


def _value(kind: fields.Kind, text: str) -> Any:
    if kind == "flag":
        return {"true": True, "false": False}.get(text, text)
    return [line for line in text.split("\n") if line] if kind == "texts" else text or None
