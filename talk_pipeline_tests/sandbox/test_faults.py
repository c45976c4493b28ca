"""The switchboard: each fault, what it matches, and what is left of the work."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest

from talk_pipeline_tests.sandbox.clients import CentralClient, Record, ShopClient, read, refused

LOST = (httpx.RemoteProtocolError, httpx.ReadError)


def create(bc: CentralClient) -> httpx.Response:
    return bc.call("POST", "customers", {"displayName": "X"})


@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 409, 412, 429, 500, 501, 502, 503, 504])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_status_before_or_after_the_work(bc: CentralClient, status: int, when: str) -> None:
    bc.control.fault({"status": status, "when": when}, method="POST", path="customers")
    assert create(bc).status_code == status
    assert len(bc.all_of("customers")) == (1 if when == "after" else 0)
    assert create(bc).status_code == 201


@pytest.mark.parametrize(
    ("status", "kind"),
    [(409, "application/json"), (429, "application/json"), (502, "text/html"), (503, "text/html")],
)
def test_the_body_is_the_services_own_unless_given(bc: CentralClient, status: int, kind: str) -> None:
    bc.control.fault({"status": status})
    answer = bc.call("GET", "customers")
    assert answer.headers["content-type"].startswith(kind)
    if kind == "application/json":
        refused(answer, status)
    bc.control.fault({"status": status, "body": "<p>no</p>", "content_type": "text/plain"})
    answer = bc.call("GET", "customers")
    assert (answer.text, answer.headers["content-type"]) == ("<p>no</p>", "text/plain")
    bc.control.fault({"status": 200, "body": {"value": []}, "content_type": "application/json"})
    assert read(bc.call("GET", "currencies"))["value"] == []


def test_a_share_of_the_calls(bc: CentralClient) -> None:
    bc.control("POST", "/faults", [{"fault": {"status": 503}, "times": None, "share": 0.4}])
    answers = [bc.call("GET", "currencies").status_code for _ in range(60)]
    assert 12 <= answers.count(503) <= 36
    assert answers.count(200) == 60 - answers.count(503)


@pytest.mark.parametrize("wait", [3, "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_retry_after(bc: CentralClient, wait: Any) -> None:
    bc.control.fault({"status": 503, "retry_after": wait})
    assert bc.call("GET", "customers").headers["retry-after"] == str(wait)


@pytest.mark.parametrize(("when", "left"), [("before", 0), ("after", 1)])
def test_a_connection_that_is_dropped(bc: CentralClient, when: str, left: int) -> None:
    bc.control.fault({"drop": when}, method="POST")
    with pytest.raises(LOST):
        create(bc)
    assert len(bc.all_of("customers")) == left
    assert bc.control.requests()["writes"].get("customers", {}).get("create", 0) == left


def test_a_body_that_is_cut(bc: CentralClient) -> None:
    bc.control.fault({"truncate": True}, method="POST")
    with pytest.raises(LOST):
        create(bc)
    assert len(bc.all_of("customers")) == 1


def test_a_delay_and_a_drip(bc: CentralClient) -> None:
    for fault in ({"delay": 0.3}, {"drip": 0.3}):
        bc.control.fault(fault)
        start = time.monotonic()
        assert bc.get("customers")["value"] == []
        assert time.monotonic() - start >= 0.29


def test_a_content_type_alone(bc: CentralClient) -> None:
    bc.control.fault({"content_type": "text/html"})
    answer = bc.call("GET", "customers")
    assert answer.headers["content-type"] == "text/html"
    assert read(answer)["value"] == []


def test_a_page_served_again(bc: CentralClient) -> None:
    for number in range(4):
        bc.customer(number=f"C{number}")
    headers = {"Prefer": "odata.maxpagesize=2"}
    first = read(bc.call("GET", "customers", headers=headers))
    bc.control.fault({"stale_page": True}, path="customers")
    again = read(bc.call("GET", first["@odata.nextLink"], headers=headers))
    assert again == first
    last = read(bc.call("GET", again["@odata.nextLink"], headers=headers))
    assert [c["number"] for c in last["value"]] == ["C2", "C3"]


def test_a_page_as_it_was(bc: CentralClient) -> None:
    bc.customer()
    old = bc.get("customers")
    bc.customer()
    bc.control.fault({"stale_page": "same"}, path="customers")
    assert bc.get("customers") == old
    assert len(bc.get("customers")["value"]) == 2


def test_a_token_that_expires(bc: CentralClient) -> None:
    bc.control.fault({"expired_token": True}, method="POST")
    refused(create(bc), 401, "Authentication_InvalidCredentials")
    assert bc.call("GET", "customers").status_code == 401
    bc.new_token()
    assert create(bc).status_code == 201


@pytest.mark.parametrize(
    ("match", "hit"),
    [
        ({}, True),
        ({"method": "get"}, True),
        ({"method": "PATCH"}, False),
        ({"path": "customers"}, True),
        ({"path": "items"}, False),
        ({"path": "*/customers"}, True),
        ({"path": "/companies({id})/customers"}, True),
        ({"path": "/companies\\(.*\\)/customers$"}, True),
        ({"method": "GET", "path": "salesOrders"}, False),
    ],
)
def test_what_a_rule_matches(bc: CentralClient, match: Record, hit: bool) -> None:
    bc.control.fault({"status": 418}, **match)
    assert bc.call("GET", "customers").status_code == (418 if hit else 200)


def test_the_nth_and_how_often(bc: CentralClient) -> None:
    bc.control.fault({"status": 500}, times=2, path="customers", nth=2)
    assert [bc.call("GET", "customers").status_code for _ in range(4)] == [200, 500, 500, 200]
    bc.control("DELETE", "/faults")
    bc.control.fault({"status": 500}, times=None, nth=2)
    assert [bc.call("GET", "customers").status_code for _ in range(4)] == [200, 500, 500, 500]


def test_rules_are_tried_in_turn(bc: CentralClient) -> None:
    bc.control.fault({"status": 500}, path="customers")
    bc.control.fault({"status": 503}, times=2)
    assert [bc.call("GET", "customers").status_code for _ in range(4)] == [500, 503, 503, 200]


def test_rules_can_be_listed_and_dropped(bc: CentralClient) -> None:
    bc.control.fault({"status": 500}, path="customers", nth=3)
    bc.call("GET", "customers")
    rule = bc.control("GET", "/faults")["faults"][0]
    assert (rule["path"], rule["nth"], rule["matched"]) == ("customers", 3, 1)
    assert bc.control("DELETE", "/faults")["faults"] == []


@pytest.mark.parametrize(
    "rule",
    [
        {},
        {"fault": {}},
        {"fault": {"gnome": 1}},
        {"fault": {"drop": "sometime"}},
        {"fault": {"status": 500, "when": "sometime"}},
        {"fault": {"stale_page": "old"}},
        {"fault": {"status": 500}, "times": 0},
        {"fault": {"status": 500}, "match": {"nth": 0}},
        {"fault": {"status": 500}, "match": {"gnome": 1}},
        {"fault": {"status": 500}, "gnome": 1},
        "nonsense",
    ],
)
def test_rules_that_make_no_sense(bc: CentralClient, rule: Any) -> None:
    assert bc.control.raw("POST", "/faults", [rule]).status_code == 400
    assert bc.control("GET", "/faults")["faults"] == []


def test_one_rule_may_come_without_a_list(bc: CentralClient) -> None:
    bc.control("POST", "/faults", {"fault": {"status": 500}})
    bc.control("POST", "/faults", {"faults": [{"fault": {"status": 502}}]})
    assert [bc.call("GET", "customers").status_code for _ in range(3)] == [500, 502, 200]


# -- parts of batches --------------------------------------------------------------------------------------------


def parts(bc: CentralClient, count: int = 3) -> list[Record]:
    headers = {"Content-Type": "application/json"}
    url = f"{bc.company}/customers"
    return [
        {"id": str(n), "method": "POST", "url": url, "headers": headers, "body": {"displayName": f"K{n}"}}
        for n in range(count)
    ]


def test_a_fault_hits_one_part(bc: CentralClient) -> None:
    bc.control.fault({"status": 503, "retry_after": 2}, path="customers", method="POST", nth=2)
    answer = bc.batch(*parts(bc), headers={"Prefer": "odata.continue-on-error"})
    found = read(answer)["responses"]
    assert [response["status"] for response in found] == [201, 503, 201]
    assert found[1]["headers"]["retry-after"] == "2"
    assert [c["displayName"] for c in bc.all_of("customers")] == ["K0", "K2"]


@pytest.mark.parametrize(("when", "left"), [("before", 1), ("after", 2)])
def test_a_connection_dropped_at_a_part(bc: CentralClient, when: str, left: int) -> None:
    bc.control.fault({"drop": when}, path="customers", method="POST", nth=2)
    with pytest.raises(LOST):
        bc.batch(*parts(bc))
    assert len(bc.all_of("customers")) == left
    assert bc.control.requests()["writes"]["customers"]["create"] == left


@pytest.mark.parametrize(("when", "left"), [("before", 0), ("after", 3)])
def test_a_snapshot_dropped_at_a_part_is_all_or_nothing(bc: CentralClient, when: str, left: int) -> None:
    bc.control.fault({"drop": when}, path="customers", method="POST", nth=2)
    with pytest.raises(LOST):
        bc.batch(*parts(bc), headers={"Isolation": "snapshot"})
    assert len(bc.all_of("customers")) == left


def test_a_part_that_takes_its_time(bc: CentralClient) -> None:
    bc.control.fault({"delay": 0.3}, path="customers", method="POST", nth=2)
    start = time.monotonic()
    assert len(read(bc.batch(*parts(bc)))["responses"]) == 3
    assert time.monotonic() - start >= 0.29


def test_a_fault_may_hit_the_batch_as_a_whole(bc: CentralClient) -> None:
    bc.control.fault({"drop": "after"}, path="$batch")
    with pytest.raises(LOST):
        bc.batch(*parts(bc))
    assert len(bc.all_of("customers")) == 3


# -- the shop ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [409, 412, 422, 429, 500, 503])
def test_the_shop_refuses_in_its_own_shape(shop: ShopClient, status: int) -> None:
    shop.control.fault({"status": status, "retry_after": 1})
    answer = shop.call("GET", "customers")
    assert answer.status_code == status
    assert set(read(answer)["error"]) == {"code", "message", "field"}
    assert answer.headers["retry-after"] == "1"


@pytest.mark.parametrize(("when", "left"), [("before", 0), ("after", 1)])
def test_the_shop_drops_connections_too(shop: ShopClient, when: str, left: int) -> None:
    shop.control.fault({"drop": when}, path="/customers/{id}", method="PATCH")
    made = shop.customer()
    with pytest.raises(LOST):
        shop.call("PATCH", f"customers/{made['id']}", {"phone": "7"})
    assert (shop.get(f"customers/{made['id']}")["phone"] == "7") is bool(left)


def test_the_shops_token_expires_once(shop: ShopClient) -> None:
    shop.control.fault({"expired_token": True})
    assert [shop.call("GET", "customers").status_code for _ in range(2)] == [401, 200]
