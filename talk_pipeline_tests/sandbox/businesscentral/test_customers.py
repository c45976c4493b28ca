"""Customers: numbers, references, addresses, forms, deletion."""

from __future__ import annotations

from typing import Any

import pytest

from talk_pipeline_tests.sandbox.clients import NO_ID, NOWHERE, CentralClient, moment, refused

HEADERS = {"If-Match": "*"}


def by_code(bc: CentralClient, set_name: str, code: str) -> str:
    return str(bc.all_of(f"{set_name}?$filter=code eq '{code}'")[0]["id"])


def test_a_name_is_all_it_takes(bc: CentralClient) -> None:
    customer = bc.create("customers", displayName="Klitrose Lys ApS")
    assert customer["number"]
    assert customer["type"] == "Company"
    assert bc.get(f"customers({customer['id']})") == {
        **customer,
        "@odata.context": customer["@odata.context"],
    }


def test_the_answer_to_a_create(bc: CentralClient) -> None:
    answer = bc.call("POST", "customers", {"displayName": "X"})
    key = answer.json()["id"]
    assert answer.status_code == 201
    assert answer.headers["location"].endswith(f"{bc.company}/customers({key})")
    assert bc.call("GET", answer.headers["location"]).json()["id"] == key


@pytest.mark.parametrize("prefer", ["return-no-content", "return=minimal"])
def test_an_answer_without_content_can_be_preferred(bc: CentralClient, prefer: str) -> None:
    answer = bc.call("POST", "customers", {"displayName": "X"}, headers={"Prefer": prefer})
    assert (answer.status_code, answer.content) == (204, b"")
    assert bc.call("GET", answer.headers["location"]).status_code == 200


@pytest.mark.parametrize("document", [{}, {"displayName": ""}, {"displayName": "  "}, {"number": "X"}])
def test_without_a_name_there_is_none(bc: CentralClient, document: dict[str, str]) -> None:
    refused(bc.call("POST", "customers", document), 400, "Application_DialogException")


def test_the_name_cannot_be_taken_away(bc: CentralClient) -> None:
    customer = bc.customer()
    answer = bc.call("PATCH", f"customers({customer['id']})", {"displayName": ""}, headers=HEADERS)
    refused(answer, 400, "Application_DialogException")


def test_the_series_gives_numbers_in_turn(bc: CentralClient) -> None:
    first, second = bc.customer()["number"], bc.customer()["number"]
    assert int(second[1:]) == int(first[1:]) + 1


def test_the_series_skips_a_number_that_is_taken(bc: CentralClient) -> None:
    number = bc.customer()["number"]
    taken = f"{number[0]}{int(number[1:]) + 1}"
    bc.customer(number=taken)
    assert bc.customer()["number"] == f"{number[0]}{int(number[1:]) + 2}"


def test_a_blank_number_means_the_series(bc: CentralClient) -> None:
    assert bc.customer(number="")["number"]


def test_numbers_of_ones_own_may_not_be_allowed(bc: CentralClient) -> None:
    assert bc.customer(number="own-1")["number"] == "OWN-1"
    bc.control.settings(customer_numbers="series")
    answer = bc.call("POST", "customers", {"displayName": "X", "number": "OWN-2"})
    refused(answer, 400, "Application_DialogException")
    assert bc.customer()["number"]


@pytest.mark.parametrize("status", [400, 409])
def test_a_number_can_be_taken_once(bc: CentralClient, status: int) -> None:
    bc.control.settings(duplicate_key_status=status)
    bc.customer(number="K1")
    answer = bc.call("POST", "customers", {"displayName": "X", "number": "k1"})
    refused(answer, status, "Internal_EntityWithSameKeyExists")
    assert len(bc.all_of("customers")) == 1


