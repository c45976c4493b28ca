"""Orders of the shop: references, lines as a whole list, amounts."""

from __future__ import annotations

from typing import Any

import pytest

from talk_pipeline_tests.sandbox.clients import Record, ShopClient
from talk_pipeline_tests.sandbox.customwebshop.test_entities import refused


@pytest.fixture
def goods(shop: ShopClient) -> list[Record]:
    return [
        shop.product(sku="A", name="Stol", unit="pcs"),
        shop.product(sku="B", name="Bord", price="250.00"),
    ]


def line(product: Record, quantity: str = "1", price: str = "100.00", **values: Any) -> Record:
    return {"product_id": product["id"], "quantity": quantity, "unit_price": price, **values}


def test_an_order(shop: ShopClient, goods: list[Record]) -> None:
    customer = shop.customer()
    order = shop.order(
        line(goods[0], "2"),
        customer_id=customer["id"],
        number="WEB-1",
        ordered_at="2025-05-01T10:20:30.5+02:00",
        requested_delivery_date="2025-06-01",
        reference="Projekt",
        currency="DKK",
        shipping_address={"name": "Byggepladsen", "city": "Kolding"},
    )
    assert (order["status"], order["erp_number"], order["discount_amount"]) == ("open", None, "0.00")
    assert order["ordered_at"] == "2025-05-01T08:20:30.500Z"
    assert order["shipping_address"]["name"] == "Byggepladsen"
    assert order["billing_address"]["city"] is None
    made = order["lines"][0]
    assert made == {
        **dict.fromkeys(("shipped_quantity", "invoiced_quantity", "refunded_quantity"), "0"),
        "id": made["id"],
        "product_id": goods[0]["id"],
        "sku": "A",
        "description": "Stol",
        "unit": "pcs",
        "quantity": "2",
        "unit_price": "100.00",
        "discount_percent": "0",
        "line_total": "200.00",
        **dict.fromkeys(("variant", "location")),
    }


def test_charges_bear_nothing_of_the_discount(shop: ShopClient, goods: list[Record]) -> None:
    charges: Record = {"shipping_amount": "60.00", "fees": [{"description": "Gift", "amount": "40.00"}]}
    order = shop.order(line(goods[0], "2"), discount_amount="50.00", **charges)
    assert order["lines"][0]["line_total"] == "150.00"
    assert (order["total_excl_tax"], order["total_tax"]) == ("250.00", "62.50")
    answer = shop.call("PATCH", f"orders/{order['id']}", {"discount_amount": "201.00"})
    refused(answer, 422)


def test_a_line_takes_over_from_its_product(shop: ShopClient, goods: list[Record]) -> None:
    order = shop.order({"product_id": goods[1]["id"], "quantity": "2"})
    assert (order["lines"][0]["unit_price"], order["lines"][0]["description"]) == ("250.00", "Bord")


@pytest.mark.parametrize(
    ("lines", "values", "totals"),
    [
        ([("2", "100.00", "0")], {}, ("200.00", "50.00", "250.00")),
        ([("2", "100.00", "10")], {}, ("180.00", "45.00", "225.00")),
        ([("2", "100.00", "0")], {"discount_amount": "20.00"}, ("180.00", "45.00", "225.00")),
        ([("1", "125.00", "0")], {"prices_include_tax": True}, ("100.00", "25.00", "125.00")),
        ([("1", "0.01", "0")] * 3, {}, ("0.03", "0.01", "0.04")),
        ([("2.5", "19.99", "12.5")], {}, ("43.73", "10.93", "54.66")),
        ([], {}, ("0.00", "0.00", "0.00")),
    ],
)
def test_amounts(
    shop: ShopClient,
    goods: list[Record],
    lines: list[tuple[str, str, str]],
    values: Record,
    totals: tuple[str, ...],
) -> None:
    order = shop.order(*(line(goods[0], q, p, discount_percent=d) for q, p, d in lines), **values)
    assert (order["total_excl_tax"], order["total_tax"], order["total_incl_tax"]) == totals


