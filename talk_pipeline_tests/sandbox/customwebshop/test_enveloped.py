"""The shop that wraps everything up: sessions, links, whole objects, local times, deletions in their own list."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator

import httpx
import pytest

from talk_pipeline_tests.sandbox.clients import Record, read
from talk_pipeline_tests.sandbox.customwebshop.speech import Wire, write_enveloped
from talk_pipeline_tests.sandbox.receiver import Receiver


def refused(response: httpx.Response, status: int, code: str, source: str | None = None) -> None:
    assert response.status_code == status, (response.status_code, response.text)
    errors = read(response)["errors"]
    assert [set(error) for error in errors] == [{"id", "detail", "source"}]
    assert (errors[0]["id"], errors[0]["source"]) == (code, source)


def customer(wire: Wire, key: str) -> Record:
    return dict(wire.get(f"customers/{key}/")["customer"])


def test_addresses_end_with_a_slash(enveloped: Wire) -> None:
    made = enveloped.customer()
    assert enveloped.call("GET", f"customers/{made['id']}/").status_code == 200
    refused(enveloped.call("GET", f"customers/{made['id']}"), 404, "not_found")
    refused(enveloped.call("GET", "customers"), 404, "not_found")


def test_lists_are_enveloped_and_linked(enveloped: Wire) -> None:
    for number in range(3):
        enveloped.customer(number=f"C{number}")
    first = enveloped.call("GET", "customers/?limit=2")
    assert [entry["customer"]["no"] for entry in read(first)["result"]["customers"]] == ["C0", "C1"]
    following = first.links["next"]["url"]
    assert following.startswith("/api/customers/?")
    second = enveloped.call("GET", enveloped.root + following)
    assert [entry["customer"]["no"] for entry in read(second)["result"]["customers"]] == ["C2"]
    assert "link" not in second.headers
    refused(enveloped.call("GET", "customers/?limit=101"), 400, "malformed", "limit")


@pytest.mark.parametrize(
    ("instant", "local"),
    [
        ("2026-03-02T10:11:12.999Z", "2026-03-02 11:11:12"),
        ("2026-07-02T10:11:12.000Z", "2026-07-02 12:11:12"),
    ],
)
def test_times_are_local(enveloped: Wire, instant: str, local: str) -> None:
    made = enveloped.order(ordered_at=instant)
    shown = enveloped.get(f"orders/{made['id']}/")["order"]
    assert shown["placed"] == local
    shown["placed"] = local.replace(":11:12", ":11:13")
    assert write_enveloped(enveloped, "orders", made["id"], shown).status_code == 200
    held = enveloped.record("orders", made["id"])["ordered_at"]
    assert held == instant[:17] + "13.000Z"


def test_a_put_is_of_the_whole_object(enveloped: Wire) -> None:
    made = enveloped.customer(phone="7", note="Hej", active=False, address={"city": "Odense"})
    document = {"no": made["number"], "company": "Ny", "address": {"zip": "5000"}}
    enveloped.done("PUT", f"customers/{made['id']}/", {"customer": document})
    held = enveloped.record("customers", made["id"])
    assert (held["company_name"], held["phone"], held["note"], held["active"]) == ("Ny", None, None, True)
    assert (held["address"]["city"], held["address"]["postal_code"]) == (None, "5000")


def test_a_whole_order(enveloped: Wire) -> None:
    product = enveloped.product()
    line = {"product_id": product["id"], "quantity": "2", "unit_price": "10.00", "discount_percent": "5"}
    made = enveloped.order(line, erp_number="S1", discount_amount="3.00")
    path = f"orders/{made['id']}/"
    shown = enveloped.get(path)["order"]
    assert set(shown["customer"]) == {"id", "no"}
    assert shown["rows"][0]["product"] == {"id": product["id"]}
    assert shown["sums"]["gross"] == shown["sums"]["net"] + shown["sums"]["tax"]
    refused(enveloped.call("PUT", path, {"order": shown}), 422, "invalid_value", "rows[0].product_id")
    document = {"no": shown["no"], "customer_id": shown["customer"]["id"], "state": "open"}
    rows = [{"id": shown["rows"][0]["id"], "product_id": product["id"], "qty": 3, "price": 10}]
    enveloped.done("PUT", path, {"order": {**document, "rows": rows}})
    held = enveloped.record("orders", made["id"])
    assert (held["erp_number"], held["discount_amount"]) == (None, "0.00")
    changed = held["lines"][0]
    assert (changed["quantity"], changed["discount_percent"], changed["description"]) == ("3", "0", None)
    enveloped.done("PUT", path, {"order": document})
    assert enveloped.record("orders", made["id"])["lines"] == []


def test_what_the_shop_sets_cannot_be_changed(enveloped: Wire) -> None:
    made = enveloped.order()
    shown = enveloped.get(f"orders/{made['id']}/")["order"]
    shown["sums"]["tax"] = 7
    refused(write_enveloped(enveloped, "orders", made["id"], shown), 422, "invalid_value", "sums.tax")


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_a_stale_write_is_refused(enveloped: Wire, method: str) -> None:
    made = enveloped.customer()
    answer = enveloped.call("GET", f"customers/{made['id']}/")
    condition = {"If-Unmodified-Since": answer.headers["last-modified"]}
    document = read(answer) if method == "PUT" else None
    enveloped.edited("customers", made["id"], seconds_ago=-60, phone="7")
    stale = enveloped.call(method, f"customers/{made['id']}/", document, headers=condition)
    refused(stale, 412, "stale")
    assert enveloped.record("customers", made["id"])["phone"] == "7"
    fresh = {
        "If-Unmodified-Since": enveloped.call("GET", f"customers/{made['id']}/").headers["last-modified"]
    }
    enveloped.done(method, f"customers/{made['id']}/", document, headers=fresh)


def test_a_change_within_the_second_goes_unseen(enveloped: Wire) -> None:
    made = enveloped.customer()
    answer = enveloped.call("GET", f"customers/{made['id']}/")
    enveloped.edited("customers", made["id"], seconds_ago=1, phone="7")
    condition = {"If-Unmodified-Since": answer.headers["last-modified"]}
    enveloped.done("PUT", f"customers/{made['id']}/", read(answer), headers=condition)
    assert enveloped.record("customers", made["id"])["phone"] is None


def test_changed_after_leaves_its_second_out(enveloped: Wire) -> None:
    made, other = enveloped.customer(), enveloped.customer()
    enveloped.edited("customers", made["id"], seconds_ago=-60, phone="7")
    listed = {"changedAfter": customer(enveloped, other["id"])["changed"]}
    path = "customers/?changedAfter={changedAfter}"
    found = enveloped.get(path.format(**listed))["result"]["customers"]
    assert [entry["customer"]["id"] for entry in found] == [made["id"]]
    last = customer(enveloped, made["id"])["changed"]
    assert enveloped.get(path.format(changedAfter=last))["result"]["customers"] == []
    refused(enveloped.call("GET", "customers/?changedAfter=now"), 400, "malformed", "changedAfter")


def test_deletions_are_in_a_list_of_their_own(enveloped: Wire) -> None:
    made = enveloped.customer()
    assert enveloped.call("DELETE", f"customers/{made['id']}/").status_code == 204
    refused(enveloped.call("GET", f"customers/{made['id']}/"), 404, "not_found")
    assert enveloped.get("customers/")["result"]["customers"] == []
    found = enveloped.get("deletions/?entity=customers")["result"]["deletions"]
    assert [entry["id"] for entry in found] == [made["id"]]
    after = f"deletions/?entity=customers&after={found[0]['at']}"
    assert enveloped.get(after)["result"]["deletions"] == []
    assert enveloped.get("deletions/?entity=orders")["result"]["deletions"] == []
    refused(enveloped.call("GET", "deletions/"), 400, "malformed", "entity")


def test_bodies_that_are_not_wrapped_or_know_too_much(enveloped: Wire) -> None:
    refused(enveloped.call("POST", "customers/", {"company": "A"}), 400, "malformed")
    answer = enveloped.call("POST", "customers/", {"customer": {"person": {"gnome": 1}}})
    refused(answer, 422, "unknown_field", "person.gnome")
    answer = enveloped.call("POST", "products/", {"product": {"names": {"default": "A"}}})
    refused(answer, 422, "invalid_value", "code")


def test_a_new_record(enveloped: Wire) -> None:
    document = {"company": "A", "person": {"first": "Ann", "last": "Berg"}, "tax": {"vat": "DK1"}}
    answer = enveloped.call("POST", "customers/", {"customer": document})
    made = read(answer)["customer"]
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/api/customers/{made['id']}/"
    held = enveloped.record("customers", made["id"])
    assert (held["contact_name"], held["vat_number"]) == ("Ann Berg", "DK1")


def test_sessions_end(enveloped: Wire) -> None:
    enveloped.control.fault({"expired_token": True})
    for _ in range(2):
        refused(enveloped.call("GET", "customers/"), 401, "unauthorized")
    enveloped.enter()
    assert enveloped.call("GET", "customers/").status_code == 200
    enveloped.control.clock(1801)
    refused(enveloped.call("GET", "customers/"), 401, "unauthorized")
    enveloped.control.clock(0)
    enveloped.enter()
    refused(enveloped.call("POST", "session", {"user": "x", "password": "y"}), 401, "unauthorized")


@pytest.fixture
def receiver(enveloped: Wire) -> Iterator[Receiver]:
    enveloped.control.settings(webhook_pace=0.01)
    running = Receiver()
    yield running
    running.close()


def test_webhooks(enveloped: Wire, receiver: Receiver) -> None:
    hook = enveloped.done("POST", "hooks/", {"target": receiver.url, "secret": "hush"})["hook"]
    made = enveloped.customer()
    receiver.documents(1)
    enveloped.edited("customers", made["id"], phone="7")
    receiver.documents(2)
    enveloped.control("DELETE", f"/records/customers/{made['id']}")
    assert receiver.documents(3) == [
        {"type": "customers", "op": op, "object": {"id": made["id"]}}
        for op in ("created", "changed", "deleted")
    ]
    sent, body = receiver.deliveries[0]
    digest = base64.b64encode(hmac.new(b"hush", body, hashlib.sha256).digest()).decode()
    assert {name.lower(): value for name, value in sent.items()}["x-hub-signature-256"] == digest
    assert enveloped.get("hooks/")["result"]["hooks"] == [{"hook": hook}]
    assert enveloped.call("DELETE", f"hooks/{hook['id']}/").status_code == 204
