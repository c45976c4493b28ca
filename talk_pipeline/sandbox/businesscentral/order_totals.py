"""Keeps the amounts of a sales order or credit memo and its lines up to date: what `pricing` works out, stored."""

from __future__ import annotations

from talk_pipeline.sandbox.businesscentral import pricing
from talk_pipeline.sandbox.businesscentral.company import LINES, Company
from talk_pipeline.sandbox.store import Row


def recalculated(company: Company, row: Row, of: str = "salesOrders") -> Row:
    """The document with its amounts and those of its lines brought up to date; its own time stays."""
    order, lines = pricing.recalculate(company, row, company.lines(row["id"], of))
    for line in lines:
        if line != company.table(LINES[of]).get(line["id"]):
            company.save(LINES[of], line)
    if order != row:
        company.save_silently(of, order)
    return order
