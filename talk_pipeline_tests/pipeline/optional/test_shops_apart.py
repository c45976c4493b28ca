"""Shops in one company that number alike: what tells them apart is asked wherever a number is looked for."""

from pathlib import Path
from typing import Any

import pytest

from talk_pipeline_tests.flow_files import edited_flows, replaced
from talk_pipeline_tests.pipeline.faults import rule
from talk_pipeline_tests.pipeline.records import customer, line, order, product
from talk_pipeline_tests.world import World

Row = dict[str, Any]
OWN = ("  entity: salesOrders\n", "  entity: salesOrders\n  scope: {salesperson: KH}\n")
TOLD = (
    (
        "properties:\n",
        'properties:\n  - {name: salesperson, dir: "->", bc: salesperson, type: code(20), only: create}\n',
    ),
    ("constants: {", "constants: {salesperson: KH, "),
)


class Apart:
    """A shop whose orders have a salesperson of their own, and another one's order of the same number."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.buyer = world.shop.post("customers", customer())["id"]
        self.item = world.shop.post("products", product())["id"]
        assert not world.step().failed()

    def enters(self, salesperson: str, *, posted: bool = False) -> None:
        """Somebody in Business Central, or another shop, an order 1001."""
        central = self.world.bc
        line = {"itemId": self.world.counterpart("product", self.item), "quantity": 3, "unitPrice": 10}
        buyer = self.world.counterpart("customer", self.buyer)
        said = {"customerId": buyer, "externalDocumentNumber": "1001", "salesperson": salesperson}
        key = central.post("salesOrders", {**said, "salesOrderLines": [line]})["id"]
        if posted:
            central.read(central.http.post(f"/salesOrders({key})/Microsoft.NAV.shipAndInvoice"))

    def place(self) -> str:
        return str(self.world.shop.post("orders", order("1001", self.buyer, [line(self.item)]))["id"])

    def there(self) -> list[str]:
        return sorted(row["salesperson"] for row in self.world.bc.orders().values())


@pytest.fixture
def apart(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Apart:
    file = edited_flows(tmp_path, monkeypatch, order=OWN) / "order.yaml"
    before, middle, after = file.read_text(encoding="utf-8").partition("\nproperties:\n")
    file.write_text(before + replaced(middle + after, TOLD[1]).replace(*TOLD[0], 1), encoding="utf-8")
    return Apart(world)


@pytest.mark.parametrize("own", [False, True], ids=["another's", "its own"])
def test_an_order_of_another_shop_is_neither_closed_by_nor_taken_for(apart: Apart, own: bool) -> None:
    apart.enters("KH" if own else "MB", posted=True)
    placed = apart.place()
    assert not apart.world.step().failed()
    state = apart.world.state("order", placed)
    assert (state and state[0], apart.there()) == (("closed", []) if own else (None, ["KH"]))
    assert apart.world.step(full=True).writes() == 0


@pytest.mark.parametrize("lost", ["before", "after"])
def test_what_became_of_a_create_is_not_asked_of_another_shops_order(apart: Apart, lost: str) -> None:
    apart.enters("MB")
    placed = apart.place()
    apart.world.bc.faults(rule("POST", "salesOrders", drop=lost))
    apart.world.step()
    apart.world.bc.no_faults()
    assert not apart.world.step().failed()
    assert apart.there() == ["KH", "MB"]
    assert apart.world.state("order", placed) is None
    assert apart.world.step(full=True).writes() == 0


def test_what_is_made_outside_the_scope_is_told_as_that(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of the flow says whose a new order is, and whoever looks has to learn that it is there."""
    edited_flows(tmp_path, monkeypatch, order=OWN)
    apart = Apart(world)
    placed = apart.place()
    world.step()
    for _ in range(2):
        assert world.state("order", placed) == ("broken", "the Business Central record is out of scope")
        world.step(full=True)
    assert apart.there() == [""]
    world.bc.patch("salesOrders", world.counterpart("order", placed), {"salesperson": "KH"})
    assert not world.step(full=True).failed()
    assert world.state("order", placed) is None
