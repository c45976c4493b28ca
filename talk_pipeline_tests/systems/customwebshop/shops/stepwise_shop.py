"""A shop in which a new line takes several calls: some fail, some are accepted for later, or no more are taken."""

import json
from collections.abc import Mapping
from decimal import Decimal

from talk_pipeline_tests.systems.customwebshop.shops.door import Connected, Reply, Row
from talk_pipeline_tests.systems.customwebshop.shops.linked_shop import LinkedShop

STEPS = """        create:
          - {id: _links.self.href}
          - {of: [description, quantity, unit_price], method: PATCH, path: "{line}"}
        update: {"""


class Stepwise(LinkedShop):
    """A new line is one of something at some price, until it is told more.

    Attributes:
        answers: what the next calls about a line that there is are answered.
        carries_out: they are carried out all the same.
        priced: those that came.
        late: whether the next new lines are accepted, and made later.
        full: no others are taken.
    """

    def __init__(self) -> None:
        super().__init__()
        self.answers: list[Reply] = []
        self.carries_out = False
        self.priced: list[str] = []
        self.late: list[bool] = []
        self.full = False
        self._awaiting: list[tuple[str, Row]] = []

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        if method == "POST" and "/lines" in target:
            said = {"quantity": "1", "unit_price": "777.00"} | json.loads(body)
            if self.late and self.late.pop(0):
                return self._accept(target.split("/")[3], said)
            if self.full:
                self.writes.append(f"{method} {target}")
                return self._told(422, {"message": "no room for more lines"})
            body = json.dumps(said).encode()
        if method in ("PATCH", "DELETE") and "/lines/" in target:
            self.priced.append(target)
            if target.rpartition("/")[2] not in self.tables["orders"][target.split("/")[3]]["lines"]:
                return self._told(404, {"message": "no such line"})
            if self.answers:
                if self.carries_out:
                    super().answer(method, target, headers, body)
                return self.answers.pop(0)
        return super().answer(method, target, headers, body)

    def carry_out(self) -> None:
        """What was accepted."""
        for order, row in self._awaiting:
            self.edit("orders", order, lines=self.tables["orders"][order]["lines"] | {row["id"]: row})
        self._awaiting.clear()

    def _accept(self, order: str, said: Row) -> Reply:
        row = {"id": self.next(), "text": "Thing", **said, "product": self._key(said["product"])}
        self._awaiting.append((order, row))
        self.writes.append(f"POST /api/orders/{order}/lines")
        return self._told(202, self._line(order, row))


REFUSED: Reply = (422, {"Content-Type": "application/json"}, b'{"message": "no price for today"}')
LOST: Reply = (504, {"Content-Type": "text/html"}, b"<html><body>Gateway Timeout</body></html>")


class Steps(Connected):
    """The shop, with an order that is about to get a line."""

    shop: Stepwise

    def known(self, flow: str, key: str) -> str:
        places = {"product": f"/api/products/{key}/", "order": f"/api/orders/{key}"}
        return f"{self.shop.address}{places[flow]}" if flow in places else key

    def add_line(self) -> None:
        """Somebody in Business Central does."""
        (first,) = self.lines_there()
        entry = {"lineType": "Item", "itemId": first["itemId"], "quantity": 5, "unitPrice": 9}
        self.world.bc.post(f"salesOrders({self.there('order', self.order)})/salesOrderLines", entry)

    def say_of_the_new(self, **values: object) -> None:
        """Somebody in Business Central does."""
        self.world.bc.patch("salesOrderLines", self.lines_there()[1]["id"], values)

    def add_another(self) -> None:
        """They do, of something else."""
        first = min(self.shop.tables["products"], key=int)
        entry = {"lineType": "Item", "itemId": self.there("product", first), "quantity": 7, "unitPrice": 3}
        self.world.bc.post(f"salesOrders({self.there('order', self.order)})/salesOrderLines", entry)

    def all_lines(self) -> tuple[list[tuple[Decimal, Decimal]], list[tuple[Decimal, Decimal]]]:
        """Quantities and prices, here and there."""

        def told(rows: list[Row], price: str) -> list[tuple[Decimal, Decimal]]:
            return [(Decimal(row["quantity"]), Decimal(row[price])) for row in rows]

        return told(self.lines_here(), "unit_price"), told(self.lines_there(), "unitPrice")


FIRST, NEW, BEGUN = (Decimal(2), Decimal("1234.50")), (Decimal(5), Decimal(9)), (Decimal(1), Decimal(777))
SIX, SEVEN = (Decimal(6), Decimal(9)), (Decimal(7), Decimal(3))


def made(steps: Steps) -> list[str]:
    """The calls by which lines were made."""
    return [call for call in steps.shop.writes if call.startswith("POST")]


def let_it_be_over(steps: Steps) -> None:
    """What may be at work has ended."""
    steps.world.sql("update journal set open_until = open_until - interval 1 hour")
