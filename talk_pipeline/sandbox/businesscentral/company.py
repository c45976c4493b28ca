"""One company: its tables, look-ups between them, its clock and its number series.

What may be written is up to `records` and the modules behind it; this one only knows where things lie.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from talk_pipeline.sandbox.businesscentral import values
from talk_pipeline.sandbox.businesscentral.etags import VERSION, Versions
from talk_pipeline.sandbox.businesscentral.schema import DECIMALS, EVERYWHERE, EntitySet, Schema
from talk_pipeline.sandbox.clock import Clock, to_datetime
from talk_pipeline.sandbox.settings import Settings
from talk_pipeline.sandbox.store import OrderKey, Row, Store, Table

INDEXED: Mapping[str, tuple[str, ...]] = {
    "customers": ("number", "email", "taxRegistrationNumber"),
    "items": ("number", "gtin"),
    "salesOrders": ("number", "externalDocumentNumber", "customerId", "billToCustomerId"),
    "salesOrderLines": ("documentId", "itemId"),
    "salesOrderArchives": ("number", "externalDocumentNumber"),
    "salesInvoices": ("number", "externalDocumentNumber", "orderId", "orderNumber", "customerId"),
    "salesInvoiceLines": ("documentId", "itemId"),
    "salesShipments": ("number", "externalDocumentNumber", "orderNumber"),
    "salesShipmentLines": ("documentId",),
    "salesCreditMemos": ("number", "externalDocumentNumber", "invoiceId", "customerId"),
    "salesCreditMemoLines": ("documentId", "itemId"),
    "itemVariants": ("itemId", "code"),
    "accounts": ("number",),
    "contacts": ("number", "companyNumber"),
    "contactsInformation": ("relatedId",),
    "defaultDimensions": ("parentId",),
    "dimensionSetLines": ("parentId",),
    "employees": ("number",),
    "shipToAddresses": ("customerId", "code"),
    "salesPrices": ("itemId",),
    "itemLedgerEntries": ("itemNo",),
}
"""Properties that equality filters and look-ups find without reading the whole table."""

LINES = {"salesOrders": "salesOrderLines", "salesCreditMemos": "salesCreditMemoLines"}
"""Documents that may be written, and where their lines are."""

HIDDEN_DECIMALS = frozenset({"_rate", "_minimum", "_price", "_per_unit", "_line_discount"})
"""Decimal properties the API does not show; their names begin with an underscore as all hidden ones."""

ROOT_SETS = EVERYWHERE
"""Sets that lie under no company; they have a `Company` of their own."""

POSTED_MEMOS = "posted credit memos"
"""The series from which a credit memo gets its number once it is posted."""

_SERIES = {
    "customers": ("K", 100_001),
    "items": ("V", 100_001),
    "salesOrders": ("SO", 100_001),
    "salesInvoices": ("FA", 100_001),
    "salesShipments": ("LE", 100_001),
    "salesCreditMemos": ("GS", 100_001),
    POSTED_MEMOS: ("KG", 100_001),
    "contacts": ("KT", 100_001),
    "employees": ("MA", 100_001),
}


class Company:
    """The records of one company and how to get at them.

    Args:
        key: its id.
        store: where its records are kept.
        schema: all sets there are.
        settings: the server's answers to open questions.
        clock: the server's time.
        versions: gives each write its row version.
        sets: names of the sets this company has.
    """

    def __init__(
        self,
        key: str,
        *,
        store: Store,
        schema: Schema,
        settings: Settings,
        clock: Clock,
        versions: Versions,
        sets: Iterable[str],
    ) -> None:
        self.id = key
        self.store = store
        self.schema = schema
        self.settings = settings
        self.clock = clock
        self._versions = versions
        self._moment: int | None = None
        self._random: random.Random | None = None
        self._tables = {name: self._open(schema.sets[schema.sets[name].rows_of or name]) for name in sets}
        self.prices = store.table(f"bc/{key}/_prices", indexed=("itemId",), restore=restore_hidden)
        self.units = store.table(f"bc/{key}/_itemUnits", indexed=("itemId",), restore=restore_hidden)
        self._series = store.table(f"bc/{key}/_series")
        for table in self._tables.values():  # row versions go on above those that were kept
            versions.last = max([versions.last, *(row.get(VERSION, 0) for row in table.rows.values())])

    def table(self, name: str) -> Table:
        """The records of a set."""
        return self._tables[name]

    def set(self, name: str) -> EntitySet:
        """What a set consists of."""
        return self.schema.sets[name]

    @property
    def local_currency(self) -> str:
        """The code amounts without a currency are in."""
        for row in self.table("companyInformation").rows.values():
            return str(row["_currency"])
        return "DKK"

    def lookup(self, set_name: str, column: str, value: Any) -> Row | None:
        """The record of a set by its id, number or code."""
        table = self.table(set_name)
        if column == "id":
            return table.get(value)
        if table.indexes(column):
            return table.first(column, value)
        return next((row for row in table.rows.values() if row[column] == value), None)

    def lines(self, document_id: str, of: str = "salesOrders") -> list[Row]:
        """The lines of a sales order or another document, in sequence."""
        return self.table(LINES[of]).find("documentId", document_id)

    # -- writing ------------------------------------------------------------------------------------------

    def blank(self, set_name: str) -> Row:
        """A record of which nothing was sent yet, under a new id."""
        key, new = self.set(set_name).key, self.new_id()
        return {**_defaults(self.set(set_name)), key: new, "id": new}

    def save(self, set_name: str, row: Row) -> Row:
        """Store a record as modified now, under a new entity tag."""
        row = {**row, VERSION: self._versions.next()}
        if modified := self.set(set_name).modified:
            row[modified] = self.now_ms()
        self.store.put(self.table(set_name), row)
        return row

    def save_silently(self, set_name: str, row: Row) -> Row:
        """Store what changed by itself: neither the entity tag nor the modified time move."""
        self.store.put(self.table(set_name), row)
        return row

    def remove(self, set_name: str, row: Row) -> None:
        """Delete a record."""
        self.store.drop(self.table(set_name), row["id"])

    def new_id(self) -> str:
        """An id no record has."""
        if self._random is not None:
            return str(uuid.UUID(int=self._random.getrandbits(128), version=4))
        return str(uuid.uuid4())

    def next_number(self, set_name: str, *, series: str = "") -> str:
        """The next free number of a set's series, or of another one that its records may get."""
        prefix, first = _SERIES[series or set_name]
        counter = self._series.get(series or set_name)
        number = counter["next"] if counter else first
        while self.lookup(set_name, "number", f"{prefix}{number}") is not None:
            number += 1
        self.store.put(self._series, {"id": series or set_name, "next": number + 1})
        return f"{prefix}{number}"

    def now_ms(self) -> int:
        """The time a write happens at."""
        return self.clock.now_ms() if self._moment is None else self._moment

    def today(self) -> str:
        """The work date."""
        return to_datetime(self.now_ms()).date().isoformat()

    @contextmanager
    def at(self, moment: int, *, seed: random.Random | None = None) -> Iterator[None]:
        """Write as of another time, and with ids that follow from a seed."""
        before = self._moment, self._random
        self._moment, self._random = moment, seed or self._random
        try:
            yield
        finally:
            self._moment, self._random = before

    # -- set-up -------------------------------------------------------------------------------------------

    def _open(self, entity_set: EntitySet) -> Table:
        decimals = {entry.name for entry in entity_set.properties.values() if entry.kind in DECIMALS}
        # what has been added to a page since a row was kept has its default there, as a new field of a table has
        pages = [one for one in self.schema.sets.values() if entity_set.name in (one.name, one.rows_of)]
        added = {name: value for one in pages for name, value in _defaults(one).items()}
        return self.store.table(
            f"bc/{self.id}/{entity_set.name}",
            order=_order_of(entity_set),
            indexed=INDEXED.get(entity_set.name, _found_by(entity_set)),
            restore=lambda row: {**added, **_restored(row, decimals)},
        )


def _found_by(entity_set: EntitySet) -> tuple[str, ...]:
    """What the records of a set are found by of which nothing is said."""
    return (*entity_set.unique[:1], *(("code",) if "code" in entity_set.properties else ()))


_DEFAULTS: dict[str, Row] = {}


def _defaults(entity_set: EntitySet) -> Row:
    """The values of a record of which nothing was sent, worked out once a set."""
    if entity_set.name not in _DEFAULTS:
        _DEFAULTS[entity_set.name] = {e.name: values.default(e) for e in entity_set.properties.values()}
    return _DEFAULTS[entity_set.name]


def restore_hidden(row: Row) -> Row:
    """A row without properties of the API, as it was before it was kept."""
    return _restored(row, set())


def _restored(row: Row, decimals: set[str]) -> Row:
    return {
        name: Decimal(value) if name in decimals or name in HIDDEN_DECIMALS else value
        for name, value in row.items()
    }


def _order_of(entity_set: EntitySet) -> Callable[[Row], OrderKey]:
    names = entity_set.order
    return lambda row: tuple(row[name] for name in names)
