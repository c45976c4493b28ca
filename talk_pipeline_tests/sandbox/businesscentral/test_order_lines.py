"""Sales order lines: what they stand for, their numbers, prices, and the rules of their values."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from talk_pipeline_tests.sandbox.clients import NO_ID, NOWHERE, CentralClient, Record, refused

HEADERS = {"If-Match": "*"}


@pytest.fixture
def order(bc: CentralClient) -> Record:
    return bc.order()


def lines_of(order: Record) -> str:
    return f"salesOrders({order['id']})/salesOrderLines"


def patch(bc: CentralClient, line: Record, document: Record) -> Any:
    return bc.call("PATCH", f"salesOrderLines({line['id']})", document, headers=HEADERS)


# -- where they are --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "query", ["", "?$top=5", "?$filter=quantity gt 0", "?$filter=documentId ne " + NOWHERE]
)
def test_the_root_collection_needs_a_document(bc: CentralClient, order: Record, query: str) -> None:
    refused(bc.call("GET", f"salesOrderLines{query}"), 400, "Application_DialogException")


def test_the_ways_to_lines(bc: CentralClient, order: Record) -> None:
    line = bc.create(lines_of(order), description="Hej")
    other = bc.order({"description": "andet"})
    for path in (
        lines_of(order),
        f"salesOrderLines?$filter=documentId eq {order['id']}",
        f"salesOrderLines?$filter=id eq {line['id']}",
        f"salesOrderLines?$filter=documentId eq {order['id']} and lineType eq 'Comment'",
    ):
        assert [found["id"] for found in bc.all_of(path)] == [line["id"]]
    assert bc.get(f"salesOrderLines({line['id']})")["description"] == "Hej"
    assert other["salesOrderLines"][0]["id"] != line["id"]


def test_lines_show_no_modified_time(bc: CentralClient, order: Record) -> None:
    line = bc.create(lines_of(order), description="Hej")
    assert "lastModifiedDateTime" not in line
    assert line["@odata.etag"]


def test_a_line_at_the_root_names_its_document(bc: CentralClient, order: Record) -> None:
    line = bc.create("salesOrderLines", documentId=order["id"], description="Hej")
    assert bc.lines(order)[0]["id"] == line["id"]
    for document in ({"description": "X"}, {"documentId": NOWHERE}):
        refused(bc.call("POST", "salesOrderLines", document), 400)
    other = bc.order()
    refused(bc.call("POST", lines_of(order), {"documentId": other["id"]}), 400)


@pytest.mark.parametrize("name", ["documentId", "sequence"])
def test_place_and_sequence_are_fixed(bc: CentralClient, order: Record, name: str) -> None:
    line = bc.create(lines_of(order), description="Hej")
    value: Any = bc.order()["id"] if name == "documentId" else 15000
    refused(patch(bc, line, {name: value}), 400)
    assert patch(bc, line, {name: line[name], "description": "X"}).status_code == 200


def test_sequences_step_by_ten_thousand(bc: CentralClient, order: Record) -> None:
    def sequence(**values: Any) -> int:
        return int(bc.create(lines_of(order), **values)["sequence"])

    assert [sequence(), sequence(sequence=0), sequence(sequence=15000), sequence()] == [
        10000,
        20000,
        15000,
        30000,
    ]
    refused(bc.call("POST", lines_of(order), {"sequence": 15000}), 400, "Application_DialogException")


# -- what they stand for -------------------------------------------------------------------------------------------


def test_with_nothing_named_it_is_a_comment(bc: CentralClient, order: Record) -> None:
    line = bc.create(lines_of(order), description="Hej")
    assert (line["lineType"], line["itemId"], line["accountId"], line["lineObjectNumber"]) == (
        "Comment",
        NO_ID,
        NO_ID,
        "",
    )
    assert line["quantity"] == line["unitPrice"] == line["netAmount"] == 0


@pytest.mark.parametrize("name", ["quantity", "unitPrice", "discountPercent"])
def test_a_comment_costs_nothing(bc: CentralClient, order: Record, name: str) -> None:
    refused(bc.call("POST", lines_of(order), {"description": "Hej", name: 5}), 400)


def test_an_item_brings_its_defaults(bc: CentralClient, order: Record) -> None:
    item = bc.item(
        displayName="Barstol", displayName2="lav", unitPrice=Decimal("99.5"), baseUnitOfMeasureCode="SET"
    )
    line = bc.create(lines_of(order), itemId=item["id"])
    assert (line["lineType"], line["lineObjectNumber"]) == ("Item", item["number"])
    assert (line["description"], line["description2"]) == ("Barstol", "lav")
    assert (line["unitOfMeasureCode"], line["unitPrice"], line["quantity"]) == ("SET", Decimal("99.5"), 0)
    assert line["taxPercent"] == 25
    assert line["shipmentDate"] == order["orderDate"]
    assert line["discountAppliedBeforeTax"] is False


def test_an_item_may_be_named_by_number(bc: CentralClient, order: Record) -> None:
    item = bc.item()
    line = bc.create(lines_of(order), lineType="Item", lineObjectNumber=item["number"].lower())
    assert line["itemId"] == item["id"]
    refused(bc.call("POST", lines_of(order), {"lineType": "Item", "lineObjectNumber": "NOTHING"}), 400)
    refused(bc.call("POST", lines_of(order), {"itemId": NOWHERE}), 400, "Application_DialogException")


def test_an_account(bc: CentralClient, order: Record) -> None:
    account = bc.all_of("accounts?$filter=number eq '1050'")[0]
    line = bc.create(lines_of(order), accountId=account["id"], quantity=1, unitPrice=95)
    assert (line["lineType"], line["lineObjectNumber"], line["itemId"]) == ("Account", "1050", NO_ID)
    assert line["amountIncludingTax"] == Decimal("118.75")
    by_number = bc.create(lines_of(order), lineType="Account", lineObjectNumber="1050", quantity=1)
    assert by_number["accountId"] == account["id"]


def test_item_and_account_together_are_refused(bc: CentralClient, order: Record) -> None:
    document = {"itemId": bc.item()["id"], "accountId": bc.all_of("accounts")[0]["id"]}
    refused(bc.call("POST", lines_of(order), document), 400)


@pytest.mark.parametrize(
    ("line_type", "number"),
    [
        ("Charge", "FREIGHT"),
        ("Resource", "FITTER"),
        ("Fixed_x0020_Asset", "FA000010"),
        ("Allocation_x0020_Account", "ALLOC01"),
    ],
)
def test_other_kinds_of_lines(bc: CentralClient, order: Record, line_type: str, number: str) -> None:
    values = {"lineType": line_type, "lineObjectNumber": number, "quantity": 2, "unitPrice": 50}
    line = bc.create(lines_of(order), **values)
    assert (line["lineType"], line["netAmount"], line["itemId"]) == (line_type, 100, NO_ID)
    refused(bc.call("POST", lines_of(order), {"lineType": line_type, "lineObjectNumber": "GNOME"}), 400)


def test_the_object_number_cannot_change(bc: CentralClient, order: Record) -> None:
    one, other = bc.item(), bc.item()
    line = bc.create(lines_of(order), itemId=one["id"], quantity=1)
    refused(patch(bc, line, {"lineObjectNumber": other["number"]}), 400)


def test_another_item_id_switches_the_item(bc: CentralClient, order: Record) -> None:
    one, other = bc.item(unitPrice=10), bc.item(unitPrice=30, displayName="Ny stol")
    line = bc.create(lines_of(order), itemId=one["id"], quantity=4, unitPrice=5, discountPercent=10)
    switched = bc.update(f"salesOrderLines({line['id']})", itemId=other["id"])
    assert switched["id"] == line["id"]
    assert (switched["lineObjectNumber"], switched["description"]) == (other["number"], "Ny stol")
    assert (switched["quantity"], switched["unitPrice"], switched["discountPercent"]) == (4, 30, 0)
    back = bc.update(
        f"salesOrderLines({line['id']})", itemId=one["id"], quantity=4, unitPrice=5, description="Her"
    )
    assert (back["quantity"], back["unitPrice"], back["description"]) == (4, 5, "Her")


def test_an_account_id_turns_an_item_line_into_an_account_line(bc: CentralClient, order: Record) -> None:
    line = bc.create(lines_of(order), itemId=bc.item()["id"], quantity=4)
    account = bc.all_of("accounts")[0]
    switched = bc.update(f"salesOrderLines({line['id']})", accountId=account["id"])
    assert (switched["lineType"], switched["itemId"], switched["quantity"]) == ("Account", NO_ID, 0)


def test_another_type_blanks_ids_and_amounts(bc: CentralClient, order: Record) -> None:
    line = bc.create(lines_of(order), itemId=bc.item()["id"], quantity=4)
    blanked = bc.update(f"salesOrderLines({line['id']})", lineType="Comment")
    assert (blanked["itemId"], blanked["lineObjectNumber"], blanked["netAmount"]) == (NO_ID, "", 0)
    assert blanked["sequence"] == line["sequence"]
    assert bc.get(f"salesOrders({order['id']})")["totalAmountIncludingTax"] == 0


# -- values --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("quantity", ["1", "0.5", "12.34567", "-2"])
def test_quantities(bc: CentralClient, order: Record, quantity: str) -> None:
    line = bc.create(lines_of(order), itemId=bc.item()["id"], quantity=Decimal(quantity))
    assert line["quantity"] == line["shipQuantity"] == line["invoiceQuantity"] == Decimal(quantity)


def test_quantities_have_five_places(bc: CentralClient, order: Record) -> None:
    line = bc.create(lines_of(order), itemId=bc.item()["id"], quantity=Decimal("1.000005"))
    assert line["quantity"] == Decimal("1.00001")


def test_a_quantity_does_not_fall_below_what_is_shipped(bc: CentralClient) -> None:
    order = bc.order_of(quantity=5)
    line = bc.lines(order)[0]
    bc.back_office(order, "ship", {"quantities": {line["id"]: 3}})
    bc.back_office(order, "reopen")
    refused(patch(bc, line, {"quantity": 2}), 400)
    changed = bc.update(f"salesOrderLines({line['id']})", quantity=4)
    assert (changed["shippedQuantity"], changed["shipQuantity"], changed["invoiceQuantity"]) == (3, 1, 4)


@pytest.mark.parametrize(
    ("document", "percent", "amount"),
    [
        ({"discountPercent": 10}, 10, 20),
        ({"discountAmount": 50}, 25, 50),
        ({"discountPercent": 10, "discountAmount": 50}, 25, 50),
        ({"discountAmount": 50, "discountPercent": 10}, 10, 20),
        ({"discountPercent": Decimal("33.33333")}, Decimal("33.33333"), Decimal("66.67")),
        ({"discountAmount": Decimal("66.67")}, Decimal("33.335"), Decimal("66.67")),
    ],
)
def test_discount_percent_and_amount_drive_each_other(
    bc: CentralClient, document: Record, percent: Any, amount: Any
) -> None:
    order = bc.order_of(quantity=2, price=100)
    line = bc.update(f"salesOrderLines({bc.lines(order)[0]['id']})", **document)
    assert (line["discountPercent"], line["discountAmount"]) == (percent, amount)
    assert line["amountExcludingTax"] == 200 - amount


def test_the_percentage_stays_when_price_or_quantity_change(bc: CentralClient) -> None:
    order = bc.order_of(quantity=2, price=100)
    path = f"salesOrderLines({bc.lines(order)[0]['id']})"
    bc.update(path, discountPercent=10)
    assert bc.update(path, quantity=4)["discountAmount"] == 40
    assert bc.update(path, unitPrice=50)["discountAmount"] == 20


@pytest.mark.parametrize(
    "document",
    [
        {"discountPercent": 101},
        {"discountPercent": -1},
        {"discountAmount": 201},
        {"discountAmount": -1},
        {"shipQuantity": 3},
        {"invoiceQuantity": 3},
        {"taxCode": "GNOME"},
        {"unitOfMeasureCode": "KG"},
        {"itemVariantId": NOWHERE},
        {"locationId": NOWHERE},
        {"amountExcludingTax": 1},
        {"shippedQuantity": 1},
        {"netAmount": 1},
    ],
)
def test_values_a_line_does_not_take(bc: CentralClient, document: Record) -> None:
    order = bc.order_of(quantity=2, price=100)
    refused(patch(bc, bc.lines(order)[0], document), 400)


def test_a_discount_amount_needs_a_quantity(bc: CentralClient, order: Record) -> None:
    document = {"itemId": bc.item()["id"], "discountAmount": 5}
    refused(bc.call("POST", lines_of(order), document), 400)


def test_the_tax_code_reads_and_writes_differently(bc: CentralClient) -> None:
    order = bc.order_of(quantity=2, price=100)
    line = bc.lines(order)[0]
    assert line["taxCode"] == "MOMS25"
    changed = bc.update(f"salesOrderLines({line['id']})", taxCode="VAT0")
    assert (changed["taxCode"], changed["taxPercent"], changed["totalTaxAmount"]) == ("MOMS0", 0, 0)
    refused(patch(bc, line, {"taxCode": "MOMS25"}), 400)


def test_variants_belong_to_their_item(central: CentralClient) -> None:
    central.control.reset()
    variant = central.all_of("itemVariants")[0]
    order = central.order({"itemId": variant["itemId"], "quantity": 1, "itemVariantId": variant["id"]})
    assert order["salesOrderLines"][0]["itemVariantId"] == variant["id"]
    other = central.item()
    line = central.create(lines_of(order), itemId=other["id"])
    refused(patch(central, line, {"itemVariantId": variant["id"]}), 400)


def test_only_units_of_the_item(central: CentralClient) -> None:
    central.control.reset()
    items = central.all_of("items?$filter=baseUnitOfMeasureCode eq 'PCS'&$expand=unitOfMeasure")
    for item in items:
        order = central.order({"itemId": item["id"], "quantity": 1})
        line = order["salesOrderLines"][0]
        answer = patch(central, line, {"unitOfMeasureCode": "BOX"})
        if answer.status_code == 200:  # a box holds six
            assert answer.json()["unitPrice"] == pytest.approx(float(line["unitPrice"]) * 6)
            return
        refused(answer, 400)
    pytest.fail("no item of the seed comes in boxes")


def test_deleting_lines(bc: CentralClient) -> None:
    order = bc.order_of(quantity=5)
    line = bc.lines(order)[0]
    bc.back_office(order, "ship", {"quantities": {line["id"]: 1}})
    bc.back_office(order, "reopen")
    refused(bc.call("DELETE", f"salesOrderLines({line['id']})"), 400)
    other = bc.create(lines_of(order), itemId=bc.item()["id"], quantity=1)
    bc.delete(f"salesOrderLines({other['id']})")
    assert [found["id"] for found in bc.lines(order)] == [line["id"]]


@pytest.mark.parametrize(("rule", "price"), [("fixed", 7), ("body", 90)])
def test_the_order_in_which_values_take_effect_is_a_setting(bc: CentralClient, rule: str, price: int) -> None:
    bc.control.settings(validation_order=rule)
    item, order = bc.item(unitPrice=100), bc.order()
    bc.control("POST", "/prices", {"itemId": item["id"], "minimumQuantity": 10, "unitPrice": 90})
    line = bc.create(lines_of(order), itemId=item["id"], unitPrice=7, quantity=10)
    assert line["unitPrice"] == price
