"""What a shop may keep beside customers, products, orders and their documents, and the lists within its records."""

from __future__ import annotations

from collections.abc import Mapping

from talk_pipeline.sandbox.customwebshop.fields import (
    ADDRESS,
    DOCUMENT_LINE,
    DOCUMENTS,
    FEE,
    GIFT_CARD,
    LINE,
    OWN,
    Field,
    blank,
)
from talk_pipeline.sandbox.store import Row

_TEXT = Field("text")

DIMENSION: Mapping[str, Field] = {"id": _TEXT, "code": Field("text", required=True), "value": _TEXT}
VARIANT: Mapping[str, Field] = {"id": _TEXT, "code": Field("text", required=True), "name": _TEXT}

CONTACT: Mapping[str, Field] = {
    "number": Field("text", unique=True),
    "customer_id": Field("text", required=True, refers_to="customers"),
    "name": _TEXT,
    "job_title": _TEXT,
    "email": _TEXT,
    "phone": _TEXT,
    **OWN,
}
EMPLOYEE: Mapping[str, Field] = {
    "number": Field("text", unique=True),
    "first_name": _TEXT,
    "last_name": _TEXT,
    "job_title": _TEXT,
    "email": _TEXT,
    "phone": _TEXT,
    "status": Field("choice", default="active", required=True, choices=("active", "inactive")),
    **OWN,
}
DELIVERYADDRESS: Mapping[str, Field] = {
    "number": Field("text", unique=True),
    "customer_id": Field("text", required=True, refers_to="customers"),
    "name": _TEXT,
    "contact_name": _TEXT,
    "phone": _TEXT,
    "email": _TEXT,
    "address": Field("object", parts=ADDRESS),
    **OWN,
}
STOCK_LEVEL: Mapping[str, Field] = {
    "number": Field("text", unique=True),
    "product_id": Field("text", required=True, refers_to="products"),
    "location": _TEXT,
    "quantity": Field("decimal", default="0"),
    **OWN,
}
PRICE: Mapping[str, Field] = {
    "number": Field("text", unique=True),
    "product_id": Field("text", required=True, refers_to="products"),
    "group": _TEXT,
    "minimum_quantity": Field("decimal", default="0"),
    "price": Field("decimal", least=0),
    "currency": Field("currency"),
    "valid_from": Field("date"),
    "valid_to": Field("date"),
    **OWN,
}

LISTS: Mapping[str, Mapping[str, Mapping[str, Field]]] = {
    "customers": {"dimensions": DIMENSION},
    "orders": {"dimensions": DIMENSION},
    "products": {"variants": VARIANT, "dimensions": DIMENSION},
}
"""Lists within records, beside those of orders and documents, and what an entry of them consists of."""

FURTHER: Mapping[str, Mapping[str, Field]] = {
    "contacts": CONTACT,
    "employees": EMPLOYEE,
    "delivery_addresses": DELIVERYADDRESS,
    "stock_levels": STOCK_LEVEL,
    "prices": PRICE,
}
"""What else a shop may have a place for."""

_ENTRIES: Mapping[str, Mapping[str, Mapping[str, Field]]] = {
    **LISTS,
    "orders": {**LISTS["orders"], "lines": LINE, "fees": FEE, "gift_cards": GIFT_CARD},
    **{name: {"lines": DOCUMENT_LINE} for name, fields in DOCUMENTS.items() if "lines" in fields},
}


def completed(name: str, fields: Mapping[str, Field], row: Row) -> Row:
    """A record as it was kept, with what its kind has been given since: blank, or as by default."""
    lists = {
        key: [{**_blanks(entry), **one} for one in row[key]]
        for key, entry in _ENTRIES.get(name, {}).items()
        if key in row
    }
    return {**_blanks(fields), **row, **lists}


def _blanks(fields: Mapping[str, Field]) -> Row:
    return {name: blank(entry) for name, entry in fields.items()}
