"""$filter: what it understands, what it refuses, what it passes over."""

from __future__ import annotations

import datetime as dt
from urllib.parse import quote

import pytest

from talk_pipeline_tests.sandbox.clients import CentralClient, refused


@pytest.fixture
def some(bc: CentralClient) -> CentralClient:
    """Three customers that differ in everything."""
    bc.customer(
        number="A1", displayName="Alfa Møbler", email="alfa@x.example", creditLimit=10, taxLiable=True
    )
    bc.customer(number="B2", displayName="Beta's Lys", city="Odense C", creditLimit=20, type="Person")
    bc.customer(number="C3", displayName="Gamma (DK) & Co", creditLimit=30, currencyCode="EUR", blocked="All")
    return bc


def found(bc: CentralClient, expression: str, options: str = "") -> str:
    expression = expression.replace("&", "%26").replace("+", "%2B")
    return "".join(c["number"][0] for c in bc.all_of(f"customers?$filter={expression}{options}"))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("number eq 'A1'", "A"),
        ("number eq 'a1'", "A"),
        ("number ne 'A1'", "BC"),
        ("displayName eq 'Alfa Møbler'", "A"),
        ("displayName eq 'alfa møbler'", ""),
        ("displayName eq 'Beta''s Lys'", "B"),
        ("displayName eq 'Gamma (DK) & Co'", "C"),
        ("creditLimit gt 10", "BC"),
        ("creditLimit ge 10", "ABC"),
        ("creditLimit lt 20.5", "AB"),
        ("creditLimit le 20", "AB"),
        ("creditLimit eq 20.00", "B"),
        ("number gt 'A1' and number lt 'C3'", "B"),
        ("number eq 'A1' or number eq 'C3'", "AC"),
        ("(number eq 'A1' or number eq 'B2') and creditLimit gt 10", "B"),
        ("number eq 'C3' or number eq 'A1' or number eq 'X'", "AC"),
        ("number eq 'A1' and number eq 'B2'", ""),
        ("(email eq '' or email eq 'alfa@x.example') and creditLimit lt 25", "AB"),
        ("type eq 'Person'", "B"),
        ("type ne 'Person'", "AC"),
        ("blocked eq 'All'", "C"),
        ("blocked eq '_x0020_'", "AB"),
        ("blocked eq ' '", "AB"),
        ("blocked eq ''", "AB"),
        ("taxLiable eq true", "A"),
        ("taxLiable eq false", "BC"),
        ("startswith(displayName,'Alfa')", "A"),
        ("endswith(displayName,'Lys')", "B"),
        ("contains(displayName,'a')", "ABC"),
        ("contains(displayName,'DK')", "C"),
        ("contains(displayName,'DK') eq false", "AB"),
        ("contains(displayName,'DK') or contains(displayName,'Lys')", "BC"),
        ("not contains(displayName,'DK')", "AB"),
        ("not (number eq 'A1')", "BC"),
        ("not(number eq 'A1')", "BC"),
        ("tolower(displayName) eq 'alfa møbler'", "A"),
        ("toupper(displayName) eq 'ALFA MØBLER'", "A"),
        ("substring(displayName,0,4) eq 'Beta'", "B"),
        ("substring(displayName,5) eq 's Lys'", "B"),
        ("currencyCode eq 'EUR'", "C"),
        ("currencyCode eq 'DKK'", "AB"),
        ("email eq ''", "BC"),
        ("email eq 'alfa@x.example' and type eq 'Company'", "A"),
        ("lines/any(x:x/quantity gt 1)", "ABC"),
        ("number eq 'A1' and lines/all(x:x/quantity gt 1)", "A"),
        ("currencyId eq 00000000-0000-0000-0000-000000000000", "AB"),
        ("email eq null", "BC"),
    ],
)
def test_what_it_finds(some: CentralClient, expression: str, expected: str) -> None:
    assert found(some, expression) == expected


