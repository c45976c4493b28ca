"""What waits for requests that nobody has answered yet, and until when; without any system."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from talk_pipeline.engine.kinds import HoldKind
from talk_pipeline.engine.plan.unanswered import (
    waits_until,
    withhold_unanswered,
    withhold_while_awaited,
)
from talk_pipeline.engine.plan.workspace import OnTheirWay
from talk_pipeline.engine.state.connection import now
from talk_pipeline.engine.state.rows import insert
from talk_pipeline.engine.state.tables import JournalRow
from talk_pipeline.flows.sides import Side
from talk_pipeline_tests.engine.book import Book
from talk_pipeline_tests.engine.given import of_record, planned

SENT = JournalRow(
    intent_id="",
    run_id="run",
    flow="customer",
    part="customer",
    target=Side.BC,
    operation="update",
    shop_id="1",
    bc_id="b1",
    root_shop_id="1",
    root_bc_id="b1",
    natural_key=None,
    intent_at=now(),
)
NEXT = of_record("update", "1", "b1")


def sent(
    book: Book, minutes: int | None = 5, *, outcome: str | None = None, left: int = 1, **of: Any
) -> datetime | None:
    """A request that left so many minutes ago and may be at work for so many more; returns until when."""
    row = replace(SENT, intent_id=uuid4().hex, **of)
    until = None if minutes is None else now() + timedelta(minutes=minutes)
    book.alone()
    insert(book.db, [row])
    book.db.execute(
        "update journal set left_at = ?, open_until = ?, outcome = ?, reason = ? where intent_id = ?",
        [now() - timedelta(minutes=left), until, outcome, f"left {left}", row.intent_id],
    )
    book.crowded()
    return until


def waiting(book: Book, *changes: Any) -> list[tuple[Any, ...]]:
    """What of these waits: shop id, target and the reason."""
    planned(book, *(changes or (NEXT,)))
    withhold_while_awaited(book.db, book.flows["customer"])
    return book.rows(
        f"select shop_id, target, hold_reason from change where hold_kind = '{HoldKind.WAITING}' order by all"
    )


@pytest.mark.parametrize("outcome", [None, "unknown"])
def test_a_record_that_was_told_something_is_told_nothing_more_by_that_way(
    book: Book, outcome: str | None
) -> None:
    sent(book, outcome=outcome)
    others = [replace(NEXT, target=Side.SHOP), of_record("update", "2", "b2")]
    [(shop_id, target, reason)] = waiting(book, NEXT, *others)
    assert (shop_id, target) == ("1", Side.BC)
    assert reason.startswith("told at 20")
    assert reason.endswith(" UTC: left 1")


def test_to_the_shop_it_is_the_record_of_the_shop_that_counts(book: Book) -> None:
    sent(book, target=Side.SHOP, root_bc_id="another")
    found = waiting(book, replace(NEXT, target=Side.SHOP), NEXT)
    assert [row[:2] for row in found] == [("1", Side.SHOP)]


def test_the_latest_of_several_is_told(book: Book) -> None:
    sent(book, left=2)
    sent(book, left=1)
    sent(book, left=3)
    assert [row[2][-6:] for row in waiting(book)] == ["left 1"]


@pytest.mark.parametrize(
    "otherwise",
    [
        {"flow": "product"},
        {"part": "customer.none"},
        {"operation": "create"},
        {"outcome": "done"},
        {"minutes": None},
        {"root_bc_id": "b2"},
    ],
)
def test_another_request_holds_nothing(book: Book, otherwise: dict[str, Any]) -> None:
    sent(book, **otherwise)
    assert waiting(book) == []


@pytest.mark.parametrize(
    ("otherwise", "held"),
    [
        ({}, 1),
        ({"part": "order.fees"}, 0),  # of another kind under the same id
        ({"flow": "product"}, 0),
        ({"operation": "update"}, 0),
        ({"shop_id": "1/3"}, 0),
        ({"hold_kind": HoldKind.QUARANTINED}, 1),
        ({"hold_kind": HoldKind.REFUSED}, 0),
    ],
)
def test_a_line_that_may_be_on_its_way_is_not_created_again(
    book: Book, otherwise: dict[str, Any], held: int
) -> None:
    OnTheirWay.empty(book.db)
    told = ["order.lines", Side.BC, "1/2", "b1", None, "no answer came"]
    book.db.execute("insert into on_their_way values (?, ?, ?, ?, ?, ?)", told)
    line = replace(of_record("create", "1/2"), flow="order", part="order.lines", root_shop_id="1")
    planned(book, replace(line, **otherwise))
    withhold_unanswered(book.db, book.flows["order"], OnTheirWay(book.db, 1))
    found = book.rows(f"select hold_reason from change where hold_kind = '{HoldKind.WAITING}'")
    assert found == [("no answer came",)] * held


def test_the_next_that_is_over_of_all_or_of_one_record(book: Book) -> None:
    late, early = sent(book, 8), sent(book, 6)
    other = sent(book, 4, root_shop_id="2", root_bc_id="b2")
    sent(book, 2, flow="product")
    sent(book, 1, outcome="done")
    flows = ["customer", "order"]
    book.alone()
    assert waits_until(book.db, flows) == other
    assert waits_until(book.db, flows, shop_id="1") == early
    assert waits_until(book.db, flows, bc_id="b1") == early
    assert waits_until(book.db, flows, bc_id="b2") == other
    assert waits_until(book.db, flows, shop_id="3", bc_id="b1") == early != late
    assert waits_until(book.db, flows, shop_id="3") is None
    assert waits_until(book.db, ["order"]) is None