def test_line_totals_add_up_to_the_total_without_tax(shop: ShopClient, goods: list[Record]) -> None:
    order = shop.order(
        line(goods[0], "1", "10"), line(goods[0], "1", "10"), line(goods[0], "1", "10"), discount_amount="1"
    )
    assert [made["line_total"] for made in order["lines"]] == ["9.67", "9.66", "9.67"]
    assert order["total_excl_tax"] == "29.00"


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({"customer_id": "c-none"}, "customer_id"),
        ({"status": "lost"}, "status"),
        ({"status": None}, "status"),
        ({"ordered_at": "2025-05-01"}, "ordered_at"),
        ({"requested_delivery_date": "1.6.2025"}, "requested_delivery_date"),
        ({"discount_amount": "500"}, "discount_amount"),
        ({"discount_amount": "-1"}, "discount_amount"),
        ({"discount_amount": None}, "discount_amount"),
        ({"total_tax": "7.00"}, "total_tax"),
        ({"lines": {}}, "lines"),
        ({"lines": ["x"]}, "lines[0]"),
        ({"lines": [{"quantity": "1"}]}, "lines[0].product_id"),
        ({"lines": [{"product_id": "p-none", "quantity": "1"}]}, "lines[0].product_id"),
        ({"lines": [{"id": "l-none", "quantity": "1"}]}, "lines[0].id"),
    ],
)
def test_values_an_order_does_not_take(
    shop: ShopClient, goods: list[Record], document: Record, field: str
) -> None:
    order = shop.order(line(goods[0]))
    refused(shop.call("PATCH", f"orders/{order['id']}", document), 422, field=field)
    assert shop.get(f"orders/{order['id']}") == order


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"quantity": None}, "lines[0].quantity"),
        ({"quantity": "many"}, "lines[0].quantity"),
        ({"discount_percent": "101"}, "lines[0].discount_percent"),
        ({"discount_percent": "-1"}, "lines[0].discount_percent"),
        ({"gnome": 1}, "lines[0].gnome"),
    ],
)
def test_values_a_line_does_not_take(
    shop: ShopClient, goods: list[Record], values: Record, field: str
) -> None:
    document = {"customer_id": shop.customer()["id"], "lines": [line(goods[0], **values)]}
    if "quantity" in values:
        document["lines"][0] |= values
    refused(shop.call("POST", "orders", document), 422, field=field)


def test_lines_are_patched_as_a_whole_list_matched_by_id(shop: ShopClient, goods: list[Record]) -> None:
    order = shop.order(line(goods[0], "1"), line(goods[1], "2"))
    first, second = order["lines"]
    changed = shop.patch(
        f"orders/{order['id']}", lines=[{"id": second["id"], "quantity": "5"}, line(goods[0], "7")]
    )
    assert [made["quantity"] for made in changed["lines"]] == ["5", "7"]
    assert changed["lines"][0]["id"] == second["id"]
    assert changed["lines"][0]["unit_price"] == second["unit_price"]
    assert changed["lines"][1]["id"] not in (first["id"], second["id"])
    assert changed["total_excl_tax"] == "1200.00"


def test_lines_may_come_back_as_they_were_read(shop: ShopClient, goods: list[Record]) -> None:
    order = shop.order(line(goods[0], "1"))
    answer = shop.call("PATCH", f"orders/{order['id']}", {"lines": order["lines"]})
    assert answer.status_code == 200
    assert answer.json()["updated_at"] == order["updated_at"]


def test_another_product_brings_its_sku(shop: ShopClient, goods: list[Record]) -> None:
    order = shop.order(line(goods[0], "1", description="Eget navn"))
    lines = [{"id": order["lines"][0]["id"], "product_id": goods[1]["id"]}]
    changed = shop.patch(f"orders/{order['id']}", lines=lines)["lines"][0]
    assert (changed["sku"], changed["description"]) == ("B", "Eget navn")


def test_a_product_deleted_meanwhile_stays_on_its_line(shop: ShopClient, goods: list[Record]) -> None:
    order = shop.order(line(goods[0], "1"))
    shop.call("DELETE", f"products/{goods[0]['id']}")
    lines = [{"id": order["lines"][0]["id"], "quantity": "2"}]
    assert shop.patch(f"orders/{order['id']}", lines=lines)["total_excl_tax"] == "200.00"
    answer = shop.call("PATCH", f"orders/{order['id']}", {"lines": [line(goods[0])]})
    refused(answer, 422, field="lines[0].product_id")


def test_everything_else_survives_a_patch_of_the_lines(shop: ShopClient, goods: list[Record]) -> None:
    order = shop.order(line(goods[0]), reference="Projekt", email="a@b.example")
    changed = shop.patch(f"orders/{order['id']}", lines=[], erp_number="SO1", status="processing")
    assert (changed["reference"], changed["email"]) == ("Projekt", "a@b.example")
    assert (changed["erp_number"], changed["status"], changed["lines"]) == ("SO1", "processing", [])


def test_writes_count_lines_singly(shop: ShopClient, goods: list[Record]) -> None:
    shop.control("DELETE", "/requests")
    order = shop.order(line(goods[0]), line(goods[1]))
    first = order["lines"][0]
    shop.patch(
        f"orders/{order['id']}", lines=[{"id": first["id"], "quantity": "5"}, line(goods[0]), line(goods[0])]
    )
    shop.patch(f"orders/{order['id']}", discount_amount="1.00")
    writes = shop.control.requests()["writes"]
    assert writes["orders"] == {"create": 1, "update": 2, "delete": 0}
    assert writes["order_lines"] == {"create": 4, "update": 1, "delete": 1}
