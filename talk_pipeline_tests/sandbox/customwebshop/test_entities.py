"""Customers and products: what is stored, what is refused, versions, idempotency, deletion."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from talk_pipeline_tests.sandbox.clients import Record, ShopClient, read


def refused(response: Any, status: int, *, field: str | None = None, code: str | None = None) -> Record:
    """Assert that an answer is this refusal, in the shop's envelope; returns the error."""
    assert response.status_code == status, (response.status_code, response.text)
    error: Record = read(response)["error"]
    assert set(error) == {"code", "message", "field"}
    assert field is None or error["field"] == field, error
    assert code is None or error["code"] == code, error
    return error


@pytest.mark.parametrize("header", [None, "Bearer wrong", "Basic x"])
def test_only_with_the_token(shop: ShopClient, header: str | None) -> None:
    refused(shop.call("GET", "customers", headers={"Authorization": header or ""}), 401)


@pytest.mark.parametrize("path", ["gnomes", "customers/c-1/lines", "/api/v2/customers", "webhooks/a/b"])
def test_addresses_there_are_not(shop: ShopClient, path: str) -> None:
    refused(shop.call("GET", path), 404)


@pytest.mark.parametrize(
    ("method", "path"), [("PUT", "customers"), ("PATCH", "customers"), ("POST", "customers/count")]
)
def test_methods_there_are_not(shop: ShopClient, method: str, path: str) -> None:
    refused(shop.call(method, path, {}), 405)


def test_a_customer_as_it_was_given(shop: ShopClient) -> None:
    given = {
        "number": "k-7",
        "company_name": " Æblegren  ApS ",
        "contact_name": "Ida Dahlgaard",
        "organization_number": "12 34 56 78",
        "vat_number": "DK12345678",
        "email": "Info@Aeblegren.example",
        "phone": "20 17 00 00",
        "website": "www.aeblegren.example",
        "currency": "EUR",
        "active": False,
        "note": "Ring først",
        "address": {"line1": "Havnegade 1", "city": "Aarhus C", "postal_code": "8000", "country": "DK"},
    }
    made = shop.customer(**given)
    assert {name: made[name] for name in given if name != "address"} == {
        name: value for name, value in given.items() if name != "address"
    }
    assert made["address"] == {"line2": None, "region": None, **given["address"]}  # type: ignore[dict-item]
    assert made["id"]
    assert made["deleted_at"] is None
    assert shop.get(f"customers/{made['id']}") == made


@pytest.mark.parametrize(
    ("sent", "kept"),
    [("12.50", "12.50"), ("0012.5", "0012.5"), (Decimal("12.50"), "12.50"), (12, "12"), ("0", "0")],
)
def test_money_is_text_and_kept_as_given(shop: ShopClient, sent: Any, kept: str) -> None:
    assert shop.product(price=sent)["price"] == kept


def test_defaults(shop: ShopClient) -> None:
    customer = shop.create("customers")
    assert (customer["active"], customer["company_name"], customer["currency"]) == (True, None, None)
    assert customer["number"]
    product = shop.create("products", sku="X")
    assert (product["price"], product["stock"], product["tags"], product["price_includes_tax"]) == (
        "0.00",
        "0",
        [],
        False,
    )


