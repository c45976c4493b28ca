"""What follows where one side of a pair is gone, by policy.

Ids repeat here: of a customer and a product, and of both sides, which call each other's records by them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from talk_pipeline.engine.apply.changesets import pending_changesets, pending_roots
from talk_pipeline.engine.apply.intents import intended, intent_for
from talk_pipeline.engine.model import Outcome, Result
from talk_pipeline.flows.loading import load_flows
from talk_pipeline.flows.sides import Side
from talk_pipeline_tests.engine.book import Book
from talk_pipeline_tests.flow_files import copied_flows

SHOP, BC = Side.SHOP, Side.BC
SIDES = pytest.mark.parametrize("side", [SHOP, BC])
THERE = {"1": "2", "2": "3", "3": "1"}
"""What Business Central calls each of them."""


@contextmanager
def under(policy: str, folder: Path) -> Iterator[Book]:
    """Three pairs of customers and one of products, in step; of the first of each the ids are the same."""
    flows = copied_flows(folder / "flows", customer=("disappearance: flag", f"disappearance: {policy}"))
    with Book.opened(folder / "state", load_flows(flows)) as book:
        for flow, key in (("customer", "1"), ("customer", "2"), ("customer", "3"), ("product", "1")):
            values = {"number": key, "sku": key, "company_name": "A", "name": "A"}
            book.say(flow, SHOP, key, {**values, "active": "true"})
            book.say(flow, BC, THERE[key], {**values, "active": "false" if flow == "product" else ""})
            book.plan(flow)
            book.in_step(flow)
        yield book


def leave(book: Book, side: Side, key: str) -> None:
    """A customer is deleted on a side."""
    key = key if side is SHOP else THERE[key]
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


def test_a_pair_that_was_parted_stays_so_while_either_of_the_two_is_gone(tmp_path: Path) -> None:
    """Whoever else is looked at, and though the one that had left comes back to one that left since."""
    with under("unlink", tmp_path) as book:
        leave(book, BC, "1")
        book.plan("customer")
        book.in_step("customer")
        book.say("customer", SHOP, "2", {"website": "www.b.example"})
        book.plan("customer")
        assert links(book) == [("1", "held"), ("2", "active"), ("3", "active")]
        leave(book, SHOP, "1")
        book.plan("customer")
        book.say("customer", BC, THERE["1"], {"website": "www.a.example"})
        book.plan("customer")
        assert links(book) == [("1", "held"), ("2", "active"), ("3", "active")]


def test_unlinked_from_business_central_it_is_held_until_it_is_back(tmp_path: Path) -> None:
    with under("unlink", tmp_path) as book:
        leave(book, BC, "1")
        assert book.plan("customer") == []
        assert links(book) == [("1", "held"), ("2", "active"), ("3", "active")]
        assert bases(book) == {"1", "2", "3"}
        book.say("customer", SHOP, "1", {"website": "www.a.example"})
        book.plan("customer")
        assert links(book)[0] == ("1", "held"), "others are there, and this one is not"
        book.say("customer", BC, THERE["1"], {})
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
            book.say("customer", BC, THERE["1"], {"active": "All"})
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


def test_an_order_that_was_over_has_ended_only_while_the_shop_shows_it(book: Book) -> None:
    """Not where the shop's listing lacks it, whatever customer it has of that id."""
    book.say("customer", SHOP, "1", {"number": "1", "company_name": "A", "active": "true"})
    for key in ("1", "2"):
        values = {"number": f"O{key}"}
        book.say("order", SHOP, key, {**values, "status": "open"})
        book.say("order", BC, THERE[key], {**values, "status": "Draft"})
        book.plan("order")
        book.in_step("order")
        book.say("order", SHOP, key, {"status": "cancelled"})
    book.db.execute(
        "update snapshot set gone = 'out_of_scope' where flow = 'order' and side = ? and id = '1'", [SHOP]
    )
    for key in ("1", "2"):
        book.tell("order", BC, [replace(book.record("order", BC, THERE[key], {}), deleted=True)])
    book.plan("order")
    assert book.rows("select shop_id, state from link order by 1") == [("1", "active"), ("2", "closed")]


