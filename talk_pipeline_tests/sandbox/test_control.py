"""The control API: reset, clock, requests seen, and what the back office does."""

from __future__ import annotations

import datetime as dt
from email.utils import parsedate_to_datetime

import httpx
import pytest

from talk_pipeline_tests.sandbox.clients import CentralClient, Record, ShopClient


def test_it_needs_no_token_and_counts_nowhere(bc: CentralClient) -> None:
    url = bc.root.split("/v2.0/")[0]
    assert httpx.get(f"{url}/_sandbox/requests", trust_env=False).status_code == 200
    assert bc.control.requests()["total"] == 0


@pytest.mark.parametrize("path", ["/nothing", "/sales-orders/x", "/reset"])
def test_addresses_there_are_not(bc: CentralClient, path: str) -> None:
    assert bc.control.raw("GET", path).status_code in (404, 405)


@pytest.mark.parametrize("content", [b"{", b"[]", b"7"])
def test_bodies_that_are_none(bc: CentralClient, content: bytes) -> None:
    url = bc.root.split("/v2.0/")[0]
    answer = httpx.post(f"{url}/_sandbox/limits", content=content, trust_env=False)
    assert answer.status_code == 400
    assert "error" in answer.json()


def test_reset_puts_everything_back(bc: CentralClient) -> None:
    bc.control.reset()
    start = bc.all_of("customers?$orderby=number")
    bc.control.settings(count="refused")
    bc.control.limits(latency=0.01)
    bc.control.clock(1000)
    bc.control.fault({"status": 500}, path="items")
    bc.customer()
    bc.update(f"customers({start[0]['id']})", displayName="Y")
    bc.control.reset()
    again = bc.all_of("customers?$orderby=number")
    strip = [{k: v for k, v in c.items() if not k.startswith("@")} for c in again]
    assert strip == [{k: v for k, v in c.items() if not k.startswith("@")} for c in start]
    assert bc.control("GET", "/limits")["latency"] == 0
    assert bc.control("GET", "/clock")["offset"] == 0
    assert bc.control("GET", "/settings")["count"]["value"] == "supported"
    assert bc.call("GET", "items").status_code == 200


def test_reset_keeps_the_company_and_its_token(bc: CentralClient) -> None:
    bc.control.reset(size=5, seed=9)
    assert len(bc.all_of("customers")) > 0
    assert bc.call("GET", bc.company, root=True).status_code == 200


def test_reset_of_one_side_leaves_the_other(bc: CentralClient, shop: ShopClient) -> None:
    customer, other = bc.customer(), shop.customer()
    shop.control.reset(empty=True)
    assert bc.get(f"customers({customer['id']})")["id"] == customer["id"]
    assert shop.call("GET", f"customers/{other['id']}").status_code == 404


def test_nothing_may_be_wanted(bc: CentralClient, shop: ShopClient) -> None:
    for system in (bc, shop):
        system.control.reset(size=0)
    assert [shop.get(f"{name}/count")["count"] for name in ("customers", "products", "orders")] == [0, 0, 0]
    assert not bc.all_of("customers")
    assert bc.all_of("itemCategories"), "what a company is set up with is there"


def test_reset_to_generated_records(bc: CentralClient, shop: ShopClient) -> None:
    shop.control.reset(size=30, seed=4)
    assert shop.get("customers/count")["count"] == 30
    assert shop.get("orders/count")["count"] == 60
    first = shop.get("customers?limit=5")
    shop.control.reset(size=30, seed=5)
    assert shop.get("customers?limit=5") != first
    shop.control.reset(size=30, seed=4)
    assert shop.get("customers?limit=5") == first


@pytest.mark.parametrize("offset", [600, -600])
def test_the_clock_shows_in_dates_and_times(bc: CentralClient, shop: ShopClient, offset: int) -> None:
    now = dt.datetime.now(dt.UTC)
    clients: tuple[CentralClient | ShopClient, ...] = (bc, shop)
    for client in clients:
        client.control.clock(offset)
        made = client.customer()
        modified = made["lastModifiedDateTime"] if client is bc else made["updated_at"]
        shown = parsedate_to_datetime(client.call("GET", "customers").headers["date"])
        for moment in (shown, dt.datetime.fromisoformat(modified)):
            assert abs((moment - now).total_seconds() - offset) < 30
        client.control.clock(0)


