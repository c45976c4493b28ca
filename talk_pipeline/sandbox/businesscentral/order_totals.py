"""Keeps the amounts of a sales order and of its lines up to date: what `pricing` works out, stored."""

from __future__ import annotations

from talk_pipeline.sandbox.businesscentral import pricing
from talk_pipeline.sandbox.businesscentral.company import Company
from talk_pipeline.sandbox.store import Row


def recalculated(company: Company, row: Row) -> Row:
    """The order with its amounts and those of its lines brought up to date; its own time stays."""
    order, lines = pricing.recalculate(row, company.lines(row["id"]))
    for line in lines:
        if line != company.table("salesOrderLines").get(line["id"]):
            company.save("salesOrderLines", line)
    if order != row:
        company.save_silently("salesOrders", order)
    return order
