"""Sales orders: what a create takes and defaults, deep inserts, changes of the header, deletion."""

from __future__ import annotations

from typing import Any

import pytest

from talk_pipeline_tests.sandbox.clients import NO_ID, NOWHERE, CentralClient, Record, read, refused

HEADERS = {"If-Match": "*"}
ADDRESS = {
    "addressLine1": "Kaigata 7",
    "addressLine2": "Port 3",
    "city": "Bergen",
    "state": "Vestland",
    "postalCode": "5003",
    "country": "NO",
}
PARTS = {
    "AddressLine1": "addressLine1",
    "AddressLine2": "addressLine2",
    "City": "city",
    "State": "state",
    "PostCode": "postalCode",
    "Country": "country",
}


def by_code(bc: CentralClient, set_name: str, code: str) -> str:
    return str(bc.all_of(f"{set_name}?$filter=code eq '{code}'")[0]["id"])


def patch(bc: CentralClient, order: Record, document: Record) -> Any:
    return bc.call("PATCH", f"salesOrders({order['id']})", document, headers=HEADERS)


@pytest.mark.parametrize("name", ["customerId", "customerNumber"])
def test_a_customer_is_all_it_takes(bc: CentralClient, name: str) -> None:
    customer = bc.customer(number="K1")
    order = bc.create("salesOrders", **{name: {"customerId": customer["id"], "customerNumber": "k1"}[name]})
    assert (order["customerId"], order["customerNumber"]) == (customer["id"], "K1")
    assert order["number"]
    assert order["status"] == "Draft"


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"externalDocumentNumber": "X"},
        {"customerId": NOWHERE},
        {"customerNumber": "NOBODY"},
        {"customerId": NO_ID},
    ],
)
def test_without_a_customer_there_is_none(bc: CentralClient, document: Record) -> None:
    refused(bc.call("POST", "salesOrders", document), 400, "Application_DialogException")


def test_customer_id_and_number_must_agree(bc: CentralClient) -> None:
    one, other = bc.customer(), bc.customer()
    document = {"customerId": one["id"], "customerNumber": other["number"]}
    refused(bc.call("POST", "salesOrders", document), 400, "Application_DialogException")


@pytest.mark.parametrize("blocked", ["Ship", "Invoice", "All"])
def test_a_blocked_customer_orders_nothing(bc: CentralClient, blocked: str) -> None:
    customer = bc.customer(blocked=blocked)
    answer = bc.call("POST", "salesOrders", {"customerId": customer["id"]})
    refused(answer, 400, "Application_DialogException")


def test_the_number_comes_from_the_series(bc: CentralClient) -> None:
    first, second = bc.order(), bc.order()
    assert int(second["number"][2:]) == int(first["number"][2:]) + 1
    customer = bc.customer()
    answer = bc.call("POST", "salesOrders", {"customerId": customer["id"], "number": "OWN-1"})
    refused(answer, 400, "Application_DialogException")
    refused(patch(bc, first, {"number": "OWN-1"}), 400)


def test_what_an_order_takes_over_from_its_customer(bc: CentralClient) -> None:
    customer = bc.customer(
        **ADDRESS,
        displayName="Klitrose Lys AS",
        currencyCode="EUR",
        phoneNumber="+47 22 17 00 00",
        email="a@b.example",
        salespersonCode="KH",
        paymentTermsId=by_code(bc, "paymentTerms", "30D"),
        shipmentMethodId=by_code(bc, "shipmentMethods", "EXW"),
    )
    order = bc.order(customerId=customer["id"])
    for ours, theirs in PARTS.items():
        for role in ("sellTo", "shipTo", "billTo"):
            assert order[f"{role}{ours}"] == customer[theirs]
    for ours, theirs in {
        "customerName": "displayName",
        "shipToName": "displayName",
        "billToName": "displayName",
        "billToCustomerId": "id",
        "billToCustomerNumber": "number",
        "currencyCode": "currencyCode",
        "currencyId": "currencyId",
        "email": "email",
        "phoneNumber": "phoneNumber",
        "salesperson": "salespersonCode",
        "paymentTermsId": "paymentTermsId",
        "shipmentMethodId": "shipmentMethodId",
    }.items():
        assert order[ours] == customer[theirs], ours
    assert order["pricesIncludeTax"] is False


def test_what_is_sent_beats_what_the_customer_says(bc: CentralClient) -> None:
    customer = bc.customer(**ADDRESS, email="a@b.example", currencyCode="EUR")
    order = bc.order(
        customerId=customer["id"],
        email="",
        shipToName="Byggepladsen",
        shipToCity="Oslo",
        shipToPostCode="0150",
        currencyCode="DKK",
        sellToAddressLine2="",
    )
    assert (order["email"], order["shipToName"], order["currencyCode"]) == ("", "Byggepladsen", "DKK")
    assert (order["shipToCity"], order["sellToCity"], order["sellToAddressLine2"]) == ("Oslo", "Bergen", "")


