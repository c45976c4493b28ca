"""``line_items``: merged line by line, and told in amounts of whole lines instead of prices and percents.

``subtotal`` is what the line costs before its discount, ``total`` what it costs after. A line whose quantity alone
is written keeps both amounts, so that its price changes; a total above the subtotal lifts it. Deviations: a new
line that names only a subtotal gets no other total, quantities may be fractions, and of a line's ``meta_data``
only ``erp_unit`` is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from talk_pipeline.sandbox.customwebshop.errors import ShopError, invalid
from talk_pipeline.sandbox.customwebshop.profiles.forms import ID, TEXT
from talk_pipeline.sandbox.customwebshop.profiles.shapes import Plain, look
from talk_pipeline.sandbox.customwebshop.profiles.woocommerce_meta import Meta
from talk_pipeline.sandbox.store import Row

_EXACT = Decimal("1e-10")
_ROUNDED = Decimal("1e-8")
_HUNDRED = Decimal(100)
_WIRE = {"product_id": "product_id", "description": "name", "unit": "meta_data", "unit_price": "subtotal"}


class LineItems:
    """The entry of a shape."""

    wires = ("line_items",)

    def __init__(self) -> None:
        self._name = Plain("name", "description", TEXT)
        self._product = Plain("product_id", "product_id", ID)
        self._meta = Meta(Plain("erp_unit", "unit", TEXT))

    def show(self, row: Row, about: Row, document: Row) -> None:
        """All lines."""
        document["line_items"] = [self._document(line) for line in row["lines"]]

    def read(
        self, document: Mapping[str, Any], current: Row, about: Row, values: Row, *, whole: bool
    ) -> None:
        """The lines there are with the changes that are named, then the new ones."""
        named, raw = look(document, "line_items")
        if not named:
            return
        if not isinstance(raw, list) or not all(isinstance(entry, Mapping) for entry in raw):
            raise invalid("line_items", "line_items is a list of objects.")
        lines = {line["id"]: line for line in current.get("lines") or ()}
        result: dict[str, Row] = {key: {"id": key} for key in lines}
        added = []
        for entry in raw:
            gone = _given(entry, "quantity") == 0 or ("product_id" in entry and entry["product_id"] is None)
            if entry.get("id") is None:
                added += [] if gone else [self._new(entry)]
                continue
            key = str(entry["id"])
            if key not in lines:
                raise ShopError(400, "woocommerce_rest_invalid_item_id", "Order item ID provided is wrong.")
            if gone:
                result.pop(key, None)
            else:
                result[key] = {"id": key} | self._changed(entry, lines[key])
        values["lines"] = [*result.values(), *added]

    def named(self, field: str) -> str | None:
        """The list, and in it what the shop's field follows from."""
        name, dot, part = field.partition(".")
        if name != "lines" and not name.startswith("lines["):
            return None
        return name.replace("lines", "line_items") + (f".{_WIRE.get(part, part)}" if dot else "")

    def _document(self, line: Row) -> Row:
        quantity, subtotal, total = _amounts(line)
        document: Row = {"id": int(line["id"])}
        for entry in (self._name, self._product):
            entry.show(line, line, document)
        document |= {
            "variation_id": 0,
            "quantity": Decimal(line["quantity"]),
            "subtotal": _text(subtotal, _ROUNDED),
            "total": _text(total, _ROUNDED),
            "sku": line["sku"] or "",
            "price": Decimal(_text(total / quantity if quantity else Decimal(0), _ROUNDED)),
        }
        self._meta.show(line, line, document)
        return document

    def _plain(self, entry: Mapping[str, Any], current: Row) -> Row:
        values: Row = {}
        for part in (self._name, self._product, self._meta):
            part.read(entry, current, current, values, whole=False)
        values.pop("_meta", None)
        return values

    def _changed(self, entry: Mapping[str, Any], line: Row) -> Row:
        values = self._plain(entry, line)
        before = _amounts(line)
        quantity, subtotal, total = (
            was if given is None or Decimal(_text(was, _ROUNDED)) == given else given
            for was, given in zip(before, map(_given, [entry] * 3, _NUMBERS), strict=True)
        )
        if (quantity, subtotal, total) == before:
            return values
        if quantity != before[0]:
            values["quantity"] = _text(quantity, _EXACT, least=0)
        return values | _priced(quantity, max(subtotal, total), total, line)

    def _new(self, entry: Mapping[str, Any]) -> Row:
        values = self._plain(entry, {})
        quantity, subtotal, total = map(_given, [entry] * 3, _NUMBERS)
        quantity = Decimal(1) if quantity is None else quantity
        values["quantity"] = _text(quantity, _EXACT, least=0)
        subtotal = total if subtotal is None else subtotal
        if subtotal is None:
            return values
        total = subtotal if total is None else total
        return values | _priced(quantity, max(subtotal, total), total, {})


_NUMBERS = ("quantity", "subtotal", "total")


def _amounts(line: Row) -> tuple[Decimal, Decimal, Decimal]:
    """Quantity, subtotal and total."""
    quantity, price = Decimal(line["quantity"]), Decimal(line["unit_price"])
    subtotal = quantity * price
    return quantity, subtotal, subtotal * (1 - Decimal(line["discount_percent"]) / _HUNDRED)


def _priced(quantity: Decimal, subtotal: Decimal, total: Decimal, line: Row) -> Row:
    """Price and percent that make these amounts, in the words they had if they are the same."""
    found = {
        "unit_price": _text(subtotal / quantity, _EXACT),
        "discount_percent": _text(
            (1 - total / subtotal) * _HUNDRED if subtotal else Decimal(0), _EXACT, least=0
        ),
    }
    return {
        name: line[name] if name in line and Decimal(line[name]) == Decimal(text) else text
        for name, text in found.items()
    }


def _given(entry: Mapping[str, Any], name: str) -> Decimal | None:
    raw = entry.get(name)
    if raw is None or raw == "":
        return None
    if isinstance(raw, bool) or not isinstance(raw, str | int | Decimal):
        raise invalid(f"line_items.{name}", f"{name} is a number.")
    try:
        return Decimal(raw)
    except InvalidOperation as error:
        raise invalid(f"line_items.{name}", f"{name} is a number.") from error


def _text(value: Decimal, step: Decimal, *, least: int = 2) -> str:
    """A number without needless zeros, but with so many places at least."""
    text = format(value.quantize(step), "f")
    whole, _, places = text.partition(".")
    places = places.rstrip("0").ljust(least, "0")
    return f"{whole}.{places}" if places else whole
