"""Changes of a sales order's header, what they bring with them, and deletion."""

from __future__ import annotations

from typing import Any

import pytest

from talk_pipeline_tests.sandbox.clients import ADDRESS, NOWHERE, CentralClient, Record, refused

HEADERS = {"If-Match": "*"}


def patch(bc: CentralClient, order: Record, document: Record) -> Any:
    return bc.call("PATCH", f"salesOrders({order['id']})", document, headers=HEADERS)


def test_a_header_change_takes_no_lines(bc: CentralClient) -> None:
    order = bc.order_of()
    refused(patch(bc, order, {"salesOrderLines": []}), 400, "BadRequest")
    bc.control.settings(lines_in_header_patch="ignored")
    assert patch(bc, order, {"salesOrderLines": [], "email": "x@y.example"}).json()["email"] == "x@y.example"
    assert len(bc.lines(order)) == 1


@pytest.mark.parametrize(
    "name", ["billToAddressLine1", "billToCity", "billToName", "customerName", "totalTaxAmount"]
)
def test_what_follows_from_elsewhere_cannot_be_written(bc: CentralClient, name: str) -> None:
    value: Any = 7 if name == "totalTaxAmount" else "X"
    refused(patch(bc, bc.order(), {name: value}), 400, "BadRequest_InvalidOperation")


def test_the_status_is_read_only_and_fully_shipped_is_passed_over(bc: CentralClient) -> None:
    order = bc.order_of()
    refused(patch(bc, order, {"status": "Open"}), 400, "BadRequest_InvalidOperation")
    assert patch(bc, order, {"fullyShipped": True}).json()["fullyShipped"] is False


def test_a_sell_to_address_is_carried_to_the_bill_to_one(bc: CentralClient) -> None:
    order = bc.order(customerId=bc.customer(**ADDRESS)["id"])
    changed = bc.update(f"salesOrders({order['id']})", sellToAddressLine1="Ny vej 1")
    assert (changed["billToAddressLine1"], changed["shipToAddressLine1"]) == ("Ny vej 1", "Kaigata 7")
    payer = bc.customer(**ADDRESS)
    order = bc.order(customerId=bc.customer()["id"], billToCustomerId=payer["id"])
    changed = bc.update(f"salesOrders({order['id']})", sellToAddressLine1="Ny vej 1")
    assert changed["billToAddressLine1"] == "Kaigata 7"


@pytest.mark.parametrize("role", ["sellTo", "shipTo"])
def test_addresses_of_orders_have_rules_too(bc: CentralClient, role: str) -> None:
    order = bc.order()
    changed = bc.update(f"salesOrders({order['id']})", **{f"{role}PostCode": "5000"})
    assert (changed[f"{role}City"], changed[f"{role}Country"]) == ("Odense C", "DK")
    refused(patch(bc, order, {f"{role}Country": "ZZ"}), 400, "Internal_InvalidTableRelation")


@pytest.mark.parametrize("document", [{"email": "nobody"}, {"phoneNumber": "call me"}, {"salesperson": "NN"}])
def test_forms_of_orders(bc: CentralClient, document: Record) -> None:
    refused(patch(bc, bc.order(), document), 400)


def test_an_empty_change_is_fine(bc: CentralClient) -> None:
    order = bc.order_of()
    same = bc.update(f"salesOrders({order['id']})")
    assert same["@odata.etag"] == order["@odata.etag"]


def test_another_id_is_refused(bc: CentralClient) -> None:
    refused(patch(bc, bc.order(), {"id": NOWHERE}), 400)


