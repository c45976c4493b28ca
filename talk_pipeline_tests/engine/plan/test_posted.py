"""What the shop says of a record that was posted before: no write, and a conflict that it has lost."""

from pathlib import Path

import pytest

from talk_pipeline.engine.plan.posted import CameTo, keep_differing, withhold_posted
from talk_pipeline.engine.snapshot.reprojection import reproject
from talk_pipeline.flows.sides import Side
from talk_pipeline_tests.engine.book import Book
from talk_pipeline_tests.engine.given import linked
from talk_pipeline_tests.flow_files import copied_flows, flows_in

SHOP, BC = Side.SHOP, Side.BC
HELD = "select root_shop_id, property, target, hold_kind from change where flow = 'customer' order by all"


@pytest.fixture
def posted(book: Book) -> Book:
    """Two customers of whom the shop says something new; Business Central's record of the first was posted."""
    book.pairs("customer", ["1", "2"], {"website": "www.a.example"})
    book.db.execute(
        "update snapshot set gone = 'posted' where flow = 'customer' and side = 'businesscentral' and id = 'b1'"
    )
    for shop_id in ("s1", "s2"):
        book.say("customer", SHOP, shop_id, {"website": "www.b.example"})
    return book


def lost(book: Book) -> list[tuple[object, ...]]:
    return book.rows(
        "select flow, part, shop_id, bc_id, property, rule, winner, shop_value, bc_value,"
        " shop_edited_at is not null, bc_edited_at, shop_version is not null, acknowledged_by from conflict"
    )


def test_it_is_withheld_and_lost_when_the_pair_closes(posted: Book) -> None:
    posted.plan("customer")
    assert posted.rows(HELD) == [
        ("s1", "website", "businesscentral", "posted"),
        ("s2", "website", "businesscentral", None),
    ]
    posted.in_step("customer")
    assert posted.rows("select shop_id, state from link order by 1") == [("s1", "closed"), ("s2", "active")]
    assert posted.rows("select shop_id, state from status") == [("s1", "closed")]
    assert lost(posted) == [
        (
            *("customer", "customer", "s1", "b1", "website", "posted", "businesscentral"),
            *("www.b.example", "www.a.example", True, None, True, None),
        )
    ]
    assert posted.rows(HELD) == [("s2", "website", "businesscentral", None)]
    posted.say("customer", SHOP, "s1", {"website": "www.c.example"})
    posted.plan("customer")
    posted.in_step("customer")
    assert len(lost(posted)) == 1, "what is edited of a closed record is nobody's business"


@pytest.mark.parametrize("before", ["broken", "excluded"])
def test_what_closes_is_in_no_other_state_any_more(tmp_path: Path, before: str) -> None:
    scoped = ("  create: always", "  scope: {website: [www.a.example]}\n  create: always")
    with Book.opened(tmp_path / "state", flows_in(copied_flows(tmp_path / "flows", customer=scoped))) as book:
        book.pair("customer", "1", {"website": "www.a.example"})
        if before == "broken":
            book.tell("customer", SHOP, [], gone={"s1": "deleted"})
        else:
            for side, record_id in ((SHOP, "s1"), (BC, "b1")):
                book.say("customer", side, record_id, {"website": "www.b.example"})
        states = []
        for gone in ({}, {"b1": "posted"}):
            book.tell("customer", BC, [], gone=gone)
            book.plan("customer")
            book.in_step("customer")
            states.append(book.rows("select shop_id, state from status"))
        assert states == [[("s1", before)], [("s1", "closed")]]


def test_what_is_still_to_be_told_to_the_shop_keeps_the_pair_open(posted: Book) -> None:
    posted.say("customer", BC, "b1", {"company_name": "B"})
    posted.db.execute("update snapshot set gone = 'posted' where side = 'businesscentral' and id = 'b1'")
    posted.plan("customer")
    posted.in_step("customer")
    assert not lost(posted)
    assert posted.rows("select distinct state from link") == [("active",)]
    posted.write("customer", SHOP)
    posted.plan("customer")
    posted.in_step("customer")
    assert [row[4] for row in lost(posted)] == ["website"]


@pytest.mark.parametrize(
    ("before", "rule", "after"),
    [
        (None, "edit", "posted"),
        ("quarantined", "edit", "posted"),
        ("oscillating", "edit", "posted"),
        ("manual", "edit", "manual"),  # a person is asked already
        ("waiting", "edit", "waiting"),  # it was sent, and may be there
        (None, "undo", None),
    ],
)
def test_what_is_held_for_another_reason(
    posted: Book, before: str | None, rule: str, after: str | None
) -> None:
    posted.plan("customer")
    posted.db.execute("update change set hold_kind = ?, rule = ?", [before, rule])
    withhold_posted(posted.db, posted.flows["customer"])
    assert [row[3] for row in posted.rows(HELD)] == [after, before]


def test_what_goes_to_the_shop_goes(posted: Book) -> None:
    posted.plan("customer")
    posted.db.execute("update change set hold_kind = null, target = 'customwebshop'")
    withhold_posted(posted.db, posted.flows["customer"])
    assert [row[3] for row in posted.rows(HELD)] == [None, None]