def test_a_pair_that_people_deleted_on_both_sides_has_ended(book: Book) -> None:
    """As long as neither is back; with both it is one again, and what was agreed on still holds."""
    for key in ("1", "2"):
        book.say("customer", SHOP, key, {"number": key, "company_name": "A"})
        book.say("customer", BC, THERE[key], {"number": key, "company_name": "A"})
    book.plan("customer")
    book.in_step("customer")
    leave(book, SHOP, "1")
    book.plan("customer")
    assert links(book) == [("1", "active"), ("2", "active")]
    leave(book, BC, "1")
    assert book.plan("customer") == []
    assert links(book) == [("1", "closed"), ("2", "active")]
    assert book.rows("select shop_id, state, reason from status") == [("1", "closed", "gone on both sides")]
    book.say("customer", SHOP, "1", {})
    assert book.plan("customer") == []
    back = "it is back, and its Business Central record is deleted"
    assert book.rows("select shop_id, state, reason from status") == [("1", "broken", back)]
    book.say("customer", BC, THERE["1"], {"website": "www.a.example"})
    assert [change[:4] for change in book.plan("customer")] == [(SHOP, "update", "1", "website")]
    assert book.rows("select shop_id, state, rule from link where shop_id = '1'") == [
        ("1", "active", "returned")
    ]


def test_what_others_share_has_not_ended_with_its_leader(tmp_path: Path) -> None:
    with under("flag", tmp_path) as book:
        book.db.execute(
            "update link set state = 'attached', bc_id = null, shared_id = ?"
            " where part = 'customer' and shop_id = '2'",
            [THERE["1"]],
        )
        leave(book, SHOP, "1")
        leave(book, BC, "1")
        book.plan("customer")
        assert links(book) == [("1", "active"), ("2", "attached"), ("3", "active")]


def test_what_is_deleted_by_us_leaves_on_its_side_alone(tmp_path: Path) -> None:
    with under("delete", tmp_path) as book:
        leave(book, SHOP, "1")
        book.plan("customer")
        flow = book.flows["customer"]
        [changeset] = pending_changesets(book.db, flow, BC, roots=pending_roots(book.db, flow, BC))
        intent = intent_for(changeset, intended(changeset.root, {}), natural_key=None)
        book.conclude("customer", BC, [(intent, Outcome(Result.DONE))])
        gone = book.rows(
            "select side, id from snapshot where flow = 'customer' and gone is not null order by 1"
        )
        assert gone == [(BC, THERE["1"]), (SHOP, "1")]
        assert links(book) == [("1", "closed"), ("2", "active"), ("3", "active")]
        assert book.rows("select count(*) from link where part = 'product' and state = 'closed'") == [(0,)]
        assert book.plan("customer") == []
        book.in_step("customer")
        book.say("customer", BC, THERE["1"], {})  # somebody brings it back as it was
        assert book.plan("customer") == []
        back = "its Business Central record is back, and the shop record is deleted"
        assert book.rows("select shop_id, state, reason from status") == [("1", "broken", back)]


def test_the_policy_of_one_flow_says_nothing_of_another(tmp_path: Path) -> None:
    with under("delete", tmp_path) as book:
        book.tell("product", SHOP, [replace(book.record("product", SHOP, "1", {}), deleted=True)])
        book.say("customer", SHOP, "1", {"website": "www.a.example"})
        assert [change[1] for change in book.plan("customer")] == ["update"]
        assert [change[1] for change in book.plan("product")] == []


def test_what_others_share_is_not_deleted_with_its_leader(tmp_path: Path) -> None:
    with under("delete", tmp_path) as book:
        book.db.execute(
            "update link set state = 'attached', bc_id = null, shared_id = ?"
            " where part = 'customer' and shop_id = '2'",
            [THERE["1"]],
        )
        book.db.execute(
            "insert into link (part, shop_id, state, shared_id) values ('product', '9', 'attached', ?)",
            [THERE["3"]],
        )
        leave(book, SHOP, "1")
        leave(book, SHOP, "3")
        assert [change[1:3] for change in book.plan("customer")] == [("delete", "3")]


@SIDES
def test_what_nothing_is_new_of_is_not_planned_again(tmp_path: Path, side: Side) -> None:
    with under("delete", tmp_path) as book:
        leave(book, side, "1")
        book.db.execute("delete from dirty")
        leave(book, side, "2")
        assert [change[1:3] for change in book.plan("customer")] == [("delete", "2")]