@pytest.mark.parametrize("offset", ["soon", True, None])
def test_offsets_that_are_none(bc: CentralClient, offset: object) -> None:
    assert bc.control.raw("POST", "/clock", {"offset": offset}).status_code == 400


def test_requests_are_counted_by_method_and_path(bc: CentralClient) -> None:
    customer = bc.customer()
    bc.control("DELETE", "/requests")
    bc.get(f"customers({customer['id']})")
    bc.get(f"customers({customer['id']})?$select=id")
    bc.update(f"customers({customer['id']})", displayName="Y")
    bc.call("PATCH", f"customers({customer['id']})", {"displayName": ""}, headers={"If-Match": "*"})
    seen = bc.control.requests()
    assert seen["by_path"] == {
        "GET /companies({id})/customers({id})": 2,
        "PATCH /companies({id})/customers({id})": 2,
    }
    assert (seen["total"], seen["reads"]) == (4, 2)
    assert seen["statuses"] == {"200": 3, "400": 1}
    assert seen["writes"] == {"customers": {"create": 0, "update": 1, "delete": 0}}


def test_parts_and_lines_are_counted_singly(bc: CentralClient) -> None:
    item, customer = bc.item(), bc.customer()
    bc.control("DELETE", "/requests")
    order = {
        "customerId": customer["id"],
        "salesOrderLines": [{"itemId": item["id"]}, {"description": "Hej"}],
    }
    headers = {"Content-Type": "application/json"}
    bc.batch(
        {"id": "1", "method": "POST", "url": f"{bc.company}/salesOrders", "headers": headers, "body": order},
        {"id": "2", "method": "GET", "url": f"{bc.company}/salesOrders"},
        {"id": "3", "method": "POST", "url": f"{bc.company}/customers", "headers": headers, "body": {}},
    )
    seen = bc.control.requests()
    assert seen["by_path"] == {"POST /$batch": 1}
    assert seen["batch_parts"] == {
        "GET /companies({id})/salesOrders": 1,
        "POST /companies({id})/customers": 1,
        "POST /companies({id})/salesOrders": 1,
    }
    assert seen["writes"] == {
        "salesOrderLines": {"create": 2, "update": 0, "delete": 0},
        "salesOrders": {"create": 1, "update": 0, "delete": 0},
    }
    assert seen["writes_total"] == 3


def test_a_snapshot_that_is_undone_wrote_nothing(bc: CentralClient) -> None:
    headers = {"Content-Type": "application/json"}
    part = {"method": "POST", "url": f"{bc.company}/customers", "headers": headers}
    bc.batch(
        {**part, "id": "1", "body": {"displayName": "X"}},
        {**part, "id": "2", "body": {}},
        headers={"Isolation": "snapshot"},
    )
    assert bc.control.requests()["writes"] == {}


def test_the_shop_counts_by_its_own_paths(shop: ShopClient) -> None:
    customer = shop.customer()
    shop.control("DELETE", "/requests")
    shop.get(f"customers/{customer['id']}")
    shop.get("customers/count")
    shop.get("customers?limit=1")
    assert shop.control.requests()["by_path"] == {
        "GET /api/v1/customers": 1,
        "GET /api/v1/customers/count": 1,
        "GET /api/v1/customers/{id}": 1,
    }


# -- the back office -----------------------------------------------------------------------------------------------


def test_a_late_commit_in_business_central(bc: CentralClient) -> None:
    seen = bc.customer()["lastModifiedDateTime"]
    values: Record = {"displayName": "Sen", "blocked": "All"}
    made = bc.control("POST", "/records/customers", {"values": values, "modified_seconds_ago": 30})
    assert made["lastModifiedDateTime"] < seen
    assert bc.get(f"customers({made['id']})")["blocked"] == "All"
    path = f"/records/customers/{made['number']}"
    changed = bc.control("PATCH", path, {"values": {"displayName": "Senere"}, "modified_seconds_ago": 10})
    assert made["lastModifiedDateTime"] < changed["lastModifiedDateTime"] < seen
    bc.control("DELETE", path)
    assert bc.call("GET", f"customers({made['id']})").status_code == 404


