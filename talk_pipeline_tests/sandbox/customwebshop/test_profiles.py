"""What every profile must do, whatever its wire shape."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from talk_pipeline.sandbox import SandboxError
from talk_pipeline.sandbox.customwebshop.profiles import PROFILES
from talk_pipeline.sandbox.server import Sandbox
from talk_pipeline_tests.sandbox.clients import Record
from talk_pipeline_tests.sandbox.customwebshop.speech import SPEECHES, Wire

ADDRESS = {
    "line1": "Havnegade 1",
    "line2": "2. sal",
    "city": "Odense",
    "region": "Fyn",
    "postal_code": "5000",
    "country": "DK",
}
CUSTOMER: Record = {
    "number": "10077",
    "company_name": "Tågehorn Handel ApS",
    "contact_name": "Caroline von Overlund",
    "organization_number": "29819742",
    "vat_number": "DK29819742",
    "email": "mail@taagehorn.example",
    "phone": "+45 20 17 86 63",
    "website": "www.taagehorn.example",
    "currency": "DKK",
    "active": False,
    "address": ADDRESS,
    "note": "Ring før levering",
}
PRODUCT: Record = {
    "sku": "CHR-1",
    "name": "Klapstol",
    "description": "Eg",
    "gtin": "2734007141241",
    "category": "CHAIRS",
    "unit": "pcs",
    "price": "1193.75",
    "cost": "716.25",
    "currency": "DKK",
    "price_includes_tax": True,
    "active": False,
    "stock": "191",
    "tags": ["ude", "inde"],
}
ORDER: Record = {
    "number": "WEB-1",
    "ordered_at": "2025-05-18T11:00:14.583Z",
    "requested_delivery_date": "2025-06-01",
    "reference": "Projekt",
    "currency": "DKK",
    "prices_include_tax": False,
    "email": "a@b.example",
    "phone": "20 17 51 62",
    "status": "processing",
    "billing_address": ADDRESS,
    "shipping_address": {"name": "Lager", **ADDRESS, "line1": "Kajen 2"},
    "discount_amount": "5.00",
    "erp_number": "SO-1",
}
OTHERS: Record = {
    "active": True,
    "price_includes_tax": False,
    "prices_include_tax": True,
    "currency": "SEK",
    "status": "shipped",
    "ordered_at": "2025-05-19T11:00:15.000Z",
    "requested_delivery_date": "2025-06-02",
    "tags": ["ude"],
    "price": "7.50",
    "cost": "8.50",
    "stock": "17",
    "discount_amount": "7.00",
    "contact_name": "Bo Lund",
}


def everything(wire: Wire) -> dict[str, Record]:
    """A customer, a product and an order with every field filled."""
    customer, product = wire.customer(**CUSTOMER), wire.product(**PRODUCT)
    line = {
        "product_id": product["id"],
        "description": "Klapstol, sort",
        "unit": "box",
        "quantity": "3",
        "unit_price": "99.95",
        "discount_percent": "12.5",
    }
    order = wire.order(line, {**line, "quantity": "2"}, customer_id=customer["id"], **ORDER)
    return {"customers": customer, "products": product, "orders": order}


def put(document: Record, path: str, value: Any) -> None:
    *steps, last = path.split(".")
    for step in steps:
        document = document[step]
    document[last] = value


def test_every_profile_is_tried() -> None:
    assert set(SPEECHES) == set(PROFILES) - {"reference"}


def test_the_environment_has_what_the_profile_needs(wire: Wire) -> None:
    profile = next(name for name, speech in SPEECHES.items() if speech is wire.speech)
    assert "CUSTOMWEBSHOP_TOKEN" not in wire.environment
    connector = Path(wire.environment["CUSTOMWEBSHOP_CONNECTOR"])
    assert connector.is_absolute()
    assert connector.name == f"{profile}.yaml"
    packaged = "systems/customwebshop" if profile == "woocommerce" else "sandbox/customwebshop/profiles"
    assert connector.parent.as_posix().endswith(f"talk_pipeline/{packaged}")


def test_nobody_enters_without_credentials(wire: Wire) -> None:
    for name in wire.speech.lists.values():
        slash = "/" if wire.speech.base == "/api/" else ""
        assert wire.stranger.get(f"{name}{slash}").status_code == 401


@pytest.mark.parametrize("name", ["customers", "products", "orders"])
def test_pages_hold_every_record_once_and_control_agrees(wire: Wire, name: str) -> None:
    wire.control.reset()
    seen = [str(key) for key in wire.speech.walk(wire, name)]
    assert len(seen) == len(set(seen))
    records = wire.control("GET", f"/records/{name}")["records"]
    assert len(records) >= 40
    assert sorted(seen) == sorted(record["id"] for record in records if record["deleted_at"] is None)


@pytest.mark.parametrize("name", ["customers", "products", "orders"])
def test_what_comes_back_as_it_was_shown_changes_nothing(wire: Wire, name: str) -> None:
    record = everything(wire)[name]
    shown = wire.speech.show(wire, name, record["id"])
    answer = wire.speech.write(wire, name, record["id"], shown)
    assert answer.status_code < 300, answer.text
    assert wire.record(name, record["id"]) == record


@pytest.mark.parametrize("name", ["customers", "products", "orders"])
def test_every_field_is_on_the_wire(wire: Wire, name: str) -> None:
    record = everything(wire)[name]
    fields = {"customers": CUSTOMER, "products": PRODUCT, "orders": ORDER}[name]
    shown = wire.speech.show(wire, name, record["id"])
    for field, value in fields.items():
        other = OTHERS.get(field, "77007" if isinstance(value, str) else {**ADDRESS, "city": "Vejle"})
        wire.edited(name, record["id"], **{field: other})
        changed = wire.speech.show(wire, name, record["id"])
        assert changed != shown, field
        wire.edited(name, record["id"], **{field: value})
        wire.speech.show(wire, name, record["id"])


@pytest.mark.parametrize("name", ["customers", "products", "orders"])
def test_blank_fields_can_be_shown_and_come_back(wire: Wire, name: str) -> None:
    blank = {"customers": wire.customer, "products": wire.product, "orders": wire.order}[name]()
    shown = wire.speech.show(wire, name, blank["id"])
    assert wire.speech.write(wire, name, blank["id"], shown).status_code < 300
    assert wire.record(name, blank["id"]) == blank


def test_an_update_changes_only_what_it_names(wire: Wire) -> None:
    record = everything(wire)["customers"]
    shown = copy.deepcopy(wire.speech.show(wire, "customers", record["id"]))
    put(shown, wire.speech.company, "Ny ApS")
    answer = wire.speech.write(wire, "customers", record["id"], shown)
    assert answer.status_code < 300, answer.text
    held = wire.record("customers", record["id"])
    assert held["company_name"] == "Ny ApS"
    ignored = {"company_name", "updated_at"}
    assert {k: v for k, v in held.items() if k not in ignored} == {
        k: v for k, v in record.items() if k not in ignored
    }


def test_writes_are_counted(wire: Wire) -> None:
    record = everything(wire)["customers"]
    shown = copy.deepcopy(wire.speech.show(wire, "customers", record["id"]))
    put(shown, wire.speech.company, "Ny ApS")
    wire.control("DELETE", "/requests")
    wire.speech.write(wire, "customers", record["id"], shown)
    writes = wire.control.requests()["writes"]["customers"]
    assert writes["update"] >= 1
    assert writes["create"] == writes["delete"] == 0


def test_paths_are_counted_without_their_keys(wire: Wire) -> None:
    key = wire.customer()["id"]
    wire.control("DELETE", "/requests")
    wire.speech.show(wire, "customers", key)
    seen = wire.control.requests()["by_path"]
    assert any("{id}" in path for path in seen)
    assert not any(key in path for path in seen)


def test_faults_and_limits_reach_every_profile(wire: Wire) -> None:
    address = wire.speech.lists["customers"] + ("/" if wire.speech.base == "/api/" else "")
    wire.control.fault({"status": 503}, path=wire.speech.lists["customers"])
    assert wire.call("GET", address).status_code == 503
    assert wire.call("GET", address).status_code == 200
    wire.control.limits(rate=1, window=60)
    assert wire.call("GET", address).status_code == 200
    refused = wire.call("GET", address)
    assert refused.status_code in (420, 429)
    assert int(refused.headers["retry-after"]) > 0
    assert wire.control.requests()["throttled"] == 1


@pytest.mark.parametrize("path", ["gnomes", "customers/1/2/3"])
def test_addresses_there_are_not(wire: Wire, path: str) -> None:
    assert wire.call("GET", path).status_code == 404


def test_records_of_one_profile_are_not_served_under_another(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with Sandbox(state=state, size=2, shop_profile="woocommerce"):
        pass
    with pytest.raises(SandboxError, match=r"profile woocommerce, not reference; use another --state"):
        Sandbox(state=state).start()
    with Sandbox(state=state, shop_profile="woocommerce") as again:
        assert again.environment()["CUSTOMWEBSHOP_KEY"]
