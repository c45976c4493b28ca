"""The shop that is polite and does not tell the truth."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from talk_pipeline_tests.sandbox.clients import Record, read
from talk_pipeline_tests.sandbox.customwebshop.speech import Wire


def refused(response: httpx.Response, code: str, field: str | None = None) -> None:
    """Assert that an answer is a refusal that looks like success."""
    assert response.status_code == 200, (response.status_code, response.text)
    document = read(response)
    assert document["ok"] is False
    assert set(document["error"]) == {"code", "message", "field"}
    assert (document["error"]["code"], document["error"]["field"]) == (code, field)


def created(wire: Wire, name: str, document: Any) -> httpx.Response:
    draft = wire.done("POST", f"{name}/drafts", document)["draft"]["id"]
    return wire.call("POST", f"{name}/drafts/{draft}/convert", {})


def test_lists_have_the_whole_address_of_the_next_page(liar: Wire) -> None:
    for number in range(3):
        liar.customer(number=f"C{number}")
    page = liar.get("customers?limit=2")
    assert len(page["records"]) == 2
    assert page["next"].startswith(f"{liar.root}/v2/customers?")
    last = liar.get(page["next"])
    assert (len(last["records"]), last["next"]) == (1, None)
    assert len(liar.get("customers?limit=100000")["records"]) == 3


def test_modified_from_cuts_milliseconds(liar: Wire) -> None:
    made = liar.customer()
    liar.edited("customers", made["id"], seconds_ago=-60, phone="7")
    moment = liar.get(f"customers/{made['id']}")["modified"]
    second = moment - moment % 1000
    assert len(liar.get(f"customers?modified_from={second + 999}")["records"]) == 1
    assert liar.get(f"customers?modified_from={second + 1000}")["records"] == []


def test_unknown_parameters_are_ignored(liar: Wire) -> None:
    liar.customer()
    assert len(liar.get("customers?updated_since=2999-01-01&filter[gnome]=1")["records"]) == 1


@pytest.mark.parametrize(
    ("name", "field"), [("customers", "number"), ("products", "sku"), ("orders", "number")]
)
def test_key_fields_can_be_searched(liar: Wire, name: str, field: str) -> None:
    make = {"customers": liar.customer, "products": liar.product, "orders": liar.order}[name]
    wanted, _ = make(**{field: "K1"}), make(**{field: "K11"})
    found = liar.get(f"{name}?filter[{field}]=K1")["records"]
    assert [record["id"] for record in found] == [wanted["id"]]
    assert liar.get(f"{name}?filter[{field}]=k1")["records"] == []


@pytest.mark.parametrize(
    ("name", "change", "moves"),
    [
        ("customers", {"profile": {"phone": "7"}}, True),
        ("customers", {"addresses": [{"default": True, "city": "Vejle"}]}, False),
        ("products", {"details": {"name": "Ny"}}, True),
        ("products", {"pricing": {"price": "7.00"}}, False),
        ("products", {"pricing": {"price": "7.00"}, "details": {"name": "Ny"}}, True),
        ("orders", {"lines": []}, False),
        ("orders", {"addresses": {"shipping": {"city": "Vejle"}}}, False),
        ("orders", {"header": {"reference": "X"}}, True),
    ],
)
def test_the_modified_time_does_not_always_move(liar: Wire, name: str, change: Record, moves: bool) -> None:
    product = liar.product(sku="L")
    make: Any = {
        "customers": liar.customer,
        "products": liar.product,
        "orders": lambda: liar.order({"product_id": product["id"], "quantity": "1"}),
    }[name]
    made = make()
    liar.edited(name, made["id"], seconds_ago=60, **({"phone": "1"} if name != "products" else {"name": "A"}))
    before = liar.get(f"{name}/{made['id']}")
    after = liar.done("POST", f"{name}/{made['id']}", change)
    assert (after["modified"] > before["modified"]) is moves
    assert {k: v for k, v in after.items() if k != "modified"} != {
        k: v for k, v in before.items() if k != "modified"
    }


def test_a_record_is_created_in_two_steps(liar: Wire) -> None:
    draft = liar.done("POST", "customers/drafts", {"profile": {"number": "C1", "company_name": "A"}})
    assert liar.get("customers")["records"] == []
    assert liar.control("GET", "/records/customers")["records"] == []
    path = f"customers/drafts/{draft['draft']['id']}/convert"
    made = liar.done("POST", path, {})
    assert liar.record("customers", made["id"])["number"] == "C1"
    assert liar.call("POST", path, {}).status_code == 404
    assert len(liar.get("customers")["records"]) == 1
    assert created(liar, "products", {"details": {"sku": "A"}}).json()["details"]["sku"] == "A"


def test_refusals_look_like_success(liar: Wire) -> None:
    made = liar.product()
    path = f"products/{made['id']}"
    refused(liar.call("POST", path, {"pricing": {"price": "much"}}), "invalid_value", "pricing.price")
    refused(created(liar, "products", {"details": {"sku": "CHR-1"}}), "duplicate", "details.sku")
    refused(liar.call("POST", path, []), "malformed")
    assert liar.record("products", made["id"]) == made
    assert liar.call("GET", "products/p-0").status_code == 404
    assert liar.call("POST", "products/p-0", {}).status_code == 404
    assert liar.call("PATCH", path, {}).status_code == 405


def test_unknown_and_fixed_fields_are_ignored(liar: Wire) -> None:
    made = liar.customer()
    document = {"profile": {"gnome": 1, "phone": "7"}, "modified": 1, "id": "x"}
    assert liar.done("POST", f"customers/{made['id']}", document)["id"] == made["id"]
    assert liar.record("customers", made["id"])["phone"] == "7"


def test_only_the_default_address_is_the_record_s(liar: Wire) -> None:
    made = liar.customer(address={"city": "Odense"})
    path = f"customers/{made['id']}"
    first, second = liar.get(path)["addresses"]
    assert (first["default"], first["city"], second["default"]) == (True, "Odense", False)
    changed = [{**second, "city": "Ribe"}, {**first, "city": "Vejle"}]
    shown = liar.done("POST", path, {"addresses": changed})["addresses"]
    assert [address["city"] for address in shown] == ["Vejle", "Ribe"]
    assert liar.record("customers", made["id"])["address"]["city"] == "Vejle"
    liar.edited("customers", made["id"], phone="7")
    assert liar.get(path)["addresses"] == shown
    refused(liar.call("POST", path, {"addresses": [second]}), "invalid_value", "addresses")
    assert len(liar.done("POST", path, {"addresses": [first]})["addresses"]) == 1


def test_deleted_records_are_simply_gone(liar: Wire) -> None:
    made = liar.customer()
    assert liar.done("POST", f"customers/{made['id']}/delete", {}) == {"ok": True}
    assert liar.call("GET", f"customers/{made['id']}").status_code == 404
    assert liar.get("customers")["records"] == []
    assert liar.record("customers", made["id"])["deleted_at"] is not None


def test_lines_are_a_whole_list(liar: Wire) -> None:
    product = liar.product()
    line = {"product_id": product["id"], "quantity": "1", "unit_price": "5.00"}
    made = liar.order(line, line)
    kept = liar.get(f"orders/{made['id']}")["lines"][1]
    lines = [{"id": kept["id"], "quantity": "4"}, {"product": {"id": product["id"]}, "quantity": "2"}]
    liar.done("POST", f"orders/{made['id']}", {"lines": lines})
    held = liar.record("orders", made["id"])["lines"]
    assert [(line["quantity"], line["unit_price"]) for line in held] == [("4", "5.00"), ("2", "100.00")]
