"""Customers, products and orders with their fields in groups, as the enveloped profile shows them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from talk_pipeline.sandbox.customwebshop.errors import invalid
from talk_pipeline.sandbox.customwebshop.profiles.forms import LOCAL, NUMBER
from talk_pipeline.sandbox.customwebshop.profiles.shapes import Lines, Name, Plain, Shape, look, same
from talk_pipeline.sandbox.store import Row

_PARTS = {
    "street": "line1",
    "street2": "line2",
    "place": "city",
    "province": "region",
    "zip": "postal_code",
    "nation": "country",
}


class Pointer:
    """Another record: shown as an object, written as its id.

    Args:
        wire: where the object is shown; with ``_id`` behind it, where the id is written.
        field: the field that holds the id.
        number_of: the number shown beside the id, if there is one.
    """

    def __init__(self, wire: str, field: str, number_of: Callable[[str], Any] | None = None) -> None:
        self._wire = wire
        self._written = f"{wire}_id"
        self._field = field
        self._number_of = number_of

    @property
    def wires(self) -> tuple[str, ...]:
        """Both places."""
        return (self._wire, self._written)

    def show(self, row: Row, about: Row, document: Row) -> None:
        """The object."""
        document[self._wire] = self._object(row)

    def read(
        self, document: Mapping[str, Any], current: Row, about: Row, values: Row, *, whole: bool
    ) -> None:
        """The id; the object may come along as it was shown."""
        named, raw = look(document, self._wire)
        if named and not same(raw, self._object(current)):
            raise invalid(self._wire, f"{self._wire} is written as {self._written}.")
        named, raw = look(document, self._written)
        if named and raw != current.get(self._field):
            values[self._field] = raw
        elif not named and whole:
            values[self._field] = None

    def named(self, field: str) -> str | None:
        """Where the id is written."""
        return self._written if field == self._field else None

    def _object(self, row: Row) -> Row | None:
        key = row.get(self._field)
        if key is None:
            return None
        return {"id": key} | ({"no": self._number_of(key)} if self._number_of else {})


def _address(wire: str, field: str) -> list[Plain]:
    return [Plain(f"{wire}.{name}", f"{field}.{part}") for name, part in _PARTS.items()]


_OWN = (
    Plain("id", "id", fixed=True),
    Plain("created", "created_at", LOCAL, fixed=True),
    Plain("changed", "updated_at", LOCAL, fixed=True, lax=True),
)
CUSTOMERS = Shape(
    *_OWN,
    Plain("no", "number"),
    Plain("company", "company_name"),
    Name("person.first", "person.last"),
    Plain("tax.org", "organization_number"),
    Plain("tax.vat", "vat_number"),
    Plain("mail", "email"),
    Plain("tel", "phone"),
    Plain("web", "website"),
    Plain("currency", "currency"),
    Plain("active", "active"),
    *_address("address", "address"),
    Plain("memo", "note"),
)
PRODUCTS = Shape(
    *_OWN,
    Plain("code", "sku"),
    Plain("names.default", "name"),
    Plain("text", "description"),
    Plain("barcode", "gtin"),
    Plain("group.code", "category"),
    Plain("unit", "unit"),
    Plain("prices.sales", "price", NUMBER),
    Plain("prices.cost", "cost", NUMBER),
    Plain("prices.currency", "currency"),
    Plain("prices.gross", "price_includes_tax"),
    Plain("active", "active"),
    Plain("qty", "stock", NUMBER),
    Plain("tags", "tags"),
)
_ROW = Shape(
    Pointer("product", "product_id"),
    Plain("text", "description"),
    Plain("unit", "unit"),
    Plain("qty", "quantity", NUMBER),
    Plain("price", "unit_price", NUMBER),
    Plain("rebate_percent", "discount_percent", NUMBER, missing="0"),
    Plain("sum", "line_total", NUMBER, fixed=True),
)


def orders(customer_number: Callable[[str], Any]) -> Shape:
    """Orders; `customer_number` tells the number of the customer with an id."""
    return Shape(
        *_OWN,
        Plain("no", "number"),
        Pointer("customer", "customer_id", customer_number),
        Plain("placed", "ordered_at", LOCAL),
        Plain("wanted", "requested_delivery_date"),
        Plain("ref", "reference"),
        Plain("currency", "currency"),
        Plain("gross", "prices_include_tax"),
        Plain("mail", "email"),
        Plain("tel", "phone"),
        Plain("state", "status"),
        *_address("invoice_address", "billing_address"),
        Plain("delivery_address.name", "shipping_address.name"),
        *_address("delivery_address", "shipping_address"),
        Plain("rebate", "discount_amount", NUMBER, missing="0.00"),
        Plain("sums.net", "total_excl_tax", NUMBER, fixed=True),
        Plain("sums.tax", "total_tax", NUMBER, fixed=True),
        Plain("sums.gross", "total_incl_tax", NUMBER, fixed=True),
        Lines("rows", _ROW),
        Plain("erp_no", "erp_number"),
    )