def test_a_late_commit_in_the_shop(shop: ShopClient) -> None:
    seen = shop.customer()["updated_at"]
    made = shop.control("POST", "/records/customers", {"values": {"phone": "1"}, "modified_seconds_ago": 30})
    assert made["updated_at"] < seen
    changed = shop.control("PATCH", f"/records/customers/{made['number']}", {"values": {"phone": "2"}})
    assert changed["updated_at"] >= seen
    shop.control("DELETE", f"/records/customers/{made['id']}")
    assert shop.call("GET", f"customers/{made['id']}").status_code == 410


def test_the_back_office_keeps_the_rules(bc: CentralClient, shop: ShopClient) -> None:
    assert bc.control.raw("POST", "/records/customers", {"values": {}}).status_code == 409
    assert bc.control.raw("POST", "/records/gnomes", {"values": {}}).status_code == 404
    assert bc.control.raw("PATCH", "/records/customers/none", {"values": {}}).status_code == 404
    assert shop.control.raw("POST", "/records/products", {"values": {}}).status_code == 409
    assert shop.control.raw("POST", "/records/gnomes", {"values": {}}).status_code == 404


def test_the_back_office_sees_all_records_of_the_shop(shop: ShopClient) -> None:
    kept, gone = shop.customer(), shop.customer()
    shop.call("DELETE", f"customers/{gone['id']}")
    records = shop.control("GET", "/records/customers")["records"]
    assert [record["id"] for record in records] == [kept["id"], gone["id"]]
    assert records[0] == kept
    assert shop.control("GET", f"/records/customers/{kept['id']}") == kept
    assert shop.control("GET", f"/records/customers/{gone['id']}")["deleted_at"] is not None
    assert shop.control.raw("GET", "/records/customers/none").status_code == 404
    assert shop.control.raw("GET", "/records/gnomes").status_code == 404


def test_the_back_office_sees_all_records_of_business_central(bc: CentralClient) -> None:
    made = bc.customer()
    records = bc.control("GET", "/records/customers")["records"]
    assert [record["id"] for record in records] == [made["id"]]
    one = bc.control("GET", f"/records/customers/{made['number']}")
    assert one["displayName"] == made["displayName"]
    assert bc.control.raw("GET", "/records/customers/none").status_code == 404
    assert bc.control.raw("GET", "/records/gnomes").status_code == 404


def test_stock_in_the_shop(shop: ShopClient) -> None:
    product = shop.product(sku="S1")
    shop.control("POST", "/items/S1/stock", {"quantity": "12"})
    assert shop.get(f"products/{product['id']}")["stock"] == "12"
    assert shop.control.raw("POST", "/items/S1/stock", {"quantity": "many"}).status_code == 400
    assert shop.control.raw("POST", "/items/none/stock", {"quantity": "1"}).status_code == 404


@pytest.mark.parametrize("verb", ["stock", "cost"])
def test_items_of_the_back_office(bc: CentralClient, verb: str) -> None:
    item = bc.item()
    assert bc.control.raw("POST", f"/items/none/{verb}", {}).status_code == 404
    assert (
        bc.control.raw("POST", f"/items/{item['id']}/{verb}", {"quantity": "x", "unitCost": "x"}).status_code
        == 400
    )
    assert bc.control.raw("POST", f"/items/{item['id']}/paint", {}).status_code == 404


def test_several_sets_are_shown_at_once(bc: CentralClient) -> None:
    url = bc.root.split("/v2.0/")[0] + "/_sandbox/records"
    bc.customer()
    asked = {name: httpx.get(f"{url}/{name}", trust_env=False).json() for name in ("customers", "items")}
    several = httpx.get(f"{url}?set=customers&set=items", trust_env=False).json()
    assert several == {name: answer["records"] for name, answer in asked.items()}
    assert len(several["customers"]) == 1
    assert httpx.get(f"{url}?set=customers&set=nothing", trust_env=False).status_code == 404
