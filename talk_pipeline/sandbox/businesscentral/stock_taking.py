"""What people count in a warehouse: the stock of an item, in all or at a place, and the entries that say so."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from talk_pipeline.sandbox.businesscentral import values
from talk_pipeline.sandbox.businesscentral.company import Company
from talk_pipeline.sandbox.store import Row

_SET = "itemLedgerEntries"
_MORE, _LESS = "Positive_x0020_Adjmt_x002E_", "Negative_x0020_Adjmt_x002E_"


def count(company: Company, item: Row, quantity: Decimal, location: Any) -> Row:
    """The item with that stock; at a location what is counted there differs by an entry from what was known."""
    if location is None:
        return company.save_silently("items", {**item, "inventory": quantity, "_entries": True})
    entries = company.table(_SET)
    here = [one for one in entries.find("itemNo", item["number"]) if one["locationCode"] == location]
    more = quantity - sum((one["remainingQuantity"] for one in here), Decimal(0))
    number = len(entries) + 1
    entry = company.blank(_SET) | {
        "id": f"{number:09d}",
        "entryNo": number,
        "entryType": _MORE if more > 0 else _LESS,
        "postingDate": company.today(),
        "itemNo": item["number"],
        "locationCode": str(location),
        "quantity": values.trimmed(more),
        "remainingQuantity": values.trimmed(more),
        "open": True,
        "positive": more > 0,
    }
    company.save_silently(_SET, {**entry, "_version": 0})
    changed = {"inventory": values.trimmed(item["inventory"] + more), "_entries": True}
    return company.save_silently("items", {**item, **changed})
