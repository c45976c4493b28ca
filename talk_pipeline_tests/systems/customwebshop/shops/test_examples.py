"""The kept descriptions of shops that others use, each held against an imitation of that shop."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from talk_pipeline.cli.configuration import check_configuration
from talk_pipeline.systems.customwebshop.spec.description import REFERENCE
from talk_pipeline_tests.flow_files import copied_flows
from talk_pipeline_tests.systems.customwebshop.shops.door import Connected, connect, opened, unexplained
from talk_pipeline_tests.systems.customwebshop.shops.medusa_shop import KEY, MedusaShop
from talk_pipeline_tests.systems.customwebshop.shops.oscar_shop import PASSWORD, USER, OscarShop
from talk_pipeline_tests.world import World

EXAMPLES = REFERENCE.parent / "examples"
MOST_LINES = 80


@pytest.mark.parametrize("file", sorted(EXAMPLES.glob("*.yaml")), ids=lambda file: file.stem)
def test_an_example_is_short(file: Path) -> None:
    assert len(file.read_text(encoding="utf-8").splitlines()) <= MOST_LINES


class OfOscar(Connected):
    """Its users and products are known by numbers, its orders by the number in their address."""

    shop: OscarShop

    def fill(self) -> None:
        for n in range(1, 4):
            names = {"username": f"U{n}", "first_name": "Ann", "last_name": f"Buyer{n}", "is_active": True}
            self.customer = self.shop.add("customers", **names, email=f"u{n}@buyers.example")
            thing = {"upc": f"SH-{n}", "title": f"Shelf {n}", "is_public": True}
            self.product = self.shop.add("products", **thing, price=f"{n}.50", num_in_stock=100)
        self.order = self.shop.place(self.customer, (self.product, 2, "3.50"))


@pytest.fixture
def oscar(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[OfOscar]:
    shop = OscarShop()
    with opened(shop) as address:
        connector = EXAMPLES / "oscar.yaml"
        connect(monkeypatch, url=address, user=USER, password=PASSWORD, connector=connector)
        yield OfOscar(shop, world)


def test_a_django_oscar_is_connected(oscar: OfOscar, capsys: pytest.CaptureFixture[str]) -> None:
    oscar.fill()
    oscar.run()
    oscar.quiet()
    shop, bc = oscar.shop, oscar.world.bc
    assert set(shop.writes) <= {"PATCH stockrecords"}, "what Business Central has on stock, and nothing else"
    customer, item = oscar.there("customer", oscar.customer), oscar.there("product", oscar.product)
    placed = bc.get("salesOrders", oscar.there("order", oscar.order))
    assert (placed["externalDocumentNumber"], placed["customerId"]) == ("2000", customer)
    assert [(row["quantity"], row["unitPrice"]) for row in oscar.lines_there()] == [(2, Decimal("3.5"))]

    shop.edit("products", oscar.product, price="9.95", title="Shelf of oak")
    bc.patch("customers", customer, {"displayName": "Berta Long Name", "email": "b@buyers.example"})
    oscar.run()
    held = bc.get("items", item)
    assert (held["unitPrice"], held["displayName"]) == (Decimal("9.95"), "Shelf of oak")
    here = shop.tables["customers"][oscar.customer]
    assert (here["first_name"], here["last_name"]) == ("Berta Long", "Name")
    assert here["email"] == "b@buyers.example"

    bc.patch("items", item, {"unitPrice": 12.5, "displayName": "Shelf of ash"})
    oscar.run()
    told = shop.tables["products"][oscar.product]
    assert (told["price"], told["title"]) == ("12.50", "Shelf of ash")
    oscar.quiet()
    assert not unexplained()
    assert check_configuration() == 0
    assert "both systems are as described" in capsys.readouterr().out


class OfMedusa(Connected):
    """Its variants are the items; its customers have no number."""

    shop: MedusaShop

    def fill(self) -> None:
        address = {"first_name": "Mia", "last_name": "Buyer", "address_1": "Road 1", "address_2": ""}
        address |= {
            "city": "Aarhus",
            "province": "",
            "postal_code": "8000",
            "country_code": "dk",
            "phone": "",
        }
        for n in range(1, 4):
            names = {"first_name": "Mia", "last_name": f"Buyer{n}", "company_name": f"Mia {n} ApS"}
            self.customer = self.shop.add("customers", **names, email=f"m{n}@buyers.example", phone="")
            prices = [
                {"id": f"price_{n}{code}", "currency_code": code, "amount": n * 10} for code in ("dkk", "eur")
            ]
            thing = {"sku": f"LA-{n}", "title": f"Lamp {n}", "barcode": None}
            self.product = self.shop.add("products", **thing, prices=prices)
        lines = self.shop.item(self.product, 2, 30) | self.shop.item(self.product, 1, 25)
        placed = {"display_id": 1, "status": "pending", "customer_id": self.customer, "currency_code": "dkk"}
        placed |= {"email": "m3@buyers.example", "shipping_address": address, "billing_address": address}
        self.order = self.shop.add("orders", **placed, lines=lines)


@pytest.fixture
def medusa(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OfMedusa]:
    folder = copied_flows(
        tmp_path / "flows",
        customer=("match: [number, organization_number, email]", "match: [email]"),
        product=("create: always", "create: both"),
    )
    file = folder / "customer.yaml"
    rows = file.read_text(encoding="utf-8").splitlines()
    text = "\n".join(row for row in rows if "bc: number," not in row)
    for old, new in (("create_key: number", "create_key: email"), ("number: shop", "number: series")):
        text = text.replace(old, new)
    file.write_text(text, encoding="utf-8")
    shop = MedusaShop()
    with opened(shop) as address:
        connect(monkeypatch, url=address, key=KEY, connector=EXAMPLES / "medusa.yaml")
        monkeypatch.setenv("TALK_FLOWS_DIR", str(folder))
        yield OfMedusa(shop, world)


def test_a_medusa_is_connected(medusa: OfMedusa, capsys: pytest.CaptureFixture[str]) -> None:
    medusa.fill()
    medusa.run()
    medusa.quiet()
    shop, bc = medusa.shop, medusa.world.bc
    assert not shop.writes
    customer, item = medusa.there("customer", medusa.customer), medusa.there("product", medusa.product)
    assert bc.get("customers", customer)["displayName"] == "Mia 3 ApS"
    first, second = medusa.lines_there()
    assert [(row["quantity"], row["unitPrice"]) for row in (first, second)] == [(2, 30), (1, 25)]

    bc.patch("items", item, {"unitPrice": 31.5, "displayName": "Lamp of oak"})
    bc.patch("salesOrderLines", first["id"], {"quantity": 4})
    bc.delete("salesOrderLines", second["id"])
    other = medusa.there("product", min(shop.tables["products"], key=int))
    added = {"lineType": "Item", "itemId": other, "quantity": 3, "unitPrice": 12}
    bc.post(f"salesOrders({medusa.there('order', medusa.order)})/salesOrderLines", added)
    medusa.run()
    told = shop.tables["products"][medusa.product]
    assert [row["amount"] for row in told["prices"]] == [31.5, 30]
    assert told["title"] == "Lamp of oak"
    assert sorted((row["quantity"], row["unit_price"]) for row in medusa.lines_here()) == [(3, 12), (4, 30)]
    assert not shop.edits, "what was begun is confirmed"

    bc.post(
        "items",
        {"number": "NEW-1", "displayName": "Lamp of ash", "unitPrice": 12.5, "baseUnitOfMeasureCode": "PCS"},
    )
    medusa.run()
    (made,) = (one for one in shop.tables["products"].values() if one["sku"] == "NEW-1")
    assert (made["title"], made["called"], made["prices"][0]["amount"]) == (
        "Lamp of ash",
        "Lamp of ash",
        12.5,
    )
    medusa.quiet()
    assert not unexplained()
    assert check_configuration() == 0
    assert "both systems are as described" in capsys.readouterr().out
