"""Listings of the shop: pages in the order of changes, watermarks, the cheap question."""

from __future__ import annotations

import time

import pytest

from talk_pipeline_tests.sandbox.clients import Record, ShopClient


@pytest.fixture
def five(shop: ShopClient) -> list[Record]:
    made = []
    for number in range(5):
        made.append(shop.customer(number=str(number)))
        time.sleep(0.002)
    return made


def pages(shop: ShopClient, path: str) -> list[list[str]]:
    """Numbers of the customers on each page."""
    result, cursor = [], ""
    mark = "&" if "?" in path else "?"
    while True:
        page = shop.get(f"{path}{mark}cursor={cursor}" if cursor else path)
        assert set(page) == {"data", "next_cursor"}
        result.append([customer["number"] for customer in page["data"]])
        if page["next_cursor"] is None:
            return result
        cursor = page["next_cursor"]


def test_pages_in_the_order_of_changes(shop: ShopClient, five: list[Record]) -> None:
    shop.patch(f"customers/{five[1]['id']}", phone="7")
    assert pages(shop, "customers?limit=2") == [["0", "2"], ["3", "4"], ["1"]]


def test_a_cursor_alone_goes_on(shop: ShopClient, five: list[Record]) -> None:
    cursor = shop.get("customers?limit=2")["next_cursor"]
    assert [c["number"] for c in shop.get(f"customers?cursor={cursor}")["data"]] == ["2", "3", "4"]


def test_a_record_changed_between_pages_comes_again_at_the_end(shop: ShopClient, five: list[Record]) -> None:
    first = shop.get("customers?limit=2")
    shop.patch(f"customers/{five[0]['id']}", phone="7")
    rest = shop.get(f"customers?limit=5&cursor={first['next_cursor']}")
    assert [c["number"] for c in rest["data"]] == ["2", "3", "4", "0"]


def test_updated_since_is_inclusive(shop: ShopClient, five: list[Record]) -> None:
    since = five[3]["updated_at"]
    assert pages(shop, f"customers?updated_since={since}") == [["3", "4"]]
    assert pages(shop, f"customers?updated_since={since}&limit=1") == [["3"], ["4"]]
    assert pages(shop, "customers?updated_since=2099-01-01T00:00:00Z") == [[]]


def test_deleted_records_come_as_changes(shop: ShopClient, five: list[Record]) -> None:
    since = five[4]["updated_at"]
    time.sleep(0.002)
    shop.call("DELETE", f"customers/{five[0]['id']}")
    assert pages(shop, f"customers?updated_since={since}") == [["4"]]
    assert pages(shop, f"customers?updated_since={since}&include_deleted=true&limit=1") == [["4"], ["0"]]


def test_the_cheap_question(shop: ShopClient, five: list[Record]) -> None:
    assert shop.get("customers/count") == {"count": 5, "latest": five[4]["updated_at"]}
    since = five[3]["updated_at"]
    assert shop.get(f"customers/count?updated_since={since}")["count"] == 2
    assert shop.get("products/count") == {"count": 0, "latest": None}
    shop.call("DELETE", f"customers/{five[4]['id']}")
    assert shop.get("customers/count")["count"] == 4
    assert shop.get("customers/count?include_deleted=true")["count"] == 5


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=501",
        "limit=x",
        "cursor=nonsense",
        "cursor=WzFd",
        "updated_since=yesterday",
        "updated_since=2025-01-01",
        "include_deleted=maybe",
        "gnome=1",
    ],
)
def test_parameters_that_make_no_sense(shop: ShopClient, query: str) -> None:
    assert shop.call("GET", f"customers?{query}").status_code == 400


def test_five_hundred_at_most(shop: ShopClient) -> None:
    shop.control.reset(size=600, seed=3)
    assert len(shop.get("customers?limit=500")["data"]) == 500
    shop.control.limits(page_size=50)
    assert shop.call("GET", "customers?limit=51").status_code == 400
    assert len(shop.get("customers?limit=50")["data"]) == 50


def test_times_have_milliseconds(shop: ShopClient, five: list[Record]) -> None:
    for record in five:
        assert len(record["updated_at"]) == len("2025-01-01T00:00:00.000Z")
        assert record["updated_at"].endswith("Z")
