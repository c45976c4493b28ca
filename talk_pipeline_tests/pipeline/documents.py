"""An order whose documents are synchronized: what Business Central posts of it, and what the shop gives back."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from talk_pipeline.flows.loading import PACKAGED
from talk_pipeline_tests.flow_files import copied_flows
from talk_pipeline_tests.pipeline.records import customer, line, order, product
from talk_pipeline_tests.world import World

Row = dict[str, Any]


def with_optional(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *names: str) -> Path:
    """The packaged flows with some of the optional ones beside them, where the shop keeps documents."""
    if world.profile != "reference":
        pytest.skip("this shop keeps no documents of its orders")
    folder = copied_flows(tmp_path / "flows")
    for name in names:
        shutil.copy(next(PACKAGED.glob(f"*/{name}.yaml")), folder)
    monkeypatch.setenv("TALK_FLOWS_DIR", str(folder))
    return folder


class Sold:
    """One synchronized order of two lines: 2 at 100.00 and 5 at 20.00."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.buyer = world.shop.post("customers", customer())["id"]
        self.items = [world.shop.post("products", product(f"P{n}"))["id"] for n in range(2)]
        lines = [line(self.items[0], "2", "100.00"), line(self.items[1], "5", "20.00")]
        self.id = world.shop.post("orders", order("O1", self.buyer, lines))["id"]
        self.sync()
        self.bc_id = world.counterpart("order", self.id)

    def sync(self) -> None:
        run = self.world.step()
        assert not run.failed()

    def quiet(self) -> None:
        """Nothing is left to do, in whatever way one looks."""
        run = self.world.step(full=True)
        assert not run.failed()
        assert run.writes() == 0

    def office(self, action: str, *quantities: float) -> None:
        """What people in Business Central do with the order; quantities are those of the lines, in their order."""
        body: Row = {}
        if quantities:
            lines = self.world.bc.get("salesOrders", self.bc_id)["salesOrderLines"]
            ids = [row["id"] for row in sorted(lines, key=lambda row: row["sequence"])]
            body = {"quantities": dict(zip(ids, quantities, strict=True))}
        self.world.bc.control(f"sales-orders/{self.bc_id}/{action}", body)

    def lines(self, name: str) -> list[str]:
        """What the lines of the shop's order say, such as their shipped quantity."""
        return [row[name] for row in self.world.shop.get("orders", self.id)["lines"]]

    def documents(self, kind: str) -> list[Row]:
        """Those of the shop, by number."""
        return sorted(self.world.shop.all(kind).values(), key=lambda row: str(row["number"]))

    def posted_before(self, number: str) -> tuple[str, str]:
        """The ids of another order that both sides entered, and that people there posted before it was linked."""
        lines = [line(self.items[0], "3", "10.00")]
        placed = str(self.world.shop.post("orders", order(number, self.buyer, lines))["id"])
        sent = {"itemId": self.world.counterpart("product", self.items[0]), "quantity": 3, "unitPrice": 10}
        body = {
            "customerId": self.world.counterpart("customer", self.buyer),
            "externalDocumentNumber": number,
        }
        entered = str(self.world.bc.post("salesOrders", {**body, "salesOrderLines": [sent]})["id"])
        posting = f"/salesOrders({entered})/Microsoft.NAV.shipAndInvoice"
        self.world.bc.read(self.world.bc.http.post(posting))
        return placed, entered
