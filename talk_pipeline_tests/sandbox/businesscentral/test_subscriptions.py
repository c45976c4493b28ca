"""Change notifications: handshake, renewal, notices, receivers that fail."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from typing import Any

import pytest

from talk_pipeline_tests.sandbox.clients import CentralClient, Record, read, refused
from talk_pipeline_tests.sandbox.receiver import Receiver

HEADERS = {"If-Match": "*"}


def notices(receiver: Receiver, messages: int = 1) -> list[Record]:
    """The notices, once so many messages came."""
    return [notice for document in receiver.documents(messages) for notice in document["value"]]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    running = Receiver()
    yield running
    running.close()


@pytest.fixture
def fast(bc: CentralClient) -> CentralClient:
    """Notices without the wait."""
    bc.control.settings(webhook_delay=0.1, webhook_pace=0.0005)
    return bc


def subscribe(bc: CentralClient, receiver: Receiver, set_name: str = "customers", **values: Any) -> Record:
    resource = f"/api/v2.0/{bc.company}/{set_name}"
    document = {"notificationUrl": receiver.url, "resource": resource, "clientState": "secret", **values}
    answer = bc.call("POST", "subscriptions", document, root=True)
    assert answer.status_code == 201, answer.text
    return dict(read(answer))


def subscriptions(bc: CentralClient) -> list[Record]:
    return list(read(bc.call("GET", "subscriptions", root=True))["value"])


def test_a_subscription(bc: CentralClient, receiver: Receiver) -> None:
    made = subscribe(bc, receiver)
    assert receiver.handshakes == ["POST"]
    assert len(made["subscriptionId"]) == 32
    assert int(made["subscriptionId"], 16)
    assert made["clientState"] == "secret"
    lifetime = dt.datetime.fromisoformat(made["expirationDateTime"]) - dt.datetime.now(dt.UTC)
    assert dt.timedelta(days=2, hours=23) < lifetime <= dt.timedelta(days=3)
    path = f"subscriptions('{made['subscriptionId']}')"
    assert read(bc.call("GET", path, root=True))["resource"] == made["resource"]
    assert [one["subscriptionId"] for one in subscriptions(bc)] == [made["subscriptionId"]]


def test_the_handshake_may_be_a_get(bc: CentralClient, receiver: Receiver) -> None:
    bc.control.settings(webhook_handshake="GET")
    subscribe(bc, receiver)
    assert receiver.handshakes == ["GET"]


def test_a_receiver_that_does_not_answer_with_the_token(bc: CentralClient, receiver: Receiver) -> None:
    receiver.echo = False
    document = {"notificationUrl": receiver.url, "resource": f"api/v2.0/{bc.company}/customers"}
    refused(bc.call("POST", "subscriptions", document, root=True), 400)
    refused(
        bc.call("POST", "subscriptions", document | {"notificationUrl": "http://127.0.0.1:1/"}, root=True),
        400,
    )
    assert subscriptions(bc) == []


@pytest.mark.parametrize(
    "document",
    [
        {"resource": None},
        {"notificationUrl": None},
        {"resource": "/api/v2.0/customers"},
        {"set": "salesOrderLines"},
        {"set": "gnomes"},
        {"set": "salesShipments"},
        {"notificationUrl": "ftp://127.0.0.1/"},
        {"clientState": "X" * 2049},
        {"gnome": 1},
    ],
)
def test_subscriptions_that_cannot_be(bc: CentralClient, receiver: Receiver, document: Record) -> None:
    resource = f"/api/v2.0/{bc.company}/{document.pop('set', 'customers')}"
    body = {"notificationUrl": receiver.url, "resource": resource} | document
    body = {name: value for name, value in body.items() if value is not None}
    assert bc.call("POST", "subscriptions", body, root=True).status_code == 400
    assert subscriptions(bc) == []


def test_https_may_be_demanded(bc: CentralClient, receiver: Receiver) -> None:
    bc.control.settings(webhook_https=True)
    document = {"notificationUrl": receiver.url, "resource": f"api/v2.0/{bc.company}/customers"}
    refused(bc.call("POST", "subscriptions", document, root=True), 400)


def test_renewal(bc: CentralClient, receiver: Receiver) -> None:
    made = subscribe(bc, receiver)
    path = f"subscriptions('{made['subscriptionId']}')"
    bc.control.settings(token_lifetime=10 * 24 * 3600)
    bc.new_token()
    bc.control.clock(2 * 24 * 3600)
    refused(bc.call("PATCH", path, {"clientState": "new"}, root=True), 400, "BadRequest_InvalidToken")
    headers = {**HEADERS, "Content-Type": "application/json"}
    refused(bc.call("PATCH", path, content=b"", root=True, headers=headers), 400)
    renewed = read(bc.call("PATCH", path, {"clientState": "new"}, root=True, headers=HEADERS))
    assert renewed["expirationDateTime"] > made["expirationDateTime"]
    assert renewed["clientState"] == "new"
    assert len(receiver.handshakes) == 2
    bc.control.clock(4 * 24 * 3600)
    assert len(subscriptions(bc)) == 1
    bc.control.clock(6 * 24 * 3600)
    assert subscriptions(bc) == []
    bc.control.clock(0)


def test_the_end_of_a_subscription(fast: CentralClient, receiver: Receiver) -> None:
    made = subscribe(fast, receiver)
    path = f"subscriptions('{made['subscriptionId']}')"
    refused(fast.call("DELETE", path, root=True, headers={"If-Match": 'W/"QQ=="'}), 409)
    assert fast.call("DELETE", path, root=True, headers=HEADERS).status_code == 204
    refused(fast.call("GET", path, root=True), 404)
    fast.customer()
    time.sleep(0.3)
    assert receiver.deliveries == []


def test_notices_name_what_changed_and_nothing_more(fast: CentralClient, receiver: Receiver) -> None:
    made = subscribe(fast, receiver)
    customer = fast.customer()
    notice = notices(receiver)[0]
    assert notice == {
        "subscriptionId": made["subscriptionId"],
        "clientState": "secret",
        "expirationDateTime": made["expirationDateTime"],
        "resource": f"{made['resource']}({customer['id']})",
        "changeType": "created",
        "lastModifiedDateTime": notice["lastModifiedDateTime"],
    }


@pytest.mark.parametrize("kind", ["updated", "deleted"])
def test_kinds_of_changes(fast: CentralClient, receiver: Receiver, kind: str) -> None:
    customer = fast.customer()
    subscribe(fast, receiver)
    if kind == "updated":
        fast.update(f"customers({customer['id']})", number="RENAMED")
    else:
        fast.delete(f"customers({customer['id']})")
    assert [notice["changeType"] for notice in notices(receiver)] == [kind]


def test_changes_of_one_record_are_told_once(fast: CentralClient, receiver: Receiver) -> None:
    subscribe(fast, receiver)
    customer = fast.customer()
    for city in ("X", "Y", "Z"):
        fast.update(f"customers({customer['id']})", city=city)
    assert [notice["changeType"] for notice in notices(receiver)] == ["created"]


def test_only_what_was_subscribed_to(fast: CentralClient, receiver: Receiver) -> None:
    subscribe(fast, receiver, "items")
    fast.customer()
    item = fast.item()
    assert [notice["resource"].endswith(f"items({item['id']})") for notice in notices(receiver)] == [True]


def test_lines_tell_of_their_order(fast: CentralClient, receiver: Receiver) -> None:
    order = fast.order_of()
    line = fast.lines(order)[0]
    subscribe(fast, receiver, "salesOrders")
    fast.update(f"salesOrderLines({line['id']})", description="Nyt navn")
    notice = notices(receiver)[0]
    assert notice["resource"].endswith(f"salesOrders({order['id']})")
    assert notice["changeType"] == "updated"


def test_a_stock_movement_is_not_told(fast: CentralClient, receiver: Receiver) -> None:
    item = fast.item()
    subscribe(fast, receiver, "items")
    fast.control("POST", f"/items/{item['id']}/stock", {"quantity": 7})
    time.sleep(0.3)
    assert receiver.deliveries == []


def test_more_than_a_thousand_changes_are_one_collection(fast: CentralClient, receiver: Receiver) -> None:
    fast.control.settings(webhook_delay=2.0)
    subscribe(fast, receiver)
    before = dt.datetime.now(dt.UTC)
    url = f"{fast.company}/customers"
    part = {"method": "POST", "url": url, "headers": {"Content-Type": "application/json"}}
    for batch in range(11):
        parts = [
            {**part, "id": str(n), "body": {"displayName": f"{batch} {n}"}} for n in range(91 + batch // 10)
        ]
        assert fast.batch(*parts).status_code == 200
    told = notices(receiver)
    assert [notice["changeType"] for notice in told] == ["collection"]
    head, mark, since = told[0]["resource"].partition("?$filter=lastModifiedDateTime gt ")
    assert head.endswith("customers")
    assert mark
    assert abs(dt.datetime.fromisoformat(since) - before) < dt.timedelta(seconds=1)
    assert len(fast.all_of(f"customers?$filter=lastModifiedDateTime gt {since}")) == 11 * 91 + 1


def test_a_receiver_out_of_order_is_asked_again(fast: CentralClient, receiver: Receiver) -> None:
    subscribe(fast, receiver)
    receiver.statuses = [500, 429, 408]
    fast.customer()
    assert len(notices(receiver, 4)) == 4
    assert len(subscriptions(fast)) == 1


def test_a_receiver_that_refuses_loses_its_subscription(fast: CentralClient, receiver: Receiver) -> None:
    subscribe(fast, receiver)
    receiver.statuses = [404]
    fast.customer()
    notices(receiver)
    assert subscriptions(fast) == []


def test_a_receiver_that_stays_out_of_order_loses_it_too(fast: CentralClient, receiver: Receiver) -> None:
    fast.control.settings(webhook_attempts=3)
    subscribe(fast, receiver)
    receiver.statuses = [500] * 10
    fast.customer()
    notices(receiver, 3)
    time.sleep(0.1)
    assert len(receiver.deliveries) == 3
    assert subscriptions(fast) == []


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_methods_a_subscription_does_not_take(bc: CentralClient, receiver: Receiver, method: str) -> None:
    made = subscribe(bc, receiver)
    refused(bc.call(method, f"subscriptions('{made['subscriptionId']}')", {}, root=True), 405)
