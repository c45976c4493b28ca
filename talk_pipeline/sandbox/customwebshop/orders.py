"""Orders: their lines, and the amounts the shop works out itself.

``line_total`` is what a line adds to ``total_excl_tax``: after its own discount and its share of the order's,
before tax. Tax is 25 % on everything. Shipping and fees are told as prices are, with or without it, and bear
nothing of the order's discount.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from talk_pipeline.sandbox import amounts
from talk_pipeline.sandbox.customwebshop.entities import Entities
from talk_pipeline.sandbox.customwebshop.errors import invalid, no_field
from talk_pipeline.sandbox.customwebshop.fields import FEE, LINE, SHIPPING_LINES, Field, accept
from talk_pipeline.sandbox.exchange import Write
from talk_pipeline.sandbox.store import Row

TAX_PERCENT = Decimal(25)
_WORKED_OUT_FROM = ("lines", "discount_amount", "prices_include_tax", "shipping_amount", "fees")
_LISTS = ("lines", "fees")
_Take = Callable[[str, Mapping[str, Any], Row | None], Row]


class Orders(Entities):
    """The orders of the shop."""

    def complete(self, row: Row, document: Mapping[str, Any], *, old: Row | None) -> None:
        """Take over the lines, and bring the amounts up to date if anything they follow from changed."""
        if row["ordered_at"] is None:
            row["ordered_at"] = self._now()
        for name, entry in (("lines", self._line), ("fees", self._fee)):
            if name in document:
                row[name] = _list(name, document[name], [] if old is None else old.get(name, []), entry)
        if SHIPPING_LINES in document:
            row[SHIPPING_LINES] = document[SHIPPING_LINES]
        if old is None or any(row.get(name) != old.get(name) for name in _WORKED_OUT_FROM):
            self._work_out(row)

    def line_writes(self, old: Row | None, new: Row) -> list[Write]:
        """Lines that came, changed or went; a new total alone is no change of a line."""
        before = {} if old is None else _entries(old)
        after = _entries(new)
        counts = {
            "create": len(after.keys() - before.keys()),
            "update": sum(1 for key in after.keys() & before.keys() if after[key] != before[key]),
            "delete": len(before.keys() - after.keys()),
        }
        return [Write("order_lines", verb, count) for verb, count in counts.items() if count]  # type: ignore[arg-type]

    def _fee(self, where: str, entry: Mapping[str, Any], old: Row | None) -> Row:
        fee = _accepted(where, entry, FEE, old)
        if fee["amount"] is None:
            raise invalid(f"{where}.amount", f"{where}.amount is required.")
        if old is None:
            fee["id"] = self.new_id("f", "fees")
        return fee

    def _line(self, where: str, entry: Mapping[str, Any], old: Row | None) -> Row:
        line = _accepted(where, entry, LINE, old)
        if line["product_id"] is None:
            raise invalid(f"{where}.product_id", f"{where}.product_id is required.")
        if old is None or old["product_id"] != line["product_id"]:
            self.refer(f"{where}.product_id", LINE["product_id"], line["product_id"])
            product = self.others["products"].table.rows[line["product_id"]]
            line["sku"] = product["sku"]
            for name, source in (("description", "name"), ("unit", "unit"), ("unit_price", "price")):
                if line[name] is None:
                    line[name] = product[source]
        for name in ("quantity", "unit_price"):
            if line[name] is None:
                raise invalid(f"{where}.{name}", f"{where}.{name} is required.")
        if Decimal(line["discount_percent"]) > 100:
            raise invalid(f"{where}.discount_percent", "A discount is 100 percent at most.")
        if old is None:
            line["id"] = self.new_id("l", "lines")
        return line

    def _work_out(self, row: Row) -> None:
        facts = [_facts(line) for line in row["lines"]]
        discount = Decimal(row["discount_amount"])
        if facts and discount > sum(fact.amount for fact in facts):
            raise invalid("discount_amount", "The discount is more than the lines come to.")
        charges = [row.get("shipping_amount", "0"), *(fee["amount"] for fee in row.get("fees", ()))]
        facts += [_charge(amount) for amount in charges]
        worked, totals = amounts.document(
            facts, discount=discount, prices_include_tax=row["prices_include_tax"]
        )
        row["lines"] = [
            {**line, "line_total": _money(result.net)}
            for line, result in zip(row["lines"], worked[: len(row["lines"])], strict=True)
        ]
        row["total_excl_tax"] = _money(totals.excluding_tax)
        row["total_tax"] = _money(totals.tax)
        row["total_incl_tax"] = _money(totals.including_tax)


def _facts(line: Row) -> amounts.LineFacts:
    quantity, price = Decimal(line["quantity"]), Decimal(line["unit_price"])
    gross = amounts.to_cents(quantity * price)
    return amounts.LineFacts(
        quantity=quantity,
        unit_price=price,
        discount=amounts.percent_of(gross, Decimal(line["discount_percent"])),
        tax_percent=TAX_PERCENT,
    )


def _charge(amount: str) -> amounts.LineFacts:
    return amounts.LineFacts(Decimal(1), Decimal(amount), Decimal(0), TAX_PERCENT, discounted=False)


def _list(name: str, raw: Any, current: list[Row], take: _Take) -> list[Row]:
    """The whole list anew: entries are matched by id, new ones have none, missing ones go."""
    if not isinstance(raw, list):
        raise invalid(name, f"{name} is a list.")
    known = {one["id"]: one for one in current}
    result: list[Row] = []
    for position, entry in enumerate(raw):
        where = f"{name}[{position}]"
        if not isinstance(entry, Mapping):
            raise invalid(where, f"{where} is an object.")
        key = entry.get("id")
        if key is not None and key not in known:
            raise invalid(f"{where}.id", f"The order has no {name[:-1]} {key}.")
        result.append(take(where, entry, known.pop(key, None) if key is not None else None))
    return result


def _accepted(where: str, entry: Mapping[str, Any], fields: Mapping[str, Field], old: Row | None) -> Row:
    """An entry of a list with what a body says of it."""
    for name in entry:
        if name not in fields:
            raise no_field(f"{where}.{name}")
    row: Row = dict(old) if old is not None else {name: field.default for name, field in fields.items()}
    for name, raw in entry.items():
        if name != "id" and not fields[name].read_only:  # sku and total come back as read; the shop sets them
            row[name] = accept(f"{where}.{name}", fields[name], raw)
    return row


def _entries(row: Row) -> dict[str, Row]:
    return {one["id"]: _plain(one) for name in _LISTS for one in row.get(name, ())}


def _money(value: Decimal) -> str:
    return str(value.quantize(amounts.CENT))


def _plain(line: Row) -> Row:
    return {name: value for name, value in line.items() if name != "line_total"}
