"""Creating, patching and deleting customers, products and orders: the rules all three share.

Orders add theirs in `orders`. Every method runs inside a transaction of the caller's.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from talk_pipeline.sandbox.clock import Clock
from talk_pipeline.sandbox.customwebshop.errors import ShopError, invalid, no_field, unknown
from talk_pipeline.sandbox.customwebshop.fields import (
    COUPON_LINES,
    DOCUMENTS,
    RESOURCES,
    SHIPPING_LINES,
    SINGULAR,
    Field,
    accept,
    blank,
    show_instant,
)
from talk_pipeline.sandbox.customwebshop.further import FURTHER, LISTS, completed
from talk_pipeline.sandbox.customwebshop.lists import accepted, whole_list
from talk_pipeline.sandbox.exchange import Write
from talk_pipeline.sandbox.store import Row, Store, Table

_PREFIX = {
    "customers": "c",
    "products": "p",
    "orders": "o",
    "shipments": "s",
    "invoices": "i",
    "refunds": "r",
    "approvals": "a",
    "contacts": "k",
    "employees": "e",
    "delivery_addresses": "da",
    "stock_levels": "sl",
    "prices": "pr",
}
_NUMBERED = {"customers": "", "products": "SKU-", "orders": "WEB-", "refunds": "R-"}
_FIRST = 1001
_HIDDEN = frozenset({"version", "extra", "purged", SHIPPING_LINES, COUPON_LINES})


class Entities:
    """One resource of the shop.

    Args:
        name: what it is called.
        store: where the records live.
        clock: the time the shop believes it is.
        numeric_ids: whether ids are numbers without a letter before them.
        quiet: fields whose change moves no modified time.

    Attributes:
        moment: the time to write as of; None for now.
    """

    def __init__(
        self,
        name: str,
        *,
        store: Store,
        clock: Clock,
        numeric_ids: bool = False,
        quiet: frozenset[str] = frozenset(),
    ) -> None:
        self.name = name
        self._numeric_ids = numeric_ids
        self._quiet = quiet
        self.fields: Mapping[str, Field] = {**RESOURCES, **DOCUMENTS, **FURTHER}[name]
        self.store = store
        self.clock = clock
        self.moment: int | None = None
        self.unique = next(key for key, entry in self.fields.items() if entry.unique)
        self.table: Table = store.table(
            f"shop/{name}",
            order=lambda row: (row["updated_at"], row["id"]),
            indexed=(self.unique, *(k for k, entry in self.fields.items() if entry.refers_to)),
            restore=partial(completed, name, self.fields),
        )
        self._counters = store.table("shop/_counters")
        self.others: Mapping[str, Entities] = {}

    # -- reading ----------------------------------------------------------------------------------------------

    def get(self, key: str) -> Row:
        """A record that is not deleted."""
        row = self.table.get(key)
        if row is None:
            raise unknown(SINGULAR[self.name], key)
        if row["deleted_at"] is not None:
            raise ShopError(410, "gone", f"The {SINGULAR[self.name]} {key} was deleted.")
        return row

    def show(self, row: Row) -> Row:
        """The record as callers see it."""
        return {name: value for name, value in row.items() if name not in _HIDDEN}

    # -- writing ----------------------------------------------------------------------------------------------

    def create(
        self, document: Mapping[str, Any], *, key: str | None = None, extra: Any = None
    ) -> tuple[Row, list[Write]]:
        """Add a record; returns it and what was written.

        Args:
            document: its fields.
            key: its id; one is made up if there is none.
            extra: what a profile keeps with it that is no field.
        """
        for name, entry in self.fields.items():
            if entry.required and entry.default is None and document.get(name) is None:
                raise invalid(name, f"{name} is required.")
        row: Row = {"id": key or self._next_id()}
        row |= {name: blank(entry) for name, entry in self.fields.items() if name not in row}
        changes = self._accepted(document, row)
        row |= changes
        if row[self.unique] in (None, ""):
            row[self.unique] = self._next_number()
        self._check_unique(row)
        self.complete(row, document, old=None)
        now = self._now()
        row |= {"created_at": now, "updated_at": now, "deleted_at": None, "version": 1}
        if extra is not None:
            row["extra"] = extra
        self.store.put(self.table, row)
        return row, [Write(self.name, "create"), *self.line_writes(None, row)]

    def patch(self, row: Row, document: Mapping[str, Any], *, extra: Any = None) -> tuple[Row, list[Write]]:
        """Merge a document into a record; one that changes nothing leaves version and time alone."""
        new = {**row, **self._accepted(document, row)}
        self._check_unique(new)
        if extra is not None:
            new["extra"] = extra
        self.complete(new, document, old=row)
        writes = [Write(self.name, "update"), *self.line_writes(row, new)]
        if new == row:
            return row, writes
        changed = {name for name, value in new.items() if value != row.get(name)}
        moved = row["updated_at"] if changed <= self._quiet else self._now()
        new |= {"updated_at": moved, "version": row["version"] + 1}
        self.store.put(self.table, new)
        return new, writes

    def delete(self, row: Row) -> list[Write]:
        """Mark a record as deleted; it stays listed for those who ask."""
        now = self._now()
        gone = {**row, "deleted_at": now, "updated_at": now, "version": row["version"] + 1}
        self.store.put(self.table, gone)
        return [Write(self.name, "delete")]

    def purge(self, row: Row) -> list[Write]:
        """Delete a record beyond recall, also one that lies in the bin of a profile that has one."""
        writes = [] if row["deleted_at"] is not None else self.delete(row)
        self.store.put(self.table, {**self.table.rows[row["id"]], "purged": True})
        return writes

    def restore(self, row: Row) -> Row:
        """Take a deleted record out of the bin."""
        back = {**row, "deleted_at": None, "updated_at": self._now(), "version": row["version"] + 1}
        self._check_unique(back)
        self.store.put(self.table, back)
        return back

    # -- for orders -------------------------------------------------------------------------------------------

    def complete(self, row: Row, document: Mapping[str, Any], *, old: Row | None) -> None:
        """Work out what the shop fills in itself."""
        for name, entry in LISTS.get(self.name, {}).items():
            if name in document:
                known = [] if old is None else old.get(name, [])
                row[name] = whole_list(name, document[name], known, partial(self._entry, entry))

    def _entry(self, fields: Mapping[str, Field], where: str, raw: Mapping[str, Any], old: Row | None) -> Row:
        row = accepted(where, raw, fields, old)
        if old is None:
            row["id"] = self.new_id("x", "entries")
        return row

    def line_writes(self, old: Row | None, new: Row) -> list[Write]:
        """Lines written along with a record."""
        return []

    # -- building blocks --------------------------------------------------------------------------------------

    def refer(self, name: str, entry: Field, value: Any) -> None:
        """Refuse an id that names nothing, or something deleted; a guest's order names no customer."""
        if entry.refers_to is None or (value is None and not entry.required):
            return
        found = self.others[entry.refers_to].table.get(value)
        if found is None or found["deleted_at"] is not None:
            raise invalid(name, f"There is no {SINGULAR[entry.refers_to]} {value}.")

    def _accepted(self, document: Mapping[str, Any], row: Row) -> Row:
        result: Row = {}
        for name, raw in document.items():
            entry = self.fields.get(name)
            if entry is None:
                raise no_field(name)
            if entry.kind == "lines":
                continue  # lines are a subject of their own
            if entry.read_only:
                if raw != row[name]:
                    raise invalid(name, f"{name} is set by the shop and cannot be written.")
                continue
            value = accept(name, entry, raw, current=row[name])
            if value != row[name]:
                self.refer(name, entry, value)
            result[name] = value
        return result

    def _check_unique(self, row: Row) -> None:
        value = row[self.unique]
        for other in self.table.find(self.unique, value):
            if other["id"] != row["id"] and other["deleted_at"] is None:
                raise ShopError(
                    409,
                    "duplicate",
                    f"There is another record with {self.unique} {value}.",
                    field=self.unique,
                )

    def _now(self) -> str:
        return show_instant(self.clock.now_ms() if self.moment is None else self.moment)

    def _next_id(self) -> str:
        while True:
            key = self.new_id(_PREFIX[self.name], self.name)
            if self.table.get(key) is None:
                return key

    def _next_number(self) -> str:
        prefix = _NUMBERED.get(self.name, f"{_PREFIX[self.name].upper()}-")
        while True:
            number = f"{prefix}{self.count(f'{self.name} number', 90_001)}"
            if not self.table.find(self.unique, number):
                return number

    def new_id(self, prefix: str, counter: str) -> str:
        """An id in the form the shop gives out."""
        number = self.count(counter, _FIRST)
        return str(number) if self._numeric_ids else f"{prefix}-{number}"

    def count(self, counter: str, first: int) -> int:
        """The next number of a counter."""
        row = self._counters.get(counter)
        number: int = row["next"] if row else first
        self.store.put(self._counters, {"id": counter, "next": number + 1})
        return number
