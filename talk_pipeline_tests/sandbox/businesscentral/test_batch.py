"""$batch: order, failures, one transaction, limits."""

from __future__ import annotations

import json
from typing import Any

import pytest

from talk_pipeline_tests.sandbox.clients import NOWHERE, CentralClient, Record, read, refused

CARRY_ON = {"Prefer": "odata.continue-on-error"}
SNAPSHOT = {"Isolation": "snapshot"}
JSON = {"Content-Type": "application/json"}


def create(bc: CentralClient, key: str, **values: Any) -> Record:
    body = {"displayName": f"Kunde {key}", **values}
    return {"id": key, "method": "POST", "url": f"{bc.company}/customers", "headers": JSON, "body": body}


def bad(bc: CentralClient, key: str) -> Record:
    return create(bc, key, displayName="")


def answers(bc: CentralClient, *requests: Record, headers: Record | None = None) -> list[Record]:
    response = bc.batch(*requests, headers=headers)
    assert response.status_code == 200, response.text
    return list(read(response)["responses"])


def outcome(found: list[Record]) -> list[tuple[str, int]]:
    return [(answer["id"], answer["status"]) for answer in found]


def test_each_part_has_its_answer(bc: CentralClient) -> None:
    customer = bc.customer()
    path = f"{bc.company}/customers({customer['id']})"
    found = answers(
        bc,
        create(bc, "1"),
        {"id": "2", "method": "GET", "url": f"{path}?$select=number"},
        {
            "id": "3",
            "method": "PATCH",
            "url": path,
            "headers": {**JSON, "If-Match": "*"},
            "body": {"city": "X"},
        },
        {"id": "4", "method": "DELETE", "url": path, "headers": {"If-Match": "*"}},
    )
    assert outcome(found) == [("1", 201), ("2", 200), ("3", 200), ("4", 204)]
    assert found[0]["body"]["displayName"] == "Kunde 1"
    assert found[0]["headers"]["Location"].endswith(f"customers({found[0]['body']['id']})")
    assert found[1]["body"]["number"] == customer["number"]
    assert "body" not in found[3]


def test_parts_run_one_after_the_other(bc: CentralClient) -> None:
    found = answers(
        bc,
        {"id": "a", "method": "GET", "url": f"{bc.company}/customers"},
        create(bc, "b"),
        {"id": "c", "method": "GET", "url": f"{bc.company}/customers"},
    )
    assert [len(found[n]["body"]["value"]) for n in (0, 2)] == [0, 1]


def test_it_stops_at_the_first_failure(bc: CentralClient) -> None:
    found = answers(bc, create(bc, "1"), bad(bc, "2"), create(bc, "3"))
    assert outcome(found) == [("1", 201), ("2", 400)]
    assert found[1]["body"]["error"]["code"] == "Application_DialogException"
    assert [c["displayName"] for c in bc.all_of("customers")] == ["Kunde 1"]


def test_it_may_carry_on(bc: CentralClient) -> None:
    found = answers(bc, create(bc, "1"), bad(bc, "2"), create(bc, "3"), headers=CARRY_ON)
    assert outcome(found) == [("1", 201), ("2", 400), ("3", 201)]
    assert len(bc.all_of("customers")) == 2


@pytest.mark.parametrize(
    ("prefer", "count"),
    [
        ("odata.continue-on-error=true", 3),
        ("continue-on-error", 3),
        ("odata.continue-on-error=false", 2),
        ("x", 2),
    ],
)
def test_spellings_of_carrying_on(bc: CentralClient, prefer: str, count: int) -> None:
    found = answers(bc, create(bc, "1"), bad(bc, "2"), create(bc, "3"), headers={"Prefer": prefer})
    assert len(found) == count


def test_a_snapshot_is_all_or_nothing(bc: CentralClient) -> None:
    assert outcome(answers(bc, create(bc, "1"), create(bc, "2"), headers=SNAPSHOT)) == [
        ("1", 201),
        ("2", 201),
    ]
    assert len(bc.all_of("customers")) == 2
    found = answers(bc, create(bc, "3"), bad(bc, "4"), create(bc, "5"), headers=SNAPSHOT)
    assert outcome(found) == [("3", 201), ("4", 400)]
    assert len(bc.all_of("customers")) == 2
    refused(bc.call("GET", f"customers({found[0]['body']['id']})"), 404)


def test_a_snapshot_that_carries_on_is_undone_as_a_whole(bc: CentralClient) -> None:
    found = answers(bc, create(bc, "1"), bad(bc, "2"), create(bc, "3"), headers={**SNAPSHOT, **CARRY_ON})
    assert outcome(found) == [("1", 201), ("2", 400), ("3", 201)]
    assert bc.all_of("customers") == []


def test_a_snapshot_undoes_changes_and_deletions_too(bc: CentralClient) -> None:
    customer, other = bc.customer(), bc.customer()
    answers(
        bc,
        {
            "id": "1",
            "method": "PATCH",
            "url": f"{bc.company}/customers({customer['id']})",
            "headers": {**JSON, "If-Match": "*"},
            "body": {"city": "X"},
        },
        {"id": "2", "method": "DELETE", "url": f"{bc.company}/customers({other['id']})"},
        bad(bc, "3"),
        headers=SNAPSHOT,
    )
    assert bc.get(f"customers({customer['id']})")["@odata.etag"] == customer["@odata.etag"]
    assert bc.get(f"customers({other['id']})")["@odata.etag"] == other["@odata.etag"]


