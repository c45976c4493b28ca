"""What customers, products, orders and their documents consist of, and what a value of each field looks like.

Decimals are text and kept as they were given; numbers are taken too and become text.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from talk_pipeline.sandbox.clock import from_datetime, to_datetime
from talk_pipeline.sandbox.customwebshop.errors import invalid, no_field

Kind = Literal["text", "decimal", "flag", "date", "instant", "choice", "currency", "object", "texts", "lines"]

_DECIMAL = re.compile(r"-?\d{1,15}(\.\d{1,10})?")
_CURRENCY = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True, slots=True)
class Field:
    """One field.

    Attributes:
        kind: what its value is.
        default: its value when a new record does not name it.
        required: whether a new record must name it, and whether it may become null.
        unique: whether no two records may share its value.
        refers_to: the resource whose id it holds.
        read_only: whether the shop works it out itself.
        choices: the values a choice has.
        parts: the fields of an object.
        least: the smallest number it takes.
    """

    kind: Kind
    default: Any = None
    required: bool = False
    unique: bool = False
    refers_to: str | None = None
    read_only: bool = False
    choices: tuple[str, ...] = ()
    parts: Mapping[str, Field] = field(default_factory=dict)
    least: int | None = None


SHIPPING_LINES = "_shipping_lines"
"""What the shipping amount is made up of, where a profile shows that."""
COUPON_LINES = "_coupon_lines"
"""The codes an order was placed with, where a profile shows that."""

_TEXT = Field("text")
ADDRESS = {name: _TEXT for name in ("line1", "line2", "city", "region", "postal_code", "country")}
OWN = {name: Field("instant", read_only=True) for name in ("created_at", "updated_at", "deleted_at")} | {
    "id": Field("text", read_only=True)
}

CUSTOMER: Mapping[str, Field] = {
    "number": Field("text", unique=True),
    "company_name": _TEXT,
    "contact_name": _TEXT,
    "organization_number": _TEXT,
    "vat_number": _TEXT,
    "email": _TEXT,
    "phone": _TEXT,
    "website": _TEXT,
    "currency": Field("currency"),
    "active": Field("flag", default=True),
    "address": Field("object", parts=ADDRESS),
    "payment_terms": _TEXT,
    "payment_method": _TEXT,
    "salesperson": _TEXT,
    "dimensions": Field("lines", default=()),
    "note": _TEXT,
    **OWN,
}

PRODUCT: Mapping[str, Field] = {
    "sku": Field("text", unique=True, required=True),
    "name": Field("text"),
    "description": _TEXT,
    "gtin": _TEXT,
    "category": _TEXT,
    "unit": _TEXT,
    "price": Field("decimal", default="0.00", least=0),
    "cost": Field("decimal", least=0),
    "currency": Field("currency"),
    "price_includes_tax": Field("flag", default=False),
    "active": Field("flag", default=True),
    "stock": Field("decimal", default="0"),
    "tags": Field("texts", default=()),
    "variants": Field("lines", default=()),
    "dimensions": Field("lines", default=()),
    **OWN,
}

ORDER: Mapping[str, Field] = {
    "number": Field("text", unique=True),
    "customer_id": Field("text", refers_to="customers"),
    "ordered_at": Field("instant"),
    "requested_delivery_date": Field("date"),
    "reference": _TEXT,
    "currency": Field("currency"),
    "prices_include_tax": Field("flag", default=False),
    "email": _TEXT,
    "phone": _TEXT,
    "status": Field(
        "choice",
        default="open",
        required=True,
        choices=("open", "processing", "shipped", "completed", "cancelled"),
    ),
    "billing_address": Field("object", parts=ADDRESS),
    "shipping_address": Field("object", parts={"name": _TEXT, **ADDRESS}),
    "discount_amount": Field("decimal", default="0.00", required=True, least=0),
    "shipping_amount": Field("decimal", default="0.00", required=True, least=0),
    "total_excl_tax": Field("decimal", read_only=True),
    "total_tax": Field("decimal", read_only=True),
    "total_incl_tax": Field("decimal", read_only=True),
    "payment_terms": _TEXT,
    "shipment_method": _TEXT,
    "salesperson": _TEXT,
    "department": _TEXT,
    "project": _TEXT,
    "dimensions": Field("lines", default=()),
    "lines": Field("lines", default=()),
    "fees": Field("lines", default=()),
    "gift_cards": Field("lines", default=()),
    SHIPPING_LINES: Field("lines", default=()),
    COUPON_LINES: Field("lines", default=()),
    "erp_number": _TEXT,
    **OWN,
}

LINE: Mapping[str, Field] = {
    "id": _TEXT,
    "product_id": Field("text", required=True, refers_to="products"),
    "sku": Field("text", read_only=True),
    "description": _TEXT,
    "unit": _TEXT,
    "quantity": Field("decimal", required=True),
    "unit_price": Field("decimal", required=True),
    "discount_percent": Field("decimal", default="0", required=True, least=0),
    "line_total": Field("decimal", read_only=True),
    "variant": _TEXT,
    "location": _TEXT,
}

FEE: Mapping[str, Field] = {
    "id": _TEXT,
    "description": _TEXT,
    "amount": Field("decimal", required=True),
}

GIFT_CARD: Mapping[str, Field] = {
    "id": _TEXT,
    "code": _TEXT,
    "amount": Field("decimal", required=True),  # below zero: what is redeemed
}

_DOCUMENT: Mapping[str, Field] = {
    "number": Field("text", unique=True),
    "order_id": Field("text", required=True, refers_to="orders"),
    "date": Field("date"),
    "lines": Field("lines", default=()),
}
SHIPMENT: Mapping[str, Field] = {**_DOCUMENT, "tracking_number": _TEXT, "carrier": _TEXT, **OWN}
INVOICE: Mapping[str, Field] = {
    **_DOCUMENT,
    "due_date": Field("date"),
    "status": Field("choice", default="open", required=True, choices=("open", "paid", "cancelled")),
    "currency": Field("currency"),
    "total_excl_tax": Field("decimal"),
    "total_incl_tax": Field("decimal"),
    "remaining_amount": Field("decimal"),
    "document": _TEXT,
    **OWN,
}
REFUND: Mapping[str, Field] = {
    **_DOCUMENT,
    "customer_id": Field("text", refers_to="customers", read_only=True),
    "invoice_id": Field("text", refers_to="invoices"),
    "status": Field(
        "choice",
        default="requested",
        required=True,
        choices=("requested", "posted", "settled", "cancelled"),
    ),
    "erp_number": _TEXT,
    "currency": Field("currency", read_only=True),
    "prices_include_tax": Field("flag", read_only=True),
    "total_excl_tax": Field("decimal"),
    "total_incl_tax": Field("decimal"),
    **OWN,
}
APPROVAL: Mapping[str, Field] = {
    "number": Field("text", unique=True),
    "order_id": Field("text", required=True, refers_to="orders"),
    "status": Field(
        "choice",
        default="open",
        required=True,
        choices=("created", "open", "cancelled", "rejected", "approved"),
    ),
    "approver": _TEXT,
    "due_date": Field("date"),
    **OWN,
}

DOCUMENT_LINE: Mapping[str, Field] = {
    "id": _TEXT,
    "sku": _TEXT,
    "product_id": Field("text", refers_to="products"),
    "description": _TEXT,
    "quantity": Field("decimal", required=True),
    "unit_price": Field("decimal"),
    "discount_percent": Field("decimal"),
    "amount": Field("decimal"),
}

RESOURCES: Mapping[str, Mapping[str, Field]] = {"customers": CUSTOMER, "products": PRODUCT, "orders": ORDER}
"""What every shop has."""
DOCUMENTS: Mapping[str, Mapping[str, Field]] = {
    "shipments": SHIPMENT,
    "invoices": INVOICE,
    "refunds": REFUND,
    "approvals": APPROVAL,
}
"""What happens to an order, where a shop keeps it."""
SINGULAR: Mapping[str, str] = {
    "contacts": "contact",
    "employees": "employee",
    "delivery_addresses": "delivery address",
    "stock_levels": "stock level",
    "prices": "price",
    "customers": "customer",
    "products": "product",
    "orders": "order",
    "shipments": "shipment",
    "invoices": "invoice",
    "refunds": "refund",
    "approvals": "approval",
}


def accept(name: str, entry: Field, raw: Any, *, current: Any = None) -> Any:
    """The value to keep of what a body holds.

    Args:
        name: what the field is called in a refusal.
        entry: the field.
        raw: what the body holds.
        current: what the record holds now, which parts of an object are merged into.

    Raises:
        ShopError: if the field does not take it.
    """
    if raw is None:
        if entry.required:
            raise invalid(name, f"{name} cannot be null.")
        return entry.default if entry.kind in ("flag", "texts") else None
    match entry.kind:
        case "text" if isinstance(raw, str):
            return raw
        case "flag" if isinstance(raw, bool):
            return raw
        case "decimal":
            return _decimal(name, entry, raw)
        case "currency" if isinstance(raw, str) and _CURRENCY.fullmatch(raw):
            return raw
        case "choice" if raw in entry.choices:
            return raw
        case "date" if isinstance(raw, str) and _is_date(raw):
            return raw
        case "instant" if isinstance(raw, str):
            moment = read_instant(raw)
            if moment is not None:
                return show_instant(moment)
        case "texts" if isinstance(raw, list) and all(isinstance(part, str) for part in raw):
            return raw
        case "object" if isinstance(raw, Mapping):
            return _object(name, entry, raw, current)
    hint = f" It is one of {', '.join(entry.choices)}." if entry.choices else ""
    raise invalid(name, f"{name} is not a valid {entry.kind}.{hint}")


def blank(entry: Field) -> Any:
    """The value of a field a new record does not name."""
    if entry.kind == "object":
        return dict.fromkeys(entry.parts)
    return list(entry.default) if entry.kind in ("texts", "lines") else entry.default


def show_instant(moment: int) -> str:
    """RFC 3339 in UTC with milliseconds."""
    return to_datetime(moment).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment % 1000:03d}Z"


def read_instant(text: str) -> int | None:
    """Milliseconds of an RFC 3339 time, or None."""
    try:
        value = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return from_datetime(value) if value.tzinfo is not None and "T" in text.upper() else None


def _decimal(name: str, entry: Field, raw: Any) -> str:
    text = str(raw) if isinstance(raw, int | Decimal) and not isinstance(raw, bool) else raw
    if not isinstance(text, str) or not _DECIMAL.fullmatch(text):
        raise invalid(name, f"{name} is a decimal number, as text.")
    if entry.least is not None and Decimal(text) < entry.least:
        raise invalid(name, f"{name} cannot be less than {entry.least}.")
    return text


def _object(name: str, entry: Field, raw: Mapping[str, Any], current: Any) -> dict[str, Any]:
    result = {part: (current or {}).get(part) for part in entry.parts}
    for part, value in raw.items():
        if part not in entry.parts:
            raise no_field(f"{name}.{part}")
        result[part] = accept(f"{name}.{part}", entry.parts[part], value)
    return result


def _is_date(text: str) -> bool:
    try:
        return dt.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
