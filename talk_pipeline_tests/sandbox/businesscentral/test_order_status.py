"""The status of an order: who sets it, and what a released order still takes."""

from __future__ import annotations

from typing import Any

import pytest

from talk_pipeline_tests.sandbox.clients import NO_ID, CentralClient, Record, moment, refused

HEADERS = {"If-Match": "*"}
GUARD = "Application_FieldValidationException"


@pytest.fixture(params=["release", "review"])
def closed(bc: CentralClient, request: pytest.FixtureRequest) -> tuple[CentralClient, Record, Record]:
    """An order that is released or waits for approval, and its item line."""
    order = bc.order_of(quantity=2, price=50)
    bc.back_office(order, request.param)
    return bc, bc.get(f"salesOrders({order['id']})"), bc.lines(order)[0]


@pytest.mark.parametrize(
    ("verbs", "status"),
    [
        ([], "Draft"),
        (["release"], "Open"),
        (["review"], "In_x0020_Review"),
        (["release", "reopen"], "Draft"),
        (["review", "release"], "Open"),
        (["review", "reject"], "Draft"),
    ],
)
def test_the_status_as_the_api_shows_it(bc: CentralClient, verbs: list[str], status: str) -> None:
    order = bc.order_of()
    for verb in verbs:
        assert bc.back_office(order, verb)["exists"]
    assert bc.get(f"salesOrders({order['id']})")["status"] == status


def test_an_order_without_goods_cannot_be_released(bc: CentralClient) -> None:
    order = bc.order({"lineType": "Comment", "description": "Hej"})
    answer = bc.control.raw("POST", f"/sales-orders/{order['id']}/release", {})
    assert answer.status_code == 409


def test_nobody_rejects_what_waits_for_no_approval(bc: CentralClient) -> None:
    order = bc.order_of()
    answer = bc.control.raw("POST", f"/sales-orders/{order['id']}/reject", {})
    assert answer.status_code == 409


@pytest.mark.parametrize("verb", ["release", "reopen", "shipIt"])
def test_the_api_itself_has_no_such_actions(bc: CentralClient, verb: str) -> None:
    order = bc.order_of()
    answer = bc.call("POST", f"salesOrders({order['id']})/Microsoft.NAV.{verb}")
    refused(answer, 404, "BadRequest_ResourceNotFound")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("currencyCode", "EUR"),
        ("pricesIncludeTax", True),
        ("partialShipping", False),
        ("requestedDeliveryDate", "2026-12-24"),
    ],
)
def test_guarded_properties_of_the_header(
    closed: tuple[CentralClient, Record, Record], name: str, value: Any
) -> None:
    bc, order, _ = closed
    answer = bc.call("PATCH", f"salesOrders({order['id']})", {name: value}, headers=HEADERS)
    refused(answer, 400, GUARD)
    assert bc.get(f"salesOrders({order['id']})")["@odata.etag"] == order["@odata.etag"]


@pytest.mark.parametrize("name", ["customerId", "billToCustomerId", "shipmentMethodId"])
def test_guarded_references_of_the_header(closed: tuple[CentralClient, Record, Record], name: str) -> None:
    bc, order, _ = closed
    value = bc.all_of("shipmentMethods")[0]["id"] if name == "shipmentMethodId" else bc.customer()["id"]
    answer = bc.call("PATCH", f"salesOrders({order['id']})", {name: value}, headers=HEADERS)
    refused(answer, 400, GUARD)


@pytest.mark.parametrize("name", ["customerNumber", "billToCustomerNumber"])
def test_guarded_numbers_of_the_header(closed: tuple[CentralClient, Record, Record], name: str) -> None:
    bc, order, _ = closed
    value = bc.customer()["number"]
    answer = bc.call("PATCH", f"salesOrders({order['id']})", {name: value}, headers=HEADERS)
    refused(answer, 400, GUARD)