def test_a_new_number_renames_the_customer_everywhere(bc: CentralClient) -> None:
    customer = bc.customer(number="OLD")
    order = bc.order(customerId=customer["id"])
    renamed = bc.update(f"customers({customer['id']})", number="NEW")
    assert renamed["id"] == customer["id"]
    assert bc.get(f"salesOrders({order['id']})")["customerNumber"] == "NEW"
    other = bc.customer(number="OTHER")
    answer = bc.call("PATCH", f"customers({other['id']})", {"number": "NEW"}, headers=HEADERS)
    refused(answer, 400, "Internal_EntityWithSameKeyExists")


@pytest.mark.parametrize("rule", ["ignored", "kept", "refused"])
def test_an_id_of_ones_own(bc: CentralClient, rule: str) -> None:
    bc.control.settings(client_id_on_create=rule)
    answer = bc.call("POST", "customers", {"displayName": "X", "id": NOWHERE})
    if rule == "refused":
        refused(answer, 400, "BadRequest_InvalidOperation")
    else:
        assert (answer.json()["id"] == NOWHERE) is (rule == "kept")


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ({"currencyCode": "EUR"}, "EUR"),
        ({"currencyCode": "eur"}, "EUR"),
        ({"currencyCode": "DKK"}, "DKK"),
        ({"currencyCode": ""}, "DKK"),
        ({}, "DKK"),
    ],
)
def test_the_local_currency_is_stored_blank_and_shown_by_its_code(
    bc: CentralClient, sent: dict[str, str], code: str
) -> None:
    customer = bc.customer(**sent)
    assert customer["currencyCode"] == code
    assert (customer["currencyId"] == NO_ID) is (code == "DKK")


def test_a_currency_can_be_named_by_id_by_code_or_both(bc: CentralClient) -> None:
    euro = by_code(bc, "currencies", "EUR")
    assert bc.customer(currencyId=euro)["currencyCode"] == "EUR"
    assert bc.customer(currencyId=euro, currencyCode="EUR")["currencyCode"] == "EUR"
    assert bc.customer(currencyId=NO_ID, currencyCode="DKK")["currencyCode"] == "DKK"
    cleared = bc.update(f"customers({bc.customer(currencyId=euro)['id']})", currencyId=NO_ID)
    assert cleared["currencyCode"] == "DKK"


def test_a_currency_that_is_unknown_or_disagrees_is_refused(bc: CentralClient) -> None:
    euro = by_code(bc, "currencies", "EUR")
    for document in (
        {"currencyCode": "XXX"},
        {"currencyId": NOWHERE},
        {"currencyId": euro, "currencyCode": "SEK"},
        {"currencyId": euro, "currencyCode": "DKK"},
    ):
        answer = bc.call("POST", "customers", {"displayName": "X", **document})
        refused(answer, 400, "Application_DialogException")


@pytest.mark.parametrize(
    ("name", "set_name", "code"),
    [
        ("paymentTermsId", "paymentTerms", "30D"),
        ("shipmentMethodId", "shipmentMethods", "EXW"),
        ("paymentMethodId", "paymentMethods", "BANK"),
        ("taxAreaId", "taxAreas", "EU"),
    ],
)
def test_references_are_ids(bc: CentralClient, name: str, set_name: str, code: str) -> None:
    key = by_code(bc, set_name, code)
    customer = bc.customer(**{name: key})
    assert customer[name] == key
    assert bc.update(f"customers({customer['id']})", **{name: NO_ID})[name] == NO_ID
    answer = bc.call("POST", "customers", {"displayName": "X", name: NOWHERE})
    refused(answer, 400, "Application_DialogException")


def test_the_code_for_a_reference_to_nothing_is_a_setting(bc: CentralClient) -> None:
    bc.control.settings(missing_reference_code="Internal_RecordNotFound")
    answer = bc.call("POST", "customers", {"displayName": "X", "paymentTermsId": NOWHERE})
    refused(answer, 400, "Internal_RecordNotFound")


def test_the_tax_area_shows_its_name(bc: CentralClient) -> None:
    customer = bc.customer(taxAreaId=by_code(bc, "taxAreas", "EU"))
    assert customer["taxAreaDisplayName"] == "EU-kunder"


