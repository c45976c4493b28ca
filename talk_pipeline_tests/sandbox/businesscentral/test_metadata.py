"""$metadata: what it tells, and that it tells what the sets really show."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from talk_pipeline_tests.sandbox.clients import CentralClient, refused

EDM = "{http://docs.oasis-open.org/odata/ns/edm}"


@pytest.fixture
def document(bc: CentralClient) -> ET.Element:
    answer = bc.call("GET", "$metadata", root=True)
    assert answer.headers["content-type"].startswith("application/xml")
    return ET.fromstring(answer.content)


def entity(document: ET.Element, name: str) -> ET.Element:
    return next(kind for kind in document.iter(f"{EDM}EntityType") if kind.get("Name") == name)


def properties(document: ET.Element, name: str) -> dict[str, ET.Element]:
    return {str(entry.get("Name")): entry for entry in entity(document, name).findall(f"{EDM}Property")}


@pytest.mark.parametrize(
    ("kind", "name", "facets"),
    [
        ("customer", "id", {"Type": "Edm.Guid", "Nullable": "false"}),
        ("customer", "displayName", {"Type": "Edm.String", "Nullable": "false", "MaxLength": "100"}),
        ("customer", "taxRegistrationNumber", {"Type": "Edm.String"}),
        ("customer", "currencyCode", {"Type": "Edm.String"}),
        ("customer", "blocked", {"Type": "Microsoft.NAV.customerBlocked"}),
        ("customer", "lastModifiedDateTime", {"Type": "Edm.DateTimeOffset"}),
        ("item", "unitPrice", {"Type": "Edm.Decimal", "Scale": "Variable"}),
        ("salesOrder", "orderDate", {"Type": "Edm.Date"}),
        ("salesOrder", "customerNumber", {"Type": "Edm.String", "Nullable": "false", "MaxLength": "20"}),
        ("salesOrderLine", "sequence", {"Type": "Edm.Int32"}),
        ("salesInvoice", "orderId", {"Type": "Edm.Guid"}),
        ("subscriptions", "subscriptionId", {"Type": "Edm.String", "Nullable": "false", "MaxLength": "150"}),
    ],
)
def test_properties(document: ET.Element, kind: str, name: str, facets: dict[str, str]) -> None:
    assert dict(properties(document, kind)[name].attrib) == {"Name": name, **facets}


@pytest.mark.parametrize(
    ("name", "members"),
    [
        ("customerBlocked", {"_x0020_": "0", "Ship": "1", "Invoice": "2", "All": "3"}),
        ("itemType", {"Inventory": "0", "Service": "1", "Non_x002D_Inventory": "2"}),
        ("salesOrderEntityBufferStatus", {"Draft": "0", "In_x0020_Review": "1", "Open": "2"}),
    ],
)
def test_enums(document: ET.Element, name: str, members: dict[str, str]) -> None:
    enum = next(e for e in document.iter(f"{EDM}EnumType") if e.get("Name") == name)
    assert {m.get("Name"): m.get("Value") for m in enum} == members


def test_every_type_that_is_named_is_declared(document: ET.Element) -> None:
    declared = {
        f"Microsoft.NAV.{e.get('Name')}"
        for tag in ("EntityType", "EnumType")
        for e in document.iter(EDM + tag)
    }
    for tag in ("Property", "NavigationProperty", "Parameter"):
        for entry in document.iter(EDM + tag):
            named = str(entry.get("Type")).removeprefix("Collection(").removesuffix(")")
            assert named.startswith("Edm.") or named in declared, named
    for entry in document.iter(f"{EDM}EntitySet"):
        assert entry.get("EntityType") in declared


def test_companies_lead_to_their_sets(document: ET.Element) -> None:
    ways = {
        way.get("Name"): way.get("Type")
        for way in entity(document, "company").findall(f"{EDM}NavigationProperty")
    }
    assert ways["salesOrders"] == "Collection(Microsoft.NAV.salesOrder)"
    assert "subscriptions" not in ways


def test_the_bound_action(document: ET.Element) -> None:
    action = next(iter(document.iter(f"{EDM}Action")))
    assert (action.get("Name"), action.get("IsBound")) == ("shipAndInvoice", "true")
    assert action[0].get("Type") == "Microsoft.NAV.salesOrder"


@pytest.mark.parametrize(
    ("set_name", "term", "value"),
    [
        ("companies", "Insertable", "false"),
        ("customers", "Insertable", "true"),
        ("salesOrders", "Deletable", "true"),
        ("salesInvoices", "Updatable", "false"),
        ("items", "Supported", "false"),
    ],
)
def test_capabilities(document: ET.Element, set_name: str, term: str, value: str) -> None:
    entry = next(e for e in document.iter(f"{EDM}EntitySet") if e.get("Name") == set_name)
    values = {v.get("Property"): v.get("Bool") for v in entry.iter(f"{EDM}PropertyValue")}
    assert values[term] == value


@pytest.mark.parametrize(
    ("set_name", "kind"),
    [
        ("customers", "customer"),
        ("items", "item"),
        ("salesOrders", "salesOrder"),
        ("salesInvoices", "salesInvoice"),
        ("currencies", "currency"),
        ("companyInformation", "companyInformation"),
        ("accounts", "account"),
    ],
)
def test_records_show_just_what_is_declared(
    bc: CentralClient, document: ET.Element, set_name: str, kind: str
) -> None:
    order = bc.order_of()
    bc.call("POST", f"salesOrders({order['id']})/Microsoft.NAV.shipAndInvoice")
    bc.order_of()
    record = bc.all_of(set_name)[0]
    assert list(record)[1:] == list(properties(document, kind))


def test_it_is_read_only(bc: CentralClient) -> None:
    refused(bc.call("POST", "$metadata", {}, root=True), 405)
