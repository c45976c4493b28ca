"""The small tables: codes, duplicates, renaming, deletion."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from talk_pipeline_tests.sandbox.clients import CentralClient, refused

HEADERS = {"If-Match": "*"}
SETS = [
    "currencies",
    "countriesRegions",
    "paymentTerms",
    "paymentMethods",
    "shipmentMethods",
    "itemCategories",
    "unitsOfMeasure",
    "taxAreas",
    "taxGroups",
]


@pytest.mark.parametrize("set_name", SETS)
def test_the_life_of_a_reference(bc: CentralClient, set_name: str) -> None:
    record = bc.create(set_name, code=" gn1 ", displayName="Gnome")
    assert record["code"] == "GN1"
    assert record["lastModifiedDateTime"] > "2026"
    assert record["@odata.etag"]
    assert bc.get(f"{set_name}({record['id']})")["displayName"] == "Gnome"
    refused(bc.call("POST", set_name, {"code": "Gn1"}), 400, "Internal_EntityWithSameKeyExists")
    renamed = bc.update(f"{set_name}({record['id']})", code="GN2")
    assert (renamed["id"], renamed["code"]) == (record["id"], "GN2")
    bc.delete(f"{set_name}({record['id']})")
    refused(bc.call("GET", f"{set_name}({record['id']})"), 404)


@pytest.mark.parametrize("set_name", SETS)
@pytest.mark.parametrize("document", [{}, {"code": ""}, {"code": "  "}])
def test_a_code_there_must_be(bc: CentralClient, set_name: str, document: dict[str, str]) -> None:
    refused(bc.call("POST", set_name, document), 400, "BadRequest_RequiredParamNotProvided")


@pytest.mark.parametrize("set_name", SETS)
def test_the_company_has_some_from_the_start(bc: CentralClient, set_name: str) -> None:
    codes = [row["code"] for row in bc.all_of(set_name)]
    assert codes
    assert codes == sorted(codes)


@pytest.mark.parametrize(
    ("set_name", "name", "default"),
    [
        ("currencies", "amountDecimalPlaces", "2:2"),
        ("currencies", "amountRoundingPrecision", Decimal("0.01")),
        ("countriesRegions", "addressFormat", "City_x002B_Post_x0020_Code"),
        ("taxGroups", "taxType", "Sales_x0020_Tax"),
        ("paymentTerms", "dueDateCalculation", ""),
    ],
)
def test_defaults(bc: CentralClient, set_name: str, name: str, default: Any) -> None:
    assert bc.create(set_name, code="X")[name] == default


def test_tax_areas_and_groups_are_those_of_value_added_tax(bc: CentralClient) -> None:
    assert {row["taxType"] for row in bc.all_of("taxAreas") + bc.all_of("taxGroups")} == {"VAT"}


def test_a_renamed_code_is_carried_to_what_refers_to_it(bc: CentralClient) -> None:
    customer = bc.customer(country="DK", city="X", postalCode="1", currencyCode="EUR")
    item = bc.item(itemCategoryCode="CHAIRS")
    for set_name, old, new in (
        ("countriesRegions", "DK", "DKX"),
        ("currencies", "EUR", "EUX"),
        ("itemCategories", "CHAIRS", "SEATS"),
    ):
        key = bc.all_of(f"{set_name}?$filter=code eq '{old}'")[0]["id"]
        bc.update(f"{set_name}({key})", code=new)
    customer = bc.get(f"customers({customer['id']})")
    assert (customer["country"], customer["currencyCode"]) == ("DKX", "EUX")
    assert bc.get(f"items({item['id']})")["itemCategoryCode"] == "SEATS"


def test_a_unit_in_use_stays(bc: CentralClient) -> None:
    bc.item(baseUnitOfMeasureCode="BOX")
    key = bc.all_of("unitsOfMeasure?$filter=code eq 'BOX'")[0]["id"]
    refused(bc.call("DELETE", f"unitsOfMeasure({key})"), 400)
    unused = bc.all_of("unitsOfMeasure?$filter=code eq 'SET'")[0]["id"]
    bc.delete(f"unitsOfMeasure({unused})")


def test_a_category_with_children_stays(bc: CentralClient) -> None:
    parent = bc.all_of("itemCategories?$filter=code eq 'FURNITURE'")[0]["id"]
    refused(bc.call("DELETE", f"itemCategories({parent})"), 400)


@pytest.mark.parametrize("set_name", SETS)
def test_changes_need_a_tag_here_too(bc: CentralClient, set_name: str) -> None:
    record = bc.all_of(set_name)[0]
    path = f"{set_name}({record['id']})"
    refused(bc.call("PATCH", path, {"displayName": "X"}), 400, "BadRequest_InvalidToken")
    headers = {"If-Match": record["@odata.etag"]}
    assert bc.call("PATCH", path, {"displayName": "X"}, headers=headers).status_code == 200
    refused(bc.call("PATCH", path, {"displayName": "Y"}, headers=headers), 409, "Request_EntityChanged")