KEPT = """
select shop_id, bc_id, property, rule, winner, shop_value, bc_value, run_id, shop_version is not null,
       recorded_at is not null, acknowledged_at from conflict
"""
TOLERATED = 0.05
"""By the packaged flow of orders."""


@pytest.mark.parametrize(
    ("stated", "came_to", "told"),
    [
        ("100.00", "120.00", True),
        ("100.00", "80", True),
        ("100.00", "0", True),
        ("100.00", f"{100 + TOLERATED}", False),
        ("100.00", f"{100 - TOLERATED}", False),
        ("100.00", f"{100 + TOLERATED + 0.01}", True),
        (None, "80", False),
        ("100.00", None, False),
    ],
)
def test_what_it_came_to_is_held_against_what_the_shop_says(
    book: Book, stated: str | None, came_to: str | None, told: bool
) -> None:
    for shop_id in ("o1", "o2"):
        book.say("order", SHOP, shop_id, {"number": shop_id, "status": "open", "total_incl_tax": stated})
    sums = {"totalAmountIncludingTax": came_to, "totalAmountExcludingTax": "1"}
    keep_differing(book.db, book.flows["order"], [CameTo("o1", "b1", sums)], run_id="r")
    pair = ("o1", "b1", "total_incl_tax", "posted", "businesscentral")
    assert book.rows(KEPT) == ([(*pair, stated, came_to, "r", True, True, None)] if told else [])


@pytest.mark.parametrize(
    ("status", "stated", "billed", "told"),
    [
        ("cancelled", "9.00", "9", [("0", "9")]),
        ("cancelled", None, "9", [("0", "9")]),
        ("cancelled", "9.00", "0", []),
        ("cancelled", "9.00", None, []),
        ("completed", "9.00", "9", []),
        ("completed", "9.00", "8", [("9.00", "8")]),
    ],
)
def test_what_the_shop_gave_up_is_owed_by_nobody(
    book: Book, status: str, stated: str | None, billed: str | None, told: list[tuple[str, str]]
) -> None:
    book.say("order", SHOP, "o1", {"number": "o1", "status": status, "total_incl_tax": stated})
    came_to = [CameTo("o1", "b", {"totalAmountIncludingTax": billed})]
    keep_differing(book.db, book.flows["order"], came_to, run_id=None)
    assert [row[5:7] for row in book.rows(KEPT)] == told


def test_a_pair_that_closes_is_held_against_what_it_was_held_with_at_last(book: Book) -> None:
    buyer, debtor = book.pair("customer", "C1")
    for number, last in (("1", "80"), ("2", None)):
        shop, bc = f"o{number}", f"b{number}"
        values = {"number": shop, "total_incl_tax": "100.00"}
        book.say("order", SHOP, shop, {**values, "status": "completed", "customer_id": buyer})
        book.say("order", BC, bc, {**values, "status": "Draft", "customer_id": debtor})
        linked(book, "order", shop, bc)
        sums = {"totalAmountIncludingTax": last} if last else {}
        book.tell("order", BC, [], gone={bc: "posted"}, comes_to={bc: sums})
    book.plan("order")
    book.in_step("order")
    assert book.rows("select distinct state from link where part = 'order'") == [("closed",)]
    assert [row[:7] for row in book.rows(KEPT)] == [
        ("o1", "b1", "total_incl_tax", "posted", "businesscentral", "100.00", "80")
    ]


def test_what_it_came_to_outlasts_that_payloads_mean_something_else(book: Book) -> None:
    """Such as by a new release or an edited flow file, while the pair waits for something before it closes."""
    buyer, debtor = book.pair("customer", "C1")
    values = {"number": "o1", "total_incl_tax": "100.00"}
    book.say("order", SHOP, "o1", {**values, "status": "completed", "customer_id": buyer})
    book.say("order", BC, "b1", {**values, "status": "Draft", "customer_id": debtor})
    linked(book, "order", "o1", "b1")
    book.tell("order", BC, [], gone={"b1": "posted"}, comes_to={"b1": {"totalAmountIncludingTax": "80"}})
    book.alone()
    assert reproject(book.db, book.projector("order", BC), book.decode("order", BC), reading="another")
    book.plan("order")
    book.in_step("order")
    assert [row[2:7] for row in book.rows(KEPT)] == [
        ("total_incl_tax", "posted", "businesscentral", "100.00", "80")
    ]


@pytest.mark.parametrize("first", ["90.00", None])
def test_each_sum_is_held_against_its_own_whatever_became_of_the_one_before(
    tmp_path: Path, first: str | None
) -> None:
    both = ("sums: [totalAmountIncludingTax]", "sums: [totalAmountExcludingTax, totalAmountIncludingTax]")
    with Book.opened(tmp_path / "state", flows_in(copied_flows(tmp_path / "flows", order=both))) as book:
        stated = {"total_excl_tax": "90.00", "total_incl_tax": "100.00"}
        book.say("order", SHOP, "o1", {"number": "o1", "status": "open", **stated})
        sums = {"totalAmountExcludingTax": first, "totalAmountIncludingTax": "80.00"}
        keep_differing(book.db, book.flows["order"], [CameTo("o1", "b1", sums)], run_id=None)
        assert [(row[2], *row[5:7]) for row in book.rows(KEPT)] == [("total_incl_tax", "100.00", "80.00")]
