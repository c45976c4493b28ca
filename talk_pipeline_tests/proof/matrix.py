"""The kill matrix: what is to be written when a run is killed, and how both systems must look afterwards.

A row is a target and a kind of thing; each of its operations is on its way at once, so that one kill meets all of
them. People work through their systems, and both systems are asked, never the pipeline.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import pytest

from talk_pipeline.flows.sides import Side
from talk_pipeline_tests.flow_files import edited_flows
from talk_pipeline_tests.pipeline.records import customer, line, order, product
from talk_pipeline_tests.proof.killing import POINTS, Together
from talk_pipeline_tests.world import World

LINKS = "inside an update of links"
IMPOSSIBLE = {
    (LINKS, "update"): "a record that is changed keeps its link",
    (LINKS, "line change"): "a line that is changed keeps its link",
}
"""Cells that there can not be, and why not."""


@dataclass
class Row(ABC):
    """One target, and what is written to it.

    Attributes:
        number: the turn that both systems are in, which tells values apart.
        turns: how many there may be.
    """

    world: World
    target: Side
    number: int = 0
    turns: int = len(POINTS)

    flow = "customer"
    operations: tuple[str, ...] = ("create", "update", "delete")
    landing = 1
    """Which landing of a run is that of the side that people edit, where they edit the shop; the next one else."""

    @property
    def full(self) -> bool:
        """Whether runs read everything: Business Central does not tell what was deleted."""
        return self.target is Side.SHOP and self.flow == "customer"

    @property
    def together(self) -> Together:
        """All operations at once; Business Central takes them in one batch."""
        several = len(self.operations)
        return Together(several, 1 if self.target is Side.BC else several)

    @property
    def nth(self) -> int:
        """Which landing brings what people said."""
        return self.landing + (self.target is Side.SHOP)

    @abstractmethod
    def begin(self) -> None:
        """Makes what is there before, and synchronizes it."""

    @abstractmethod
    def edit(self) -> None:
        """People do one of each on the other side."""

    @abstractmethod
    def wrong(self) -> list[str]:
        """What either side holds otherwise than people said."""


@dataclass
class Records(Row):
    """Customers that are made, changed and deleted."""

    said: dict[str, str] = field(default_factory=dict)

    def begin(self) -> None:
        names = [f"D{n}" for n in range(self.turns)] + ["U"]
        for name in names:
            self.world.shop.post("customers", customer(name))
            self.said[name] = f"www.{name.lower()}.example"
        settle(self)

    def edit(self) -> None:
        self.number += 1
        made, gone, site = f"N{self.number}", f"D{self.number - 1}", f"www.u{self.number}.example"
        del self.said[gone]
        self.said |= {made: f"www.{made.lower()}.example", "U": site}
        if self.target is Side.BC:
            ids = {row["number"]: row["id"] for row in self.world.shop.all("customers").values()}
            self.world.shop.post("customers", customer(made))
            self.world.shop.patch("customers", ids["U"], {"website": site})
            self.world.shop.delete("customers", ids[gone])
        else:
            ids = {row["number"]: row["id"] for row in self.world.bc.all("customers").values()}
            values = {"number": made, "displayName": f"Company {made}", "type": "Company"}
            self.world.bc.post("customers", values | {"website": self.said[made]})
            self.world.bc.patch("customers", ids["U"], {"website": site})
            self.world.bc.delete("customers", ids[gone])

    def wrong(self) -> list[str]:
        held = [row for row in self.world.shop.all("customers").values() if row["deleted_at"] is None]
        there = self.world.bc.all("customers").values()
        sides = {
            side: sorted((row["number"], row["website"]) for row in rows)
            for side, rows in (("shop", held), ("Business Central", there))
        }
        said = sorted(self.said.items())
        return [f"{side}: {sorted(set(rows) ^ set(said))}" for side, rows in sides.items() if rows != said]


@dataclass
class Lines(Row):
    """Orders one of which gets a line, one has a line changed, and one loses a line."""

    said: dict[str, list[tuple[Decimal, Decimal]]] = field(default_factory=dict)
    item: str = ""

    flow = "order"
    operations = ("line add", "line change", "line delete")
    landing = 5

    def begin(self) -> None:
        buyer = self.world.shop.post("customers", customer())["id"]
        self.item = self.world.shop.post("products", product())["id"]
        many = self.turns + 1
        for name, count in (("A", 1), ("C", 1), ("R", many)):
            lines = [line(self.item, str(n + 1)) for n in range(count)]
            self.world.shop.post("orders", order(name, buyer, lines))
            self.said[name] = [(Decimal(n + 1), Decimal(100)) for n in range(count)]
        settle(self, all_flows=True)

    def edit(self) -> None:
        self.number += 1
        price = Decimal(self.number)
        self.said["A"].append((Decimal(3), price))
        self.said["C"][0] = (Decimal(100 + self.number), Decimal(100))
        gone, _ = self.said["R"].pop(0)
        if self.target is Side.BC:
            self._edit_shop(price)
        else:
            self._edit_bc(price, gone)

    def _edit_shop(self, price: Decimal) -> None:
        held = {row["number"]: row for row in self.world.shop.all("orders").values()}
        kept = {name: [{"id": one["id"]} for one in row["lines"]] for name, row in held.items()}
        changed = {"id": held["C"]["lines"][0]["id"], "quantity": str(100 + self.number)}
        bodies = {"A": [*kept["A"], line(self.item, "3", str(price))], "C": [changed], "R": kept["R"][1:]}
        for name, lines in bodies.items():
            self.world.shop.patch("orders", held[name]["id"], {"lines": lines})

    def _edit_bc(self, price: Decimal, gone: Decimal) -> None:
        held = {row["externalDocumentNumber"]: row for row in self.world.bc.orders().values()}
        (item,) = self.world.bc.all("items")
        body = {"itemId": item, "quantity": 3, "unitPrice": float(price)}
        self.world.bc.post(f"salesOrders({held['A']['id']})/salesOrderLines", body)
        (changed,) = held["C"]["salesOrderLines"]
        self.world.bc.patch(
            "salesOrderLines", changed["id"], {"quantity": 100 + self.number, "unitPrice": 100}
        )
        (removed,) = (one for one in held["R"]["salesOrderLines"] if one["quantity"] == gone)
        self.world.bc.delete("salesOrderLines", removed["id"])

    def wrong(self) -> list[str]:
        held = {row["number"]: row["lines"] for row in self.world.shop.all("orders").values()}
        there = {
            row["externalDocumentNumber"]: row["salesOrderLines"] for row in self.world.bc.orders().values()
        }
        found = []
        for name, said in self.said.items():
            shop = sorted((Decimal(one["quantity"]), Decimal(one["unit_price"])) for one in held[name])
            bc = sorted((Decimal(one["quantity"]), Decimal(one["unitPrice"])) for one in there[name])
            sides = (("shop", shop), ("Business Central", bc))
            found += [
                f"{side}, {name}: {lines}, not {sorted(said)}"
                for side, lines in sides
                if lines != sorted(said)
            ]
        extra = (held.keys() | there.keys()) ^ self.said.keys()
        return [*found, *(f"an order {name}" for name in extra)]


ROWS: dict[str, tuple[type[Row], Side]] = {
    "records to Business Central": (Records, Side.BC),
    "records to the shop": (Records, Side.SHOP),
    "lines to Business Central": (Lines, Side.BC),
    "lines to the shop": (Lines, Side.SHOP),
}


def cells() -> Iterator[tuple[str, str, str]]:
    """Every cell that there can be: row, point, operation."""
    for name, (kind, _) in ROWS.items():
        for point in POINTS:
            for operation in kind.operations:
                if (point, operation) not in IMPOSSIBLE:
                    yield name, point, operation


def opened_row(
    name: str, world: World, folder: Path, patch: pytest.MonkeyPatch, *, turns: int = len(POINTS)
) -> Row:
    """A row in a world without records, with flows under which all of it happens."""
    kind, target = ROWS[name]
    if kind is Records:
        flows = edited_flows(folder, patch, customer=("create: always", "create: both"))
        (flows / "product.yaml").unlink()
        (flows / "order.yaml").unlink()
        file = flows / "customer.yaml"
        file.write_text(file.read_text().replace("disappearance: flag", "disappearance: delete"))
    row = kind(world, target, turns=turns)
    row.begin()
    return row


def settle(row: Row, *, all_flows: bool = False) -> None:
    """Synchronizes until nothing is left to write; all flows, where what they refer to is new."""
    for _ in range(3):
        row.world.forget_requests()
        assert row.world.pass_over(*([] if all_flows else [row.flow]), full=row.full) == []
        if not any(row.world.writes().values()):
            return
    raise AssertionError(f"still writes {row.world.writes()}")
