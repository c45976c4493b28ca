"""Customers, products and orders as WooCommerce shows them.

What WooCommerce has no field for lies in ``meta_data`` under keys of its own; further keys are kept as they come,
on customers, products and orders, but not on lines. Names a table does not know are ignored, as are values the
shop sets itself.
"""

from __future__ import annotations

import datetime as dt
import zlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from talk_pipeline.sandbox.customwebshop.errors import invalid
from talk_pipeline.sandbox.customwebshop.profiles.forms import GMT, HOME, ID, SAME, TEXT, Form, chosen
from talk_pipeline.sandbox.customwebshop.profiles.shapes import Name, Plain, Shape, look
from talk_pipeline.sandbox.customwebshop.profiles.woocommerce_charges import (
    CouponLines,
    FeeLines,
    ShippingLines,
)
from talk_pipeline.sandbox.customwebshop.profiles.woocommerce_lines import LineItems
from talk_pipeline.sandbox.customwebshop.profiles.woocommerce_meta import Meta
from talk_pipeline.sandbox.store import Row

_FLAG = chosen({True: "yes", False: "no"})
_STATUS = chosen(
    {
        "open": "pending",
        "processing": "processing",
        "shipped": "shipped",
        "completed": "completed",
        "cancelled": "cancelled",
    }
)
_PUBLISHED = Form(lambda value, _: "publish" if value else "draft", lambda raw, _: _published(raw))
_CUSTOMER = Form(
    lambda value, _: int(value), lambda raw, _: str(_whole(raw)) if raw else None, blank=0
)  # 0: a guest
_STOCK = Form(lambda value, _: int(float(value)), lambda raw, _: str(_whole(raw)))
_LOCAL = Form(lambda value, _: _local(value), SAME.read)
_ADDRESS = {
    "address_1": "line1",
    "address_2": "line2",
    "city": "city",
    "state": "region",
    "postcode": "postal_code",
    "country": "country",
}
_DATES = (
    Plain("date_created", "created_at", _LOCAL, fixed=True),
    Plain("date_created_gmt", "created_at", GMT, fixed=True),
    Plain("date_modified", "updated_at", _LOCAL, fixed=True),
    Plain("date_modified_gmt", "updated_at", GMT, fixed=True),
)
_ID = Plain("id", "id", ID, fixed=True)


def customers() -> Shape:
    """Customers."""
    return Shape(
        _ID,
        *_DATES,
        Plain("email", "email", TEXT),
        Name("first_name", "last_name"),
        Plain("username", "email", TEXT, fixed=True),
        Plain("billing.company", "company_name", TEXT),
        *_address("billing", "address"),
        Plain("billing.email", "email", TEXT, fixed=True),
        Plain("billing.phone", "phone", TEXT),
        Meta(
            Plain("erp_number", "number", TEXT),
            Plain("erp_organization_number", "organization_number", TEXT),
            Plain("erp_vat_number", "vat_number", TEXT),
            Plain("erp_website", "website", TEXT),
            Plain("erp_currency", "currency", TEXT),
            Plain("erp_active", "active", _FLAG),
            Plain("erp_note", "note", TEXT),
        ),
        strict=False,
    )


def products(categories: Callable[[], Iterable[str]]) -> Shape:
    """Products; `categories` are the ones there are."""
    return Shape(
        _ID,
        *_DATES,
        Plain("sku", "sku", TEXT),
        Plain("name", "name", TEXT),
        Plain("status", "active", _PUBLISHED),
        Plain("description", "description", TEXT),
        Plain("price", "price", TEXT, fixed=True),
        Plain("regular_price", "price", TEXT),
        Plain("global_unique_id", "gtin", TEXT),
        Plain("stock_quantity", "stock", _STOCK),
        _Categories(categories),
        _Tags(),
        Meta(
            Plain("erp_unit", "unit", TEXT),
            Plain("erp_cost", "cost", TEXT),
            Plain("erp_currency", "currency", TEXT),
            Plain("erp_price_includes_tax", "price_includes_tax", _FLAG),
        ),
        strict=False,
    )


