"""Values on the wire: blanks, enums, codes, lengths, numbers, dates, and what does not fit."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from talk_pipeline_tests.sandbox.clients import NO_ID, CentralClient, read, refused

HEADERS = {"If-Match": "*"}


@pytest.mark.parametrize(
    ("name", "blank"),
    [
        ("addressLine1", ""),
        ("paymentTermsId", NO_ID),
        ("creditLimit", 0),
        ("taxLiable", False),
        ("blocked", "_x0020_"),
        ("taxRegistrationNumber", ""),
        ("type", "Company"),
    ],
)
def test_nothing_is_ever_null(bc: CentralClient, name: str, blank: Any) -> None:
    assert bc.customer()[name] == blank


def test_a_blank_date_is_the_first_of_january_of_the_year_one(bc: CentralClient) -> None:
    assert bc.order()["requestedDeliveryDate"] == "0001-01-01"


@pytest.mark.parametrize(
    ("document", "shown"),
    [
        ({"number": " k-7 "}, {"number": "K-7"}),
        ({"number": "straße-ı"}, {"number": "STRAßE-ı"}),
        ({"country": "dk", "postalCode": "ab 1", "city": "X"}, {"country": "DK", "postalCode": "AB 1"}),
        ({"displayName": " Æblegren  Handel"}, {"displayName": " Æblegren  Handel"}),
        ({"email": "Info@Klitrose.example"}, {"email": "Info@Klitrose.example"}),
        ({"creditLimit": Decimal("1234.567")}, {"creditLimit": Decimal("1234.57")}),
        ({"creditLimit": 1000}, {"creditLimit": 1000}),
        ({"creditLimit": Decimal("123456789012.10")}, {"creditLimit": Decimal("123456789012.1")}),
        ({"blocked": ""}, {"blocked": "_x0020_"}),
        ({"blocked": " "}, {"blocked": "_x0020_"}),
        ({"blocked": "_x0020_"}, {"blocked": "_x0020_"}),
        ({"blocked": "Ship"}, {"blocked": "Ship"}),
        ({"addressLine1": None}, {"addressLine1": ""}),
        ({"taxLiable": True}, {"taxLiable": True}),
    ],
)
def test_what_is_sent_and_what_is_shown(
    bc: CentralClient, document: dict[str, Any], shown: dict[str, Any]
) -> None:
    customer = bc.customer(**document)
    assert {name: customer[name] for name in shown} == shown


@pytest.mark.parametrize("price", ["0.1", "1397.30", "99999999.12345", "0.00001", "12345678901234.5"])
def test_decimals_keep_every_digit(bc: CentralClient, price: str) -> None:
    answer = bc.call("POST", "items", {"unitPrice": Decimal(price)})
    assert read(answer)["unitPrice"] == Decimal(price)
    assert "e" not in answer.text.split('"unitPrice":')[1].split(",")[0].lower()


def test_a_unit_price_has_five_places(bc: CentralClient) -> None:
    assert bc.item(unitPrice=Decimal("1.000005"))["unitPrice"] == Decimal("1.00001")


@pytest.mark.parametrize(
    ("set_name", "name", "length"),
    [
        ("customers", "displayName", 100),
        ("customers", "addressLine1", 100),
        ("customers", "addressLine2", 50),
        ("customers", "city", 30),
        ("customers", "state", 30),
        ("customers", "postalCode", 20),
        ("customers", "phoneNumber", 30),
        ("customers", "website", 80),
        ("customers", "number", 20),
        ("customers", "taxRegistrationNumber", 20),
        ("items", "number", 20),
        ("items", "displayName", 100),
        ("items", "displayName2", 50),
        ("items", "gtin", 14),
        ("currencies", "code", 10),
        ("currencies", "displayName", 30),
        ("itemCategories", "code", 20),
        ("unitsOfMeasure", "displayName", 50),
    ],
)
def test_text_that_is_too_long_is_refused_and_never_cut(
    bc: CentralClient, set_name: str, name: str, length: int
) -> None:
    base = {"displayName": "X"} if set_name in ("customers", "items") else {"code": "X"}
    fits, long = "1" * length, "1" * (length + 1)
    if name != "taxRegistrationNumber":  # which must also have its country's form
        assert bc.call("POST", set_name, {**base, name: fits}).status_code == 201
    error = refused(bc.call("POST", set_name, {**base, name: long}), 400, "Application_StringExceededLength")
    assert str(length) in error["message"]
    assert str(length + 1) in error["message"]


@pytest.mark.parametrize(
    ("name", "length"), [("externalDocumentNumber", 35), ("shipToName", 100), ("email", 80)]
)
def test_orders_have_lengths_too(bc: CentralClient, name: str, length: int) -> None:
    order = bc.order()
    answer = bc.call("PATCH", f"salesOrders({order['id']})", {name: "1" * (length + 1)}, headers=HEADERS)
    refused(answer, 400, "Application_StringExceededLength")


def test_lengths_count_utf_16_units(bc: CentralClient) -> None:
    assert bc.customer(displayName="å" * 100)["displayName"] == "å" * 100
    assert bc.customer(displayName="🌿" * 50)["displayName"] == "🌿" * 50
    answer = bc.call("POST", "customers", {"displayName": "🌿" * 51})
    assert "102" in refused(answer, 400, "Application_StringExceededLength")["message"]


def test_a_newer_version_takes_longer_websites(bc: CentralClient) -> None:
    bc.control.settings(website_length=255)
    assert bc.customer(website="w" * 200)["website"] == "w" * 200


@pytest.mark.parametrize(
    "document",
    [
        {"displayName": 7},
        {"displayName": True},
        {"displayName": ["X"]},
        {"creditLimit": "7"},
        {"creditLimit": True},
        {"taxLiable": "true"},
        {"taxLiable": 1},
        {"paymentTermsId": "nonsense"},
        {"paymentTermsId": 7},
        {"gnome": "X"},
        {"DisplayName": "X"},
        {"currency": {}},
    ],
)
def test_values_of_the_wrong_type_and_unknown_properties_are_refused(
    bc: CentralClient, document: dict[str, Any]
) -> None:
    refused(bc.call("POST", "customers", {"displayName": "X", **document}), 400, "BadRequest")


@pytest.mark.parametrize("date", ["2026-02-30", "2026-2-3", "1752-12-31", "yesterday", 7])
def test_dates_are_iso_dates(bc: CentralClient, date: Any) -> None:
    order = bc.order()
    answer = bc.call("PATCH", f"salesOrders({order['id']})", {"orderDate": date}, headers=HEADERS)
    refused(answer, 400, "BadRequest")


@pytest.mark.parametrize(
    ("set_name", "document"),
    [
        ("customers", {"type": "Gnome"}),
        ("customers", {"blocked": "Everything"}),
        ("items", {"type": "Non-Inventory"}),
        ("customers", {"type": "company"}),
    ],
)
def test_an_unknown_enum_member_is_refused_with_the_members(
    bc: CentralClient, set_name: str, document: dict[str, Any]
) -> None:
    error = refused(bc.call("POST", set_name, {"displayName": "X", **document}), 400, "Unknown")
    assert {"type": "Inventory", "blocked": "Invoice"}.get(next(iter(document)), "") in error["message"] or (
        "Person" in error["message"]
    )


def test_enum_members_are_escaped(bc: CentralClient) -> None:
    assert bc.item(type="Non_x002D_Inventory")["type"] == "Non_x002D_Inventory"


@pytest.mark.parametrize("body", [b"", b"not json", b"[]", b'"text"', b"{", b'{"displayName": }'])
def test_a_body_that_is_no_json_object_is_refused(bc: CentralClient, body: bytes) -> None:
    answer = bc.call("POST", "customers", content=body, headers={"Content-Type": "application/json"})
    refused(answer, 400, "BadRequest")


def test_a_wrong_content_type_is_415(bc: CentralClient) -> None:
    answer = bc.call("POST", "customers", content=b"{}", headers={"Content-Type": "text/plain"})
    refused(answer, 415)
    bc.control.settings(unsupported_media_body="empty")
    answer = bc.call("POST", "customers", content=b"{}", headers={"Content-Type": "text/plain"})
    assert (answer.status_code, answer.content) == (415, b"")


def test_the_error_text_ends_with_a_correlation_id(bc: CentralClient) -> None:
    message = refused(bc.call("POST", "customers", {}), 400)["message"]
    head, mark, tail = message.partition("  CorrelationId:  ")
    assert head
    assert mark
    assert tail.endswith(".")
    assert len(tail) == 37


def test_annotations_in_a_body_are_passed_over(bc: CentralClient) -> None:
    answer = bc.call(
        "POST", "customers", {"@odata.etag": "X", "displayName": "X", "currency@odata.bind": "Y"}
    )
    assert answer.status_code == 201


def test_the_answer_headers(bc: CentralClient) -> None:
    answer = bc.call("GET", "customers")
    assert answer.headers["content-type"].startswith("application/json; odata.metadata=minimal")
    assert answer.headers["odata-version"] == "4.0"
    assert answer.headers["date"].endswith("GMT")


def test_times_are_utc_and_trim_their_zeros(bc: CentralClient) -> None:
    for _ in range(12):
        text = bc.customer()["lastModifiedDateTime"]
        assert text.endswith("Z")
        fraction = text.partition(".")[2].removesuffix("Z")
        assert len(fraction) <= 3
        assert not fraction.endswith("0")


def test_null_can_be_refused(bc: CentralClient) -> None:
    bc.control.settings(null_on_write="refused")
    refused(bc.call("POST", "customers", {"displayName": "X", "city": None}), 400, "BadRequest")


def test_the_blank_enum_may_have_one_spelling_only(bc: CentralClient) -> None:
    bc.control.settings(blank_enum_input="escaped")
    refused(bc.call("POST", "customers", {"displayName": "X", "blocked": ""}), 400, "Unknown")
    assert bc.customer(blocked="_x0020_")["blocked"] == "_x0020_"


def test_amounts_may_show_their_trailing_zeros(bc: CentralClient) -> None:
    bc.control.settings(decimal_zeros="two_places")
    order = bc.order_of(quantity=1, price=80)
    text = bc.call("GET", f"salesOrders({order['id']})?$select=totalAmountExcludingTax").text
    assert '"totalAmountExcludingTax":80.00' in text
