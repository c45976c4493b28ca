"""Clients, articles and purchases as the bare profile shows them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from talk_pipeline.sandbox.customwebshop.errors import invalid, no_field
from talk_pipeline.sandbox.customwebshop.profiles.forms import NUMBER, YES_NO
from talk_pipeline.sandbox.customwebshop.profiles.shapes import Name, Plain, Shape, look
from talk_pipeline.sandbox.store import Row

_KINDS = {"email": "email", "phone": "phone", "web": "website"}
_PARTS = {
    "street1": "line1",
    "street2": "line2",
    "town": "city",
    "county": "region",
    "zip": "postal_code",
    "land": "country",
}
_MAIN = "main"


class _Entries(ABC):
    """Fields of a client told as a list of kinds, written as a whole: a kind it lacks becomes blank.

    Attributes:
        wire: where the list stands.
        kinds: the kinds there are.
        parts: what an entry consists of beside its kind.
    """

    wire: ClassVar[str]
    kinds: ClassVar[tuple[str, ...]]
    parts: ClassVar[tuple[str, ...]]

    @property
    def wires(self) -> tuple[str, ...]:
        """Its one place."""
        return (self.wire,)

    def read(
        self, document: Mapping[str, Any], current: Row, about: Row, values: Row, *, whole: bool
    ) -> None:
        """The whole list."""
        named, raw = look(document, self.wire)
        if not named:
            return
        if not isinstance(raw, list):
            raise invalid(self.wire, f"{self.wire} is a list.")
        found: dict[str, Mapping[str, Any]] = {}
        for position, entry in enumerate(raw):
            where = f"{self.wire}[{position}]"
            if (
                not isinstance(entry, Mapping)
                or entry.get("kind") not in self.kinds
                or entry["kind"] in found
            ):
                raise invalid(where, f"{where} is one of each kind: {', '.join(self.kinds)}.")
            for name in entry:
                if name != "kind" and name not in self.parts:
                    raise no_field(f"{where}.{name}")
            found[entry["kind"]] = entry
        self.take(found, values)

    @abstractmethod
    def take(self, found: Mapping[str, Mapping[str, Any]], values: Row) -> None:
        """Put what the entries found say, by kind, into the values."""


class Contacts(_Entries):
    """Email, phone and website."""

    wire = "contacts"
    kinds = tuple(_KINDS)
    parts = ("value",)

    def show(self, row: Row, about: Row, document: Row) -> None:
        """Those there are."""
        document[self.wire] = [
            {"kind": kind, "value": row[field]} for kind, field in _KINDS.items() if row[field] is not None
        ]

    def take(self, found: Mapping[str, Mapping[str, Any]], values: Row) -> None:
        """All three."""
        values |= {field: found.get(kind, {}).get("value") for kind, field in _KINDS.items()}

    def named(self, field: str) -> str | None:
        """The list."""
        return self.wire if field in _KINDS.values() else None


class Addresses(_Entries):
    """The one address, as the only kind there is."""

    wire = "addresses"
    kinds = (_MAIN,)
    parts = tuple(_PARTS)

    def show(self, row: Row, about: Row, document: Row) -> None:
        """The address, unless it is blank."""
        address = row["address"] or {}
        entry = {name: address.get(part) for name, part in _PARTS.items()}
        document[self.wire] = [{"kind": _MAIN, **entry}] if any(entry.values()) else []

    def take(self, found: Mapping[str, Mapping[str, Any]], values: Row) -> None:
        """All its parts."""
        address = found.get(_MAIN, {})
        values["address"] = {part: address.get(name) for name, part in _PARTS.items()}

    def named(self, field: str) -> str | None:
        """The list."""
        return self.wire if field.partition(".")[0] == "address" else None


def _address(wire: str, field: str) -> list[Plain]:
    return [Plain(f"{wire}.{name}", f"{field}.{part}") for name, part in _PARTS.items()]


_ID = Plain("id", "id", fixed=True)
_MASTER = (
    _ID,
    Plain("code", "number"),
    Plain("name", "company_name"),
    Name("firstName", "lastName"),
    Plain("orgNo", "organization_number"),
    Plain("vatNo", "vat_number"),
    Plain("currency", "currency"),
    Plain("enabled", "active", YES_NO),
    Plain("remark", "note"),
)
MASTER = Shape(*_MASTER)
CLIENT = Shape(*_MASTER, Contacts(), Addresses())
SUB_RESOURCES: Mapping[str, Shape] = {"contacts": Shape(Contacts()), "addresses": Shape(Addresses())}
ARTICLE = Shape(
    _ID,
    Plain("sku", "sku"),
    Plain("title", "name"),
    Plain("text", "description"),
    Plain("ean", "gtin"),
    Plain("group", "category"),
    Plain("uom", "unit"),
    Plain("price", "price"),
    Plain("cost", "cost"),
    Plain("currency", "currency"),
    Plain("gross", "price_includes_tax"),
    Plain("enabled", "active", YES_NO),
    Plain("stock", "stock", NUMBER),
    Plain("labels", "tags"),
)
PURCHASE = Shape(
    _ID,
    Plain("no", "number"),
    Plain("client.id", "customer_id"),
    Plain("date", "ordered_at"),
    Plain("wanted", "requested_delivery_date"),
    Plain("ref", "reference"),
    Plain("currency", "currency"),
    Plain("gross", "prices_include_tax"),
    Plain("mail", "email"),
    Plain("tel", "phone"),
    Plain("state", "status"),
    *_address("billing", "billing_address"),
    Plain("shipping.name", "shipping_address.name"),
    *_address("shipping", "shipping_address"),
    Plain("rebate", "discount_amount"),
    Plain("net", "total_excl_tax", fixed=True),
    Plain("tax", "total_tax", fixed=True),
    Plain("total", "total_incl_tax", fixed=True),
    Plain("erpNo", "erp_number"),
)
ROW = Shape(
    _ID,
    Plain("article.id", "product_id"),
    Plain("sku", "sku", fixed=True),
    Plain("text", "description"),
    Plain("uom", "unit"),
    Plain("qty", "quantity", NUMBER),
    Plain("price", "unit_price"),
    Plain("rebate", "discount_percent"),
    Plain("amount", "line_total", fixed=True),
)
