"""Reading collections: pages, order, selection, expansion, counts."""

from __future__ import annotations

import pytest

from talk_pipeline_tests.sandbox.clients import CentralClient, read, refused


@pytest.fixture
def five(bc: CentralClient) -> CentralClient:
    """Five customers, created in another order than that of their numbers."""
    for number, name in (("C3", "Gamma"), ("C1", "Alfa"), ("C5", "Epsilon"), ("C2", "Beta"), ("C4", "Delta")):
        bc.customer(number=number, displayName=name, creditLimit=int(number[1]) % 3)
    return bc


def numbers(page: dict[str, list[dict[str, str]]]) -> list[str]:
    return [customer["number"] for customer in page["value"]]


def test_an_empty_collection_is_an_empty_list(bc: CentralClient) -> None:
    page = bc.get("customers")
    assert page["value"] == []
    assert "@odata.nextLink" not in page
    assert page["@odata.context"].endswith(f"$metadata#{bc.company}/customers")


def test_without_an_order_it_is_that_of_the_numbers(five: CentralClient) -> None:
    assert numbers(five.get("customers")) == ["C1", "C2", "C3", "C4", "C5"]


@pytest.mark.parametrize(
    ("orderby", "expected"),
    [
        ("displayName", ["C1", "C2", "C4", "C5", "C3"]),
        ("displayName desc", ["C3", "C5", "C4", "C2", "C1"]),
        ("displayName asc", ["C1", "C2", "C4", "C5", "C3"]),
        ("lastModifiedDateTime", ["C3", "C1", "C5", "C2", "C4"]),
        ("creditLimit desc,number desc", ["C5", "C2", "C4", "C1", "C3"]),
    ],
)
def test_orderby(five: CentralClient, orderby: str, expected: list[str]) -> None:
    found = numbers(five.get(f"customers?$orderby={orderby}"))
    if orderby == "lastModifiedDateTime":  # times may be equal to the millisecond
        times = [c["lastModifiedDateTime"] for c in five.get(f"customers?$orderby={orderby}")["value"]]
        assert sorted(found) == sorted(expected)
        assert len(times) == 5
    else:
        assert found == expected


@pytest.mark.parametrize(
    "path",
    [
        "customers?$orderby=gnome",
        "customers?$orderby=number sideways",
        "customers?$select=gnome",
        "customers?$top=x",
        "customers?$top=-1",
        "customers?$skip=x",
        "customers?$expand=gnome",
        "customers?$expand=currency(",
        "customers?$count=x",
        "customers?$skiptoken=nonsense",
        "customers?$expand=currency($select)",
        "customers?$expand=currency($select=gnome)",
    ],
)
def test_options_that_make_no_sense(five: CentralClient, path: str) -> None:
    refused(five.call("GET", path), 400, "BadRequest_NotFound")


@pytest.mark.parametrize("option", ["$search=x", "$apply=aggregate(x)", "$compute=x"])
def test_options_the_service_does_not_have(five: CentralClient, option: str) -> None:
    refused(five.call("GET", f"customers?{option}"), 501, "BadRequest_MethodNotImplemented")


def test_options_without_a_dollar_sign_are_passed_over(five: CentralClient) -> None:
    assert len(five.get("customers?tenant=default&colour=blue")["value"]) == 5


def test_top_and_skip(five: CentralClient) -> None:
    assert numbers(five.get("customers?$top=2")) == ["C1", "C2"]
    assert numbers(five.get("customers?$skip=3")) == ["C4", "C5"]
    assert numbers(five.get("customers?$skip=1&$top=2")) == ["C2", "C3"]
    assert five.get("customers?$top=0")["value"] == []
    assert "@odata.nextLink" not in five.get("customers?$top=2")


def test_a_preferred_page_size_gives_pages_with_links(five: CentralClient) -> None:
    sizes, path, seen = [], "customers", []
    while path:
        answer = five.call("GET", path, headers={"Prefer": "odata.maxpagesize=2"})
        assert answer.headers["preference-applied"] == "odata.maxpagesize=2"
        page = read(answer)
        sizes.append(len(page["value"]))
        seen += numbers(page)
        path = page.get("@odata.nextLink", "")
    assert sizes == [2, 2, 1]
    assert seen == ["C1", "C2", "C3", "C4", "C5"]


def test_a_full_last_page_has_no_link(five: CentralClient) -> None:
    page = read(five.call("GET", "customers", headers={"Prefer": "maxpagesize=5"}))
    assert len(page["value"]) == 5
    assert "@odata.nextLink" not in page


