"""The shop that tells as little as it can: summaries, parts written one by one, no versions and no times."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from talk_pipeline_tests.sandbox.clients import Record, read
from talk_pipeline_tests.sandbox.customwebshop.speech import BARE, Wire

ADDRESS = {
    "kind": "main",
    "street1": "Vej 1",
    "street2": None,
    "town": "Odense",
    "county": None,
    "zip": "5000",
    "land": "DK",
}


def refused(response: httpx.Response, status: int, what: str, where: str | None = None) -> None:
    assert response.status_code == status, (response.status_code, response.text)
    problems = read(response)["problems"]
    assert [set(problem) for problem in problems] == [{"what", "why", "where"}]
    assert (problems[0]["what"], problems[0]["where"]) == (what, where)


def made(wire: Wire, path: str, document: Any) -> str:
    """Create something; returns where it is, below the base."""
    answer = wire.call("POST", path, document)
    assert (answer.status_code, answer.content) == (201, b""), answer.text
    return answer.headers["location"].removeprefix("/shop/")


def test_lists_are_bare_arrays_of_summaries(bare: Wire) -> None:
    customer, product, order = bare.customer(number="C1"), bare.product(), bare.order()
    assert bare.get("clients")[0] == {"id": customer["id"], "code": "C1"}
    assert bare.get("articles") == [{"id": product["id"], "sku": "CHR-1"}]
    assert bare.get("purchases") == [{"id": order["id"], "no": order["number"]}]


def test_offset_and_count(bare: Wire) -> None:
    keys = [bare.product(sku=f"S{number}")["id"] for number in range(5)]
    bare.edited("products", keys[0], name="Ny")
    assert [entry["id"] for entry in bare.get("articles?offset=1&count=3")] == keys[1:4]
    assert bare.get("articles?offset=5") == []
    assert len(bare.get("articles?count=999999")) == 5
    bare.control.limits(page_size=2)
    assert len(bare.get("articles?count=200")) == 2
    refused(bare.call("GET", "articles?offset=x"), 422, "malformed", "offset")


@pytest.mark.parametrize("name", ["customers", "products", "orders"])
def test_no_version_and_no_time_of_change(bare: Wire, name: str) -> None:
    record = {"customers": bare.customer, "products": bare.product, "orders": bare.order}[name]()
    answer = bare.call("GET", f"{BARE[name]}/{record['id']}")
    assert not {"etag", "last-modified"} & set(answer.headers)
    before = read(answer)
    field = "description" if name == "products" else "phone"
    for value in ("7", None):
        wish = {"values": {field: value}}
        bare.control("PATCH", f"/records/{name}/{record['id']}", wish)
    assert bare.record(name, record["id"])["updated_at"] >= record["updated_at"]
    assert bare.get(f"{BARE[name]}/{record['id']}") == before


@pytest.mark.parametrize("name", ["customers", "products", "orders"])
def test_a_deleted_record_is_gone(bare: Wire, name: str) -> None:
    record = {"customers": bare.customer, "products": bare.product, "orders": bare.order}[name]()
    path = f"{BARE[name]}/{record['id']}"
    assert bare.call("DELETE", path).status_code == 204
    refused(bare.call("GET", path), 404, "not_found")
    assert record["id"] not in [entry["id"] for entry in bare.get(BARE[name])]
    assert bare.record(name, record["id"])["deleted_at"] is not None


def test_a_new_client(bare: Wire) -> None:
    document = {
        "code": "C1",
        "name": "A",
        "firstName": "Ann",
        "lastName": "von Berg",
        "enabled": "N",
        "contacts": [{"kind": "phone", "value": "7"}, {"kind": "web", "value": "a.example"}],
        "addresses": [ADDRESS],
    }
    place = made(bare, "clients", document)
    shown = bare.get(place)
    assert shown["contacts"] == document["contacts"]
    assert shown["addresses"] == [ADDRESS]
    held = bare.record("customers", shown["id"])
    assert (held["contact_name"], held["active"], held["email"]) == ("Ann von Berg", False, None)
    assert (held["website"], held["address"]["line1"]) == ("a.example", "Vej 1")


def test_master_data_is_written_whole(bare: Wire) -> None:
    client = bare.customer(number="C1", note="Hej", vat_number="DK1", phone="7", address={"city": "Odense"})
    answer = bare.call("PUT", f"clients/{client['id']}", {"code": "C1", "name": "Ny", "enabled": "N"})
    assert (answer.status_code, answer.content) == (204, b"")
    held = bare.record("customers", client["id"])
    assert (held["company_name"], held["note"], held["vat_number"], held["active"]) == (
        "Ny",
        None,
        None,
        False,
    )
    assert (held["phone"], held["address"]["city"]) == ("7", "Odense")
    answer = bare.call("PUT", f"clients/{client['id']}", {"code": "C1", "contacts": []})
    refused(answer, 422, "unknown_field", "contacts")


def test_contacts_and_addresses_are_written_whole(bare: Wire) -> None:
    client = bare.customer(phone="7", email="a@b.example", address={"city": "Odense", "line1": "Vej 2"})
    path = f"clients/{client['id']}"
    bare.done("PUT", f"{path}/contacts", [{"kind": "email", "value": "c@d.example"}])
    bare.done("PUT", f"{path}/addresses", [{"kind": "main", "zip": "5000"}])
    held = bare.record("customers", client["id"])
    assert (held["email"], held["phone"]) == ("c@d.example", None)
    assert {part: value for part, value in held["address"].items() if value} == {"postal_code": "5000"}
    assert bare.get(f"{path}/contacts") == [{"kind": "email", "value": "c@d.example"}]
    bare.done("PUT", f"{path}/addresses", [])
    assert bare.get(path)["addresses"] == []
    for wrong in ([{"kind": "fax", "value": "1"}], [{"kind": "web"}, {"kind": "web"}]):
        answer = bare.call("PUT", f"{path}/contacts", wrong)
        refused(answer, 422, "invalid_value", f"contacts[{len(wrong) - 1}]")
    refused(bare.call("PUT", f"{path}/addresses", {}), 422, "invalid_value", "addresses")


def test_an_article(bare: Wire) -> None:
    place = made(bare, "articles", {"sku": "A", "title": "Stol", "price": "12.50", "gross": True, "stock": 7})
    shown = bare.get(place)
    assert (shown["price"], shown["gross"], shown["enabled"], shown["stock"]) == ("12.50", True, "Y", 7)
    assert bare.call("PATCH", place, {"enabled": "N"}).status_code == 204
    held = bare.record("products", shown["id"])
    assert (held["active"], held["name"], held["price"]) == (False, "Stol", "12.50")
    refused(bare.call("PATCH", place, {"enabled": False}), 422, "invalid_value", "enabled")
    refused(bare.call("POST", "articles", {"sku": "A"}), 422, "duplicate", "sku")
    refused(bare.call("PATCH", place, {"gnome": 1}), 422, "unknown_field", "gnome")


@pytest.fixture
def purchase(bare: Wire) -> Record:
    product = bare.product()
    line = {"product_id": product["id"], "quantity": "2", "unit_price": "10.00"}
    return bare.order(line, line, reference="Projekt")


def test_rows_have_addresses_of_their_own(bare: Wire, purchase: Record) -> None:
    path = f"purchases/{purchase['id']}"
    assert "rows" not in bare.get(path)
    article = purchase["lines"][0]["product_id"]
    place = made(bare, f"{path}/rows", {"article": {"id": article}, "qty": 1.5, "price": "4.00"})
    rows = bare.get(f"{path}/rows")
    assert [row["qty"] for row in rows] == [2, 2, 1.5]
    assert place == f"{path}/rows/{rows[2]['id']}"
    assert bare.call("PATCH", place, {"rebate": "50"}).status_code == 204
    assert bare.call("DELETE", f"{path}/rows/{rows[0]['id']}").status_code == 204
    held = bare.record("orders", purchase["id"])
    assert [line["id"] for line in held["lines"]] == [rows[1]["id"], rows[2]["id"]]
    assert (held["lines"][1]["discount_percent"], held["total_excl_tax"]) == ("50", "23.00")
    refused(bare.call("DELETE", f"{path}/rows/{rows[0]['id']}"), 404, "not_found")
    refused(bare.call("PATCH", place, {"qty": "1"}), 422, "invalid_value", "qty")
    refused(
        bare.call("POST", f"{path}/rows", {"article": {"id": "p-0"}, "qty": 1}),
        422,
        "invalid_value",
        "article.id",
    )
    writes = bare.control.requests()["writes"]["order_lines"]
    assert writes == {"create": 1, "update": 1, "delete": 1}


def test_the_head_of_a_purchase(bare: Wire, purchase: Record) -> None:
    path = f"purchases/{purchase['id']}"
    assert bare.call("PATCH", path, {"state": "shipped", "billing": {"zip": "1"}}).status_code == 204
    held = bare.record("orders", purchase["id"])
    assert (held["status"], held["reference"], held["billing_address"]["postal_code"]) == (
        "shipped",
        "Projekt",
        "1",
    )
    refused(bare.call("PATCH", path, {"rows": []}), 422, "unknown_field", "rows")
    refused(bare.call("PATCH", path, {"total": "1"}), 422, "invalid_value", "total")
    place = made(bare, "purchases", {"client": {"id": purchase["customer_id"]}, "no": "W1"})
    assert bare.get(f"{place}/rows") == []


def test_too_many_calls_are_told_with_a_number_of_its_own(bare: Wire) -> None:
    bare.control.limits(rate=1, window=60)
    bare.call("GET", "clients")
    refused(bare.call("GET", "clients"), 420, "throttled")
    bare.control.limits(rate=0)
    bare.control.fault({"status": 429})
    refused(bare.call("GET", "clients"), 420, "throttled")
