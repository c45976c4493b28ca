"""Customers, products and orders in the nested groups of the shop that lies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from talk_pipeline.sandbox.customwebshop.errors import invalid
from talk_pipeline.sandbox.customwebshop.profiles.forms import SAME, Form, moment_of
from talk_pipeline.sandbox.customwebshop.profiles.shapes import Lines, Plain, Shape, look
from talk_pipeline.sandbox.store import Row

OTHERS = "_others"
"""Where the addresses that are no field of the record are left, for whoever writes it."""
_PARTS = ("line1", "line2", "city", "region", "postal_code", "country")
_ANOTHER = {"line1": "Pakkeboks 7", "city": "Kolding", "postal_code": "6000", "country": "DK"}
_MILLISECONDS = Form(lambda value, _: moment_of(value), SAME.read)
_OWN = (Plain("id", "id", fixed=True), Plain("modified", "updated_at", _MILLISECONDS, fixed=True))


class _Addresses:
    """The default address, which is the record's, and others that are only kept; written as a whole list."""

    wires = ("addresses",)

    def show(self, row: Row, about: Row, document: Row) -> None:
        """The default one first."""
        document["addresses"] = [self._default(row), *self._others(row)]

    def read(
        self, document: Mapping[str, Any], current: Row, about: Row, values: Row, *, whole: bool
    ) -> None:
        """One entry is the default; what the list lacks is gone."""
        named, raw = look(document, "addresses")
        if not named:
            return
        if not isinstance(raw, list) or not all(isinstance(entry, Mapping) for entry in raw):
            raise invalid("addresses", "addresses is a list of objects.")
        default = [entry for entry in raw if entry.get("default") is True]
        if len(default) != 1:
            raise invalid("addresses", "One address is the default.")
        values["address"] = {part: default[0].get(part) for part in _PARTS}
        others = [self._entry(entry, default=False) for entry in raw if entry is not default[0]]
        if others != self._others(current):
            values[OTHERS] = others

    def named(self, field: str) -> str | None:
        """The list."""
        return "addresses" if field.partition(".")[0] == "address" else None

    def _default(self, row: Row) -> Row:
        return self._entry(row["address"] or {}, default=True)

    def _others(self, row: Row) -> list[Row]:
        extra = row.get("extra")
        return [self._entry(_ANOTHER, default=False)] if extra is None else list(extra)

    def _entry(self, address: Mapping[str, Any], *, default: bool) -> Row:
        return {"default": default, **{part: address.get(part) for part in _PARTS}}


def _same(prefix: str, *names: str) -> list[Plain]:
    """Fields that only lie deeper than in the record."""
    return [Plain(f"{prefix}.{name}", name) for name in names]


def _address(wire: str, field: str, *more: str) -> list[Plain]:
    return [Plain(f"{wire}.{part}", f"{field}.{part}") for part in (*more, *_PARTS)]


CUSTOMERS = Shape(
    *_OWN,
    *_same("profile", "number", "company_name", "contact_name", "organization_number", "vat_number"),
    *_same("profile", "email", "phone", "website", "currency", "active", "note"),
    _Addresses(),
    strict=False,
)
PRODUCTS = Shape(
    *_OWN,
    *_same("details", "sku", "name", "description", "gtin", "category", "unit", "active", "stock", "tags"),
    *_same("pricing", "price", "cost", "currency"),
    Plain("pricing.includes_tax", "price_includes_tax"),
    strict=False,
)
_LINE = Shape(
    Plain("product.id", "product_id"),
    Plain("product.sku", "sku", fixed=True),
    Plain("description", "description"),
    Plain("unit", "unit"),
    Plain("quantity", "quantity"),
    Plain("unit_price", "unit_price"),
    Plain("discount_percent", "discount_percent"),
    Plain("line_total", "line_total", fixed=True),
    strict=False,
)
ORDERS = Shape(
    *_OWN,
    *_same("header", "number", "customer_id", "ordered_at", "requested_delivery_date", "reference"),
    *_same("header", "currency", "prices_include_tax", "email", "phone", "status", "erp_number"),
    *_address("addresses.billing", "billing_address"),
    *_address("addresses.shipping", "shipping_address", "name"),
    Plain("totals.discount", "discount_amount"),
    Plain("totals.excl_tax", "total_excl_tax", fixed=True),
    Plain("totals.tax", "total_tax", fixed=True),
    Plain("totals.incl_tax", "total_incl_tax", fixed=True),
    Lines("lines", _LINE),
    strict=False,
)