def test_the_link_keeps_the_other_options(five: CentralClient) -> None:
    path = "customers?$filter=number ne 'C1'&$select=number&$orderby=number desc&$top=3"
    page = read(five.call("GET", path, headers={"Prefer": "odata.maxpagesize=2"}))
    assert numbers(page) == ["C5", "C4"]
    rest = five.get(page["@odata.nextLink"])
    assert numbers(rest) == ["C3"]
    assert set(rest["value"][0]) == {"@odata.etag", "number"}
    assert "@odata.nextLink" not in rest


def test_the_preference_is_not_remembered_unless_the_settings_say_so(five: CentralClient) -> None:
    page = read(five.call("GET", "customers", headers={"Prefer": "odata.maxpagesize=2"}))
    assert len(five.get(page["@odata.nextLink"])["value"]) == 3
    five.control.settings(next_link_keeps_page_size=True)
    page = read(five.call("GET", "customers", headers={"Prefer": "odata.maxpagesize=2"}))
    assert len(five.get(page["@odata.nextLink"])["value"]) == 2


@pytest.mark.parametrize("form", ["skiptoken", "skip"])
@pytest.mark.parametrize("query", ["", "?$orderby=displayName desc", "?$filter=creditLimit ge 0&$top=4"])
def test_both_forms_of_the_link_lead_through_all_pages(five: CentralClient, form: str, query: str) -> None:
    five.control.settings(next_link=form)
    five.control.limits(page_size=2)
    whole = five.all_of(f"customers{query}")
    assert len(whole) == (4 if "top" in query else 5)
    assert len({customer["id"] for customer in whole}) == len(whole)
    assert f"${form}=" in five.get(f"customers{query}")["@odata.nextLink"]


def test_a_page_goes_on_behind_a_record_that_is_gone(five: CentralClient) -> None:
    page = read(five.call("GET", "customers", headers={"Prefer": "odata.maxpagesize=2"}))
    five.delete(f"customers({page['value'][1]['id']})")
    assert numbers(five.get(page["@odata.nextLink"])) == ["C3", "C4", "C5"]


def test_the_servers_page_size_cannot_be_exceeded(five: CentralClient) -> None:
    five.control.limits(page_size=3)
    page = read(five.call("GET", "customers", headers={"Prefer": "odata.maxpagesize=100"}))
    assert len(page["value"]) == 3
    five.control.settings(oversized_page="refused")
    refused(five.call("GET", "customers", headers={"Prefer": "odata.maxpagesize=100"}), 413)
    refused(five.call("GET", "customers?$top=100"), 413)
    assert len(five.get("customers")["value"]) == 3


def test_select_gives_what_is_asked_and_the_tag(five: CentralClient) -> None:
    page = five.get("customers?$select=number,displayName")
    assert all(set(customer) == {"@odata.etag", "number", "displayName"} for customer in page["value"])
    assert page["@odata.context"].endswith("customers(number,displayName)")


def test_select_on_one_record(five: CentralClient) -> None:
    key = five.get("customers?$select=id&$top=1")["value"][0]["id"]
    record = five.get(f"customers({key})?$select=displayName")
    assert set(record) == {"@odata.context", "@odata.etag", "displayName"}
    assert record["@odata.context"].endswith("customers(displayName)/$entity")


def test_select_and_expand_shape_the_answers_to_writes(bc: CentralClient) -> None:
    created = bc.create(
        "customers?$select=id,displayName&$expand=currency", displayName="X", currencyCode="EUR"
    )
    assert set(created) == {"@odata.context", "@odata.etag", "id", "displayName", "currency"}
    assert created["currency"]["code"] == "EUR"
    changed = bc.update(f"customers({created['id']})?$select=displayName", displayName="Y")
    assert set(changed) == {"@odata.context", "@odata.etag", "displayName"}


def test_expanding_one_and_many(bc: CentralClient) -> None:
    item = bc.item()
    order = bc.order(
        {"itemId": item["id"], "quantity": 1}, {"itemId": item["id"], "quantity": 2}, currencyCode="EUR"
    )
    found = bc.get(f"salesOrders({order['id']})?$expand=salesOrderLines,customer,currency")
    assert [line["quantity"] for line in found["salesOrderLines"]] == [1, 2]
    assert found["customer"]["id"] == order["customerId"]
    assert found["currency"]["code"] == "EUR"


