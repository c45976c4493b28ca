"""Prices and amounts: price lists, tax, discounts, and what moves an order when its lines change."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from talk_pipeline_tests.sandbox.clients import CentralClient, Record, moment, refused

HEADERS = {"If-Match": "*"}
D = Decimal


def line_of(bc: CentralClient, order: Record, position: int = 0) -> str:
    return f"salesOrderLines({bc.lines(order)[position]['id']})"


def header(bc: CentralClient, order: Record) -> Record:
    return dict(bc.get(f"salesOrders({order['id']})"))


# -- prices --------------------------------------------------------------------------------------------------------


def test_the_item_card_gives_the_price(bc: CentralClient) -> None:
    order = bc.order({"itemId": bc.item(unitPrice=D("746.00"))["id"], "quantity": 1})
    assert order["salesOrderLines"][0]["unitPrice"] == 746


def test_in_the_documents_currency(bc: CentralClient) -> None:
    order = bc.order({"itemId": bc.item(unitPrice=746)["id"], "quantity": 1}, currencyCode="EUR")
    assert order["salesOrderLines"][0]["unitPrice"] == 100


@pytest.mark.parametrize(
    ("item_taxed", "order_taxed", "price"),
    [(False, True, 125), (True, True, 100), (True, False, 80), (False, False, 100)],
)
def test_with_or_without_tax(bc: CentralClient, item_taxed: bool, order_taxed: bool, price: int) -> None:
    item = bc.item(unitPrice=100, priceIncludesTax=item_taxed)
    order = bc.order({"itemId": item["id"], "quantity": 1}, pricesIncludeTax=order_taxed)
    assert order["salesOrderLines"][0]["unitPrice"] == price


def test_a_price_list_beats_the_card_from_its_quantity_on(bc: CentralClient) -> None:
    item = bc.item(unitPrice=100)
    bc.control("POST", "/prices", {"itemId": item["id"], "minimumQuantity": 10, "unitPrice": 90})
    order = bc.order({"itemId": item["id"], "quantity": 9}, {"itemId": item["id"], "quantity": 10})
    assert [line["unitPrice"] for line in order["salesOrderLines"]] == [100, 90]


def test_a_new_quantity_prices_anew_when_a_price_list_matches(bc: CentralClient) -> None:
    item = bc.item(unitPrice=100)
    bc.control("POST", "/prices", {"itemId": item["id"], "minimumQuantity": 10, "unitPrice": 90})
    order = bc.order({"itemId": item["id"], "quantity": 2, "unitPrice": 55})
    path = line_of(bc, order)
    assert bc.update(path, quantity=3)["unitPrice"] == 55
    assert bc.update(path, quantity=10)["unitPrice"] == 90
    assert bc.update(path, quantity=4)["unitPrice"] == 100
    assert bc.update(path, quantity=12, unitPrice=70)["unitPrice"] == 70


def test_a_price_may_be_for_one_customer_or_currency(bc: CentralClient) -> None:
    item, customer = bc.item(unitPrice=100), bc.customer()
    bc.control("POST", "/prices", {"itemId": item["id"], "unitPrice": 60, "customerId": customer["id"]})
    line = {"itemId": item["id"], "quantity": 1}
    assert bc.order(line, customerId=customer["id"])["salesOrderLines"][0]["unitPrice"] == 60
    assert bc.order(line)["salesOrderLines"][0]["unitPrice"] == 100


# -- amounts -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "taxed", "net", "tax", "gross"),
    [
        ([(16, 21, 0)], False, "336", "84", "420"),
        ([(12, "1397.30", 0)], False, "16767.6", "4191.9", "20959.5"),
        ([(1, "0.01", 0), (1, "0.01", 0), (1, "0.01", 0)], False, "0.03", "0.01", "0.04"),
        ([(3, "33.33", 10)], False, "89.99", "22.5", "112.49"),
        ([(1, 125, 0)], True, "100", "25", "125"),
        ([(3, "9.99", 0)], True, "23.98", "5.99", "29.97"),
        ([(1, 100, 100)], False, "0", "0", "0"),
        ([("2.5", "19.99", "12.5")], False, "43.73", "10.93", "54.66"),
    ],
)
def test_totals(
    bc: CentralClient, lines: list[tuple[Any, Any, Any]], taxed: bool, net: str, tax: str, gross: str
) -> None:
    item = bc.item()
    order = bc.order(
        *(
            {"itemId": item["id"], "quantity": D(q), "unitPrice": D(p), "discountPercent": D(d)}
            for q, p, d in lines
        ),
        pricesIncludeTax=taxed,
    )
    assert order["totalAmountExcludingTax"] == D(net)
    assert order["totalTaxAmount"] == D(tax)
    assert order["totalAmountIncludingTax"] == D(gross)
    assert sum(line["netAmount"] for line in order["salesOrderLines"]) == D(net)
    assert sum(line["netAmountIncludingTax"] for line in order["salesOrderLines"]) == D(gross)


def test_amounts_of_a_line_before_and_after_the_orders_discount(bc: CentralClient) -> None:
    order = bc.order_of(quantity=2, price=100)
    bc.update(f"salesOrders({order['id']})", discountAmount=50)
    line = bc.lines(order)[0]
    assert (line["amountExcludingTax"], line["totalTaxAmount"], line["amountIncludingTax"]) == (200, 50, 250)
    assert line["invoiceDiscountAllocation"] == 50
    assert (line["netAmount"], line["netTaxAmount"], line["netAmountIncludingTax"]) == (
        150,
        D("37.5"),
        D("187.5"),
    )


# -- the order's discount ------------------------------------------------------------------------------------------


@pytest.fixture
def two_lines(bc: CentralClient) -> tuple[CentralClient, Record]:
    """An order of 100 and 300 with a discount of 40."""
    item = bc.item()
    order = bc.order(
        {"itemId": item["id"], "quantity": 1, "unitPrice": 100},
        {"itemId": item["id"], "quantity": 3, "unitPrice": 100},
    )
    bc.update(f"salesOrders({order['id']})", discountAmount=40)
    return bc, order


def test_it_is_spread_over_the_lines(two_lines: tuple[CentralClient, Record]) -> None:
    bc, order = two_lines
    assert [line["invoiceDiscountAllocation"] for line in bc.lines(order)] == [10, 30]
    assert header(bc, order)["totalAmountExcludingTax"] == 360
    bc.update(f"salesOrders({order['id']})", discountAmount=0)
    assert [line["invoiceDiscountAllocation"] for line in bc.lines(order)] == [0, 0]
    assert header(bc, order)["totalAmountExcludingTax"] == 400


def test_odd_cents_are_not_lost(bc: CentralClient) -> None:
    item = bc.item()
    order = bc.order(*({"itemId": item["id"], "quantity": 1, "unitPrice": 10} for _ in range(3)))
    bc.update(f"salesOrders({order['id']})", discountAmount=1)
    assert sum(line["invoiceDiscountAllocation"] for line in bc.lines(order)) == 1


def test_lines_on_accounts_bear_nothing_of_it(bc: CentralClient) -> None:
    item = {"itemId": bc.item()["id"], "quantity": 2, "unitPrice": 100}
    freight = {"lineType": "Account", "lineObjectNumber": "1050", "quantity": 1, "unitPrice": 100}
    order = bc.order(item, freight)
    path = f"salesOrders({order['id']})"
    refused(bc.call("PATCH", path, {"discountAmount": 201}, headers=HEADERS), 400)
    assert bc.update(path, discountAmount=200)["totalAmountExcludingTax"] == 100
    bc.update(path, discountAmount=50)
    assert [(line["invoiceDiscountAllocation"], line["netAmount"]) for line in bc.lines(order)] == [
        (50, 150),
        (0, 100),
    ]
    bc.update(line_of(bc, order), quantity=D("0.3"))  # and it shrinks to what the others still come to
    assert header(bc, order)["discountAmount"] == 30
    assert header(bc, order)["totalAmountExcludingTax"] == 100


@pytest.mark.parametrize("amount", [401, -1])
def test_it_has_its_bounds(two_lines: tuple[CentralClient, Record], amount: int) -> None:
    bc, order = two_lines
    answer = bc.call("PATCH", f"salesOrders({order['id']})", {"discountAmount": amount}, headers=HEADERS)
    refused(answer, 400)


def test_it_needs_lines(bc: CentralClient) -> None:
    order = bc.order()
    refused(bc.call("PATCH", f"salesOrders({order['id']})", {"discountAmount": 5}, headers=HEADERS), 400)
    assert bc.update(f"salesOrders({order['id']})", discountAmount=0)["discountAmount"] == 0


def test_it_is_kept_when_lines_come_and_go(two_lines: tuple[CentralClient, Record]) -> None:
    bc, order = two_lines
    new = bc.create(
        f"salesOrders({order['id']})/salesOrderLines", itemId=bc.item()["id"], quantity=4, unitPrice=100
    )
    assert header(bc, order)["discountAmount"] == 40
    assert [line["invoiceDiscountAllocation"] for line in bc.lines(order)] == [5, 15, 20]
    bc.delete(f"salesOrderLines({new['id']})")
    assert header(bc, order)["discountAmount"] == 40
    bc.update(line_of(bc, order), unitPrice=300)
    assert header(bc, order)["discountAmount"] == 40
    assert [line["invoiceDiscountAllocation"] for line in bc.lines(order)] == [20, 20]


def test_it_is_lowered_when_a_line_goes_to_zero(two_lines: tuple[CentralClient, Record]) -> None:
    bc, order = two_lines
    bc.update(line_of(bc, order, 1), quantity=0)
    assert header(bc, order)["discountAmount"] == 10
    assert header(bc, order)["totalAmountExcludingTax"] == 90


@pytest.mark.parametrize(("rule", "discount"), [("applied", 40), ("ignored", 0)])
def test_it_may_come_with_a_deep_insert(bc: CentralClient, rule: str, discount: int) -> None:
    bc.control.settings(discount_in_deep_insert=rule)
    order = bc.order_of(quantity=4, price=100, discountAmount=40)
    assert (order["discountAmount"], order["totalAmountExcludingTax"]) == (discount, 400 - discount)


def test_it_may_be_refused_in_a_deep_insert(bc: CentralClient) -> None:
    bc.control.settings(discount_in_deep_insert="refused")
    item, customer = bc.item(), bc.customer()
    document = {
        "customerId": customer["id"],
        "discountAmount": 4,
        "salesOrderLines": [{"itemId": item["id"], "quantity": 1}],
    }
    refused(bc.call("POST", "salesOrders", document), 400)


def test_a_pending_discount_may_be_settled_by_a_read(two_lines: tuple[CentralClient, Record]) -> None:
    bc, order = two_lines
    bc.control.settings(discount_redistribution="on_read")
    bc.update(line_of(bc, order), unitPrice=200)
    listed = bc.all_of("salesOrders")[0]["@odata.etag"]
    answer = bc.call("GET", f"salesOrders({order['id']})", headers={"Data-Access-Intent": "ReadOnly"})
    refused(answer, 400)
    settled = header(bc, order)["@odata.etag"]
    assert settled != listed
    assert header(bc, order)["@odata.etag"] == settled


# -- what moves the order ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("document", "moves"),
    [
        ({"description": "Nyt navn"}, False),
        ({"description2": "Mere"}, False),
        ({"shipmentDate": "2026-12-24"}, False),
        ({"shipQuantity": 1}, False),
        ({"quantity": 7}, True),
        ({"unitPrice": 7}, True),
        ({"discountPercent": 5}, True),
        ({"taxCode": "VAT0"}, True),
        ({"description": "Nyt", "quantity": 8}, True),
    ],
)
def test_line_changes_and_the_order(bc: CentralClient, document: Record, moves: bool) -> None:
    order = bc.order_of(quantity=2, price=100)
    line = bc.lines(order)[0]
    bc.control.clock(5)
    changed = bc.update(f"salesOrderLines({line['id']})", **document)
    assert changed["@odata.etag"] != line["@odata.etag"]
    now = header(bc, order)
    assert (now["@odata.etag"] != order["@odata.etag"]) is moves
    assert (moment(now["lastModifiedDateTime"]) > moment(order["lastModifiedDateTime"])) is moves


def test_lines_that_come_and_go_move_the_order(bc: CentralClient) -> None:
    order = bc.order_of()
    bc.control.clock(5)
    line = bc.create(f"salesOrders({order['id']})/salesOrderLines", description="Hej")
    first = header(bc, order)
    assert moment(first["lastModifiedDateTime"]) > moment(order["lastModifiedDateTime"])
    bc.control.clock(10)
    bc.delete(f"salesOrderLines({line['id']})")
    assert moment(header(bc, order)["lastModifiedDateTime"]) > moment(first["lastModifiedDateTime"])


def test_a_line_changes_the_tag_a_header_change_needs(bc: CentralClient) -> None:
    order = bc.order_of()
    bc.update(line_of(bc, order), quantity=9)
    headers = {"If-Match": order["@odata.etag"]}
    refused(bc.call("PATCH", f"salesOrders({order['id']})", {"email": "a@b.example"}, headers=headers), 409)
