"""One order and what people do with it: each event is one that a system let happen, and is kept by name."""

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from talk_pipeline_tests.invariants.office import Refused
from talk_pipeline_tests.lives.books import Books, Row
from talk_pipeline_tests.pipeline.charges import FEES, GIFTS
from talk_pipeline_tests.pipeline.records import line, order

Event = Callable[[], None]


class NothingToDo(Exception):
    """That cannot happen to this order now."""


class Life:
    """An order of a number.

    Attributes:
        events: what happened to it so far.
    """

    def __init__(
        self,
        number: str,
        books: Books,
        *,
        rng: random.Random,
        buyer: str,
        items: Sequence[str],
        charging: bool,
    ) -> None:
        self.number = number
        self.events: list[str] = []
        self._books, self._rng, self._items = books, rng, items
        lines = [self._new_line() for _ in range(rng.randint(1, 4))]
        row = order(number, buyer, lines, prices_include_tax=rng.random() < 0.3)
        if charging:
            row |= {"shipping_amount": self._amount(), "fees": self._some("description", least=1)}
            row["gift_cards"] = self._some("code", least=-1)
        self._id = str(books.shop.create("orders", row)["id"])
        self.events.append("placed")

    def live(self, weights: Mapping[str, float]) -> None:
        """One of these happens, or nothing where nothing can."""
        names = list(weights)
        while names:
            (name,) = self._rng.choices(names, [weights[one] for one in names])
            names.remove(name)
            try:
                getattr(self, name)()
            except (Refused, NothingToDo):
                continue
            self.events.append(name)
            return

    # -- in the shop ------------------------------------------------------------------------------------------

    def shop_quantity(self) -> None:
        """Another quantity of a line."""
        self._patch_line(quantity=str(self._rng.randint(1, 9)))

    def shop_price(self) -> None:
        """Another price of a line."""
        self._patch_line(unit_price=self._price())

    def shop_text(self) -> None:
        """Another text of a line, which only a list of lines shows."""
        self._patch_line(description=f"Text {self._rng.randint(1, 999)}")

    def shop_line(self) -> None:
        """A line more."""
        same: list[Row] = [{"id": row["id"]} for row in self._lines()]
        self._patch(lines=[*same, self._new_line()])

    def shop_line_less(self) -> None:
        """A line less."""
        same = [{"id": row["id"]} for row in self._lines()]
        if len(same) < 2:
            raise NothingToDo
        same.pop(self._rng.randrange(len(same)))
        self._patch(lines=same)

    def shop_address(self) -> None:
        """Another address to deliver to."""
        self._patch(shipping_address={"line1": f"Street {self._rng.randint(1, 99)}"})

    def shop_discount(self) -> None:
        """Another discount on the whole."""
        self._patch(discount_amount=f"{self._rng.randint(0, 9)}.50")

    def shop_shipping(self) -> None:
        """Another freight, or none."""
        self._patch(shipping_amount=self._amount())

    def shop_fees(self) -> None:
        """A fee more, another amount of one, or one less."""
        self._patch(fees=self._changed("fees", "description", least=1))

    def shop_gift_cards(self) -> None:
        """The same of the gift cards that are redeemed."""
        self._patch(gift_cards=self._changed("gift_cards", "code", least=-1))

    def shop_cancels(self) -> None:
        """The buyer wants it no more."""
        self._patch(status="cancelled")

    def refunds(self) -> None:
        """The shop takes back some of what an invoice billed."""
        told = [row for row in self._told("invoices") if row["status"] != "cancelled" and row["lines"]]
        invoice = self._one(told)
        billed = self._one(invoice["lines"])
        document = {
            "order_id": self._id,
            "invoice_id": invoice["id"],
            "date": "2026-03-09",
            "lines": [
                {
                    "product_id": billed["product_id"],
                    "description": billed["description"],
                    "quantity": "1",
                    "unit_price": billed["unit_price"],
                    "discount_percent": "0",
                }
            ],
        }
        self._books.shop.create("refunds", document)

    def refund_edited(self) -> None:
        """The shop takes back more than it said."""
        refund = self._one(self._told("refunds"))
        same: list[Row] = [{"id": row["id"]} for row in refund["lines"]]
        same[0]["quantity"] = str(self._rng.randint(1, 3))
        self._books.shop.update("refunds", refund["id"], {"lines": same})

    # -- in Business Central ----------------------------------------------------------------------------------

    def office_quantity(self) -> None:
        """Another quantity of a line."""
        self._patch_there(quantity=self._rng.randint(1, 9))

    def office_price(self) -> None:
        """Another price of a line."""
        self._patch_there(unitPrice=float(self._price()))

    def office_text(self) -> None:
        """Another text of a line, which moves no time of the order."""
        self._patch_there(description=f"Text {self._rng.randint(1, 999)}")

    def office_line(self) -> None:
        """A line more, of something that the order has already."""
        held = self._one(self._there())
        row = {
            "documentId": self._order()["id"],
            "itemId": held["itemId"],
            "quantity": self._rng.randint(1, 5),
        }
        self._books.bc.create("salesOrderLines", row)

    def office_line_less(self) -> None:
        """A line less."""
        lines = self._there()
        if len(lines) < 2:
            raise NothingToDo
        self._books.bc.delete("salesOrderLines", self._one(lines)["id"])

    def office_charge(self) -> None:
        """Another amount of a charge, on the side of zero where it is."""
        held = self._one(self._charges())
        sign = -1 if held["unitPrice"] < 0 else 1
        self._books.bc.update("salesOrderLines", held["id"], {"unitPrice": sign * self._rng.randint(1, 90)})

    def office_charge_more(self) -> None:
        """A charge more, of those that an order may have several of."""
        number = self._rng.choice((FEES, GIFTS))
        row = {
            "documentId": self._order()["id"],
            "lineType": "Account",
            "lineObjectNumber": number,
            "description": f"By hand {self._rng.randint(1, 99)}",
            "quantity": 1,
            "unitPrice": self._rng.randint(1, 9) * (-1 if number == GIFTS else 1),
        }
        self._books.bc.create("salesOrderLines", row)

    def office_charge_less(self) -> None:
        """A charge less."""
        self._books.bc.delete("salesOrderLines", self._one(self._charges())["id"])

    def released(self) -> None:
        """Ready to be shipped."""
        self._tell("release")

    def reopened(self) -> None:
        """To be edited again."""
        self._tell("reopen")

    def in_review(self) -> None:
        """Held for approval."""
        self._tell("review")

    def shipped_in_part(self) -> None:
        """Some of one line leaves."""
        lines = [row for row in self._there() if row["quantity"] > row["shippedQuantity"]]
        part = self._one(lines)
        self._tell("ship", {"quantities": {part["id"]: 1}})

    def shipped(self) -> None:
        """All that is left leaves."""
        self._tell("ship")

    def invoiced(self) -> None:
        """All that left is billed."""
        self._tell("invoice")

    def deleted_there(self) -> None:
        """Somebody in the office deletes it; that is asked of whoever cancelled it in the shop alone."""
        if self._books.placed[self.number]["status"] != "cancelled":
            raise NothingToDo
        self._books.bc.delete("salesOrders", self._order()["id"])

    def paid_in_part(self) -> None:
        """A payment of less than is owed."""
        invoice = self._one([row for row in self._books.invoices[self.number] if row["remainingAmount"] > 2])
        self._settle("sales-invoices", invoice, "pay", {"amount": 1})

    def paid(self) -> None:
        """A payment of all that is owed."""
        self._settle("sales-invoices", self._one(self._books.invoices[self.number]), "pay")

    def invoice_cancelled(self) -> None:
        """It was billed by mistake."""
        self._settle("sales-invoices", self._one(self._books.invoices[self.number]), "cancel")

    def credited(self) -> None:
        """A draft is posted."""
        self._settle("sales-credit-memos", self._memo(), "post")

    def paid_out(self) -> None:
        """What a posted one owes is paid."""
        self._settle("sales-credit-memos", self._memo(), "refund")

    # -- details ----------------------------------------------------------------------------------------------

    def _one(self, rows: Sequence[Any]) -> Any:
        if not rows:
            raise NothingToDo
        return self._rng.choice(rows)

    def _price(self) -> str:
        return f"{self._rng.randint(1, 200)}.{self._rng.choice(('00', '50', '95', '33'))}"

    def _amount(self) -> str:
        return self._rng.choice(("0.00", "49.00", "79.50", "12.33"))

    def _some(self, named: str, *, least: int) -> list[Row]:
        """None, one or two charges that are called something; below zero where `least` is."""
        return [
            {named: f"Charge {self._rng.randint(1, 99)}", "amount": f"{least * self._rng.randint(1, 9)}.50"}
            for _ in range(self._rng.randint(0, 2))
        ]

    def _changed(self, kind: str, named: str, *, least: int) -> list[Row]:
        same: list[Row] = [{"id": row["id"]} for row in self._shown()[kind]]
        if same and self._rng.random() < 0.4:
            same[0]["amount"] = f"{least * self._rng.randint(1, 9)}.25"
        elif same and self._rng.random() < 0.4:
            same.pop(self._rng.randrange(len(same)))
        else:
            same += self._some(named, least=least)
        return same

    def _charges(self) -> list[Row]:
        lines = self._books.charges["salesOrderLines"].get(self._order()["id"], [])
        return [row for row in lines if row["lineType"] != "Comment"]

    def _new_line(self) -> Row:
        quantity = str(self._rng.randint(1, 9))
        percent = self._rng.choice(("0", "0", "0", "10", "12.5"))
        return line(self._rng.choice(self._items), quantity, self._price(), discount_percent=percent)

    def _shown(self) -> Row:
        row: Row = self._books.shop.call("GET", f"records/orders/{self._id}")
        return row

    def _lines(self) -> list[Row]:
        return list(self._shown()["lines"])

    def _patch(self, **values: Any) -> None:
        self._books.shop.update("orders", self._id, values)

    def _patch_line(self, **values: Any) -> None:
        same: list[Row] = [{"id": row["id"]} for row in self._lines()]
        self._one(same).update(values)
        self._patch(lines=same)

    def _told(self, kind: str) -> list[Row]:
        return self._books.told[kind].get(self.number, [])

    def _order(self) -> Row:
        row: Row = self._one(self._books.orders.get(self.number, []))
        return row

    def _there(self) -> list[Row]:
        return self._books.lines["salesOrderLines"].get(self._order()["id"], [])

    def _patch_there(self, **values: Any) -> None:
        self._books.bc.update("salesOrderLines", self._one(self._there())["id"], values)

    def _tell(self, verb: str, wish: Row | None = None) -> None:
        self._books.bc.call("POST", f"sales-orders/{self._order()['id']}/{verb}", wish or {})

    def _memo(self) -> Row:
        numbers = [row["number"] for row in self._told("refunds")]
        row: Row = self._one([memo for number in numbers for memo in self._books.memos.get(number, [])])
        return row

    def _settle(self, what: str, row: Row, verb: str, wish: Row | None = None) -> None:
        self._books.bc.call("POST", f"{what}/{row['id']}/{verb}", wish or {})
