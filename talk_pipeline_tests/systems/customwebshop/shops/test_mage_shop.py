"""A whole shop that is searched by criteria is connected by a description: customers, products and orders."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from talk_pipeline.cli.configuration import check_configuration
from talk_pipeline_tests.flow_files import edited_flows
from talk_pipeline_tests.outcome import Run
from talk_pipeline_tests.systems.customwebshop.shops.door import Row, connect, opened, unexplained
from talk_pipeline_tests.systems.customwebshop.shops.mage_shop import TOKEN, MageShop
from talk_pipeline_tests.world import World

CONNECTOR = Path(__file__).with_name("mage_shop.yaml")


@dataclass
class Mage:
    """The shop with some records, and Business Central beside it."""

    shop: MageShop
    world: World

    def customer(self, n: int) -> str:
        region = {"region_code": "CA", "region": "California", "region_id": 12}
        address = {
            "firstname": "Ann",
            "lastname": f"Lee {n}",
            "company": f"Company {n}",
            "street": [f"Street {n}", "Rear"],
            "city": "Fresno",
            "postcode": "93650",
            "country_id": "US",
            "telephone": f"+1559555010{n}",
            "region": region,
            "default_billing": True,
        }
        said: Row = {
            "email": f"c{n}@company.example",
            "firstname": "Ann",
            "lastname": f"Lee {n}",
            "website_id": 1,
        }
        numbered = [{"attribute_code": "customer_number", "value": f"C{n}"}]
        other = address | {"city": "Elsewhere", "default_billing": False}
        made = self.shop.put(
            "customers", None, **said, taxvat=None, addresses=[other, address], custom_attributes=numbered
        )
        return str(made["id"])

    def product(self, sku: str, **values: Any) -> str:
        self.shop.put("products", sku, **{"name": f"Bag {sku}", "price": 34.5, "status": 1} | values)
        return sku

    def order(self, n: int, customer: str, *skus: str) -> str:
        address = {
            "street": ["Street 1"],
            "city": "Fresno",
            "region_code": "CA",
            "postcode": "93650",
            "country_id": "US",
        }
        people = {"firstname": "Ann", "lastname": "Lee", "telephone": "+15595550109"}
        items = [self.line(sku) for sku in skus]
        items.append(
            items[0] | {"item_id": int(self.shop.next()), "parent_item_id": items[0]["item_id"], "price": 0}
        )
        goods = 2 * 34.5 * len(skus)
        made = self.shop.put(
            "orders",
            None,
            increment_id=f"00000010{n}",
            customer_id=int(customer),
            customer_email="ann@company.example",
            status="pending",
            order_currency_code="DKK",
            billing_address=address | people,
            items=items,
            discount_amount=-5,
            subtotal=goods - 5,
            grand_total=(goods - 5) * 1.25,
            extension_attributes={"shipping_assignments": [{"shipping": {"address": address | people}}]},
        )
        return str(made["entity_id"])

    def line(self, sku: str, **values: Any) -> Row:
        said: Row = {"item_id": int(self.shop.next()), "sku": sku, "name": f"Bag {sku}", "qty_ordered": 2}
        return said | {"price": 34.5, "row_total": 69, "parent_item_id": None} | values

    def run(self, *, quarantined: int = 0) -> Run:
        run = self.world.step()
        assert run.success, run.problems
        refused = [run.finding(flow, "no_quarantined_records").rows for flow in run.numbers["flows"]]
        assert sum(map(len, refused)) == quarantined, refused
        assert not run.failed()
        return run

    def quiet(self) -> None:
        assert self.run().writes() == 0

    def there(self, flow: str, key: str) -> str:
        return self.world.counterpart(flow, key)


@pytest.fixture
def mage(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mage]:
    edited_flows(tmp_path, monkeypatch, customer=("create: always", "create: both"))
    shop = MageShop()
    with opened(shop) as address:
        connect(monkeypatch, url=address, token=TOKEN, connector=CONNECTOR)
        yield Mage(shop, world)


def test_records_travel_there_and_back(mage: Mage, capsys: pytest.CaptureFixture[str]) -> None:
    shop, bc = mage.shop, mage.world.bc
    customers = [mage.customer(n) for n in range(3)]
    first, second, _ = (mage.product(f"24-MB/{n}") for n in range(3))
    order = mage.order(1, customers[0], first, second)
    mage.run()
    mage.quiet()
    assert check_configuration() == 0, capsys.readouterr().out
    sold = bc.get("salesOrders", mage.there("order", order))
    assert [(row["quantity"], row["unitPrice"]) for row in sold["salesOrderLines"]] == [
        (2, Decimal("34.5"))
    ] * 2
    assert (sold["discountAmount"], sold["externalDocumentNumber"]) == (5, "000000101")
    assert shop.tables["orders"][order]["ext_order_id"] == sold["number"]

    # edited in the shop
    shop.put("products", second, price=29)
    shop.tables["orders"][order]["items"][0]["qty_ordered"] = 3
    shop.tables["orders"][order]["items"].append(mage.line(second, qty_ordered=1))
    shop.put("orders", order)
    mage.run()
    sold = bc.get("salesOrders", mage.there("order", order))
    assert [row["quantity"] for row in sold["salesOrderLines"]] == [3, 2, 1]
    mage.quiet()

    # and there
    there = mage.there("customer", customers[0])
    bc.patch("customers", there, {"addressLine1": "Bay 1", "state": "NY", "phoneNumber": "+15595550199"})
    item = mage.there("product", first)
    bc.patch(
        "items", item, {"unitPrice": 36.25, "displayName": "Crown", "blocked": True, "gtin": "4006381333931"}
    )
    mage.run()
    row = shop.tables["products"][first]
    assert (row["name"], Decimal(str(row["price"])), row["status"]) == ("Crown", Decimal("36.25"), 2)
    other, own = shop.tables["customers"][customers[0]]["addresses"]
    assert (own["street"], own["telephone"]) == (["Bay 1", "Rear"], "+15595550199")
    assert own["region"] == {"region_code": "NY", "region": "New York", "region_id": 43}
    assert (other["city"], other["street"][0], own["lastname"]) == ("Elsewhere", "Street 0", "Lee 0")
    mage.quiet()
    assert not unexplained()


def test_records_are_born_refused_and_deleted(mage: Mage) -> None:
    shop, bc = mage.shop, mage.world.bc
    lone = str(
        shop.put(
            "customers",
            None,
            email="lone@company.example",
            firstname="Lone",
            lastname="Wolf",
            website_id=1,
            addresses=[],
            custom_attributes=[{"attribute_code": "customer_number", "value": "L1"}],
        )["id"]
    )
    sku = mage.product("24-MB/1")
    shop.tables["products"][sku]["_qty"] = 7
    order = mage.order(1, lone, sku)
    said = {
        "number": "B1",
        "displayName": "Born there",
        "email": "b@company.example",
        "addressLine1": "Quay 1",
    }
    there = {
        "city": "Albany",
        "country": "US",
        "postalCode": "12203",
        "state": "NY",
        "phoneNumber": "+15185550100",
    }
    bc.post("customers", said | there)
    mage.run()
    mage.quiet()
    born = next(row for row in shop.tables["customers"].values() if row["email"] == "b@company.example")
    assert born["addresses"][0]["region"]["region_id"] == 43
    assert (born["addresses"][0]["company"], born["lastname"]) == ("Born there", "-")

    # an address where there was none, and a value that the shop does not take
    one = mage.there("customer", lone)
    bc.patch(
        "customers", one, {"addressLine1": "Den 1", "city": "Fresno", "country": "US", "postalCode": "93650"}
    )
    own = mage.there("customer", str(born["id"]))
    bc.patch("customers", own, {"email": "lone@company.example", "city": "Troy"})
    run = mage.run(quarantined=2)
    reasons = [row["reason"] for row in run.finding("customer", "no_quarantined_records").rows]
    assert sorted(reasons) == [
        '400: "telephone" is required. Enter and try again.',
        "400: A customer with the same email address already exists in an associated website.",
    ]
    bc.patch("customers", one, {"phoneNumber": "+15595550111"})
    bc.patch("customers", own, {"email": "c@company.example"})
    mage.run()
    assert shop.tables["customers"][lone]["addresses"][0]["city"] == "Fresno"
    assert shop.tables["customers"][lone]["addresses"][0]["lastname"] == "-"
    assert shop.tables["customers"][lone]["lastname"] == "Wolf"
    assert (born["email"], born["addresses"][0]["city"]) == ("c@company.example", "Troy")
    mage.quiet()

    # the status of an order and the stock go back; both sides edited, the later wins
    sold = mage.there("order", order)
    bc.control(f"sales-orders/{sold}/release")
    bc.control(f"items/{mage.there('product', sku)}/stock", {"quantity": 30})
    mage.world.let_time_pass()
    shop.put("products", sku, name="Of the shop")
    mage.world.let_time_pass()
    bc.patch("items", mage.there("product", sku), {"displayName": "Of the books"})
    assert mage.world.step(full=True).success
    assert (shop.tables["products"][sku]["name"], shop.tables["products"][sku]["_qty"]) == (
        "Of the books",
        30,
    )
    assert shop.tables["orders"][order]["status"] == "processing"
    mage.quiet()
    del shop.tables["customers"][str(born["id"])]
    assert mage.world.step(full=True).success
    assert mage.world.state("customer", str(born["id"])) is not None
    assert not unexplained("product", "order")


def test_what_is_accepted_and_carried_out_later_is_told_once(mage: Mage) -> None:
    shop, bc = mage.shop, mage.world.bc
    sku = mage.product("24-MB/1")
    mage.run()
    shop.late = True
    bc.patch("items", mage.there("product", sku), {"displayName": "Crown"})
    said = {
        "number": "B1",
        "displayName": "Born there",
        "email": "b@company.example",
        "addressLine1": "Quay 1",
    }
    bc.post("customers", said | {"city": "Albany", "country": "US", "phoneNumber": "+15185550100"})
    run = mage.run()
    (row,) = run.finding("product", "references_resolve").rows
    assert row["reason"].endswith(" UTC: accepted (202), and not shown yet")
    mage.run()
    assert shop.writes == ["POST customers", "PUT products/24-MB%2F1"]
    shop.carry_out()
    mage.run()
    mage.quiet()
    assert shop.tables["products"][sku]["name"] == "Crown"
    assert len(shop.tables["customers"]) == 1
    assert not unexplained("customer", "product")