def test_many_alternatives_for_one_field(some: CentralClient) -> None:
    numbers = ["A1", *(f"X{n}" for n in range(80)), "C3"]
    assert found(some, " or ".join(f"number eq '{number}'" for number in numbers)) == "AC"


def test_ids_are_bare(some: CentralClient) -> None:
    key = some.all_of("customers?$filter=number eq 'B2'")[0]["id"]
    assert found(some, f"id eq {key}") == "B"
    assert found(some, f"id eq {key.upper()}") == "B"
    assert found(some, f"id ne {key}") == "AC"
    refused(some.call("GET", f"customers?$filter=id eq '{key}'"), 400)


@pytest.mark.parametrize(
    ("expression", "status", "code"),
    [
        ("number eq 'A1' or displayName eq 'X'", 501, "BadRequest_MethodNotImplemented"),
        ("number eq 'A1' or (creditLimit gt 1 and number eq 'B2')", 501, "BadRequest_MethodNotImplemented"),
        ("contains(displayName,'a') or contains(city,'a')", 501, "BadRequest_MethodNotImplemented"),
        ("contains(tolower(displayName),'a')", 501, None),
        ("tolower(toupper(displayName)) eq 'a'", 501, None),
        ("number in ('A1','B2')", 501, None),
        ("length(displayName) gt 3", 501, None),
        ("creditLimit add 1 gt 3", 501, None),
        ("number eq displayName", 501, None),
        ("gnome eq 'X'", 400, "BadRequest_NotFound"),
        ("startswith(gnome,'X')", 400, "BadRequest_NotFound"),
        ("number eq", 400, "BadRequest_NotFound"),
        ("number = 'A1'", 400, "BadRequest_NotFound"),
        ("number eq 'A1", 400, "BadRequest_NotFound"),
        ("(number eq 'A1'", 400, "BadRequest_NotFound"),
        ("creditLimit gt 'ten'", 400, None),
        ("number eq 7", 400, None),
        ("taxLiable eq 'true'", 400, None),
        ("type eq 'Gnome'", 400, None),
        ("id eq nonsense", 501, None),
        ("contains(creditLimit,'1')", 400, None),
    ],
)
def test_what_it_refuses(some: CentralClient, expression: str, status: int, code: str | None) -> None:
    refused(some.call("GET", f"customers?$filter={expression}"), status, code)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("number in ('A1','B2')", "AB"),
        ("contains(tolower(displayName),'alfa')", "A"),
        ("creditLimit in (10,30)", "AC"),
    ],
)
def test_the_newer_schema_version_understands_more(
    some: CentralClient, expression: str, expected: str
) -> None:
    assert found(some, expression, "&$schemaversion=2.1") == expected


@pytest.mark.parametrize(
    ("expression", "length"),
    [
        ("number eq '{}'", 20),
        ("displayName eq '{}'", 100),
        ("contains(city,'{}')", 30),
        ("currencyCode eq '{}'", 10),
    ],
)
def test_a_literal_longer_than_its_field_is_an_error(
    some: CentralClient, expression: str, length: int
) -> None:
    assert found(some, expression.format("1" * length)) == ""
    answer = some.call("GET", f"customers?$filter={expression.format('1' * (length + 1))}")
    refused(answer, 400, "Application_FilterErrorException")


def test_the_external_document_number_is_checked_too(bc: CentralClient) -> None:
    bc.order(externalDocumentNumber="web-1")
    assert len(bc.all_of("salesOrders?$filter=externalDocumentNumber eq 'web-1'")) == 1
    answer = bc.call("GET", f"salesOrders?$filter=externalDocumentNumber eq '{'X' * 36}'")
    refused(answer, 400, "Application_FilterErrorException")


@pytest.mark.parametrize(
    "character", ["*", "&", "|", "..", "@", "?", "<", ">", "(", "+", "#", "%", "=", ";", "'"]
)
def test_the_services_own_filter_characters_are_just_characters(bc: CentralClient, character: str) -> None:
    bc.customer(displayName=f"A{character}B")
    bc.customer(displayName="AxB")
    literal = quote(character.replace("'", "''"))
    found_names = [c["displayName"] for c in bc.all_of(f"customers?$filter=displayName eq 'A{literal}B'")]
    assert found_names == [f"A{character}B"]


