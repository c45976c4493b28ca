"""The shop that counts: coins, revisions, numbered pages, records that are never gone."""

from __future__ import annotations

import httpx
import pytest

from talk_pipeline_tests.sandbox.clients import Record, read
from talk_pipeline_tests.sandbox.customwebshop.speech import Wire


def refused(response: httpx.Response, status: int, code: int | str, param: str | None = None) -> None:
    assert response.status_code == status, (response.status_code, response.text)
    document = read(response)
    assert set(document) == {"code", "text", "param"}
    assert (document["code"], document["param"]) == (code, param)


@pytest.mark.parametrize(
    ("currency", "price", "coins"),
    [("DKK", "12.50", 1250), ("JPY", "1250", 1250), ("KWD", "1.250", 1250), (None, "12.50", 1250)],
)
def test_amounts_are_coins_of_the_record_s_currency(
    cents: Wire, currency: str | None, price: str, coins: int
) -> None:
    made = cents.product(price=price, currency=currency)
    shown = cents.get(f"products/{made['id']}")
    assert (shown["id"], shown["price"]) == (int(made["id"]), coins)
    assert shown["currency"] == (currency.lower() if currency else None)
    cents.done("PATCH", f"products/{made['id']}", {"price": coins + 1})
    assert cents.record("products", made["id"])["price"] == price[:-1] + "1"


def test_amounts_are_read_in_the_currency_written_with_them(cents: Wire) -> None:
    made = cents.product(currency="DKK")
    cents.done("PATCH", f"products/{made['id']}", {"price": 1999, "currency": "jpy"})
    held = cents.record("products", made["id"])
    assert (held["price"], held["currency"]) == ("1999", "JPY")
    refused(cents.call("PATCH", f"products/{made['id']}", {"price": 19.5}), 422, 1422, "price")


def test_flags_times_and_countries(cents: Wire) -> None:
    made = cents.customer(active=False, address={"country": "DK"})
    shown = cents.get(f"customers/{made['id']}")
    assert (shown["active"], shown["address"]["country"]) == (0, "dk")
    assert isinstance(shown["changed"], int)
    assert shown["changed"] == shown["created"]
    cents.done("PATCH", f"customers/{made['id']}", {"active": 1, "address": {"country": "se"}})
    held = cents.record("customers", made["id"])
    assert (held["active"], held["address"]["country"]) == (True, "SE")
    for wrong in (True, 2, "1"):
        refused(cents.call("PATCH", f"customers/{made['id']}", {"active": wrong}), 422, 1422, "active")


def test_the_status_of_an_order_is_a_number(cents: Wire) -> None:
    made = cents.order(status="shipped", ordered_at="2025-05-18T11:00:14.583Z")
    shown = cents.get(f"orders/{made['id']}")
    assert (shown["status"], shown["ordered"]) == (30, 1747566014)
    cents.done("PATCH", f"orders/{made['id']}", {"status": 90})
    assert cents.record("orders", made["id"])["status"] == "cancelled"
    refused(cents.call("PATCH", f"orders/{made['id']}", {"status": 91}), 422, 1422, "status")


def test_positions_are_a_whole_list(cents: Wire) -> None:
    product = cents.product()
    line: Record = {"product_id": product["id"], "quantity": "2.5", "unit_price": "10.00"}
    made = cents.order(line, line)
    shown = cents.get(f"orders/{made['id']}")["positions"]
    assert (shown[0]["quantity"], shown[0]["unit_price"], shown[0]["line_total"]) == (2.5, 1000, 2500)
    positions = [
        {"pos_id": shown[1]["pos_id"], "quantity": 3},
        {"product_id": int(product["id"]), "quantity": 1, "unit_price": 500},
    ]
    cents.done("PATCH", f"orders/{made['id']}", {"positions": positions})
    held = cents.record("orders", made["id"])["lines"]
    assert [line["quantity"] for line in held] == ["3", "1"]
    assert [line["unit_price"] for line in held] == ["10.00", "5.00"]
    assert held[0]["id"] == str(shown[1]["pos_id"])
    answer = cents.call("PATCH", f"orders/{made['id']}", {"positions": [{"pos_id": 7}]})
    refused(answer, 422, 1422, "positions[0].id")


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_a_stale_revision_is_refused(cents: Wire, method: str) -> None:
    made = cents.customer()
    path = f"customers/{made['id']}"
    assert cents.get(path)["revision"] == 1
    cents.edited("customers", made["id"], phone="7")
    body = {"phone": "8"} if method == "PATCH" else None
    stale = cents.call(method, path, body, headers={"X-Expected-Revision": "1"})
    refused(stale, 409, "revision_conflict", "revision")
    assert cents.record("customers", made["id"])["phone"] == "7"
    cents.done(method, path, body, headers={"X-Expected-Revision": "2"})