def test_expansions_take_options_and_nest(bc: CentralClient) -> None:
    item = bc.item(displayName="Barstol")
    bc.order({"itemId": item["id"], "quantity": 1}, {"lineType": "Comment", "description": "Hej"})
    inner = "$select=sequence,description;$expand=item($select=displayName);$orderby=sequence desc"
    expand = f"salesOrderLines({inner})"
    lines = bc.get(f"salesOrders?$expand={expand}")["value"][0]["salesOrderLines"]
    assert [line["sequence"] for line in lines] == [20000, 10000]
    assert set(lines[1]) == {"@odata.etag", "sequence", "description", "item"}
    assert lines[0]["item"] is None
    assert lines[1]["item"]["displayName"] == "Barstol"
    filtered = bc.get("salesOrders?$expand=salesOrderLines($filter=lineType eq 'Item';$top=5)")["value"][0]
    assert len(filtered["salesOrderLines"]) == 1


def test_an_expansion_that_refers_to_nothing_is_null(bc: CentralClient) -> None:
    customer = bc.customer()
    names = "currency,paymentTerm,shipmentMethod,paymentMethod"
    found = bc.get(f"customers({customer['id']})?$expand={names}")
    assert [found[name] for name in names.split(",")] == [None] * 4


@pytest.mark.parametrize(
    ("set_name", "names"),
    [
        ("customers", "customerFinancialDetail,defaultDimensions,contactsInformation,picture"),
        (
            "items",
            "itemCategory,unitOfMeasure,inventoryPostingGroup,generalProductPostingGroup,itemVariants,"
            "defaultDimensions,picture",
        ),
        (
            "salesOrders",
            "salesOrderLines,customer,currency,paymentTerm,shipmentMethod,dimensionSetLines,attachments",
        ),
    ],
)
def test_all_documented_expansions_are_known(bc: CentralClient, set_name: str, names: str) -> None:
    bc.order_of()
    record = bc.get(f"{set_name}?$expand={names}")["value"][0]
    assert set(names.split(",")) <= set(record)


def test_the_plural_of_a_single_expansion_is_not_known(bc: CentralClient) -> None:
    refused(bc.call("GET", "customers?$expand=customerFinancialDetails"), 400, "BadRequest_NotFound")


def test_counts(five: CentralClient) -> None:
    page = five.get("customers?$count=true&$top=2")
    assert page["@odata.count"] == 5
    assert len(page["value"]) == 2
    assert five.get("customers?$count=true&$filter=creditLimit eq 0")["@odata.count"] == 1
    answer = five.call("GET", "customers/$count")
    assert (answer.text, answer.headers["content-type"].split(";")[0]) == ("5", "text/plain")


def test_counts_may_be_ignored_or_refused(five: CentralClient) -> None:
    five.control.settings(count="ignored")
    assert "@odata.count" not in five.get("customers?$count=true")
    five.control.settings(count="refused")
    refused(five.call("GET", "customers?$count=true"), 501)
    refused(five.call("GET", "customers/$count"), 404)


def test_a_read_only_read_may_be_behind(bc: CentralClient) -> None:
    old, gone = bc.customer(number="OLD"), bc.customer(number="GONE")
    bc.control.settings(replica_lag=60)
    bc.update(f"customers({old['id']})", city="Rungholt")
    bc.delete(f"customers({gone['id']})")
    new = bc.customer(number="NEW")
    intent = {"Data-Access-Intent": "ReadOnly"}
    assert numbers(bc.get("customers")) == ["NEW", "OLD"]
    behind = bc.get("customers", **intent)
    assert numbers(behind) == ["GONE", "OLD"]
    assert behind["value"][1] == {name: value for name, value in old.items() if name != "@odata.context"}
    assert numbers(bc.get("customers?$filter=number eq 'NEW'", **intent)) == []
    assert bc.get(f"customers({old['id']})", **intent)["city"] == ""
    refused(bc.call("GET", f"customers({new['id']})", headers=intent), 404)
    bc.control.clock(61)
    assert numbers(bc.get("customers", **intent)) == ["NEW", "OLD"]


def test_reading_with_the_intent_to_read_only(five: CentralClient) -> None:
    headers = {"Data-Access-Intent": "ReadOnly"}
    assert five.call("GET", "customers", headers=headers).status_code == 200
    refused(five.call("POST", "customers", {"displayName": "X"}, headers=headers), 400)
