"""Addresses: roots, companies, keys, and what is not there."""

from __future__ import annotations

import pytest

from talk_pipeline_tests.sandbox.clients import NOWHERE, CentralClient, read, refused


def test_companies_are_listed_without_entity_tags(bc: CentralClient) -> None:
    companies = read(bc.call("GET", "companies", root=True))["value"]
    assert len(companies) == 2
    assert len({company["id"] for company in companies}) == 2
    assert all("@odata.etag" not in company for company in companies)
    assert {"name", "displayName", "systemVersion", "businessProfileId"} <= set(companies[0])


def test_the_environments_company_is_one_of_them(bc: CentralClient) -> None:
    company = read(bc.call("GET", bc.company, root=True))
    assert company["id"] == bc.environment["BUSINESSCENTRAL_COMPANY_ID"]
    assert company["@odata.context"].endswith("$metadata#companies/$entity")


def test_companies_can_be_filtered_by_name(bc: CentralClient) -> None:
    found = read(bc.call("GET", "companies?$filter=name eq 'Nordwind Test'", root=True))["value"]
    assert [company["name"] for company in found] == ["Nordwind Test"]


def test_the_second_company_has_reference_data_and_nothing_else(bc: CentralClient) -> None:
    bc.customer()
    test = read(bc.call("GET", "companies(name='Nordwind Test')", root=True))["id"]
    assert read(bc.call("GET", f"companies({test})/customers", root=True))["value"] == []
    assert read(bc.call("GET", f"companies({test})/currencies", root=True))["value"]


@pytest.mark.parametrize("how", ["id", "name"])
def test_a_company_can_be_chosen_in_the_query(bc: CentralClient, how: str) -> None:
    bc.customer()
    wanted = {"id": bc.environment["BUSINESSCENTRAL_COMPANY_ID"], "name": "Nordwind Handel"}[how]
    assert len(read(bc.call("GET", f"customers?company={wanted}", root=True))["value"]) == 1


def test_without_a_company_a_set_cannot_be_read(bc: CentralClient) -> None:
    refused(bc.call("GET", "customers", root=True), 400)


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
def test_companies_cannot_be_written(bc: CentralClient, method: str) -> None:
    path = "companies" if method == "POST" else bc.company
    answer = bc.call(method, path, {"name": "X"}, root=True, headers={"If-Match": "*"})
    refused(answer, 405, "BadRequest_MethodNotAllowed")


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("companies(" + NOWHERE + ")/customers", 404, "Internal_CompanyNotFound"),
        ("companies(name='Nobody')", 404, "Internal_CompanyNotFound"),
        ("companies(nonsense)/customers", 400, "BadRequest_NotFound"),
        ("{company}/gnomes", 404, "BadRequest_ResourceNotFound"),
        ("{company}/Customers", 404, "BadRequest_ResourceNotFound"),
        ("gnomes", 404, "BadRequest_ResourceNotFound"),
        ("{company}/customers(" + NOWHERE + ")", 404, "BadRequest_ResourceNotFound"),
        ("{company}/customers(nonsense)", 400, "BadRequest_NotFound"),
        ("{company}/customers('" + NOWHERE + "')", 400, "BadRequest_NotFound"),
        ("{company}/customers({" + NOWHERE + "})", 400, "BadRequest_NotFound"),
        ("{company}/cust!omers", 400, "BadRequest_InvalidRequestUrl"),
        ("{company}/companies", 404, "BadRequest_ResourceNotFound"),
    ],
)
def test_what_is_not_there(bc: CentralClient, path: str, status: int, code: str) -> None:
    refused(bc.call("GET", path.replace("{company}", bc.company), root=True), status, code)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PATCH", "customers"),
        ("DELETE", "customers"),
        ("PUT", "customers"),
        ("POST", "companyInformation"),
        ("POST", "salesInvoices"),
        ("POST", "salesShipments"),
    ],
)
def test_methods_a_set_does_not_take(bc: CentralClient, method: str, path: str) -> None:
    refused(bc.call(method, path, {}, headers={"If-Match": "*"}), 405, "BadRequest_MethodNotAllowed")


def test_a_record_takes_no_put_and_no_post(bc: CentralClient) -> None:
    customer = bc.customer()
    for method in ("PUT", "POST"):
        answer = bc.call(method, f"customers({customer['id']})", {"displayName": "X"})
        refused(answer, 405, "BadRequest_MethodNotAllowed")


def test_keys_may_be_upper_case(bc: CentralClient) -> None:
    customer = bc.customer()
    assert bc.get(f"customers({customer['id'].upper()})")["id"] == customer["id"]


@pytest.mark.parametrize("shape", ["/v2.0/Sandbox/api/v2.0", "/BC/api/v2.0"])
def test_other_shapes_of_the_root_work_too(bc: CentralClient, shape: str) -> None:
    origin = bc.root.split("/v2.0/")[0]
    answer = bc.call("GET", f"{origin}{shape}/companies")
    assert answer.status_code == 200
    assert f"{shape}/$metadata#companies" in read(answer)["@odata.context"]


@pytest.mark.parametrize("shape", ["/v2.0/" + NOWHERE + "/Sandbox/api/v2.0", "/v2.0/Production/api/v2.0", ""])
def test_other_tenants_and_environments_are_not_here(bc: CentralClient, shape: str) -> None:
    origin = bc.root.split("/v2.0/")[0]
    assert bc.call("GET", f"{origin}{shape}/companies").status_code == 404


def test_the_service_document_lists_the_sets(bc: CentralClient) -> None:
    names = {entry["name"] for entry in read(bc.call("GET", "", root=True))["value"]}
    assert {"companies", "customers", "items", "salesOrders", "salesInvoices"} <= names


@pytest.mark.parametrize("code", ["BadRequest_ResourceNotFound", "Internal_RecordNotFound"])
def test_the_code_for_a_missing_record_is_a_setting(bc: CentralClient, code: str) -> None:
    bc.control.settings(missing_record_code=code)
    refused(bc.call("GET", f"items({NOWHERE})"), 404, code)


def test_a_record_lies_also_under_its_parent(bc: CentralClient) -> None:
    order = bc.order_of()
    line = bc.lines(order)[0]
    assert bc.get(f"salesOrders({order['id']})/salesOrderLines({line['id']})")["id"] == line["id"]
    other = bc.order_of()
    refused(bc.call("GET", f"salesOrders({other['id']})/salesOrderLines({line['id']})"), 404)


def test_a_single_navigation_leads_to_the_record(bc: CentralClient) -> None:
    order = bc.order_of()
    customer = bc.get(f"salesOrders({order['id']})/customer")
    assert customer["id"] == order["customerId"]
    refused(bc.call("GET", f"salesOrders({order['id']})/currency"), 404)
