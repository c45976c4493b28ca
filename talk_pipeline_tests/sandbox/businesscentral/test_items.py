"""Items: numbers, references, prices, stock, deletion."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from talk_pipeline_tests.sandbox.clients import NO_ID, NOWHERE, CentralClient, moment, refused

HEADERS = {"If-Match": "*"}
PAIRS = [
    ("itemCategory", "itemCategories", "CHAIRS", "TABLES"),
    ("taxGroup", "taxGroups", "VAT0", "VAT25"),
    ("baseUnitOfMeasure", "unitsOfMeasure", "BOX", "PCS"),
    ("generalProductPostingGroup", "generalProductPostingGroups", "SERVICES", "RETAIL"),
]


def by_code(bc: CentralClient, set_name: str, code: str) -> str:
    return str(bc.all_of(f"{set_name}?$filter=code eq '{code}'")[0]["id"])


def test_nothing_is_required(bc: CentralClient) -> None:
    item = bc.create("items")
    assert item["number"]
    assert item["displayName"] == ""
    assert (item["type"], item["unitPrice"], item["unitCost"], item["inventory"]) == ("Inventory", 0, 0, 0)


def test_numbers(bc: CentralClient) -> None:
    assert bc.item(number="chr-1")["number"] == "CHR-1"
    refused(bc.call("POST", "items", {"number": "CHR-1"}), 400, "Internal_EntityWithSameKeyExists")
    bc.control.settings(item_numbers="series")
    refused(bc.call("POST", "items", {"number": "CHR-2"}), 400, "Application_DialogException")


def test_a_new_number_renames_the_item_on_order_lines_too(bc: CentralClient) -> None:
    item = bc.item(number="OLD")
    order = bc.order({"itemId": item["id"], "quantity": 1})
    bc.update(f"items({item['id']})", number="NEW")
    assert bc.lines(order)[0]["lineObjectNumber"] == "NEW"


@pytest.mark.parametrize(("stem", "set_name", "code", "other"), PAIRS)
def test_pairs_of_id_and_code(bc: CentralClient, stem: str, set_name: str, code: str, other: str) -> None:
    key = by_code(bc, set_name, code)
    by_text, by_id = bc.item(**{f"{stem}Code": code.lower()}), bc.item(**{f"{stem}Id": key})
    for item in (by_text, by_id):
        assert (item[f"{stem}Id"], item[f"{stem}Code"]) == (key, code)
    both = {f"{stem}Id": key, f"{stem}Code": code}
    assert bc.item(**both)[f"{stem}Code"] == code
    for wrong in (
        {f"{stem}Code": "GNOMES"},
        {f"{stem}Id": NOWHERE},
        {f"{stem}Id": key, f"{stem}Code": other},
    ):
        refused(bc.call("POST", "items", wrong), 400, "Application_DialogException")


@pytest.mark.parametrize("stem", ["itemCategory", "generalProductPostingGroup", "inventoryPostingGroup"])
@pytest.mark.parametrize("form", ["Id", "Code"])
def test_groups_and_category_can_be_cleared(bc: CentralClient, stem: str, form: str) -> None:
    item = bc.item(itemCategoryCode="CHAIRS")
    cleared = bc.update(f"items({item['id']})", **{f"{stem}{form}": NO_ID if form == "Id" else ""})
    assert (cleared[f"{stem}Id"], cleared[f"{stem}Code"]) == (NO_ID, "")


def test_a_unit_may_be_named_by_its_international_code(bc: CentralClient) -> None:
    assert bc.item(baseUnitOfMeasureCode="KGM")["baseUnitOfMeasureCode"] == "KG"


@pytest.mark.parametrize("name", ["unitPrice", "unitCost"])
def test_prices_are_not_negative(bc: CentralClient, name: str) -> None:
    refused(bc.call("POST", "items", {name: -1}), 400)
    assert bc.item(**{name: Decimal("12.34567")})[name] == Decimal("12.34567")


@pytest.mark.parametrize("gtin", ["5701234567892", "12345670", "00012345678905", ""])
def test_a_gtin_is_digits(bc: CentralClient, gtin: str) -> None:
    assert bc.item(gtin=gtin)["gtin"] == gtin


@pytest.mark.parametrize("gtin", ["57O1234567892", "570-123", "１２３"])
def test_a_gtin_of_anything_else_is_refused(bc: CentralClient, gtin: str) -> None:
    refused(bc.call("POST", "items", {"gtin": gtin}), 400)


@pytest.mark.parametrize("quantity", [0, 5])
def test_stock_cannot_be_set_on_create(bc: CentralClient, quantity: int) -> None:
    refused(bc.call("POST", "items", {"inventory": quantity}), 400, "Application_DialogException")


def test_another_stock_posts_an_adjustment(bc: CentralClient) -> None:
    item = bc.item()
    bc.control.clock(5)
    changed = bc.update(f"items({item['id']})", inventory=Decimal("12.5"))
    assert changed["inventory"] == Decimal("12.5")
    assert changed["lastModifiedDateTime"] == item["lastModifiedDateTime"]
    refused(bc.call("DELETE", f"items({item['id']})"), 400, "Application_DialogException")


def test_an_item_without_stock_takes_no_adjustment(bc: CentralClient) -> None:
    item = bc.item(type="Service")
    answer = bc.call("PATCH", f"items({item['id']})", {"inventory": 3}, headers=HEADERS)
    refused(answer, 400)


def test_a_stock_movement_moves_neither_time_nor_tag(bc: CentralClient) -> None:
    item = bc.item(number="S1")
    bc.control.clock(5)
    bc.control("POST", "/items/S1/stock", {"quantity": "7.5"})
    now = bc.get(f"items({item['id']})")
    assert now["inventory"] == Decimal("7.5")
    assert now["lastModifiedDateTime"] == item["lastModifiedDateTime"]
    assert now["@odata.etag"] == item["@odata.etag"]


def test_a_recalculated_cost_is_a_change(bc: CentralClient) -> None:
    item = bc.item()
    bc.control.clock(5)
    bc.control("POST", f"/items/{item['id']}/cost", {"unitCost": Decimal("61.25")})
    now = bc.get(f"items({item['id']})")
    assert now["unitCost"] == Decimal("61.25")
    assert moment(now["lastModifiedDateTime"]) > moment(item["lastModifiedDateTime"])


def test_the_type_is_fixed_once_the_item_is_used(bc: CentralClient) -> None:
    item = bc.item()
    assert bc.update(f"items({item['id']})", type="Service")["type"] == "Service"
    bc.order({"itemId": item["id"], "quantity": 1})
    answer = bc.call("PATCH", f"items({item['id']})", {"type": "Inventory"}, headers=HEADERS)
    refused(answer, 400)


def test_the_base_unit_is_fixed_once_there_are_entries(bc: CentralClient) -> None:
    item = bc.item()
    assert bc.update(f"items({item['id']})", baseUnitOfMeasureCode="BOX")["baseUnitOfMeasureCode"] == "BOX"
    bc.control("POST", f"/items/{item['id']}/stock", {"quantity": 3})
    answer = bc.call("PATCH", f"items({item['id']})", {"baseUnitOfMeasureCode": "PCS"}, headers=HEADERS)
    refused(answer, 400)


def test_an_item_goes_unless_something_refers_to_it(bc: CentralClient) -> None:
    item = bc.item()
    order = bc.order({"itemId": item["id"], "quantity": 1})
    refused(bc.call("DELETE", f"items({item['id']})"), 400, "Application_DialogException")
    bc.delete(f"salesOrders({order['id']})")
    bc.delete(f"items({item['id']})")
    refused(bc.call("GET", f"items({item['id']})"), 404)


@pytest.mark.parametrize(
    ("values", "usable"),
    [
        ({}, True),
        ({"blocked": True}, False),
        ({"generalProductPostingGroupCode": ""}, False),
        ({"inventoryPostingGroupCode": ""}, False),
        ({"inventoryPostingGroupCode": "", "type": "Service"}, True),
        ({"baseUnitOfMeasureCode": ""}, False),
    ],
)
def test_what_an_item_needs_to_be_on_an_order(
    bc: CentralClient, values: dict[str, Any], usable: bool
) -> None:
    item, order = bc.item(**values), bc.order()
    answer = bc.call(
        "POST", f"salesOrders({order['id']})/salesOrderLines", {"itemId": item["id"], "quantity": 1}
    )
    if usable:
        assert answer.status_code == 201
    else:
        refused(answer, 400, "Application_FieldValidationException")


def test_without_a_template_an_item_cannot_be_used(bc: CentralClient) -> None:
    order = bc.order()
    bc.control.settings(templates=False)
    item = bc.item()
    assert item["generalProductPostingGroupCode"] == ""
    answer = bc.call("POST", f"salesOrders({order['id']})/salesOrderLines", {"itemId": item["id"]})
    refused(answer, 400, "Application_FieldValidationException")