@pytest.mark.parametrize(
    ("name", "value"), [("country", "ZZ"), ("country", "Danmark"), ("salespersonCode", "NN")]
)
def test_codes_must_exist_where_they_refer_to(bc: CentralClient, name: str, value: str) -> None:
    answer = bc.call("POST", "customers", {"displayName": "X", name: value})
    refused(answer, 400, "Internal_InvalidTableRelation")


def test_a_salesperson_that_exists_is_taken(bc: CentralClient) -> None:
    assert bc.customer(salespersonCode="kh")["salespersonCode"] == "KH"


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ({"city": "Aarhus C"}, ("Aarhus C", "8000", "DK")),
        ({"postalCode": "111 20"}, ("Stockholm", "111 20", "SE")),
        ({"city": "aarhus c"}, ("aarhus c", "8000", "DK")),
        ({"city": "Aarhus C", "postalCode": "9999"}, ("Aarhus C", "9999", "")),
        ({"city": "Aarhus C", "postalCode": ""}, ("Aarhus C", "", "")),
        ({"city": "Rungholt"}, ("Rungholt", "", "")),
        ({"postalCode": "9000"}, ("", "9000", "")),
        ({"postalCode": "9000", "country": "BE"}, ("Gent", "9000", "BE")),
        ({"postalCode": "9000", "country": "DK"}, ("Aalborg", "9000", "DK")),
        ({"city": "Aarhus C", "country": "SE"}, ("Aarhus C", "", "SE")),
    ],
)
def test_city_and_postal_code_fill_each_other(
    bc: CentralClient, sent: dict[str, str], shown: tuple[str, str, str]
) -> None:
    customer = bc.customer(**sent)
    assert (customer["city"], customer["postalCode"], customer["country"]) == shown


def test_a_new_city_brings_its_postal_code(bc: CentralClient) -> None:
    customer = bc.customer(city="Aarhus C", postalCode="8000", country="DK", state="")
    moved = bc.update(f"customers({customer['id']})", city="Odense C")
    assert (moved["city"], moved["postalCode"]) == ("Odense C", "5000")
    apart = bc.update(f"customers({customer['id']})", city="Odense C", postalCode="8000")
    assert (apart["city"], apart["postalCode"]) == ("Odense C", "8000")


@pytest.mark.parametrize("phone", ["+45 20 17 86 63", "020-17 86", "(030) 23125 / 123", ""])
def test_phone_numbers(bc: CentralClient, phone: str) -> None:
    assert bc.customer(phoneNumber=phone)["phoneNumber"] == phone


@pytest.mark.parametrize("phone", ["ring til mig", "20 17 86 63 lokal 4", "Å12"])
def test_a_phone_number_has_no_letters(bc: CentralClient, phone: str) -> None:
    refused(bc.call("POST", "customers", {"displayName": "X", "phoneNumber": phone}), 400)


@pytest.mark.parametrize("email", ["a@b.example", "a@b.example; c@d.example", "", "a.b+c@d-e.example"])
def test_e_mail_addresses(bc: CentralClient, email: str) -> None:
    assert bc.customer(email=email)["email"] == email


@pytest.mark.parametrize("email", ["nobody", "a (at) b.example", "a@b", "a b@c.example", "@b.example"])
def test_what_is_no_e_mail_address_is_refused(bc: CentralClient, email: str) -> None:
    refused(bc.call("POST", "customers", {"displayName": "X", "email": email}), 400)