def orders() -> Shape:
    """Orders."""
    return Shape(
        _ID,
        Plain("number", "number", TEXT, fixed=True),
        Plain("status", "status", _STATUS),
        Plain("currency", "currency", TEXT),
        Plain("date_created", "ordered_at", _LOCAL, fixed=True),
        Plain("date_created_gmt", "ordered_at", GMT),
        *_DATES[2:],
        Plain("customer_id", "customer_id", _CUSTOMER),
        Plain("prices_include_tax", "prices_include_tax"),
        *_address("billing", "billing_address"),
        Plain("billing.email", "email", TEXT),
        Plain("billing.phone", "phone", TEXT),
        Plain("shipping.company", "shipping_address.name", TEXT),
        *_address("shipping", "shipping_address"),
        Plain("discount_total", "discount_amount", TEXT, fixed=True),
        Plain("total", "total_incl_tax", TEXT, fixed=True),
        Plain("total_tax", "total_tax", TEXT, fixed=True),
        LineItems(),
        ShippingLines(),
        FeeLines(),
        CouponLines(),
        Plain("shipping_total", "shipping_amount", TEXT, fixed=True),
        Meta(
            Plain("requested_delivery_date", "requested_delivery_date", TEXT),
            Plain("erp_number", "erp_number", TEXT),
            Plain("reference", "reference", TEXT),
        ),
        strict=False,
    )


class _Categories:
    """The first category stands for the product's; it is named by its slug or id."""

    wires = ("categories",)

    def __init__(self, known: Callable[[], Iterable[str]]) -> None:
        self._known = known

    def show(self, row: Row, about: Row, document: Row) -> None:
        """A list of one, or none."""
        document["categories"] = [_category(row["category"])] if row["category"] else []

    def read(
        self, document: Mapping[str, Any], current: Row, about: Row, values: Row, *, whole: bool
    ) -> None:
        """Find the first one among those there are, or make a new one of its slug."""
        named, raw = look(document, "categories")
        if not named:
            return
        if not isinstance(raw, list):
            raise invalid("categories", "categories is a list.")
        wanted = self._wanted(raw[0]) if raw else None
        if wanted != current.get("category"):
            values["category"] = wanted

    def named(self, field: str) -> str | None:
        """The list."""
        return "categories" if field == "category" else None

    def _wanted(self, entry: Any) -> str:
        if isinstance(entry, Mapping):
            known = {name: _category(name) for name in self._known()}
            for name, category in known.items():
                if "id" in entry and entry["id"] == category["id"]:
                    return name
            slug = entry.get("slug")
            if isinstance(slug, str) and slug:
                return next((n for n, c in known.items() if c["slug"] == slug.lower()), slug.upper())
        raise invalid("categories", "There is no such category.")


class _Tags:
    """Tags by their names."""

    wires = ("tags",)

    def show(self, row: Row, about: Row, document: Row) -> None:
        """Each with an id of its own."""
        document["tags"] = [_category(tag) for tag in row["tags"]]

    def read(
        self, document: Mapping[str, Any], current: Row, about: Row, values: Row, *, whole: bool
    ) -> None:
        """The names."""
        named, raw = look(document, "tags")
        if named:
            if not isinstance(raw, list) or not all(isinstance(e, Mapping) and "name" in e for e in raw):
                raise invalid("tags", "tags is a list of tags with their names.")
            values["tags"] = [entry["name"] for entry in raw]

    def named(self, field: str) -> str | None:
        """The list."""
        return "tags" if field == "tags" else None


def _address(wire: str, field: str) -> list[Plain]:
    return [Plain(f"{wire}.{name}", f"{field}.{part}", TEXT) for name, part in _ADDRESS.items()]


def _category(name: str) -> Row:
    slug = name.lower().replace(" ", "-")
    return {"id": zlib.crc32(slug.encode()) % 100_000, "name": name, "slug": slug}


def _local(instant: str) -> str:
    return dt.datetime.fromisoformat(instant).astimezone(HOME).strftime("%Y-%m-%dT%H:%M:%S")


def _published(raw: Any) -> bool:
    if raw not in ("publish", "draft", "pending", "private"):
        raise ValueError("It is one of publish, draft, pending, private.")
    return bool(raw == "publish")


def _whole(raw: Any) -> int:
    if isinstance(raw, bool) or not isinstance(raw, int):
        raise TypeError("It is an integer.")
    return raw
