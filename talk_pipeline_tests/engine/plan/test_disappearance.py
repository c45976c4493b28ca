"""What follows where one side of a pair is gone, by policy; a customer and a product have the same ids here."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from talk_pipeline.flows.loading import load_flows
from talk_pipeline.flows.properties import Side
from talk_pipeline_tests.engine.book import Book
from talk_pipeline_tests.flow_files import copied_flows

SHOP, BC = Side.SHOP, Side.BC
SIDES = pytest.mark.parametrize("side", [SHOP, BC])


@contextmanager
def under(policy: str, folder: Path) -> Iterator[Book]:
    """Three pairs of customers and one of products, in step; of the first of each the ids are the same."""
    flows = copied_flows(folder / "flows", customer=("disappearance: flag", f"disappearance: {policy}"))
    with Book.opened(folder / "state", load_flows(flows)) as book:
        for flow, key in (("customer", "1"), ("customer", "2"), ("customer", "3"), ("product", "1")):
            values = {"number": key, "sku": key, "company_name": "A", "name": "A"}
            book.say(flow, SHOP, key, {**values, "active": "true"})
            book.say(flow, BC, f"b{key}", {**values, "active": "false" if flow == "product" else ""})
            book.plan(flow)
            book.in_step(flow)
        yield book


def leave(book: Book, side: Side, key: str) -> None:
    """A customer is deleted on a side."""
    key = key if side is SHOP else f"b{key}"
    book.tell("customer", side, [replace(book.record("customer", side, key, {}), deleted=True)])


def links(book: Book) -> list[tuple[object, ...]]:
    return book.rows("select shop_id, state from link where part = 'customer' order by all")


def bases(book: Book, part: str = "customer") -> set[str]:
    return {shop_id for (shop_id,) in book.rows("select shop_id from base where part = ?", part)}


@SIDES
def test_by_default_nothing_follows(tmp_path: Path, side: Side) -> None:
    with under("flag", tmp_path) as book:
        leave(book, side, "1")
        assert book.plan("customer") == []
        assert links(book) == [("1", "active"), ("2", "active"), ("3", "active")]
        assert book.rows("select shop_id, state from status") == [("1", "broken")]


def test_unlinked_from_the_shop_the_other_is_free_and_nothing_else_is_forgotten(tmp_path: Path) -> None:
    with under("unlink", tmp_path) as book:
        leave(book, SHOP, "1")
        assert book.plan("customer") == []
        assert links(book) == [("2", "active"), ("3", "active")]
        assert bases(book) == {"2", "3"}
        assert bases(book, "product") == {"1"}
        assert book.rows("select count(*) from link where part = 'product'") == [(1,)]


def test_unlinked_from_business_central_it_is_held_until_it_is_back(tmp_path: Path) -> None:
    with under("unlink", tmp_path) as book:
        leave(book, BC, "1")
        assert book.plan("customer") == []
        assert links(book) == [("1", "held"), ("2", "active"), ("3", "active")]
        assert bases(book) == {"1", "2", "3"}
        book.say("customer", BC, "b1", {})
        book.plan("customer")
        assert book.rows("select state, rule from link where part = 'customer' and shop_id = '1'") == [
            ("active", "returned")
        ]


@SIDES
def test_the_other_is_blocked_once(tmp_path: Path, side: Side) -> None:
    with under("block", tmp_path) as book:
        leave(book, side, "1")
        word = "All" if side is BC else "false"
        assert book.plan("customer") == [(str(side.other), "update", "1", "active", word, None)]
        assert links(book)[0] == ("1", "active")
        if side is SHOP:
            book.say("customer", BC, "b1", {"active": "All"})
        else:
            book.say("customer", SHOP, "1", {"active": "false"})
        assert book.plan("customer") == []


@SIDES
def test_the_other_is_deleted(tmp_path: Path, side: Side) -> None:
    with under("delete", tmp_path) as book:
        leave(book, side, "1")
        [change] = book.plan("customer")
        assert change[:3] == (str(side.other), "delete", "1")


@SIDES
def test_what_is_gone_on_both_sides_has_no_other(tmp_path: Path, side: Side) -> None:
    with under("delete", tmp_path) as book:
        leave(book, side, "1")
        leave(book, side.other, "1")
        leave(book, side, "2")
        assert [change[2] for change in book.plan("customer")] == ["2"]