def test_dates_default_to_the_work_date(bc: CentralClient) -> None:
    today = bc.call("GET", "customers").headers["date"]
    order = bc.order()
    assert order["orderDate"] == order["postingDate"]
    assert str(int(order["orderDate"][-2:])) in today.replace(" 0", " ")
    bc.control.settings(posting_date="blank")
    assert bc.order()["postingDate"] == "0001-01-01"


def test_the_external_document_number(bc: CentralClient) -> None:
    one, two = bc.order(externalDocumentNumber=" web-7 "), bc.order(externalDocumentNumber="WEB-7")
    assert one["externalDocumentNumber"] == two["externalDocumentNumber"] == "WEB-7"
    assert len(bc.all_of("salesOrders?$filter=externalDocumentNumber eq 'web-7'")) == 2


def test_defaults_of_the_rest(bc: CentralClient) -> None:
    order = bc.order()
    assert (order["partialShipping"], order["fullyShipped"], order["discountAppliedBeforeTax"]) == (
        True,
        True,
        True,
    )
    assert order["discountAmount"] == order["totalAmountIncludingTax"] == 0


def test_a_deep_insert_makes_the_lines_in_their_order(bc: CentralClient) -> None:
    item = bc.item(displayName="Barstol")
    order = bc.order(
        {"itemId": item["id"], "quantity": 2},
        {"lineType": "Comment", "description": "Ring før levering"},
        {"lineType": "Item", "lineObjectNumber": item["number"], "quantity": 3},
    )
    lines = order["salesOrderLines"]
    assert [line["sequence"] for line in lines] == [10000, 20000, 30000]
    assert [line["lineType"] for line in lines] == ["Item", "Comment", "Item"]
    assert {line["documentId"] for line in lines} == {order["id"]}


@pytest.mark.parametrize(
    ("rule", "plain", "expanded"),
    [("on_expand", False, True), ("always", True, True), ("never", False, False)],
)
def test_whether_the_answer_holds_the_lines(
    bc: CentralClient, rule: str, plain: bool, expanded: bool
) -> None:
    bc.control.settings(deep_insert_answer=rule)
    document = {"customerId": bc.customer()["id"], "salesOrderLines": [{"description": "Hej"}]}
    assert ("salesOrderLines" in read(bc.call("POST", "salesOrders", document))) is plain
    answer = bc.call("POST", "salesOrders?$expand=salesOrderLines", document)
    assert ("salesOrderLines" in read(answer)) is expanded


@pytest.mark.parametrize(
    "line",
    [
        {"itemId": NOWHERE},
        {"gnome": 1},
        {"quantity": "2"},
        {"lineType": "Item", "lineObjectNumber": "NOTHING"},
        {"description": "X" * 101},
    ],
)
def test_if_one_line_fails_nothing_remains(bc: CentralClient, line: Record) -> None:
    item = bc.item()
    good = {"itemId": item["id"], "quantity": 1}
    document = {"customerId": bc.customer()["id"], "salesOrderLines": [good, line]}
    number = bc.order()["number"]
    refused(bc.call("POST", "salesOrders", document), 400)
    assert len(bc.all_of("salesOrders")) == 1
    assert int(bc.order()["number"][2:]) == int(number[2:]) + 1


@pytest.mark.parametrize("lines", ["X", {}, [7]])
def test_lines_are_a_list_of_objects(bc: CentralClient, lines: Any) -> None:
    document = {"customerId": bc.customer()["id"], "salesOrderLines": lines}
    refused(bc.call("POST", "salesOrders", document), 400, "BadRequest")


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


def test_another_payer(bc: CentralClient) -> None:
    payer = bc.customer(displayName="Ørnegreb Trading", currencyCode="SEK")
    order = bc.order(billToCustomerNumber=payer["number"])
    assert (order["billToName"], order["billToCustomerId"], order["currencyCode"]) == (
        "Ørnegreb Trading",
        payer["id"],
        "SEK",
    )
    assert order["customerName"] != order["billToName"]


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
    bc.told(order, "release")
    bc.delete(f"salesOrders({order['id']})")


def test_an_order_that_is_shipped_and_not_invoiced_stays(bc: CentralClient) -> None:
    order = bc.order_of()
    bc.told(order, "ship")
    refused(bc.call("DELETE", f"salesOrders({order['id']})"), 400)
    assert bc.get(f"salesOrders({order['id']})")["id"] == order["id"]


def test_only_documents_take_deep_inserts(bc: CentralClient) -> None:
    refused(bc.call("POST", "customers", {"displayName": "X", "salesOrderLines": []}), 400, "BadRequest")
