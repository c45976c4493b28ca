"""Sales orders: what a create takes and defaults, deep inserts."""

from __future__ import annotations

from typing import Any

import pytest

from talk_pipeline_tests.sandbox.clients import ADDRESS, NO_ID, NOWHERE, CentralClient, Record, read, refused

HEADERS = {"If-Match": "*"}
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


def test_another_payer(bc: CentralClient) -> None:
    payer = bc.customer(displayName="Ørnegreb Trading", currencyCode="SEK")
    order = bc.order(billToCustomerNumber=payer["number"])
    assert (order["billToName"], order["billToCustomerId"], order["currencyCode"]) == (
        "Ørnegreb Trading",
        payer["id"],
        "SEK",
    )
    assert order["customerName"] != order["billToName"]


def test_only_documents_take_deep_inserts(bc: CentralClient) -> None:
    refused(bc.call("POST", "customers", {"displayName": "X", "salesOrderLines": []}), 400, "BadRequest")
