"""A shop of XML documents that are put whole is connected by its kept description alone."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from talk_pipeline.cli.configuration import check_configuration
from talk_pipeline.systems.customwebshop.spec.description import REFERENCE
from talk_pipeline_tests.systems.customwebshop.shops.door import Connected, connect, opened, unexplained
from talk_pipeline_tests.systems.customwebshop.shops.numberless import numberless_customers
from talk_pipeline_tests.systems.customwebshop.shops.presta_shop import KEY, PrestaShop
from talk_pipeline_tests.world import World

DESCRIBED = REFERENCE.parent / "examples" / "prestashop.yaml"


class OfPresta(Connected):
    """Its customers have no number, and an address of their own or none."""

    shop: PrestaShop

    def fill(self) -> None:
        for n in range(1, 4):
            names = {"lastname": "Buyer", "firstname": "Ann", "email": f"c{n}@buyers.example", "active": "1"}
            self.customer = self.shop.made(
                "customers", **names, company=f"Company {n} & Co", passwd=f"hash{n}"
            )
            named = {"en": f"Thing {n}", "fr": f"Chose {n}"}
            self.product = self.shop.made(
                "products",
                reference=f"P{n}",
                name=dict(zip("12", named.values(), strict=True)),
                link_rewrite={"1": f"thing-{n}", "2": f"chose-{n}"},
                price="1234.500000",
                active="1",
                state="1",
                ean13="",
            )
        person = {"lastname": "Person", "firstname": "Pia", "active": "1", "passwd": "hash"}
        self.shop.made("customers", **person, email="pia@buyers.example", company="")
        placed = {
            "lastname": "Buyer",
            "firstname": "Ann",
            "alias": "Home",
            "id_country": "20",
            "city": "Aarhus",
        }
        address = self.shop.made(
            "addresses",
            **placed,
            id_customer=self.customer,
            address1="Street 1",
            postcode="8000",
            deleted="0",
        )
        money = {"total_paid": "2469.00", "total_paid_tax_incl": "2469.00", "total_paid_tax_excl": "2469.00"}
        ways = {
            "id_currency": "2",
            "id_carrier": "2",
            "id_cart": "9",
            "module": "cheque",
            "payment": "Cheque",
        }
        self.order = self.shop.made(
            "orders",
            **{**money, **ways, "reference": "XKBKNABJK", "current_state": "2", "id_customer": self.customer},
            id_address_delivery=address,
            id_address_invoice=address,
        )
        self.placed("2", "1234.500000")

    def placed(self, quantity: str, price: str) -> str:
        said = {"id_warehouse": "0", "id_shop": "1", "product_name": "Thing", "product_price": price}
        return self.shop.made(
            "order_details",
            **said,
            id_order=self.order,
            product_id=self.product,
            product_quantity=quantity,
            unit_price_tax_excl=price,
            reduction_percent="0.00",
        )

    def run(self, *, full: bool = False) -> None:
        run = self.world.step(full=full)
        assert run.success, run.problems
        assert not run.failed()

    def lines_here(self) -> list[dict[str, str]]:
        return self.shop.belonging("order_details", id_order=self.order)


@pytest.fixture
def presta(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OfPresta]:
    numberless_customers(tmp_path, monkeypatch)
    shop = PrestaShop()
    with opened(shop) as address:
        connect(monkeypatch, url=address, key=KEY)
        described = tmp_path / "presta.yaml"
        described.write_text(
            DESCRIBED.read_text().replace("EUR", "DKK", 1) + "limits: {longest_seconds: 0}\n"
        )
        monkeypatch.setenv("CUSTOMWEBSHOP_CONNECTOR", str(described))
        yield OfPresta(shop, world)


def test_it_is_connected(presta: OfPresta, capsys: pytest.CaptureFixture[str]) -> None:
    presta.fill()
    presta.run()
    shop, bc = presta.shop, presta.world.bc
    assert set(shop.writes) <= {"PUT stock_availables", "PUT orders"}, (
        "stock and the order's status, and no more"
    )
    item, customer = presta.there("product", presta.product), presta.there("customer", presta.customer)
    assert [(row["quantity"], row["unitPrice"]) for row in presta.lines_there()] == [(2, Decimal("1234.5"))]
    assert "Pia Person" in {row["displayName"] for row in bc.all("customers").values()}
    presta.quiet()
    assert check_configuration() == 0
    told = capsys.readouterr().out
    assert "both systems are as described" in told
    assert "no record has" not in told, "an address is looked for until one is seen"
    assert "entities.customers.search.email: 'c1@buyers.example' is found" in told

    other = presta.there("customer", min(shop.tables["customers"], key=int))
    bc.patch(
        "customers",
        other,
        {"city": "Odense", "addressLine1": "Street 7", "country": "DK", "email": "new@buyers.example"},
    )
    bc.patch("customers", customer, {"displayName": "Company <3>", "phoneNumber": "+4533123456"})
    bc.patch("items", item, {"unitPrice": 1999.5, "displayName": "Renamed & <more>"})
    (line,) = presta.lines_there()
    bc.patch("salesOrderLines", line["id"], {"quantity": 4})
    entry = {"lineType": "Item", "itemId": item, "quantity": 5, "unitPrice": 9}
    bc.post(f"salesOrders({presta.there('order', presta.order)})/salesOrderLines", entry)
    presta.run()
    kept = shop.tables["products"][presta.product]
    assert (Decimal(kept["price"]), kept["name"]) == (
        Decimal("1999.5"),
        {"1": "Renamed & <more>", "2": "Chose 3"},
    )
    assert kept["link_rewrite"] == {"1": "thing-3", "2": "chose-3"}
    account = shop.tables["customers"][presta.customer]
    assert (account["company"], account["passwd"]) == ("Company <3>", "hash3")
    (address,) = shop.belonging("addresses", id_customer=presta.customer)
    assert (address["phone"], address["alias"], address["city"]) == ("+4533123456", "Home", "Aarhus")
    (added,) = shop.belonging("addresses", city="Odense")
    assert (added["id_customer"], added["id_country"], added["address1"]) == ("101", "20", "Street 7")
    assert shop.tables["customers"]["101"]["email"] == "new@buyers.example"
    assert [row["product_quantity"] for row in presta.lines_here()] == ["4", "5"]
    assert [Decimal(row["product_price"]) for row in presta.lines_here()] == [Decimal("1234.5"), 9]
    presta.quiet()

    shop.edit("products", presta.product, name={"1": "Lamp", "2": "Lampe"}, price="20.000000")
    shop.edit("addresses", address["id"], city="Ribe")
    gone, kept_line = presta.lines_here()
    del shop.tables["order_details"][gone["id"]]
    presta.run(full=True)
    held = bc.get("items", item)
    assert (held["displayName"], held["unitPrice"]) == ("Lamp", 20)
    assert bc.get("customers", customer)["city"] == "Ribe"
    assert [row["quantity"] for row in presta.lines_there()] == [5]
    assert not unexplained()
    bc.delete("salesOrderLines", presta.lines_there()[0]["id"])
    presta.run()
    assert not shop.tables["order_details"], f"{kept_line['id']} goes by itself"
    presta.quiet()


def test_what_is_born_there_is_made_once_though_an_answer_is_lost(presta: OfPresta) -> None:
    presta.fill()
    presta.run()
    shop, bc = presta.shop, presta.world.bc
    said = {"displayName": "New ApS", "currencyCode": "DKK"}
    placed = {"addressLine1": "Street 9", "city": "Odense", "country": "DK"}
    bc.post("customers", {**said, **placed, "number": "N1", "email": "n1@buyers.example"})
    bc.post("customers", {**said, "number": "N2", "email": "n2@buyers.example"})
    bc.post(
        "items", {"number": "NEW-1", "displayName": "New", "unitPrice": 5, "baseUnitOfMeasureCode": "PCS"}
    )
    shop.writes.clear()
    shop.lost = 2
    presta.world.step()
    presta.world.step()
    (product,) = shop.belonging("products", reference="NEW-1")
    assert (product["name"]["1"], product["link_rewrite"]["1"]) == ("New", "item")
    (first,) = shop.belonging("customers", email="n1@buyers.example")
    (second,) = shop.belonging("customers", email="n2@buyers.example")
    assert [row["city"] for row in shop.belonging("addresses", id_customer=first["id"])] == ["Odense"]
    assert not shop.belonging("addresses", id_customer=second["id"])
    assert sorted(shop.writes) == ["POST addresses", "POST customers", "POST customers", "POST products"]
    assert len(bc.all("customers")) == 6
    assert presta.there("product", product["id"])
    presta.quiet()
