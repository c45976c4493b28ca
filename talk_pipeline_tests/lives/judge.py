"""What must hold of every order at rest: both systems say the same, or somebody is told by name.

Read from both systems alone; of the pipeline only what it names is asked.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from talk_pipeline_tests.lives.books import Books, Row
from talk_pipeline_tests.lives.charges import charged, posted, reckoned
from talk_pipeline_tests.world import World

NAMED = """
select flow, shop_id, state from status where state <> 'closed'
union select flow, regexp_replace(shop_id, '/[^/]*$', ''), 'posted' from conflict
  where rule = 'posted' and acknowledged_at is null
union select flow, root_shop_id, hold_kind from change where hold_kind is not null
"""
"""Records of which somebody is told: they wait, are held, over or at odds, and have their reason."""
_STATUS = {"Open": "open", "Paid": "paid", "Canceled": "cancelled"}
_CREDIT = {"Draft": "requested", "In_x0020_Review": "requested", "Open": "posted", "Paid": "settled"}


class Judge:
    """Judges all orders of a world.

    Attributes:
        wrong: what nobody is told of.
        named: how often the systems differ and there is a word for it, by that word.
    """

    def __init__(self, world: World, books: Books) -> None:
        self._books, self.wrong, self.named = books, list[str](), Counter[str]()
        self._told = {(flow, shop_id): word for flow, shop_id, word in sorted(world.sql(NAMED))}
        self._items = {
            shop_id: bc_id
            for shop_id, bc_id in world.sql("select shop_id, bc_id from link where part = 'product'")
        }
        self._numbers = {row["id"]: row["sku"] for row in books.shop.all("products")}
        for number, row in sorted(books.placed.items()):
            for what in (*self._duplicates(number), *self._documents(number)):
                self.wrong.append(f"{number}: {what}")
            for what in self._ordered(number, row):
                self._differs(f"{number}: {what}", "order", row["id"])
            for refund, what in self._credited(number):
                self._differs(f"{number}: {what}", "refund", refund)

    def _differs(self, what: str, flow: str, shop_id: str) -> None:
        if (flow, shop_id) in self._told:
            self.named[self._told[flow, shop_id]] += 1
        else:
            self.wrong.append(what)

    def _duplicates(self, number: str) -> Iterator[str]:
        """One sales order, ever."""
        made = {row["id"] for row in self._books.orders.get(number, ())}
        made |= {row["orderId"] for row in self._books.invoices.get(number, ())}
        if len(made) > 1:
            yield f"{len(made)} sales orders"

    def _ordered(self, number: str, row: Row) -> Iterator[str]:
        """Lines and totals of an order that is still there; one that nobody posted is there."""
        there = self._books.orders.get(number)
        if not there:
            yield from self._posted(number, row)
            return
        (held,) = there
        ours = Counter(
            (
                self._items.get(line["product_id"]),
                *_numbers(line, "quantity", "unit_price", "discount_percent"),
            )
            for line in row["lines"]
        )
        theirs = Counter(
            (line["itemId"], *_numbers(line, "quantity", "unitPrice", "discountPercent"))
            for line in self._books.lines["salesOrderLines"].get(held["id"], ())
        )
        if ours != theirs:
            yield f"lines {dict(ours - theirs)} here, {dict(theirs - ours)} there"
        totals = Decimal(row["total_incl_tax"]), held["totalAmountIncludingTax"]
        if totals[0] != totals[1]:
            yield f"comes to {totals[0]} here, {totals[1]} there"
        yield from self._charged(row, held)

    def _charged(self, row: Row, held: Row) -> Iterator[str]:
        """Charges of either side, and what all comes to in the kind of the prices: reckoned by nobody but here."""
        ours, theirs = charged(row), posted(self._books.charges["salesOrderLines"].get(held["id"], ()))
        if ours != theirs:
            yield f"charges {dict(ours - theirs)} here, {dict(theirs - ours)} there"
        kind = "incl" if row["prices_include_tax"] else "excl"
        told = Decimal(row[f"total_{kind}_tax"]), held[f"totalAmount{kind.title()}udingTax"]
        if told != (reckoned(row), reckoned(row)):
            yield f"comes to {reckoned(row)} with its charges, and is told as {told}"

    def _posted(self, number: str, row: Row) -> Iterator[str]:
        """One that is gone since it was posted is billed in full, item by item; one that is cancelled is not."""
        invoices = self._books.invoices.get(number, ())
        if row["status"] == "cancelled":
            return
        if not invoices:
            yield "is not in Business Central"
            return
        ordered, billed = defaultdict[str, Decimal](Decimal), defaultdict[str, Decimal](Decimal)
        for line in row["lines"]:
            ordered[self._numbers[line["product_id"]]] += Decimal(line["quantity"])
        for one in invoices:
            for line in self._books.lines["salesInvoiceLines"].get(one["id"], ()):
                if line["quantity"]:  # an invoice of a part has the other lines too, with nothing on them
                    billed[line["lineObjectNumber"]] += line["quantity"]
        if ordered != billed:
            yield f"{dict(ordered)} was ordered, {dict(billed)} billed"
        lines = (
            line for one in invoices for line in self._books.charges["salesInvoiceLines"].get(one["id"], ())
        )
        if (ours := charged(row)) != (theirs := posted(lines)):
            yield f"{dict(ours)} was charged, {dict(theirs)} billed"

    def _documents(self, number: str) -> Iterator[str]:
        """Shipments and invoices: each is told once, line by line; nothing may hold them up."""
        for kind, lines, held in (
            ("shipments", "salesShipmentLines", self._books.shipments),
            ("invoices", "salesInvoiceLines", self._books.invoices),
        ):
            told = Counter(
                (one["number"], self._numbers[line["product_id"]], Decimal(line["quantity"]))
                for one in self._books.told[kind].get(number, ())
                for line in one["lines"]
            )
            posted = Counter(
                (one["number"], line["lineObjectNumber"], line["quantity"])
                for one in held.get(number, ())
                for line in self._books.lines[lines].get(one["id"], ())
                if line["quantity"]
            )
            if told != posted:
                yield f"{kind} {dict(told - posted)} here, {dict(posted - told)} there"
        here = {one["number"]: one for one in self._books.told["invoices"].get(number, ())}
        for one in self._books.invoices.get(number, ()):
            mine = here.get(one["number"])
            if mine is None:
                continue
            said = (mine["status"], *_numbers(mine, "total_incl_tax", "remaining_amount"))
            meant = (_STATUS[one["status"]], *_numbers(one, "totalAmountIncludingTax", "remainingAmount"))
            if said != meant:
                yield f"invoice {one['number']} is {said} here, {meant} there"
        yield from self._shown(number)

    def _shown(self, number: str) -> Iterator[str]:
        """What the lines of the shop's order say of what was shipped."""
        row = self._books.placed[number]
        shown = sum(Decimal(line["shipped_quantity"]) for line in row["lines"])
        left = {line["product_id"] for line in row["lines"]}
        shipped = sum(
            Decimal(line["quantity"])
            for one in self._books.told["shipments"].get(number, ())
            for line in one["lines"]
            if line["product_id"] in left
        )
        if shown != shipped:
            yield f"its lines show {shown} shipped, {shipped} was"

    def _credited(self, number: str) -> Iterator[tuple[str, str]]:
        """Each refund is one credit memo, for its invoice, line by line."""
        invoices = {row["id"]: row["number"] for row in self._books.told["invoices"].get(number, ())}
        for refund in self._books.told["refunds"].get(number, ()):
            memos = self._books.memos.get(refund["number"], ())
            if len(memos) != 1:
                yield refund["id"], f"refund {refund['number']} is {len(memos)} credit memos"
                continue
            (memo,) = memos
            ours = Counter(
                (
                    self._items.get(line["product_id"]),
                    *_numbers(line, "quantity", "unit_price", "discount_percent"),
                )
                for line in refund["lines"]
            )
            theirs = Counter(
                (line["itemId"], *_numbers(line, "quantity", "unitPrice", "discountPercent"))
                for line in self._books.lines["salesCreditMemoLines"].get(memo["id"], ())
            )
            if ours != theirs:
                yield refund["id"], f"refund {refund['number']}: {dict(ours)} here, {dict(theirs)} there"
            said = (refund["erp_number"], refund["status"], invoices.get(refund["invoice_id"]))
            meant = (memo["number"], _CREDIT[memo["status"]], memo["invoiceNumber"])
            if said != meant:
                yield refund["id"], f"refund {refund['number']} is {said} here, {meant} there"


def _numbers(row: Row, *names: str) -> tuple[Any, ...]:
    return tuple(Decimal(row[name]) if row[name] is not None else None for name in names)
