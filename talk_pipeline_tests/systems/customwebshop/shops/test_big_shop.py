"""A shop of two generations of one API is connected by its kept description alone."""

import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from talk_pipeline.cli.configuration import check_configuration
from talk_pipeline.systems.customwebshop.spec.description import REFERENCE
from talk_pipeline_tests.systems.customwebshop.shops.big_shop import TOKEN, BigShop
from talk_pipeline_tests.systems.customwebshop.shops.door import Connected, Row, connect, opened, unexplained
from talk_pipeline_tests.systems.customwebshop.shops.numberless import numberless_customers
from talk_pipeline_tests.world import World

DESCRIBED = REFERENCE.parent / "examples" / "bigcommerce.yaml"


class OfBig(Connected):
    """Its customers have no number, and addresses in a list."""

    shop: BigShop

    def fill(self) -> None:
        for n in range(1, 4):
            names = {
                "first_name": "Ann",
                "last_name": f"Buyer{n}",
                "email": f"c{n}@buyers.example",
                "phone": "",
            }
            self.customer = str(self.shop.made("customers", **names, company=f"Company {n}")["id"])
            thing = {"sku": f"P{n}", "name": f"Thing {n}", "price": 1234.5, "type": "physical", "weight": 1}
            stock = {"inventory_level": 0, "cost_price": 0, "gtin": "", "is_visible": True}
            self.product = str(self.shop.made("products", **thing, **stock)["id"])
        name = {"first_name": "Ann", "last_name": "Buyer3"}
        where = {
            "city": "Aarhus",
            "country_code": "DK",
            "postal_code": "8000",
            "state_or_province": "Jylland",
        }
        lines = {"address1": "Street 1", "address2": ""}
        self.shop.made("addresses", **name, **where, **lines, customer_id=int(self.customer))
        place = {"street_1": "Street 1", "street_2": "", "city": "Aarhus", "state": "", "zip": "8000"}
        place |= {"country_iso2": "DK", "phone": "", "email": "c3@buyers.example"}
        placed = self.shop.made(
            "orders",
            customer_id=int(self.customer),
            status_id=11,
            default_currency_code="DKK",
            billing_address=name | place,
            delivery=[name | place],
            lines={},
        )
        self.order = str(placed["id"])
        self.placed(2, "1234.5000")

    def placed(self, quantity: int, price: str) -> None:
        said = {"product_id": int(self.product), "name": "Thing", "quantity": quantity}
        lines = [{**said, "price_ex_tax": price, "price_inc_tax": price}]
        order = self.shop.tables["orders"][self.order]
        assert self.shop._changed(order, lines) is None
        self.shop.edit("orders", self.order)

    def run(self, *, full: bool = False) -> None:
        run = self.world.step(full=full)
        assert run.success, run.problems
        assert not run.failed()
        time.sleep(1.01 - time.time() % 1)  # its times are whole seconds

    def lines_here(self) -> list[Row]:
        return list(self.shop.tables["orders"][self.order]["lines"].values())


@pytest.fixture
def big(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OfBig]:
    numberless_customers(tmp_path, monkeypatch)
    shop = BigShop()
    with opened(shop) as address:
        text = (
            DESCRIBED.read_text().replace("USD", "DKK").replace("limits: {", "limits: {longest_seconds: 0, ")
        )
        described = tmp_path / "big.yaml"
        described.write_text(text.replace("limits: {requests: 150, ", "limits: {requests: 6000, "))
        connect(monkeypatch, url=f"{address}/stores/abc", token=TOKEN, connector=described)
        yield OfBig(shop, world)


