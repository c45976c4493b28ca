"""WooCommerce: what its documentation says, and what it leaves out."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from talk_pipeline_tests.sandbox.clients import Record, read
from talk_pipeline_tests.sandbox.customwebshop.speech import Wire
from talk_pipeline_tests.sandbox.receiver import Receiver


def refused(response: Any, status: int, code: str) -> Record:
    """Assert that an answer is this refusal; returns its data."""
    assert response.status_code == status, (response.status_code, response.text)
    document: Record = read(response)
    assert set(document) == {"code", "message", "data"}
    assert document["code"] == code
    assert document["data"]["status"] == status
    return dict(document["data"])


def meta(record: Record) -> dict[str, Any]:
    return {entry["key"]: entry["value"] for entry in record["meta_data"]}


def test_a_customer(woo: Wire) -> None:
    values = {"contact_name": "Ann von Berg", "email": "a@b.example", "phone": "7", "currency": "DKK"}
    address = {"line1": "Vej 1", "postal_code": "5000", "country": "DK"}
    made = woo.customer(number="C1", address=address, **values)
    shown = woo.get(f"customers/{made['id']}")
    assert shown["id"] == int(made["id"])
    assert (shown["first_name"], shown["last_name"]) == ("Ann", "von Berg")
    assert shown["billing"] == {
        "company": "Tågehorn Handel ApS",
        "address_1": "Vej 1",
        "address_2": "",
        "city": "",
        "state": "",
        "postcode": "5000",
        "country": "DK",
        "email": "a@b.example",
        "phone": "7",
    }
    assert meta(shown) == {"erp_number": "C1", "erp_currency": "DKK", "erp_active": "yes"}


def test_times_are_naive_and_cut_to_the_second(woo: Wire) -> None:
    made = woo.customer()
    shown = woo.get(f"customers/{made['id']}")
    assert shown["date_modified_gmt"] == made["updated_at"][:19]
    assert len(shown["date_modified"]) == 19
    order = woo.order(ordered_at="2025-07-01T10:00:00.500Z")
    assert woo.get(f"orders/{order['id']}")["date_created"] == "2025-07-01T12:00:00"


@pytest.mark.parametrize("per_page", ["0", "101", "x"])
def test_pages_too_large(woo: Wire, per_page: str) -> None:
    data = refused(woo.call("GET", f"customers?per_page={per_page}"), 400, "rest_invalid_param")
    assert set(data["params"]) == {"per_page"}


def test_totals_are_in_headers(woo: Wire) -> None:
    for number in range(12):
        woo.customer(number=f"C{number}")
    first = woo.call("GET", "customers")
    assert len(read(first)) == 10
    assert (first.headers["x-wp-total"], first.headers["x-wp-totalpages"]) == ("12", "2")
    assert set(first.links) == {"next"}
    second = woo.call("GET", first.links["next"]["url"])
    assert (len(read(second)), set(second.links)) == (2, {"prev"})
    assert read(woo.call("GET", "customers?page=3")) == []


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_lists_are_sorted(woo: Wire, order: str) -> None:
    keys = [int(woo.product(sku=f"S{number}")["id"]) for number in range(4)]
    shown = [record["id"] for record in woo.get(f"products?orderby=id&order={order}")]
    assert shown == sorted(keys, reverse=order == "desc")
    refused(woo.call("GET", "customers?orderby=modified"), 400, "rest_invalid_param")


def test_modified_after_leaves_its_second_out_and_customers_ignore_it(woo: Wire) -> None:
    product = woo.get(f"products/{woo.product()['id']}")
    woo.customer()
    moment = product["date_modified_gmt"]
    assert woo.get(f"products?modified_after={moment}&dates_are_gmt=true") == []
    assert len(woo.get("products?modified_after=2020-01-01T00:00:00&dates_are_gmt=true")) == 1
    assert len(woo.get("customers?modified_after=2999-01-01T00:00:00&dates_are_gmt=true")) == 1
    refused(woo.call("GET", "products?modified_after=soon"), 400, "rest_invalid_param")


def test_times_are_local_unless_said_otherwise(woo: Wire) -> None:
    product = woo.get(f"products/{woo.product()['id']}")
    assert woo.get(f"products?modified_after={product['date_modified']}") == []
    assert len(woo.get(f"products?modified_after={product['date_modified_gmt']}")) == 1


@pytest.mark.parametrize("method", ["PUT", "POST", "PATCH"])
def test_updates_are_partial_and_unknown_fields_are_ignored(woo: Wire, method: str) -> None:
    made = woo.customer(phone="7", note="Hej")
    woo.done(method, f"customers/{made['id']}", {"billing": {"phone": "8"}, "gnome": 1, "username": "x"})
    held = woo.record("customers", made["id"])
    assert (held["phone"], held["company_name"], held["note"]) == ("8", "Tågehorn Handel ApS", "Hej")


def test_meta_data(woo: Wire) -> None:
    made = woo.done(
        "POST",
        "customers",
        {"meta_data": [{"key": "erp_number", "value": "C1"}, {"key": "points", "value": 7}]},
    )
    path = f"customers/{made['id']}"
    points = next(entry for entry in made["meta_data"] if entry["key"] == "points")
    woo.done("PUT", path, {"meta_data": [{"key": "erp_note", "value": "Hej"}]})
    assert meta(woo.get(path)) == {"erp_number": "C1", "erp_active": "yes", "erp_note": "Hej", "points": 7}
    woo.done(
        "PUT", path, {"meta_data": [{"id": points["id"], "value": 8}, {"key": "erp_note", "value": None}]}
    )
    assert meta(woo.get(path)) == {"erp_number": "C1", "erp_active": "yes", "points": 8}
    woo.done("PUT", path, {"first_name": "Ann"})
    woo.edited("customers", made["id"], phone="1")
    assert meta(woo.get(path))["points"] == 8
    woo.done("PUT", path, {"meta_data": [{"key": "points", "value": None}]})
    assert "points" not in meta(woo.get(path))
    assert woo.record("customers", made["id"])["number"] == "C1"


def test_an_email_is_unique_unless_blank(woo: Wire) -> None:
    woo.done("POST", "customers", {"email": "a@b.example"})
    woo.done("POST", "customers", {})
    other = woo.done("POST", "customers", {"email": ""})
    code = "registration-error-email-exists"
    refused(woo.call("POST", "customers", {"email": "A@b.example"}), 400, code)
    refused(woo.call("PUT", f"customers/{other['id']}", {"email": "a@b.example"}), 400, code)


def test_deleting(woo: Wire) -> None:
    key = woo.customer()["id"]
    refused(woo.call("DELETE", f"customers/{key}"), 501, "woocommerce_rest_trash_not_supported")
    woo.done("DELETE", f"customers/{key}?force=true")
    refused(woo.call("GET", f"customers/{key}"), 404, "woocommerce_rest_invalid_id")
    assert woo.record("customers", key)["deleted_at"] is not None


@pytest.mark.parametrize("name", ["products", "orders"])
def test_the_bin(woo: Wire, name: str) -> None:
    made = {"products": woo.product, "orders": woo.order}[name]()
    path = f"{name}/{made['id']}"
    assert woo.done("DELETE", path)["status"] == "trash"
    assert woo.get(name) == []
    assert [record["id"] for record in woo.get(f"{name}?status=trash")] == [int(made["id"])]
    assert woo.get(path)["status"] == "trash"
    refused(woo.call("DELETE", path), 410, "woocommerce_rest_already_trashed")
    back = {"products": "publish", "orders": "pending"}[name]
    assert woo.done("PUT", path, {"status": back})["status"] == back
    assert woo.record(name, made["id"])["deleted_at"] is None
    woo.control("DELETE", f"/records/{path}")
    assert woo.get(path)["status"] == "trash"
    woo.done("DELETE", f"{path}?force=true")
    assert woo.get(f"{name}?status=trash") == []
    assert woo.call("GET", path).status_code == 404


def test_a_product(woo: Wire) -> None:
    made = woo.product(category="CHAIRS", stock="12.5", gtin="1", active=False, unit="pcs", cost="7.10")
    shown = woo.get(f"products/{made['id']}")
    assert (shown["sku"], shown["regular_price"], shown["global_unique_id"]) == ("CHR-1", "100.00", "1")
    assert (shown["stock_quantity"], shown["status"]) == (12, "draft")
    assert [category["slug"] for category in shown["categories"]] == ["chairs"]
    assert meta(shown) == {"erp_unit": "pcs", "erp_cost": "7.10", "erp_price_includes_tax": "no"}


def test_categories_are_named_by_id_or_slug(woo: Wire) -> None:
    woo.product(category="CHAIRS")
    other = woo.product(sku="B")
    category = woo.get("products?sku=CHR-1")[0]["categories"][0]
    for wish, held in (
        ({"id": category["id"]}, "CHAIRS"),
        ({"slug": "tables"}, "TABLES"),
        ({"slug": "chairs"}, "CHAIRS"),
    ):
        woo.done("PUT", f"products/{other['id']}", {"categories": [wish]})
        assert woo.record("products", other["id"])["category"] == held
    woo.done("PUT", f"products/{other['id']}", {"categories": []})
    assert woo.record("products", other["id"])["category"] is None
    answer = woo.call("PUT", f"products/{other['id']}", {"categories": [{"id": 7}]})
    refused(answer, 400, "rest_invalid_param")


def test_a_sku_is_unique(woo: Wire) -> None:
    woo.product()
    refused(woo.call("POST", "products", {"sku": "CHR-1"}), 400, "product_invalid_sku")


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ({"status": "lost"}, "status"),
        ({"regular_price": "much"}, "regular_price"),
        ({"stock_quantity": 1.5}, "stock_quantity"),
        ({"meta_data": [{"key": "erp_cost", "value": "-1"}]}, "meta_data.erp_cost"),
    ],
)
def test_values_there_are_not(woo: Wire, document: Record, place: str) -> None:
    made = woo.product()
    data = refused(woo.call("PUT", f"products/{made['id']}", document), 400, "rest_invalid_param")
    assert set(data["params"]) == {place}


@pytest.fixture
def order(woo: Wire) -> Record:
    product = woo.product()
    lines = [
        {"product_id": product["id"], "quantity": "3", "unit_price": "100.00", "discount_percent": "10"},
        {"product_id": product["id"], "quantity": "2", "unit_price": "50.00", "unit": "box"},
    ]
    return woo.order(*lines, status="shipped", requested_delivery_date="2025-06-01", discount_amount="7.00")


def test_an_order(woo: Wire, order: Record) -> None:
    shown = woo.get(f"orders/{order['id']}")
    assert (shown["number"], shown["status"]) == (order["number"], "shipped")
    assert (shown["discount_total"], shown["total_tax"]) == ("7.00", order["total_tax"])
    assert shown["total"] == order["total_incl_tax"]
    assert meta(shown) == {"requested_delivery_date": "2025-06-01"}
    first, second = shown["line_items"]
    assert (first["subtotal"], first["total"], first["quantity"]) == ("300.00", "270.00", 3)
    assert (first["price"], first["sku"], first["name"]) == (Decimal("90.00"), "CHR-1", "Klapstol")
    assert meta(second) == {"erp_unit": "box"}


def test_lines_are_merged(woo: Wire, order: Record) -> None:
    first, second = (int(line["id"]) for line in order["lines"])
    product = int(order["lines"][0]["product_id"])
    items = [
        {"id": second, "quantity": 0},
        {"product_id": product, "quantity": 2.5, "subtotal": "50", "total": "40", "name": "Ny"},
    ]
    woo.done("PUT", f"orders/{order['id']}", {"line_items": items})
    lines = woo.record("orders", order["id"])["lines"]
    assert [line["id"] for line in lines][0] == str(first)
    assert lines[0] == {**order["lines"][0], "line_total": lines[0]["line_total"]}
    made = lines[1]
    assert (made["quantity"], made["unit_price"], made["discount_percent"]) == ("2.5", "20.00", "20")
    assert made["description"] == "Ny"
    assert len(lines) == 2
    woo.done("PUT", f"orders/{order['id']}", {"line_items": [{"id": first, "product_id": None}]})
    assert [line["id"] for line in woo.record("orders", order["id"])["lines"]] == [made["id"]]
    answer = woo.call("PUT", f"orders/{order['id']}", {"line_items": [{"id": 7}]})
    refused(answer, 400, "woocommerce_rest_invalid_item_id")


@pytest.mark.parametrize(
    ("change", "price", "percent"),
    [
        ({"quantity": 6}, "50.00", "10"),
        ({"total": "150.00"}, "100.00", "50"),
        ({"total": "600"}, "200.00", "0"),
        ({"quantity": 1, "subtotal": "80", "total": "60"}, "80.00", "25"),
        ({"name": "Stol"}, "100.00", "10"),
    ],
)
def test_amounts_of_a_line(woo: Wire, order: Record, change: Record, price: str, percent: str) -> None:
    key = int(order["lines"][0]["id"])
    woo.done("PUT", f"orders/{order['id']}", {"line_items": [{"id": key, **change}]})
    line = woo.record("orders", order["id"])["lines"][0]
    assert (line["unit_price"], line["discount_percent"]) == (price, percent)
    assert len(woo.record("orders", order["id"])["lines"]) == 2


def test_what_an_order_does_not_take_over(woo: Wire, order: Record) -> None:
    document = {
        "number": "X",
        "discount_total": "1.00",
        "total": "1",
        "date_created_gmt": "2025-05-05T05:05:05",
    }
    woo.done("PUT", f"orders/{order['id']}", document)
    held = woo.record("orders", order["id"])
    assert held["ordered_at"] == "2025-05-05T05:05:05.000Z"
    assert (held["number"], held["discount_amount"]) == (order["number"], "7.00")


def test_a_new_order(woo: Wire) -> None:
    customer, product = woo.customer(), woo.product()
    document = {
        "customer_id": int(customer["id"]),
        "currency": "DKK",
        "status": "processing",
        "line_items": [{"product_id": int(product["id"]), "quantity": 2}],
    }
    made = woo.done("POST", "orders", document)
    held = woo.record("orders", made["id"])
    assert (held["status"], held["customer_id"]) == ("processing", customer["id"])
    assert (held["lines"][0]["unit_price"], held["lines"][0]["sku"]) == ("100.00", "CHR-1")
    refused(woo.call("POST", "orders", {"customer_id": 7}), 400, "rest_invalid_param")


def test_expired_credentials_are_refused_once(woo: Wire) -> None:
    woo.control.fault({"expired_token": True})
    refused(woo.call("GET", "customers"), 401, "woocommerce_rest_cannot_view")
    assert woo.call("GET", "customers").status_code == 200


@pytest.fixture
def receiver(woo: Wire) -> Iterator[Receiver]:
    woo.control.settings(webhook_pace=0.01)
    running = Receiver()
    yield running
    running.close()


def test_webhooks_carry_the_whole_record(woo: Wire, receiver: Receiver) -> None:
    made = woo.customer()
    document = {"topic": "customer.updated", "delivery_url": receiver.url, "secret": "hush"}
    hook = woo.done("POST", "webhooks", document)
    assert "secret" not in hook
    woo.edited("customers", made["id"], phone="7")
    assert receiver.documents() == [woo.get(f"customers/{made['id']}")]
    sent, body = receiver.deliveries[0]
    headers = {name.lower(): value for name, value in sent.items()}
    assert headers["x-wc-webhook-topic"] == "customer.updated"
    digest = base64.b64encode(hmac.new(b"hush", body, hashlib.sha256).digest()).decode()
    assert headers["x-wc-webhook-signature"] == digest
    assert [row["id"] for row in woo.get("webhooks")] == [hook["id"]]
    refused(woo.call("DELETE", f"webhooks/{hook['id']}"), 501, "woocommerce_rest_trash_not_supported")
    woo.done("DELETE", f"webhooks/{hook['id']}?force=true")
    assert woo.get("webhooks") == []


def test_a_deletion_is_told_by_its_id_alone(woo: Wire, receiver: Receiver) -> None:
    made = woo.product()
    woo.done("POST", "webhooks", {"topic": "product.deleted", "delivery_url": receiver.url, "secret": "hush"})
    woo.done("DELETE", f"products/{made['id']}")
    woo.done("DELETE", f"products/{made['id']}?force=true")
    assert receiver.documents() == [{"id": int(made["id"])}]


def test_a_topic_there_is_not(woo: Wire) -> None:
    document = {"topic": "gnome.born", "delivery_url": "http://127.0.0.1:1/", "secret": "hush"}
    refused(woo.call("POST", "webhooks", document), 400, "rest_invalid_param")