def test_filter_characters_may_be_let_through(bc: CentralClient) -> None:
    bc.customer(displayName="Alfa")
    assert bc.all_of("customers?$filter=displayName eq 'Al*'") == []
    bc.control.settings(filter_characters="wildcards")
    assert len(bc.all_of("customers?$filter=displayName eq 'Al*'")) == 1


def test_a_filter_on_the_blank_member_may_not_work(some: CentralClient) -> None:
    some.control.settings(blank_enum_filter="empty")
    assert found(some, "blocked eq '_x0020_'") == ""
    some.control.settings(blank_enum_filter="refused")
    refused(some.call("GET", "customers?$filter=blocked eq '_x0020_'"), 400)


def test_enums_of_orders_may_be_written_either_way(bc: CentralClient) -> None:
    order = bc.order_of()
    bc.back_office(order, "review")
    assert len(bc.all_of("salesOrders?$filter=status eq 'In_x0020_Review'")) == 1
    assert len(bc.all_of("salesOrders?$filter=status eq 'In Review'")) == 1
    assert bc.all_of("salesOrders?$filter=status eq 'Open'") == []


def test_dates_are_bare(bc: CentralClient) -> None:
    bc.order(orderDate="2025-05-01", requestedDeliveryDate="2025-06-01")
    bc.order(orderDate="2025-05-02")
    assert len(bc.all_of("salesOrders?$filter=orderDate eq 2025-05-01")) == 1
    assert len(bc.all_of("salesOrders?$filter=orderDate ge 2025-05-01 and orderDate lt 2025-05-03")) == 2
    assert len(bc.all_of("salesOrders?$filter=requestedDeliveryDate eq 0001-01-01")) == 1
    assert len(bc.all_of("salesOrders?$filter=requestedDeliveryDate gt 0001-01-01")) == 1


def test_times_compare_to_the_millisecond(bc: CentralClient) -> None:
    text = bc.customer()["lastModifiedDateTime"]
    moment = dt.datetime.fromisoformat(text)
    before = (moment - dt.timedelta(milliseconds=1)).isoformat().replace("+00:00", "Z")
    assert len(bc.all_of(f"customers?$filter=lastModifiedDateTime gt {before}")) == 1
    assert bc.all_of(f"customers?$filter=lastModifiedDateTime gt {text}") == []
    assert len(bc.all_of(f"customers?$filter=lastModifiedDateTime ge {text}")) == 1
    assert len(bc.all_of(f"customers?$filter=lastModifiedDateTime eq {text}")) == 1


def test_times_take_an_offset(bc: CentralClient) -> None:
    bc.customer()
    hour = dt.timezone(dt.timedelta(hours=2))
    later = (dt.datetime.now(hour) + dt.timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%S%%2B02:00")
    assert len(bc.all_of(f"customers?$filter=lastModifiedDateTime lt {later}")) == 1


def test_what_is_stored_may_be_finer_than_what_is_shown(bc: CentralClient) -> None:
    bc.control.settings(datetime_comparison="stored")
    text = bc.customer()["lastModifiedDateTime"]
    assert len(bc.all_of(f"customers?$filter=lastModifiedDateTime gt {text}")) == 1
    assert bc.all_of(f"customers?$filter=lastModifiedDateTime eq {text}") == []


def test_an_incremental_read_sees_only_what_came_later(bc: CentralClient) -> None:
    old = bc.customer()
    bc.control.clock(10)
    new = bc.customer()
    since = old["lastModifiedDateTime"]
    path = f"customers?$filter=lastModifiedDateTime gt {since}&$orderby=lastModifiedDateTime"
    assert [c["id"] for c in bc.all_of(path)] == [new["id"]]