@pytest.mark.parametrize(
    ("resource", "document", "field"),
    [
        ("products", {}, "sku"),
        ("products", {"sku": None}, "sku"),
        ("products", {"sku": "X", "price": "cheap"}, "price"),
        ("products", {"sku": "X", "price": "-1"}, "price"),
        ("products", {"sku": "X", "price": True}, "price"),
        ("products", {"sku": "X", "price": "1e5"}, "price"),
        ("products", {"sku": "X", "tags": "new"}, "tags"),
        ("products", {"sku": "X", "gnome": 1}, "gnome"),
        ("customers", {"company_name": 7}, "company_name"),
        ("customers", {"active": "yes"}, "active"),
        ("customers", {"currency": "kroner"}, "currency"),
        ("customers", {"address": "Havnegade"}, "address"),
        ("customers", {"address": {"street": "X"}}, "address.street"),
        ("customers", {"address": {"city": 7}}, "address.city"),
        ("customers", {"id": "c-7"}, "id"),
        ("customers", {"updated_at": "2025-01-01T00:00:00Z"}, "updated_at"),
    ],
)
def test_values_that_are_refused_name_their_field(
    shop: ShopClient, resource: str, document: Record, field: str
) -> None:
    refused(shop.call("POST", resource, document), 422, field=field)
    assert shop.get(f"{resource}/count")["count"] == 0


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"7"])
def test_a_body_that_is_none_is_malformed(shop: ShopClient, content: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    refused(shop.call("POST", "customers", content=content, headers=headers), 400, code="malformed")
    refused(shop.call("POST", "customers", content=b"{}", headers={"Content-Type": "text/plain"}), 415)


@pytest.mark.parametrize(("resource", "name"), [("customers", "number"), ("products", "sku")])
def test_keys_are_taken_once(shop: ShopClient, resource: str, name: str) -> None:
    first = shop.create(resource, **{name: "K1"})
    refused(shop.call("POST", resource, {name: "K1"}), 409, field=name)
    other = shop.create(resource, **{name: "K2"})
    refused(shop.call("PATCH", f"{resource}/{other['id']}", {name: "K1"}), 409, field=name)
    assert shop.call("DELETE", f"{resource}/{first['id']}").status_code == 204
    shop.create(resource, **{name: "K1"})


def test_a_merge_patch_changes_only_what_it_names(shop: ShopClient) -> None:
    made = shop.customer(phone="1", address={"line1": "Havnegade 1", "city": "Aarhus C"}, note="bliver")
    changed = shop.patch(f"customers/{made['id']}", phone=None, address={"city": "Odense C"})
    assert changed["phone"] is None
    assert (changed["address"]["line1"], changed["address"]["city"]) == ("Havnegade 1", "Odense C")
    assert (changed["note"], changed["company_name"]) == ("bliver", made["company_name"])
    assert changed["updated_at"] >= made["updated_at"]
    assert changed["created_at"] == made["created_at"]


def test_a_merge_patch_has_a_media_type_of_its_own(shop: ShopClient) -> None:
    made = shop.customer()
    headers = {"Content-Type": "application/merge-patch+json"}
    answer = shop.call("PATCH", f"customers/{made['id']}", content=b'{"phone": "2"}', headers=headers)
    assert answer.status_code == 200


def test_what_the_shop_sets_may_come_back_unchanged(shop: ShopClient) -> None:
    made = shop.customer()
    assert shop.patch(f"customers/{made['id']}", **made)["id"] == made["id"]
    answer = shop.call("PATCH", f"customers/{made['id']}", {"created_at": "2025-01-01T00:00:00.000Z"})
    refused(answer, 422, field="created_at")


def test_versions_are_strong_and_move_with_changes_only(shop: ShopClient) -> None:
    made = shop.call("POST", "customers", {"company_name": "X"})
    path, tag = f"customers/{made.json()['id']}", made.headers["etag"]
    assert tag.startswith('"')
    assert shop.call("GET", path).headers["etag"] == tag
    same = shop.call("PATCH", path, {"company_name": "X"})
    assert (same.headers["etag"], same.json()["updated_at"]) == (tag, made.json()["updated_at"])
    changed = shop.call("PATCH", path, {"company_name": "Y"}, headers={"If-Match": tag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != tag
    assert shop.call("GET", path, headers={"If-None-Match": changed.headers["etag"]}).status_code == 304


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_a_stale_version_is_412(shop: ShopClient, method: str) -> None:
    made = shop.call("POST", "customers", {"company_name": "X"})
    path, headers = f"customers/{made.json()['id']}", {"If-Match": made.headers["etag"]}
    shop.patch(path, company_name="Y")
    document = {"company_name": "Z"} if method == "PATCH" else None
    refused(shop.call(method, path, document, headers=headers), 412, code="stale")
    assert shop.get(path)["company_name"] == "Y"
    assert shop.call(method, path, document, headers={"If-Match": "*"}).status_code in (200, 204)


def test_a_shop_may_know_no_conditions(shop: ShopClient) -> None:
    shop.control.settings(if_match="ignored")
    made = shop.customer()
    answer = shop.call("PATCH", f"customers/{made['id']}", {"phone": "3"}, headers={"If-Match": '"stale"'})
    assert answer.status_code == 200


def test_deleted_is_gone_and_still_listed_for_those_who_ask(shop: ShopClient) -> None:
    made, other = shop.customer(), shop.customer()
    path = f"customers/{made['id']}"
    assert shop.call("DELETE", path).status_code == 204
    for method in ("GET", "PATCH", "DELETE"):
        refused(shop.call(method, path, {} if method == "PATCH" else None), 410)
    refused(shop.call("GET", "customers/c-none"), 404)
    assert [c["id"] for c in shop.get("customers")["data"]] == [other["id"]]
    listed = {c["id"]: c for c in shop.get("customers?include_deleted=true")["data"]}
    assert listed[made["id"]]["deleted_at"]
    assert listed[made["id"]]["updated_at"] == listed[made["id"]]["deleted_at"]


def test_the_same_key_gives_the_first_answer_again(shop: ShopClient) -> None:
    headers = {"Idempotency-Key": "k-1"}
    first = shop.call("POST", "customers", {"company_name": "X"}, headers=headers)
    shop.patch(f"customers/{first.json()['id']}", company_name="Y")
    again = shop.call("POST", "customers", {"company_name": "X"}, headers=headers)
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["etag"] == first.headers["etag"]
    assert shop.get("customers/count")["count"] == 1
    refused(shop.call("POST", "customers", {"company_name": "Z"}, headers=headers), 422)
    other = shop.call("POST", "products", {"sku": "X"}, headers=headers)
    assert other.status_code == 201


def test_a_refused_create_uses_up_no_key(shop: ShopClient) -> None:
    headers = {"Idempotency-Key": "k-1"}
    refused(shop.call("POST", "customers", {"active": 7}, headers=headers), 422)
    assert shop.call("POST", "customers", {"active": True}, headers=headers).status_code == 201


def test_a_key_is_forgotten_after_a_day(shop: ShopClient) -> None:
    headers = {"Idempotency-Key": "k-1"}
    shop.call("POST", "customers", {"company_name": "X"}, headers=headers)
    shop.control.clock(23 * 3600)
    shop.call("POST", "customers", {"company_name": "X"}, headers=headers)
    assert shop.get("customers/count")["count"] == 1
    shop.control.clock(25 * 3600)
    shop.call("POST", "customers", {"company_name": "X"}, headers=headers)
    assert shop.get("customers/count")["count"] == 2


def test_a_shop_may_know_no_keys(shop: ShopClient) -> None:
    shop.control.settings(idempotency="ignored")
    for _ in range(2):
        shop.call("POST", "customers", {"company_name": "X"}, headers={"Idempotency-Key": "k"})
    assert shop.get("customers/count")["count"] == 2


def test_over_the_rate_is_429_with_the_wait(shop: ShopClient) -> None:
    shop.control.limits(rate=1, window=30)
    shop.get("customers")
    answer = shop.call("GET", "customers")
    refused(answer, 429)
    assert 25 <= int(answer.headers["retry-after"]) <= 31
