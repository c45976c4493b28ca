"""A shop that does nothing as others do is described, not programmed: both directions, and then nothing to do."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from talk_pipeline.cli.configuration import check_configuration
from talk_pipeline_tests.systems.customwebshop.shops.door import connect, unexplained
from talk_pipeline_tests.systems.customwebshop.shops.old_shop import (
    CONNECTOR,
    Drafting,
    OldShop,
    number,
    served,
)
from talk_pipeline_tests.world import World

Row = dict[str, Any]


@dataclass
class Connected:
    """The old shop with some records, and Business Central beside it."""

    shop: OldShop
    world: World
    customer: str = ""
    address: str = ""
    product: str = ""
    order: str = ""

    def fill(self) -> None:
        for n in range(3):
            self.address = self.shop.add(
                "addresses", street=f"Street {n}", street2="Back", city="Aarhus", zip="8000", country="DK"
            )
            said = {
                "phone": "",
                "contact_name": "",
                "address_id": self.address,
                "blocked": "N",
                "note": "kept",
            }
            mail = f"c{n}@company.example"
            self.customer = self.shop.add(
                "customers", number=f"C{n}", company=f"Company {n}", email=mail, **said
            )
            self.product = self.shop.add(
                "products", sku=f"P{n}", title=f"Thing {n}", short_title="", price="1.234,50", active="Y"
            )
        lines = self.shop.line(self.product, "2,000", "1.234,50") | self.shop.line(
            "", "1", "-5,00", "voucher"
        )
        self.order = self.shop.add(
            "orders", number="O1", customer_id=int(self.customer), cancelled="", lines=lines
        )
        gone = self.shop.line(self.product, "1", "1,00")
        self.shop.add("orders", number="O2", customer_id=self.customer, cancelled="2024", lines=gone)

    def quiet(self) -> None:
        """Nothing failed, and a further run has nothing to do."""
        run = self.world.step()
        assert run.success, run.problems
        assert not run.failed()
        assert not run.writes()

    def run(self) -> None:
        run = self.world.step()
        assert run.success, run.problems
        assert not run.failed()
        assert not any(flow["failed"] for flow in run.numbers["flows"].values())

    def lines(self, kind: str = "goods") -> list[Row]:
        rows: dict[str, Row] = self.shop.tables["orders"][self.order]["lines"]
        return [row for row in rows.values() if row["kind"] == kind]

    def bc_lines(self) -> list[Row]:
        key = self.world.counterpart("order", self.order)
        rows: list[Row] = self.world.bc.get("salesOrders", key)["salesOrderLines"]
        return rows


@pytest.fixture
def connected(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connected]:
    file = tmp_path / "old.yaml"
    file.write_text(CONNECTOR)
    with served() as (shop, address):
        connect(monkeypatch, url=address, connector=file)
        yield Connected(shop, world)


class Drafted(Connected):
    """One whose orders are changed in drafts, connected and in step; an office that changes orders there."""

    shop: Drafting

    def settle(self) -> None:
        self.fill()
        self.run()
        self.quiet()
        self.there = self.world.counterpart("order", self.order)
        self.item = self.world.counterpart("product", self.product)

    def add(self, quantity: int) -> None:
        entry = {"lineType": "Item", "itemId": self.item, "quantity": quantity, "unitPrice": 7}
        self.world.bc.post(f"salesOrders({self.there})/salesOrderLines", entry)

    def steps(self) -> list[str]:
        """What was asked of drafts since, without what it said."""
        told = [one.split(" {")[0].rsplit("/", 1)[-1] for one in self.shop.writes]
        self.shop.writes.clear()
        return ["line" if one.isdigit() or one == "lines" else one for one in told]

    def quantities(self) -> list[Decimal]:
        return sorted(number(row["quantity"]) for row in self.lines())


@pytest.fixture
def drafted(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Drafted]:
    file = tmp_path / "drafts.yaml"
    file.write_text(Drafting.CONNECTOR)
    with served(Drafting()) as (shop, address):
        connect(monkeypatch, url=address, connector=file)
        connected = Drafted(shop, world)
        connected.settle()
        yield connected


def test_lines_are_changed_in_a_draft_that_is_confirmed(drafted: Drafted) -> None:
    (line,) = drafted.bc_lines()
    drafted.world.bc.patch("salesOrderLines", line["id"], {"quantity": 4})
    drafted.add(9)
    drafted.run()
    assert "'reason': 'order " in drafted.shop.writes[0]
    assert drafted.steps() == ["drafts", "line", "line", "request", "confirm"]
    assert drafted.quantities() == [4, 9]
    assert not drafted.shop.drafts
    drafted.quiet()
    drafted.world.bc.delete("salesOrderLines", drafted.bc_lines()[0]["id"])
    drafted.run()
    assert drafted.steps() == ["drafts", "line", "request", "confirm"]
    assert drafted.quantities() == [9]
    drafted.quiet()


@pytest.mark.parametrize(
    ("refused", "steps"),
    [
        ("drafts", ["drafts refused"]),
        ("lines", ["drafts", "lines refused", "line"]),
        ("request", ["drafts", "line", "request refused", "line"]),
    ],
)
def test_what_is_refused_gives_up_the_draft(drafted: Drafted, refused: str, steps: list[str]) -> None:
    drafted.shop.refuses = refused
    drafted.add(9)
    run = drafted.world.step("order")
    assert drafted.steps() == steps, "a draft that is thrown away is told by its number"
    assert not drafted.shop.drafts
    assert drafted.quantities() == [2]
    (row,) = run.finding("order", "no_quarantined_records").rows
    assert "not possible" in row["reason"]
    drafted.shop.refuses = None
    drafted.shop.edit("orders", drafted.order, note="looked at")
    drafted.add(5)
    drafted.run()
    assert drafted.quantities() == [2, 5, 9]
    drafted.quiet()


def test_a_draft_that_stays_open_is_told(drafted: Drafted, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = drafted.shop.change

    def change(method: str, place: list[str], form: Row) -> Row:
        drafted.shop.refuses = "request" if place[2:] == ["request"] else "DELETE"
        return taken(method, place, form)

    monkeypatch.setattr(drafted.shop, "change", change)
    drafted.add(9)
    (row,) = drafted.world.step("order").finding("order", "no_quarantined_records").rows
    assert "request is not possible" in row["reason"]
    assert "what was begun stays open" in row["reason"]
    assert drafted.shop.drafts


def test_it_is_as_described(connected: Connected, capsys: pytest.CaptureFixture[str]) -> None:
    connected.fill()
    assert check_configuration() == 0
    told = capsys.readouterr().out
    assert "both systems are as described" in told
    assert "'filter' is heeded" in told
    assert "say type" not in told, "in a form everything is text"
    assert "paging: customers: a second page is another one" in told


def test_an_empty_shop_is_no_mistake(connected: Connected) -> None:
    connected.quiet()


def test_edits_travel_both_ways(connected: Connected) -> None:
    connected.fill()
    connected.run()
    connected.quiet()
    shop, bc = connected.shop, connected.world.bc
    assert not shop.writes
    customer = connected.world.counterpart("customer", connected.customer)
    item = connected.world.counterpart("product", connected.product)
    assert bc.get("customers", customer)["city"] == "Aarhus"
    assert bc.get("items", item)["unitPrice"] == Decimal("1234.5")
    assert [(row["quantity"], row["unitPrice"]) for row in connected.bc_lines()] == [(2, Decimal("1234.5"))]
    assert not [one for one in bc.orders().values() if one["externalDocumentNumber"] == "O2"], "was cancelled"

    shop.edit("products", connected.product, price="2.000,05")
    lines = shop.tables["orders"][connected.order]["lines"] | shop.line(connected.product, "3", "7,00")
    shop.edit("orders", connected.order, lines=lines)
    connected.run()
    assert bc.get("items", item)["unitPrice"] == Decimal("2000.05")
    assert [row["quantity"] for row in connected.bc_lines()] == [2, 3]
    connected.quiet()

    bc.patch("customers", customer, {"addressLine1": "New Street 1", "phoneNumber": "+4533123456"})
    bc.patch("items", item, {"unitPrice": 1999.5, "displayName": "Renamed"})
    first, second = connected.bc_lines()
    bc.patch("salesOrderLines", first["id"], {"quantity": 4})
    bc.delete("salesOrderLines", second["id"])
    connected.run()
    address = shop.tables["addresses"][connected.address]
    assert (address["street"], address["street2"]) == ("New Street 1", "Back")
    kept = shop.tables["customers"][connected.customer]
    assert (kept["phone"], kept["email"], kept["note"]) == ("+4533123456", "c2@company.example", "kept")
    renamed = shop.tables["products"][connected.product]
    assert (number(renamed["price"]), renamed["title"], renamed["short_title"]) == (
        Decimal("1999.5"),
        "Renamed",
        "Renamed",
    )
    assert [number(row["quantity"]) for row in connected.lines()] == [4]
    assert len(connected.lines("voucher")) == 1
    connected.quiet()
    assert not unexplained()
    shop.tables["addresses"][connected.address]["city"] = "Planted"
    (line,) = connected.lines()
    line["quantity"] = "1.000,5"
    found = {(one.part, one.property, one.shop) for one in unexplained()}
    assert found == {("customer", "address.city", "Planted"), ("order.lines", "quantity", "1000.5")}


def test_lines_the_shop_does_not_take_stay_as_they_are(connected: Connected, tmp_path: Path) -> None:
    (tmp_path / "old.yaml").write_text(CONNECTOR.replace('url: "{item}/lines"', "write: false"))
    connected.fill()
    connected.run()
    (line,) = connected.bc_lines()
    connected.world.bc.patch("salesOrderLines", line["id"], {"quantity": 9})
    entry = {"lineType": "Item", "itemId": line["itemId"], "quantity": 1}
    connected.world.bc.post(
        f"salesOrders({connected.world.counterpart('order', connected.order)})/salesOrderLines", entry
    )
    connected.run()
    assert not connected.shop.writes
    shop = connected.shop
    other = next(iter(shop.tables["products"]))
    lines = shop.tables["orders"][connected.order]["lines"] | shop.line(other, "3", "7,00")
    shop.edit("orders", connected.order, lines=lines)
    connected.run()
    assert 3 in [row["quantity"] for row in connected.bc_lines()], "what the shop adds still goes there"
    connected.quiet()


def test_a_line_that_stays_in_spite_of_its_removal_is_told(
    connected: Connected, monkeypatch: pytest.MonkeyPatch
) -> None:
    connected.fill()
    connected.run()
    monkeypatch.setattr(OldShop, "_change_line", lambda self, method, lines, key, form: {})
    (line,) = connected.bc_lines()
    connected.world.bc.delete("salesOrderLines", line["id"])
    run = connected.world.step("order")
    (row,) = run.finding("order", "no_quarantined_records").rows
    assert "keeps" in row["reason"]
