"""Posting: shipments, invoices, and orders that are gone."""

from __future__ import annotations

from decimal import Decimal

import pytest

from talk_pipeline_tests.sandbox.clients import CentralClient, Record, moment, refused

ACTION = "Microsoft.NAV.shipAndInvoice"


def post(bc: CentralClient, order: Record, action: str = ACTION) -> int:
    return bc.call("POST", f"salesOrders({order['id']})/{action}").status_code


@pytest.mark.parametrize("action", [ACTION, "microsoft.nav.shipandinvoice", "Microsoft.NAV.ShipAndInvoice"])
def test_a_posted_order_is_gone_and_an_invoice_tells_of_it(bc: CentralClient, action: str) -> None:
    order = bc.order_of(quantity=2, price=100, externalDocumentNumber="WEB-1", currencyCode="EUR")
    assert post(bc, order, action) == 204
    refused(bc.call("GET", f"salesOrders({order['id']})"), 404)
    assert bc.all_of("salesOrders") == []
    invoice = bc.all_of("salesInvoices?$expand=salesInvoiceLines")[0]
    for name in (
        "externalDocumentNumber",
        "customerId",
        "customerNumber",
        "currencyCode",
        "totalAmountIncludingTax",
    ):
        assert invoice[name] == order[name]
    assert (invoice["orderId"], invoice["orderNumber"], invoice["status"]) == (
        order["id"],
        order["number"],
        "Open",
    )
    assert invoice["remainingAmount"] == 250
    assert [line["quantity"] for line in invoice["salesInvoiceLines"]] == [2]


@pytest.mark.parametrize("name", ["orderId", "orderNumber", "externalDocumentNumber"])
def test_an_invoice_is_found_by_its_order(bc: CentralClient, name: str) -> None:
    order, other = bc.order_of(externalDocumentNumber="WEB-1"), bc.order_of(externalDocumentNumber="WEB-2")
    post(bc, order)
    post(bc, other)
    value = {
        "orderId": order["id"],
        "orderNumber": f"'{order['number']}'",
        "externalDocumentNumber": "'web-1'",
    }[name]
    found = bc.all_of(f"salesInvoices?$filter={name} eq {value}")
    assert [invoice["orderId"] for invoice in found] == [order["id"]]


def test_a_shipment_tells_of_it_too(bc: CentralClient) -> None:
    order = bc.order_of(quantity=2, externalDocumentNumber="WEB-1")
    post(bc, order)
    shipment = bc.all_of("salesShipments?$expand=salesShipmentLines")[0]
    assert (shipment["orderNumber"], shipment["externalDocumentNumber"]) == (order["number"], "WEB-1")
    assert [line["quantity"] for line in shipment["salesShipmentLines"]] == [2]


def test_the_goods_leave_the_stock(bc: CentralClient) -> None:
    item = bc.item()
    bc.control("POST", f"/items/{item['id']}/stock", {"quantity": 10})
    stamp = bc.get(f"items({item['id']})")["lastModifiedDateTime"]
    post(bc, bc.order({"itemId": item["id"], "quantity": 3}))
    now = bc.get(f"items({item['id']})")
    assert (now["inventory"], now["lastModifiedDateTime"]) == (7, stamp)


def test_an_item_with_entries_stays(bc: CentralClient) -> None:
    item = bc.item()
    post(bc, bc.order({"itemId": item["id"], "quantity": 3}))
    refused(bc.call("DELETE", f"items({item['id']})"), 400, "Application_DialogException")


def test_a_customer_with_invoices_stays(bc: CentralClient) -> None:
    order = bc.order_of()
    post(bc, order)
    refused(bc.call("DELETE", f"customers({order['customerId']})"), 400)


@pytest.mark.parametrize("lines", [[], [{"lineType": "Comment", "description": "Hej"}]])
def test_without_goods_there_is_nothing_to_post(bc: CentralClient, lines: list[Record]) -> None:
    order = bc.order(*lines)
    answer = bc.call("POST", f"salesOrders({order['id']})/{ACTION}")
    refused(answer, 400)
    assert bc.get(f"salesOrders({order['id']})")["id"] == order["id"]


def test_posting_that_fails_changes_nothing(bc: CentralClient) -> None:
    item = bc.item()
    order = bc.order({"itemId": item["id"], "quantity": 1})
    bc.update(f"items({item['id']})", blocked=True)
    refused(bc.call("POST", f"salesOrders({order['id']})/{ACTION}"), 400)
    assert bc.all_of("salesInvoices") == bc.all_of("salesShipments") == []
    assert bc.lines(order)[0]["shippedQuantity"] == 0


def test_who_and_what_cannot_be_posted(bc: CentralClient) -> None:
    blocked, waiting, nameless = bc.order_of(), bc.order_of(), bc.order_of()
    bc.update(f"customers({blocked['customerId']})", blocked="Invoice")
    bc.back_office(waiting, "review")
    for order in (blocked, waiting):
        refused(bc.call("POST", f"salesOrders({order['id']})/{ACTION}"), 400)
    bc.control.settings(external_document_mandatory=True)
    refused(
        bc.call("POST", f"salesOrders({nameless['id']})/{ACTION}"),
        400,
        "Application_FieldValidationException",
    )
    bc.update(f"salesOrders({nameless['id']})", externalDocumentNumber="X")
    assert post(bc, nameless) == 204


