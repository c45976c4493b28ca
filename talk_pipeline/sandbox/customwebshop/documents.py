"""Shipments, invoices and refunds: what happens to an order, each a record of its own that names the order.

What of it concerns a line of the order is shown there: `shipped_quantity`, `invoiced_quantity` and
`refunded_quantity`. A document names products and not lines: those of one product are filled in their order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from talk_pipeline.sandbox.customwebshop.entities import Entities
from talk_pipeline.sandbox.customwebshop.errors import invalid
from talk_pipeline.sandbox.customwebshop.fields import DOCUMENT_LINE
from talk_pipeline.sandbox.customwebshop.lists import accepted, whole_list
from talk_pipeline.sandbox.store import Row

SHOWN = {
    "shipments": "shipped_quantity",
    "invoices": "invoiced_quantity",
    "refunds": "refunded_quantity",
}
"""Where the lines of an order show what a kind of document says of them."""
_VOID = "cancelled"


class Documents(Entities):
    """One kind of them."""

    def complete(self, row: Row, document: Mapping[str, Any], *, old: Row | None) -> None:
        """Take over the lines, and what follows from the order."""
        if "lines" in document:
            row["lines"] = whole_list(
                "lines", document["lines"], [] if old is None else old["lines"], self._line
            )
        order = self.others["orders"].table.rows[row["order_id"]]
        for name in ("customer_id", "currency", "prices_include_tax"):
            if name in self.fields and self.fields[name].read_only:
                row[name] = order[name]

    def _line(self, where: str, entry: Mapping[str, Any], old: Row | None) -> Row:
        line = accepted(where, entry, DOCUMENT_LINE, old)
        products = self.others["products"].table
        if line["product_id"] is None:
            found = products.first("sku", line["sku"]) if line["sku"] else None
            if found is None:
                raise invalid(f"{where}.sku", f"{where} names no product of the shop.")
            line["product_id"] = found["id"]
        self.refer(f"{where}.product_id", DOCUMENT_LINE["product_id"], line["product_id"])
        line["sku"] = products.rows[line["product_id"]]["sku"]
        if old is None:
            line["id"] = self.new_id("d", "document lines")
        return line

    def said_of(self, order: str) -> Iterable[tuple[str, Decimal]]:
        """Products and quantities of the documents of an order that count."""
        for row in self.table.find("order_id", order):
            if row["deleted_at"] is None and row.get("status") != _VOID:
                for line in row["lines"]:
                    yield line["product_id"], Decimal(line["quantity"])


def shown_lines(order: Row, others: Mapping[str, Entities]) -> list[Row]:
    """The lines of an order with what documents say of them, where the shop keeps any."""
    lines: list[Row] = [dict(line) for line in order["lines"]]
    for name, shown in SHOWN.items():
        documents = others.get(name)
        if not isinstance(documents, Documents):
            continue
        left: dict[str, Decimal] = {}
        for product, quantity in documents.said_of(order["id"]):
            left[product] = left.get(product, Decimal(0)) + quantity
        for place, line in enumerate(lines):
            product = line["product_id"]
            last = all(later["product_id"] != product for later in lines[place + 1 :])
            known = left.get(product, Decimal(0))
            here = known if last else min(known, Decimal(line["quantity"]))
            left[product] = known - here
            line[shown] = str(here)
    return lines
