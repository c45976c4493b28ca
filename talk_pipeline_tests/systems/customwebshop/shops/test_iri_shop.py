"""A shop in which ids stand inside longer texts, in bodies and parameters, is connected by a description."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from talk_pipeline.cli.configuration import check_configuration
from talk_pipeline_tests.flow_files import edited_flows
from talk_pipeline_tests.systems.customwebshop.shops.door import Connected, Row, connect, opened, unexplained
from talk_pipeline_tests.systems.customwebshop.shops.iri_shop import CONNECTOR, TOKEN, IriShop
from talk_pipeline_tests.world import World


class Addresses(Connected):
    """The shop that says addresses; an order's lines are kept beside it."""

    shop: IriShop

    def fill(self) -> None:
        super().fill()
        lines = self.shop.tables["orders"][self.order].pop("lines")
        for line in lines.values():
            self.line_of(line["product"], line["quantity"])

    def line_of(self, product: str, quantity: str) -> str:
        said: Row = {"text": "Thing", "quantity": quantity, "unit_price": "1234.50"}
        return self.shop.add("order_lines", order=self.order, product=product, **said)

    def lines_here(self) -> list[Row]:
        return list(self.shop.tables["order_lines"].values())


@pytest.fixture
def addresses(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Addresses]:
    edited_flows(tmp_path, monkeypatch, customer=("create: always", "create: both"))
    shop = IriShop()
    (tmp_path / "shop.yaml").write_text(CONNECTOR, encoding="utf-8")
    with opened(shop) as address:
        connect(monkeypatch, url=address, token=TOKEN, connector=tmp_path / "shop.yaml")
        yield Addresses(shop, world)


def test_records_travel_there_and_back(addresses: Addresses, capsys: pytest.CaptureFixture[str]) -> None:
    addresses.fill()
    addresses.run()
    addresses.quiet()
    assert check_configuration() == 0, capsys.readouterr().out
    shop, bc = addresses.shop, addresses.world.bc
    assert not shop.writes
    order = addresses.there("order", addresses.order)
    assert bc.get("salesOrders", order)["customerId"] == addresses.there("customer", addresses.customer)

    addresses.line_of(addresses.product, "3")
    shop.edit("orders", addresses.order)
    addresses.run()
    first, second = addresses.lines_there()
    assert [first["quantity"], second["quantity"]] == [2, 3]
    addresses.quiet()

    bc.patch("salesOrderLines", first["id"], {"quantity": 4})
    bc.delete("salesOrderLines", second["id"])
    other = min(shop.tables["products"], key=int)
    entry = {"lineType": "Item", "itemId": addresses.there("product", other), "quantity": 5, "unitPrice": 9}
    bc.post(f"salesOrders({order})/salesOrderLines", entry)
    buyer = min(shop.tables["customers"], key=int)
    bc.patch("salesOrders", order, {"customerId": addresses.there("customer", buyer)})
    bc.post("customers", {"number": "B1", "displayName": "Born there", "currencyCode": "DKK", "city": "Ribe"})
    addresses.run()
    told = [(row["order"], row["product"], row["quantity"]) for row in addresses.lines_here()]
    assert told == [(addresses.order, addresses.product, "4"), (addresses.order, other, "5")]
    assert shop.tables["orders"][addresses.order]["customer"] == buyer
    assert "Born there" in [row["company"] for row in shop.tables["customers"].values()]
    lines = [one for one in shop.writes if one.endswith("order_lines")]
    assert sorted(lines) == ["DELETE order_lines", "PATCH order_lines", "POST order_lines"]
    addresses.quiet()
    assert not unexplained()
