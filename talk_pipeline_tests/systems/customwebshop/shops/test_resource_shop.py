"""A shop that speaks JSON:API is connected by a description, whole and both ways."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest

from talk_pipeline.cli.configuration import check_configuration
from talk_pipeline_tests.flow_files import edited_flows
from talk_pipeline_tests.systems.customwebshop.shops.door import Connected, Row, connect, opened, unexplained
from talk_pipeline_tests.systems.customwebshop.shops.resource_shop import TOKEN, ResourceShop
from talk_pipeline_tests.world import World

CONNECTOR = Path(__file__).with_name("resource_shop.yaml")


@dataclass
class Resources(Connected):
    """The shop behind JSON:API."""

    shop: ResourceShop

    def fill(self) -> None:
        for n in range(3):
            address = {
                "street": f"Street {n}",
                "more": "Rear",
                "city": "Aarhus",
                "zip": "8000",
                "country": "dk",
            }
            said: Row = {"number": f"C{n}", "company-name": f"Company {n}", "email": f"c{n}@company.example"}
            self.customer = self.shop.add("customers", **said, phone=None, active=True, address=address)
            price = {"cents": 123450, "currency": "DKK"}
            self.product = self.shop.add("products", code=f"P{n}", title=f"Thing {n}", price=price)
        said = {"number": "O1", "status": "open", "delivery": None}
        self.order = self.shop.add("orders", customer=self.customer, **said)
        for _ in range(3):
            self.line_of("2")

    def line_of(self, quantity: str) -> str:
        said: Row = {"text": "Thing", "quantity": quantity, "price": 1234.5}
        return self.shop.add("lines", order=self.order, product=self.product, **said)

    def lines_here(self) -> list[Row]:
        return list(self.shop.tables["lines"].values())


@pytest.fixture
def resources(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Resources]:
    edited_flows(tmp_path, monkeypatch, customer=("create: always", "create: both"))
    shop = ResourceShop()
    with opened(shop) as address:
        connect(monkeypatch, url=address, token=f"Token {TOKEN}", connector=CONNECTOR)
        yield Resources(shop, world)


def test_records_travel_there_and_back(resources: Resources, capsys: pytest.CaptureFixture[str]) -> None:
    resources.fill()
    resources.run()
    resources.quiet()
    assert not resources.shop.writes
    assert check_configuration() == 0, capsys.readouterr().out
    shop, bc = resources.shop, resources.world.bc
    customer, item = (
        resources.there("customer", resources.customer),
        resources.there("product", resources.product),
    )
    assert bc.get("customers", customer)["addressLine2"] == "Rear"
    assert [row["quantity"] for row in resources.lines_there()] == [2, 2, 2]

    resources.line_of("3")
    shop.edit("lines", min(shop.tables["lines"], key=int), quantity="7")
    shop.edit("products", resources.product, price={"cents": 200005, "currency": "DKK"})
    resources.run()
    assert bc.get("items", item)["unitPrice"] == Decimal("2000.05")
    assert [row["quantity"] for row in resources.lines_there()] == [7, 2, 2, 3]
    resources.quiet()

    first, second, *_ = resources.lines_there()
    bc.patch("customers", customer, {"addressLine1": "New Street 1", "country": "SE"})
    bc.patch("items", item, {"unitPrice": 1999.5, "displayName": "Renamed"})
    bc.patch("salesOrderLines", first["id"], {"quantity": 4})
    bc.delete("salesOrderLines", second["id"])
    other = resources.there("product", min(shop.tables["products"], key=int))
    order = resources.there("order", resources.order)
    entry = {"lineType": "Item", "itemId": other, "quantity": 5, "unitPrice": 9}
    bc.post(f"salesOrders({order})/salesOrderLines", entry)
    bc.patch("salesOrders", order, {"requestedDeliveryDate": "2027-01-31"})
    bc.post("customers", {"number": "B1", "displayName": "Born there", "currencyCode": "DKK", "city": "Ribe"})
    resources.run()
    address = shop.tables["customers"][resources.customer]["address"]
    assert address == {
        "street": "New Street 1",
        "more": "Rear",
        "city": "Aarhus",
        "zip": "8000",
        "country": "se",
    }
    renamed = shop.tables["products"][resources.product]
    assert (renamed["price"], renamed["title"]) == ({"cents": 199950, "currency": "DKK"}, "Renamed")
    assert [row["quantity"] for row in resources.lines_here()] == ["4", "2", "3", "5"]
    assert shop.tables["orders"][resources.order]["delivery"] == "2027-01-31"
    born = max(shop.tables["customers"].values(), key=lambda row: int(row["id"]))
    assert (born["company-name"], born["address"]["city"]) == ("Born there", "Ribe")
    resources.quiet()
    assert not unexplained()


def test_an_edit_meanwhile_and_a_refusal(resources: Resources) -> None:
    resources.fill()
    resources.run()
    shop, bc = resources.shop, resources.world.bc
    customer = resources.there("customer", resources.customer)
    bc.patch("customers", customer, {"phoneNumber": "+4533123456"})
    shop.meanwhile = ("customers", resources.customer, {"email": "edited@company.example"})
    resources.run()
    kept = shop.tables["customers"][resources.customer]
    assert (kept["phone"], kept["email"]) == ("+4533123456", "edited@company.example")
    assert bc.get("customers", customer)["email"] == "edited@company.example"
    resources.quiet()

    bc.patch("items", resources.there("product", resources.product), {"displayName": ""})
    (row,) = resources.world.step("product").finding("product", "no_quarantined_records").rows
    assert row["reason"] == "blank: /data/attributes/title: cannot be blank"
    del shop.tables["customers"][resources.customer]
    assert resources.world.step("customer", full=True).success
    state = resources.world.state("customer", resources.customer)
    assert state is not None
    assert state[0] == "broken"


def test_what_the_shop_empties_beside_what_it_is_told_is_put_back_and_named(
    resources: Resources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its description says nothing of objects, so that only what changes of an address is sent."""
    text = CONNECTOR.read_text(encoding="utf-8")
    assert text.count("objects: whole, ") == 2
    (tmp_path / "merging.yaml").write_text(text.replace("objects: whole, ", ""), encoding="utf-8")
    monkeypatch.setenv("CUSTOMWEBSHOP_CONNECTOR", str(tmp_path / "merging.yaml"))
    resources.fill()
    resources.run()
    shop, bc = resources.shop, resources.world.bc
    customer = resources.there("customer", resources.customer)
    whole = dict(shop.tables["customers"][resources.customer]["address"])
    bc.patch("customers", customer, {"addressLine1": "Elsewhere 1"})
    done = resources.world.step("customer")
    (row,) = done.finding("customer", "no_failed_writes").rows
    assert "the shop empties attributes.address.city" in row["reason"]
    assert row["reason"].endswith("say objects: whole; it was put back")
    for _ in range(2):
        assert shop.tables["customers"][resources.customer]["address"] == whole | {"street": "Elsewhere 1"}
        held = bc.get("customers", customer)
        assert (held["addressLine1"], held["city"]) == ("Elsewhere 1", "Aarhus")
        assert not resources.world.step("customer").failed()
