"""Webhooks of the shop: subscriptions, signatures, deliveries that are tried again."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Iterator

import pytest

from talk_pipeline_tests.sandbox.clients import Record, ShopClient
from talk_pipeline_tests.sandbox.customwebshop.test_entities import refused
from talk_pipeline_tests.sandbox.receiver import Receiver

SECRET = "hush"


@pytest.fixture
def receiver(shop: ShopClient) -> Iterator[Receiver]:
    shop.control.settings(webhook_pace=0.01)
    running = Receiver()
    yield running
    running.close()


def subscribe(shop: ShopClient, receiver: Receiver, *events: str) -> Record:
    return shop.create("webhooks", url=receiver.url, events=[*events], secret=SECRET)


def test_the_life_of_a_subscription(shop: ShopClient, receiver: Receiver) -> None:
    made = subscribe(shop, receiver, "customer.updated")
    assert "secret" not in made
    assert [hook["id"] for hook in shop.get("webhooks")["data"]] == [made["id"]]
    assert shop.call("DELETE", f"webhooks/{made['id']}").status_code == 204
    refused(shop.call("DELETE", f"webhooks/{made['id']}"), 404)
    assert shop.get("webhooks")["data"] == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"url": "ftp://x"}, "url"),
        ({"events": []}, "events"),
        ({"events": ["gnome.born"]}, "events"),
        ({"secret": ""}, "secret"),
        ({"gnome": 1}, "gnome"),
    ],
)
def test_subscriptions_that_cannot_be(shop: ShopClient, changes: Record, field: str) -> None:
    document = {"url": "http://127.0.0.1:1/", "events": ["order.created"], "secret": SECRET, **changes}
    refused(shop.call("POST", "webhooks", document), 422, field=field)


def test_a_delivery_is_signed_and_has_an_id(shop: ShopClient, receiver: Receiver) -> None:
    subscribe(shop, receiver, "customer.created")
    made = shop.customer()
    document = receiver.documents()[0]
    headers, body = receiver.deliveries[0]
    digest = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    assert headers["X-Webhook-Signature"] == f"sha256={digest}"
    assert headers["X-Webhook-Id"] == document["id"]
    assert document["event"] == "customer.created"
    assert document["data"] == {"id": made["id"], "updated_at": made["updated_at"]}


@pytest.mark.parametrize("verb", ["created", "updated", "deleted"])
@pytest.mark.parametrize("resource", ["customer", "product", "order"])
def test_events(shop: ShopClient, receiver: Receiver, resource: str, verb: str) -> None:
    subscribe(shop, receiver, f"{resource}.{verb}")
    made = {"customer": shop.customer, "product": shop.product, "order": shop.order}[resource]()
    change = {"customer": "phone", "product": "name", "order": "reference"}[resource]
    shop.patch(f"{resource}s/{made['id']}", **{change: "7"})
    shop.call("DELETE", f"{resource}s/{made['id']}")
    assert [(d["event"], d["data"]["id"]) for d in receiver.documents()] == [
        (f"{resource}.{verb}", made["id"])
    ]


def test_a_change_that_changes_nothing_is_no_event(shop: ShopClient, receiver: Receiver) -> None:
    made = shop.customer()
    subscribe(shop, receiver, "customer.updated")
    shop.patch(f"customers/{made['id']}", company_name=made["company_name"])
    time.sleep(0.2)
    assert receiver.deliveries == []


def test_a_delivery_is_tried_again_with_the_same_id(shop: ShopClient, receiver: Receiver) -> None:
    subscribe(shop, receiver, "customer.created")
    receiver.statuses = [500, 404]
    shop.customer()
    assert len({document["id"] for document in receiver.documents(3)}) == 1
    assert len(receiver.deliveries) == 3


def test_an_event_may_come_twice(shop: ShopClient, receiver: Receiver) -> None:
    shop.control.settings(webhook_duplicates=True)
    subscribe(shop, receiver, "customer.created")
    shop.customer()
    documents = receiver.documents(2)
    assert len(documents) == 2
    assert documents[0] == documents[1]