def test_the_action_takes_only_post(bc: CentralClient) -> None:
    order = bc.order_of()
    refused(bc.call("GET", f"salesOrders({order['id']})/{ACTION}"), 405)


def test_a_partial_shipment_keeps_the_order(bc: CentralClient) -> None:
    order = bc.order_of(quantity=5, price=10)
    line = bc.lines(order)[0]
    told = bc.back_office(order, "ship", {"quantities": {line["id"]: 2}})
    assert told["status"] == "Open"
    line = bc.lines(order)[0]
    assert (line["shippedQuantity"], line["invoicedQuantity"], line["shipQuantity"]) == (2, 0, 3)
    assert bc.get(f"salesOrders({order['id']})")["fullyShipped"] is False


def test_a_partial_invoice_keeps_the_order_until_all_of_it_is_invoiced(bc: CentralClient) -> None:
    order = bc.order_of(quantity=5, price=10, externalDocumentNumber="WEB-1")
    line = bc.lines(order)[0]
    bc.back_office(order, "ship", {"quantities": {line["id"]: 2}})
    assert bc.back_office(order, "invoice")["exists"] is True
    assert bc.lines(order)[0]["invoicedQuantity"] == 2
    assert bc.all_of("salesInvoices")[0]["totalAmountExcludingTax"] == 20
    bc.back_office(order, "ship")
    assert bc.back_office(order, "invoice")["exists"] is False
    invoices = bc.all_of("salesInvoices?$filter=externalDocumentNumber eq 'WEB-1'")
    assert sorted(invoice["totalAmountExcludingTax"] for invoice in invoices) == [20, 30]


def test_discounts_are_invoiced_in_proportion(bc: CentralClient) -> None:
    order = bc.order_of(quantity=4, price=100)
    bc.update(f"salesOrders({order['id']})", discountAmount=40)
    bc.back_office(order, "ship", {"quantities": {bc.lines(order)[0]["id"]: 1}})
    bc.back_office(order, "invoice")
    invoice = bc.all_of("salesInvoices")[0]
    assert (invoice["discountAmount"], invoice["totalAmountExcludingTax"]) == (10, 90)


def test_an_order_may_be_named_by_its_number(bc: CentralClient) -> None:
    order = bc.order_of()
    assert bc.control("POST", f"/sales-orders/{order['number']}/release")["status"] == "Open"


@pytest.mark.parametrize(
    ("verb", "document", "status"),
    [("invoice", {}, 409), ("ship", {"quantities": {"nonsense": 1}}, 409), ("dance", {}, 404)],
)
def test_what_the_back_office_cannot_do(bc: CentralClient, verb: str, document: Record, status: int) -> None:
    order = bc.order_of()
    assert bc.control.raw("POST", f"/sales-orders/{order['id']}/{verb}", document).status_code == status


def test_more_than_is_outstanding_cannot_be_shipped(bc: CentralClient) -> None:
    order = bc.order_of(quantity=2)
    document = {"quantities": {bc.lines(order)[0]["id"]: 3}}
    assert bc.control.raw("POST", f"/sales-orders/{order['id']}/ship", document).status_code == 409


def test_shipping_a_part_of_a_released_order_moves_nothing_of_its_header(bc: CentralClient) -> None:
    order = bc.order_of(quantity=5)
    bc.back_office(order, "release")
    before = bc.get(f"salesOrders({order['id']})")
    bc.control.clock(5)
    line = bc.lines(order)[0]
    bc.back_office(order, "ship", {"quantities": {line["id"]: 2}})
    assert bc.get(f"salesOrders({order['id']})")["@odata.etag"] == before["@odata.etag"]
    assert bc.lines(order)[0]["@odata.etag"] != line["@odata.etag"]
    bc.back_office(order, "ship")
    full = bc.get(f"salesOrders({order['id']})")
    assert full["fullyShipped"] is True
    assert moment(full["lastModifiedDateTime"]) > moment(before["lastModifiedDateTime"])


def test_the_action_posts_the_quantities_to_ship(bc: CentralClient) -> None:
    order = bc.order_of(quantity=5, price=10)
    bc.update(f"salesOrderLines({bc.lines(order)[0]['id']})", shipQuantity=2)
    assert post(bc, order) == 204
    assert bc.lines(order)[0]["invoicedQuantity"] == 2
    assert bc.all_of("salesInvoices")[0]["totalAmountExcludingTax"] == 20


def test_the_due_date_follows_from_the_terms(bc: CentralClient) -> None:
    terms = bc.all_of("paymentTerms?$filter=code eq '30D'")[0]["id"]
    order = bc.order_of(paymentTermsId=terms, postingDate="2025-06-01")
    post(bc, order)
    invoice = bc.all_of("salesInvoices")[0]
    assert (invoice["postingDate"], invoice["dueDate"]) == ("2025-06-01", "2025-07-01")
    assert bc.get(f"customers({order['customerId']})")["balanceDue"] == Decimal(250)
