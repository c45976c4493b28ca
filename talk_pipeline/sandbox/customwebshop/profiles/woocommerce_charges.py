"""``shipping_lines``, ``fee_lines`` and ``coupon_lines``: the first two merged line by line, by name and amount.

A line whose ``method_id``, or of a fee whose ``name``, is null goes; a new shipping line must name its method, a
new fee itself. Deviations: the shop keeps the sum of the shipping lines and, beside it, the lines; where its own
people change the sum, one line is shown with all of it. Taxes and meta data of these lines are left out. No
coupon is checked or worked out: a code is kept as it is told, and its discount is what the lines are less.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from talk_pipeline.sandbox import amounts
from talk_pipeline.sandbox.customwebshop.errors import ShopError, invalid
from talk_pipeline.sandbox.customwebshop.fields import COUPON_LINES, SHIPPING_LINES
from talk_pipeline.sandbox.customwebshop.profiles.shapes import look
from talk_pipeline.sandbox.store import Row


class _Charges:
    """An entry of a shape: lines that each have a name and a total.

    Attributes:
        wire: where they stand.
        known_by: what a new one must name, and what is null of one that goes.
        missing: what is said where a new one does not.
        texts: what else of a line may be written.
    """

    wire: str
    known_by: str
    missing: tuple[str, str]
    texts: tuple[str, ...]

    @property
    def wires(self) -> tuple[str, ...]:
        """Its one place."""
        return (self.wire,)

    def current(self, row: Row) -> list[Row]:
        """The lines of an order as they are on the wire."""
        raise NotImplementedError

    def keep(self, lines: list[Row], values: Row) -> None:
        """Put lines into what is to be written."""
        raise NotImplementedError

    def show(self, row: Row, about: Row, document: Row) -> None:
        """All lines."""
        document[self.wire] = self.current(row)

    def read(
        self, document: Mapping[str, Any], current: Row, about: Row, values: Row, *, whole: bool
    ) -> None:
        """The lines there are with the changes that are named, then the new ones."""
        named, raw = look(document, self.wire)
        if not named:
            return
        if not isinstance(raw, list) or not all(isinstance(entry, Mapping) for entry in raw):
            raise invalid(self.wire, f"{self.wire} is a list of objects.")
        before = {line["id"]: line for line in (self.current(current) if current else ())}
        lines, added = dict(before), list[Row]()
        for entry in raw:
            gone = self.known_by in entry and entry[self.known_by] is None
            if entry.get("id") is None:
                if not entry.get(self.known_by):
                    code, message = self.missing
                    raise ShopError(400, code, message)
                added.append(self._changed({"id": None, "total": "0.00"}, entry))
                continue
            if entry["id"] not in before:
                raise ShopError(400, "woocommerce_rest_invalid_item_id", "Order item ID provided is wrong.")
            if gone:
                lines.pop(entry["id"], None)
            else:
                lines[entry["id"]] = self._changed(lines[entry["id"]], entry)
        if added or lines != before:
            self.keep([*lines.values(), *added], values)

    def named(self, field: str) -> str | None:
        """None: refusals name these places themselves."""
        return None

    def _changed(self, line: Row, entry: Mapping[str, Any]) -> Row:
        changed = {**line, **{key: value for key, value in entry.items() if key in self.texts}}
        if (total := entry.get("total")) is None:
            return changed
        try:
            return {**changed, "total": _money(Decimal(str(total)))}
        except InvalidOperation as error:
            raise invalid(f"{self.wire}.total", "total is a number.") from error


class FeeLines(_Charges):
    """The fees of an order."""

    wire = "fee_lines"
    known_by = "name"
    missing = ("woocommerce_rest_invalid_fee_item", "Fee name is required.")
    texts = ("name",)

    def current(self, row: Row) -> list[Row]:
        """The shop's fees in these words."""
        return [
            {"id": int(fee["id"]), "name": fee["description"] or "", "total": fee["amount"]}
            for fee in row.get("fees") or ()
        ]

    def keep(self, lines: list[Row], values: Row) -> None:
        """The whole list, as the shop wants it."""
        values["fees"] = [
            ({"id": str(line["id"])} if line["id"] is not None else {})
            | {"description": line["name"], "amount": line["total"]}
            for line in lines
        ]


class ShippingLines(_Charges):
    """How an order is shipped, in one line or more."""

    wire = "shipping_lines"
    known_by = "method_id"
    missing = ("woocommerce_rest_invalid_shipping_item", "Shipping method ID is required.")
    texts = ("method_id", "method_title")

    def current(self, row: Row) -> list[Row]:
        """The lines kept, or one line where the sum is another one."""
        kept: list[Row] = row.get(SHIPPING_LINES) or []
        amount = Decimal(row.get("shipping_amount") or 0)
        if sum((Decimal(line["total"]) for line in kept), Decimal(0)) == amount:
            return [dict(line) for line in kept]
        first = kept[0] if kept else {"id": 1, "method_title": "Flat rate", "method_id": "flat_rate"}
        return [{**first, "total": _money(amount)}] if amount else []

    def keep(self, lines: list[Row], values: Row) -> None:
        """Their sum for the shop, and the lines beside it."""
        number = max((line["id"] for line in lines if line["id"] is not None), default=0)
        kept: list[Row] = []
        for line in lines:
            number += line["id"] is None
            title = {"method_title": ""} | line
            kept.append({**title, "id": number if line["id"] is None else line["id"]})
        values[SHIPPING_LINES] = kept
        values["shipping_amount"] = _money(sum((Decimal(line["total"]) for line in kept), Decimal(0)))


class CouponLines:
    """The codes an order was placed with; their money is in the lines' totals, and the first shows all of it."""

    wires = ("coupon_lines",)

    def show(self, row: Row, about: Row, document: Row) -> None:
        """All codes."""
        off = sum((_off(line) for line in row["lines"]), Decimal(0))
        document["coupon_lines"] = [
            {"id": number, "code": code, "discount": _money(off if number == 1 else Decimal(0))}
            for number, code in enumerate(row.get(COUPON_LINES) or (), start=1)
        ]

    def read(
        self, document: Mapping[str, Any], current: Row, about: Row, values: Row, *, whole: bool
    ) -> None:
        """The whole list, as the codes it names."""
        named, raw = look(document, "coupon_lines")
        if not named:
            return
        if not isinstance(raw, list) or not all(isinstance(one, Mapping) and one.get("code") for one in raw):
            raise invalid("coupon_lines", "coupon_lines is a list of objects, each with its code.")
        codes = [str(one["code"]) for one in raw]
        if codes != list(current.get(COUPON_LINES) or ()):
            values[COUPON_LINES] = codes

    def named(self, field: str) -> str | None:
        """None: refusals name this place themselves."""
        return None


def _off(line: Row) -> Decimal:
    whole = Decimal(line["quantity"]) * Decimal(line["unit_price"])
    return amounts.percent_of(amounts.rounded(whole), Decimal(line["discount_percent"]))


def _money(value: Decimal) -> str:
    return str(amounts.rounded(value))