def test_it_is_connected(big: OfBig, capsys: pytest.CaptureFixture[str]) -> None:
    big.fill()
    big.run()
    shop, bc = big.shop, big.world.bc
    assert set(shop.writes) <= {"PUT orders/103"}, shop.writes
    item, customer = big.there("product", big.product), big.there("customer", big.customer)
    assert bc.get("customers", customer)["city"] == "Aarhus"
    assert [(row["quantity"], row["unitPrice"]) for row in big.lines_there()] == [(2, Decimal("1234.5"))]
    big.quiet()
    assert check_configuration() == 0
    assert "both systems are as described" in capsys.readouterr().out

    (plain, _) = sorted(shop.tables["customers"], key=int)[:2]
    other = big.there("customer", plain)
    place = {
        "addressLine1": "Street 7",
        "city": "Odense",
        "state": "Fyn",
        "postalCode": "5000",
        "country": "DK",
    }
    bc.patch("customers", other, place)
    bc.patch("customers", customer, {"displayName": "Company of oak", "city": "Ribe"})
    bc.patch("items", item, {"unitPrice": 1999.5, "displayName": "Renamed"})
    (line,) = big.lines_there()
    bc.patch("salesOrderLines", line["id"], {"quantity": 4})
    entry = {"lineType": "Item", "itemId": item, "quantity": 5, "unitPrice": 9}
    bc.post(f"salesOrders({big.there('order', big.order)})/salesOrderLines", entry)
    shop.busy = time.monotonic() + 1.5
    big.run()
    kept = shop.tables["products"][big.product]
    assert (kept["price"], kept["name"], kept["weight"]) == (1999.5, "Renamed", 1)
    assert shop.tables["customers"][big.customer]["company"] == "Company of oak"
    first, added = shop.tables["addresses"].values()
    assert (first["city"], first["address1"]) == ("Ribe", "Street 1")
    assert (added["customer_id"], added["city"], added["address1"]) == (int(plain), "Odense", "Street 7")
    told = [(row["quantity"], row["price_ex_tax"], row["price_inc_tax"]) for row in big.lines_here()]
    assert [(many, Decimal(price)) for many, price, _ in told] == [(4, Decimal("1234.5")), (5, Decimal(9))]
    assert all(price == with_tax for _, price, with_tax in told)
    big.quiet()
    assert not unexplained()

    shop.edit("products", big.product, name="Lamp", price=20)
    del shop.tables["orders"][big.order]["lines"][str(big.lines_here()[0]["id"])]
    shop.edit("orders", big.order)
    big.run()
    assert (bc.get("items", item)["displayName"], bc.get("items", item)["unitPrice"]) == ("Lamp", 20)
    assert [row["quantity"] for row in big.lines_there()] == [5]
    bc.delete("salesOrderLines", big.lines_there()[0]["id"])
    big.run()
    assert not big.lines_here()
    big.quiet()


def test_what_is_born_there_is_made_once_though_an_answer_is_lost(big: OfBig) -> None:
    big.fill()
    big.run()
    shop, bc = big.shop, big.world.bc
    said = {"displayName": "New ApS", "currencyCode": "DKK"}
    place = {
        "addressLine1": "Street 9",
        "city": "Odense",
        "state": "Fyn",
        "postalCode": "5000",
        "country": "DK",
    }
    bc.post("customers", {**said, **place, "number": "N1", "email": "n1@buyers.example"})
    bc.post("customers", {**said, "number": "N2", "email": "n2@buyers.example"})
    bc.post(
        "items", {"number": "NEW-1", "displayName": "New", "unitPrice": 5, "baseUnitOfMeasureCode": "PCS"}
    )
    shop.writes.clear()
    shop.lost = 3
    for _ in range(3):
        big.world.step()
    made = {row["email"]: row for row in shop.tables["customers"].values() if row["company"] == "New ApS"}
    assert sorted(made) == ["n1@buyers.example", "n2@buyers.example"]
    *_, address = shop.tables["addresses"].values()
    assert (address["customer_id"], address["city"]) == (made["n1@buyers.example"]["id"], "Odense")
    assert [row["name"] for row in shop.tables["products"].values() if row["sku"] == "NEW-1"] == ["New"]
    assert len(bc.all("customers")) == 5
    assert sorted(shop.writes) == [
        "POST catalog/products",
        "POST customers",
        "POST customers",
        "POST customers/addresses",
    ]
    big.quiet()


def test_one_that_is_refused_says_why(big: OfBig) -> None:
    big.fill()
    big.run()
    plain = min(big.shop.tables["customers"], key=int)
    big.world.bc.patch("customers", big.there("customer", plain), {"city": "Odense"})
    big.world.step()
    ((reason,),) = big.world.sql("select reason from refusal")
    assert reason == '422: {"0": "address1 is invalid"}: JSON data is missing or invalid'