@pytest.mark.parametrize(("leaks", "left"), [(False, 1), (True, 2)])
def test_a_duplicate_key_may_leak(bc: CentralClient, leaks: bool, left: int) -> None:
    bc.control.settings(snapshot_leaks=leaks)
    bc.customer(number="K1")
    answers(bc, create(bc, "1"), create(bc, "2", number="K1"), headers=SNAPSHOT)
    assert len(bc.all_of("customers")) == left


def test_a_hundred_and_no_more(bc: CentralClient) -> None:
    assert len(answers(bc, *(create(bc, str(n)) for n in range(100)))) == 100
    refused(bc.batch(*(create(bc, str(n)) for n in range(101))), 500, "Unknown")
    assert len(bc.all_of("customers")) == 100


def test_an_id_that_is_not_sent_is_null(bc: CentralClient) -> None:
    request = {k: v for k, v in create(bc, "1").items() if k != "id"}
    assert answers(bc, request)[0]["id"] is None


@pytest.mark.parametrize("style", ["header", "root", "slash"])
def test_where_a_part_goes(bc: CentralClient, style: str) -> None:
    request = create(bc, "1")
    if style == "header":
        request |= {"url": "customers", "headers": {**JSON, "Company": "Nordwind Handel"}}
    elif style == "root":
        request["url"] = f"{bc.root}/{request['url']}"
    else:
        request["url"] = f"/{request['url']}"
    assert outcome(answers(bc, request)) == [("1", 201)]
    assert len(bc.all_of("customers")) == 1


def test_parts_have_preferences_and_tags_of_their_own(bc: CentralClient) -> None:
    customer = bc.customer()
    stale = customer["@odata.etag"]
    bc.update(f"customers({customer['id']})", city="X")
    path = f"{bc.company}/customers({customer['id']})"
    quiet = create(bc, "1") | {"headers": {**JSON, "Prefer": "return-no-content"}}
    change = {"method": "PATCH", "url": path, "body": {"city": "Y"}}
    found = answers(
        bc,
        quiet,
        {"id": "2", **change, "headers": {**JSON, "If-Match": stale}},
        {"id": "3", **change, "headers": JSON},
        headers=CARRY_ON,
    )
    assert outcome(found) == [("1", 204), ("2", 409), ("3", 400)]
    assert found[2]["body"]["error"]["code"] == "BadRequest_InvalidToken"


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"requests": "X"},
        {"requests": [7]},
        {"requests": [{"method": "GET"}]},
        {"requests": [{"url": "x"}]},
    ],
)
def test_a_batch_that_is_none(bc: CentralClient, document: Record) -> None:
    refused(bc.call("POST", "$batch", document, root=True), 400, "BadRequest")


def test_an_empty_batch_is_fine(bc: CentralClient) -> None:
    assert answers(bc) == []


def test_a_batch_is_posted_as_json(bc: CentralClient) -> None:
    refused(bc.call("GET", "$batch", root=True), 405)
    headers = {"Content-Type": "multipart/mixed; boundary=x"}
    refused(bc.call("POST", "$batch", content=b"--x--", root=True, headers=headers), 415)


@pytest.mark.parametrize("url", ["$batch", "subscriptions"])
def test_what_cannot_be_a_part(bc: CentralClient, url: str) -> None:
    assert outcome(answers(bc, {"id": "1", "method": "POST", "url": url, "body": {}})) == [("1", 501)]


def test_dependencies_are_ignored_unless_refused(bc: CentralClient) -> None:
    request = create(bc, "2") | {"dependsOn": ["1"], "atomicityGroup": "g"}
    assert outcome(answers(bc, bad(bc, "1"), request, headers=CARRY_ON)) == [("1", 400), ("2", 201)]
    bc.control.settings(batch_dependencies="refused")
    assert outcome(answers(bc, request)) == [("2", 501)]


def test_a_page_inside_a_batch_has_a_link_that_works(bc: CentralClient) -> None:
    for _ in range(3):
        bc.customer()
    headers = {"Prefer": "odata.maxpagesize=2"}
    part = {"id": "1", "method": "GET", "url": f"{bc.company}/customers", "headers": headers}
    page = answers(bc, part)[0]["body"]
    assert len(page["value"]) == 2
    assert len(bc.get(page["@odata.nextLink"])["value"]) == 1


def test_deep_inserts_and_actions_inside_a_batch(bc: CentralClient) -> None:
    item, customer = bc.item(), bc.customer()
    body = {"customerId": customer["id"], "salesOrderLines": [{"itemId": item["id"], "quantity": 1}]}
    found = answers(
        bc, {"id": "1", "method": "POST", "url": f"{bc.company}/salesOrders", "headers": JSON, "body": body}
    )
    key = found[0]["body"]["id"]
    action = f"{bc.company}/salesOrders({key})/Microsoft.NAV.shipAndInvoice"
    assert outcome(answers(bc, {"id": "2", "method": "POST", "url": action})) == [("2", 204)]
    assert len(bc.all_of("salesInvoices")) == 1


def test_a_missing_record_in_a_part(bc: CentralClient) -> None:
    found = answers(bc, {"id": "1", "method": "GET", "url": f"{bc.company}/customers({NOWHERE})"})
    assert found[0]["body"]["error"]["code"] == "BadRequest_ResourceNotFound"


def test_numbers_of_parts_keep_every_digit(bc: CentralClient) -> None:
    part = {
        "id": "1",
        "method": "POST",
        "url": f"{bc.company}/items",
        "headers": JSON,
        "body": {"unitPrice": 0},
    }
    text = json.dumps({"requests": [part]}).replace('"unitPrice": 0', '"unitPrice": 1234567890123.45678')
    answer = bc.call("POST", "$batch", content=text.encode(), root=True, headers=JSON)
    assert '"unitPrice":1234567890123.45678' in answer.text