def test_unchanged_guarded_values_are_harmless(closed: tuple[CentralClient, Record, Record]) -> None:
    bc, order, line = closed
    names = ("customerId", "customerNumber", "currencyCode", "pricesIncludeTax", "requestedDeliveryDate")
    changed = bc.update(f"salesOrders({order['id']})", **{n: order[n] for n in names}, email="new@x.example")
    assert changed["email"] == "new@x.example"
    kept = ("itemId", "quantity", "unitPrice", "discountPercent", "unitOfMeasureCode", "shipmentDate")
    changed = bc.update(
        f"salesOrderLines({line['id']})", **{n: line[n] for n in kept}, description="Nyt navn"
    )
    assert changed["description"] == "Nyt navn"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("externalDocumentNumber", "WEB-9"),
        ("orderDate", "2025-05-05"),
        ("postingDate", "2025-05-06"),
        ("salesperson", "MB"),
        ("shipToName", "Byggepladsen"),
        ("sellToAddressLine1", "Ny vej 1"),
        ("phoneNumber", "20 17 00 00"),
        ("email", "new@x.example"),
    ],
)
def test_what_the_header_still_takes(
    closed: tuple[CentralClient, Record, Record], name: str, value: str
) -> None:
    bc, order, _ = closed
    assert bc.update(f"salesOrders({order['id']})", **{name: value})[name] == value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("quantity", 7),
        ("unitPrice", 7),
        ("discountPercent", 7),
        ("discountAmount", 7),
        ("taxCode", "VAT0"),
        ("shipmentDate", "2026-12-24"),
        ("itemId", "another"),
        ("unitOfMeasureCode", "BOX"),
        ("lineType", "Comment"),
        ("locationId", "one"),
    ],
)
def test_guarded_properties_of_item_lines(
    closed: tuple[CentralClient, Record, Record], name: str, value: Any
) -> None:
    bc, _, line = closed
    if value == "another":
        value = bc.item()["id"]
    if value == "one":
        value = bc.all_of("locations")[0]["id"]
    answer = bc.call("PATCH", f"salesOrderLines({line['id']})", {name: value}, headers=HEADERS)
    refused(answer, 400, GUARD)


@pytest.mark.parametrize(
    ("name", "value"),
    [("description", "Nyt navn"), ("description2", "Mere"), ("shipQuantity", 1), ("invoiceQuantity", 1)],
)
def test_what_an_item_line_still_takes(
    closed: tuple[CentralClient, Record, Record], name: str, value: Any
) -> None:
    bc, _, line = closed
    assert bc.update(f"salesOrderLines({line['id']})", **{name: value})[name] == value


def test_item_lines_neither_come_nor_go(closed: tuple[CentralClient, Record, Record]) -> None:
    bc, order, line = closed
    path = f"salesOrders({order['id']})/salesOrderLines"
    refused(bc.call("POST", path, {"itemId": bc.item()["id"], "quantity": 1}), 400, GUARD)
    refused(bc.call("DELETE", f"salesOrderLines({line['id']})"), 400, GUARD)
    assert len(bc.lines(order)) == 1


def test_comments_come_change_and_go(closed: tuple[CentralClient, Record, Record]) -> None:
    bc, order, _ = closed
    comment = bc.create(f"salesOrders({order['id']})/salesOrderLines", description="Hej")
    changed = bc.update(f"salesOrderLines({comment['id']})", description="Farvel")
    assert changed["description"] == "Farvel"
    answer = bc.call(
        "PATCH", f"salesOrderLines({comment['id']})", {"itemId": bc.item()["id"]}, headers=HEADERS
    )
    refused(answer, 400, GUARD)
    bc.delete(f"salesOrderLines({comment['id']})")


def test_a_reopened_order_takes_everything_again(bc: CentralClient) -> None:
    order = bc.order_of()
    bc.back_office(order, "release")
    bc.back_office(order, "reopen")
    line = bc.lines(order)[0]
    assert bc.update(f"salesOrderLines({line['id']})", quantity=9)["quantity"] == 9
    assert bc.update(f"salesOrders({order['id']})", currencyId=NO_ID)["currencyId"] == NO_ID


def test_a_new_status_moves_tag_and_time(bc: CentralClient) -> None:
    order = bc.order_of()
    bc.control.clock(5)
    bc.back_office(order, "release")
    released = bc.get(f"salesOrders({order['id']})")
    assert released["@odata.etag"] != order["@odata.etag"]
    assert moment(released["lastModifiedDateTime"]) > moment(order["lastModifiedDateTime"])