@pytest.mark.parametrize(
    ("country", "number", "fits"),
    [
        ("DK", "13585628", True),
        ("DK", "DK13585628", True),
        ("DK", "1358562", False),
        ("DK", "13 58 56 28", False),
        ("SE", "559012-3456", True),
        ("SE", "SE559012345601", True),
        ("SE", "13585628", False),
        ("NO", "991234567MVA", True),
        ("FI", "2190697-9", True),
        ("", "13585628", True),
        ("", "559012-3456", False),
        ("IE", "whatever 7", True),
    ],
)
def test_registration_numbers_have_the_forms_of_their_country(
    bc: CentralClient, country: str, number: str, fits: bool
) -> None:
    document = {"displayName": "X", "country": country, "taxRegistrationNumber": number}
    answer = bc.call("POST", "customers", document)
    assert answer.status_code == (201 if fits else 400)


@pytest.mark.parametrize(
    ("name", "value"),
    [("balanceDue", 7), ("taxAreaDisplayName", "X"), ("lastModifiedDateTime", "2025-01-01T00:00:00Z")],
)
def test_read_only_properties(bc: CentralClient, name: str, value: Any) -> None:
    customer = bc.customer()
    path = f"customers({customer['id']})"
    refused(bc.call("PATCH", path, {name: value}, headers=HEADERS), 400, "BadRequest_InvalidOperation")
    assert bc.call("PATCH", path, {name: customer[name]}, headers=HEADERS).status_code == 200
    bc.control.settings(read_only_write="refuse")
    refused(
        bc.call("PATCH", path, {name: customer[name]}, headers=HEADERS), 400, "BadRequest_InvalidOperation"
    )
    bc.control.settings(read_only_write="ignore")
    assert bc.call("PATCH", path, {name: value}, headers=HEADERS).json()[name] == customer[name]


def test_another_id_in_a_change_is_refused(bc: CentralClient) -> None:
    customer = bc.customer()
    path = f"customers({customer['id']})"
    refused(bc.call("PATCH", path, {"id": NOWHERE}, headers=HEADERS), 400)
    assert bc.call("PATCH", path, {"id": customer["id"]}, headers=HEADERS).status_code == 200


def test_a_change_names_only_what_changes(bc: CentralClient) -> None:
    customer = bc.customer(city="Rungholt", phoneNumber="12")
    changed = bc.update(f"customers({customer['id']})", phoneNumber="")
    assert (changed["city"], changed["phoneNumber"]) == ("Rungholt", "")


def test_a_change_moves_the_modified_time(bc: CentralClient) -> None:
    customer = bc.customer()
    bc.control.clock(5)
    changed = bc.update(f"customers({customer['id']})", city="Rungholt")
    assert moment(changed["lastModifiedDateTime"]) > moment(customer["lastModifiedDateTime"])


def test_a_customer_goes_unless_something_refers_to_it(bc: CentralClient) -> None:
    customer, busy = bc.customer(), bc.customer()
    bc.delete(f"customers({customer['id']})")
    refused(bc.call("GET", f"customers({customer['id']})"), 404)
    refused(bc.call("DELETE", f"customers({customer['id']})"), 404)
    order = bc.order(customerId=busy["id"])
    refused(bc.call("DELETE", f"customers({busy['id']})"), 400)
    bc.delete(f"salesOrders({order['id']})")
    bc.delete(f"customers({busy['id']})")


def test_without_a_template_a_customer_cannot_be_used(bc: CentralClient) -> None:
    bc.control.settings(templates=False)
    customer = bc.customer()
    assert customer["taxAreaId"] == NO_ID
    answer = bc.call("POST", "salesOrders", {"customerId": customer["id"]})
    refused(answer, 400, "Application_FieldValidationException")


def test_the_financial_detail_can_be_expanded(bc: CentralClient) -> None:
    customer = bc.customer()
    detail = bc.get(f"customers({customer['id']})?$expand=customerFinancialDetail")["customerFinancialDetail"]
    assert (detail["id"], detail["number"]) == (customer["id"], customer["number"])


def test_the_company_tells_its_local_currency(bc: CentralClient) -> None:
    assert bc.get("companyInformation")["value"][0]["currencyCode"] == "DKK"
    assert "DKK" not in {row["code"] for row in bc.all_of("currencies")}
