"""A shop whose records are asked for and changed by methods is connected by a description alone."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from talk_pipeline.cli.configuration import check_configuration
from talk_pipeline_tests.flow_files import edited_flows, replaced
from talk_pipeline_tests.systems.customwebshop.shops.door import Connected, Row, connect, opened, unexplained
from talk_pipeline_tests.systems.customwebshop.shops.method_shop import CONNECTOR, MethodShop
from talk_pipeline_tests.world import World


class Methods(Connected):
    """Its tables are models, and ids are numbers."""

    shop: MethodShop

    def fill(self) -> None:
        for n in range(3):
            said = {
                "name": f"Company {n}",
                "ref": f"C{n}",
                "email": f"c{n}@company.example",
                "customer_rank": 1,
            }
            placed = {"street": f"Street {n}", "city": "Aarhus", "zip": "8000", "country_id": 59}
            self.customer = str(self.shop.made("res.partner", **said, **placed))
            thing = {"name": f"Thing {n}", "default_code": f"P{n}", "list_price": 1234.5, "standard_price": 0}
            self.product = str(self.shop.made("product.product", **thing))
        self.shop.made("res.partner", name="A supplier", customer_rank=0)
        self.order = str(self.shop.made("sale.order", name="S00001", partner_id=int(self.customer)))
        self.placed(2, 1234.5)

    def placed(self, quantity: float, price: float) -> None:
        row = {
            "product_id": int(self.product),
            "name": "Thing",
            "product_uom_qty": quantity,
            "price_unit": price,
        }
        self.shop.made("sale.order.line", order_id=int(self.order), **row, discount=0)
        self.shop.edit("sale.order", self.order)

    def lines_here(self) -> list[Row]:
        return self.shop.lines(int(self.order))

    def told(self) -> list[list[Decimal]]:
        """Quantities and prices."""
        return [
            [Decimal(str(row[name])) for name in ("product_uom_qty", "price_unit")]
            for row in self.lines_here()
        ]


@pytest.fixture
def methods(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Methods]:
    both = ("create: always", "create: both")
    removed = ("disappearance: flag", "disappearance: delete")
    edited_flows(tmp_path, monkeypatch, customer=both, product=both)
    file = tmp_path / "flows" / "product.yaml"
    file.write_text(replaced(file.read_text(encoding="utf-8"), removed), encoding="utf-8")
    shop = MethodShop()
    with opened(shop) as address:
        connect(monkeypatch, url=address, connector=CONNECTOR, token="secret")
        yield Methods(shop, world)


def test_records_travel_there_and_back(methods: Methods, capsys: pytest.CaptureFixture[str]) -> None:
    methods.fill()
    methods.run()
    shop, bc = methods.shop, methods.world.bc
    methods.quiet()
    assert check_configuration() == 0, capsys.readouterr().out
    assert not shop.writes
    customer, item = methods.there("customer", methods.customer), methods.there("product", methods.product)
    held = bc.get("customers", customer)
    assert (held["addressLine2"], held["phoneNumber"], held["country"]) == ("", "", "DK"), "false is nothing"
    assert [(row["quantity"], row["unitPrice"]) for row in methods.lines_there()] == [(2, Decimal("1234.5"))]

    shop.edit("product.product", methods.product, list_price=2000.05)
    methods.placed(3, 7)
    methods.run()
    assert bc.get("items", item)["unitPrice"] == Decimal("2000.05")
    assert [row["quantity"] for row in methods.lines_there()] == [2, 3]
    methods.quiet()

    bc.patch("customers", customer, {"addressLine1": "", "phoneNumber": "+4533123456", "country": "DE"})
    bc.patch("items", item, {"unitPrice": 1999.5, "displayName": "Renamed & <more>"})
    order = methods.there("order", methods.order)
    bc.patch("salesOrders", order, {"requestedDeliveryDate": "2027-01-31"})
    first, second = methods.lines_there()
    bc.patch("salesOrderLines", first["id"], {"quantity": 4})
    bc.delete("salesOrderLines", second["id"])
    bc.post(
        f"salesOrders({order})/salesOrderLines",
        {"lineType": "Item", "itemId": item, "quantity": 5, "unitPrice": 9},
    )
    methods.run()
    kept = shop.tables["res.partner"][methods.customer]
    assert (kept["street"], kept["phone"], kept["country_id"]) == (False, "+4533123456", 57)
    assert methods.told() == [[4, Decimal("1234.5")], [5, 9]]
    assert shop.tables["sale.order"][methods.order]["commitment_date"] == "2027-01-31 00:00:00"
    methods.quiet()

    bc.control(f"sales-orders/{order}/release")
    methods.run()
    assert shop.tables["sale.order"][methods.order]["state"] == "sale"
    assert shop.writes.count("action_confirm sale.order") == 1
    methods.quiet()
    assert not unexplained()
    shop.tables["product.product"][methods.product]["name"] = "Planted"
    methods.lines_here()[0]["discount"] = 50
    found = {(one.part, one.property) for one in unexplained()}
    assert found == {("product", "name"), ("order.lines", "discount_percent")}


def test_records_are_born_refused_disputed_and_removed(methods: Methods) -> None:
    methods.fill()
    methods.run()
    shop, bc = methods.shop, methods.world.bc
    bc.post("customers", {"number": "N1", "displayName": "New ApS", "country": "DK", "currencyCode": "DKK"})
    bc.post("items", {"number": "I1", "displayName": "New", "unitPrice": 5, "baseUnitOfMeasureCode": "PCS"})
    shop.lost = 2
    methods.world.step()
    methods.world.step()
    (made,) = [row for row in shop.tables["res.partner"].values() if row["ref"] == "N1"]
    assert (made["country_id"], made["customer_rank"], made["email"]) == (59, 1, False)
    (product,) = [row for row in shop.tables["product.product"].values() if row["default_code"] == "I1"]
    assert sorted(shop.writes) == ["create product.product", "create res.partner"]
    methods.quiet()

    customer = methods.there("customer", methods.customer)
    bc.patch("customers", customer, {"email": "nobody@mail.example", "displayName": "Renamed"})
    shop.refuses = "nobody@mail.example"
    (row,) = methods.world.step().finding("customer", "no_quarantined_records").rows
    assert row["reason"] == "odoo.exceptions.ValidationError: nobody@mail.example is no address"
    shop.refuses = ""
    shop.edit("res.partner", methods.customer, name="Of the shop")
    bc.patch("customers", customer, {"displayName": "Of the books"})
    methods.world.step()
    methods.run()
    held = bc.get("customers", customer)
    assert held["displayName"] == shop.tables["res.partner"][methods.customer]["name"]
    assert methods.world.sql("select count(*) from conflict where property = 'company_name'") == [(1,)]

    bc.delete("items", methods.there("product", str(product["id"])))
    assert methods.world.step(full=True, approve=True).success
    assert str(product["id"]) not in shop.tables["product.product"]
    assert "unlink product.product" in shop.writes
    methods.quiet()
    assert not unexplained()
