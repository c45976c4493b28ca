"""Orders: their lines, and the amounts the shop works out itself.

``line_total`` is what a line adds to ``total_excl_tax``: after its own discount and its share of the order's,
before tax. Tax is 25 % on everything. Shipping, fees and gift cards are told as prices are, with or without it, and
bear nothing of the order's discount; a gift card that is redeemed is an amount below zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from talk_pipeline.sandbox import amounts
from talk_pipeline.sandbox.customwebshop.documents import SHOWN, shown_lines
from talk_pipeline.sandbox.customwebshop.entities import Entities
from talk_pipeline.sandbox.customwebshop.errors import invalid
from talk_pipeline.sandbox.customwebshop.fields import COUPON_LINES, FEE, GIFT_CARD, LINE, SHIPPING_LINES
from talk_pipeline.sandbox.customwebshop.lists import accepted, whole_list
from talk_pipeline.sandbox.exchange import Write
from talk_pipeline.sandbox.store import Row

TAX_PERCENT = Decimal(25)
_WORKED_OUT_FROM = (
    "lines",
    "discount_amount",
    "prices_include_tax",
    "shipping_amount",
    "fees",
    "gift_cards",
    "currency",
)
_LISTS = ("lines", "fees", "gift_cards")


class Orders(Entities):
    """The orders of the shop."""

    def complete(self, row: Row, document: Mapping[str, Any], *, old: Row | None) -> None:
        """Take over the lines, and bring the amounts up to date if anything they follow from changed."""
        super().complete(row, document, old=old)
        if row["ordered_at"] is None:
            row["ordered_at"] = self._now()
        for name, entry in (("lines", self._line), ("fees", self._fee), ("gift_cards", self._gift_card)):
            if name in document:
                row[name] = whole_list(name, document[name], [] if old is None else old.get(name, []), entry)
        row.update({name: document[name] for name in (SHIPPING_LINES, COUPON_LINES) if name in document})
        if old is None or any(row.get(name) != old.get(name) for name in _WORKED_OUT_FROM):
            self._work_out(row)

    def show(self, row: Row) -> Row:
        """The order as callers see it: its lines tell what became of them, where the shop keeps that."""
        seen = super().show(row)
        return (
            {**seen, "lines": shown_lines(row, self.others)} if SHOWN.keys() <= self.others.keys() else seen
        )

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
        return self._charge(where, accepted(where, entry, FEE, old), old, ("f", "fees"))

    def _gift_card(self, where: str, entry: Mapping[str, Any], old: Row | None) -> Row:
        return self._charge(where, accepted(where, entry, GIFT_CARD, old), old, ("g", "gift_cards"))

    def _charge(self, where: str, charge: Row, old: Row | None, numbered: tuple[str, str]) -> Row:
        if charge["amount"] is None:
            raise invalid(f"{where}.amount", f"{where}.amount is required.")
        if old is None:
            charge["id"] = self.new_id(*numbered)
        return charge

    def _line(self, where: str, entry: Mapping[str, Any], old: Row | None) -> Row:
        entry = {name: value for name, value in entry.items() if name not in SHOWN.values()}
        line = accepted(where, entry, LINE, old)
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
        step = amounts.step_of(row["currency"])
        facts = [_facts(line, step) for line in row["lines"]]
        discount = Decimal(row["discount_amount"])
        if facts and discount > sum(fact.amount for fact in facts):
            raise invalid("discount_amount", "The discount is more than the lines come to.")
        beside = [one["amount"] for name in ("fees", "gift_cards") for one in row.get(name, ())]
        charges = [row.get("shipping_amount", "0"), *beside]
        facts += [_charge(amount, step) for amount in charges]
        worked, totals = amounts.document(
            facts, discount=discount, prices_include_tax=row["prices_include_tax"], step=step
        )
        row["lines"] = [
            {**line, "line_total": _money(result.net, step)}
            for line, result in zip(row["lines"], worked[: len(row["lines"])], strict=True)
        ]
        row["total_excl_tax"] = _money(totals.excluding_tax, step)
        row["total_tax"] = _money(totals.tax, step)
        row["total_incl_tax"] = _money(totals.including_tax, step)


def _facts(line: Row, step: Decimal) -> amounts.LineFacts:
    quantity, price = Decimal(line["quantity"]), Decimal(line["unit_price"])
    gross = amounts.rounded(quantity * price, step)
    return amounts.LineFacts(
        quantity=quantity,
        unit_price=price,
        discount=amounts.percent_of(gross, Decimal(line["discount_percent"]), step),
        tax_percent=TAX_PERCENT,
        step=step,
    )


def _charge(amount: str, step: Decimal) -> amounts.LineFacts:
    return amounts.LineFacts(
        Decimal(1), Decimal(amount), Decimal(0), TAX_PERCENT, discounted=False, step=step
    )


def _entries(row: Row) -> dict[str, Row]:
    return {one["id"]: _plain(one) for name in _LISTS for one in row.get(name, ())}


def _money(value: Decimal, step: Decimal) -> str:
    return str(value.quantize(step))


def _plain(line: Row) -> Row:
    return {name: value for name, value in line.items() if name != "line_total"}