def test_a_deleted_record_stays_listed_as_archived(cents: Wire) -> None:
    kept, gone = cents.customer(), cents.customer()
    assert cents.call("DELETE", f"customers/{gone['id']}").status_code == 204
    states = {str(item["id"]): item["state"] for item in cents.get("customers")["items"]}
    assert states == {kept["id"]: "live", gone["id"]: "archived"}
    assert cents.get(f"customers/{gone['id']}")["state"] == "archived"
    refused(cents.call("PATCH", f"customers/{gone['id']}", {"phone": "7"}), 410, 1410)


def test_pages(cents: Wire) -> None:
    for number in range(5):
        cents.product(sku=f"S{number}")
    page = cents.get("products?page=1&page_size=2")
    assert page["page"] == {"number": 1, "pages": 3, "total": 5}
    assert len(page["items"]) == 2
    assert cents.get("products?page=3&page_size=2")["items"] == []
    refused(cents.call("GET", "products?page_size=251"), 400, 1400, "page_size")
    refused(cents.call("GET", "products?gnome=1"), 400, 1400, "gnome")


def test_changed_since_includes_its_second(cents: Wire) -> None:
    first, second = cents.product(sku="A"), cents.product(sku="B")
    cents.edited("products", first["id"], seconds_ago=-60, name="Ny")
    later = cents.get(f"products/{first['id']}")["changed"]
    assert [item["sku"] for item in cents.get(f"products?changed_since={later}")["items"]] == ["A"]
    assert cents.get(f"products?changed_since={later + 1}")["items"] == []
    assert [item["sku"] for item in cents.get("products?sort=changed")["items"]] == ["B", "A"]
    assert [item["id"] for item in cents.get("products")["items"]] == [int(first["id"]), int(second["id"])]


def test_a_create_that_is_sent_twice(cents: Wire) -> None:
    key = {"X-Request-Id": "k"}
    first = cents.done("POST", "customers", {"company": "A"}, headers=key)
    assert cents.done("POST", "customers", {"company": "A"}, headers=key) == first
    refused(cents.call("POST", "customers", {"company": "B"}, headers=key), 422, 1424)
    assert cents.get("customers")["page"]["total"] == 1


def test_refusals(cents: Wire) -> None:
    made = cents.product()
    path = f"products/{made['id']}"
    refused(cents.call("PATCH", path, {"gnome": 1}), 422, 1423, "gnome")
    refused(cents.call("PATCH", path, {"revision": 7}), 422, 1422, "revision")
    refused(cents.call("POST", "products", {"sku": "CHR-1"}), 409, 1409, "sku")
    refused(cents.call("GET", "products/7"), 404, 1404)
    refused(cents.call("PUT", path, {}), 405, 1405)
    refused(cents.call("GET", "webhooks"), 404, 1404)


def test_tokens_end(cents: Wire) -> None:
    cents.control.fault({"expired_token": True})
    refused(cents.call("GET", "customers"), 401, 1401)
    refused(cents.call("GET", "customers"), 401, 1401)
    cents.enter()
    assert cents.call("GET", "customers").status_code == 200
    cents.control.clock(3601)
    refused(cents.call("GET", "customers"), 401, 1401)
    cents.enter()
    assert cents.call("GET", "customers").status_code == 200
    cents.control.clock(0)


@pytest.mark.parametrize(
    ("form", "status"), [({"grant_type": "client_credentials"}, 401), ({"grant_type": "password"}, 400)]
)
def test_tokens_are_not_for_everybody(cents: Wire, form: dict[str, str], status: int) -> None:
    assert httpx.post(f"{cents.root}/oauth/token", data=form, trust_env=False).status_code == status