def test_a_new_customer_brings_its_defaults_and_new_lines(bc: CentralClient) -> None:
    item = bc.item(unitPrice=100, displayName="Barstol")
    order = bc.order(
        {"itemId": item["id"], "quantity": 2, "unitPrice": 80, "description": "Andet navn"},
        {"lineType": "Comment", "description": "Hej"},
        requestedDeliveryDate="2026-12-24",
        shipToName="Byggepladsen",
    )
    other = bc.customer(**ADDRESS, displayName="Ørnegreb AS", email="o@x.example")
    changed = bc.update(f"salesOrders({order['id']})", customerId=other["id"])
    assert (changed["customerName"], changed["shipToName"], changed["email"]) == (
        "Ørnegreb AS",
        "Ørnegreb AS",
        "o@x.example",
    )
    assert (changed["sellToCity"], changed["shipToCity"]) == ("Bergen", "Bergen")
    assert changed["requestedDeliveryDate"] == "2026-12-24"
    old, new = order["salesOrderLines"], bc.lines(order)
    assert {line["id"] for line in old}.isdisjoint({line["id"] for line in new})
    assert [line["sequence"] for line in new] == [10000, 20000]
    assert (new[0]["quantity"], new[0]["unitPrice"], new[1]["description"]) == (2, 100, "Hej")
    assert changed["totalAmountExcludingTax"] == 200
    refused(bc.call("GET", f"salesOrderLines({old[0]['id']})"), 404)


def test_what_is_sent_with_a_new_customer_is_kept(bc: CentralClient) -> None:
    order, other = bc.order_of(), bc.customer(**ADDRESS)
    changed = bc.update(
        f"salesOrders({order['id']})", customerId=other["id"], shipToName="Her", email="e@f.example"
    )
    assert (changed["shipToName"], changed["email"], changed["sellToCity"]) == (
        "Her",
        "e@f.example",
        "Bergen",
    )


def test_the_same_customer_again_changes_nothing(bc: CentralClient) -> None:
    order = bc.order_of(shipToName="Byggepladsen")
    same = bc.update(f"salesOrders({order['id']})", customerId=order["customerId"])
    assert (same["shipToName"], same["@odata.etag"]) == ("Byggepladsen", order["@odata.etag"])
    assert [line["id"] for line in bc.lines(order)] == [line["id"] for line in order["salesOrderLines"]]


def test_a_new_customer_must_be_usable(bc: CentralClient) -> None:
    order, blocked = bc.order_of(), bc.customer(blocked="Ship")
    refused(patch(bc, order, {"customerId": blocked["id"]}), 400, "Application_DialogException")


def test_a_new_currency_brings_new_lines_and_prices(bc: CentralClient) -> None:
    item = bc.item(unitPrice=746)
    order = bc.order({"itemId": item["id"], "quantity": 1})
    changed = bc.update(f"salesOrders({order['id']})", currencyCode="EUR")
    line = bc.lines(order)[0]
    assert changed["currencyCode"] == "EUR"
    assert line["id"] != order["salesOrderLines"][0]["id"]
    assert line["unitPrice"] == changed["totalAmountExcludingTax"] == 100


@pytest.mark.parametrize(("rule", "price", "total"), [("keeps_prices", 100, 80), ("recalculates", 125, 100)])
def test_prices_that_begin_to_include_tax(bc: CentralClient, rule: str, price: int, total: int) -> None:
    bc.control.settings(tax_switch=rule)
    order = bc.order_of(quantity=1, price=100)
    changed = bc.update(f"salesOrders({order['id']})", pricesIncludeTax=True)
    assert changed["discountAppliedBeforeTax"] is False
    assert (bc.lines(order)[0]["unitPrice"], changed["totalAmountExcludingTax"]) == (price, total)


def test_an_order_goes_with_its_lines(bc: CentralClient) -> None:
    order = bc.order_of()
    line = bc.lines(order)[0]
    bc.delete(f"salesOrders({order['id']})")
    refused(bc.call("GET", f"salesOrders({order['id']})"), 404)
    refused(bc.call("GET", f"salesOrderLines({line['id']})"), 404)
    assert bc.all_of("salesInvoices") == []


def test_a_released_order_may_go_too(bc: CentralClient) -> None:
    order = bc.order_of()
    bc.back_office(order, "release")
    bc.delete(f"salesOrders({order['id']})")


def test_an_order_that_is_shipped_and_not_invoiced_stays(bc: CentralClient) -> None:
    order = bc.order_of()
    bc.back_office(order, "ship")
    refused(bc.call("DELETE", f"salesOrders({order['id']})"), 400)
    assert bc.get(f"salesOrders({order['id']})")["id"] == order["id"]
