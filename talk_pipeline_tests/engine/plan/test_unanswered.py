"""What waits for requests that nobody has answered yet, and until when; without any system."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from talk_pipeline.engine.kinds import HoldKind, RefusalKind
from talk_pipeline.engine.model import Intended, Intent, Outcome, Result
from talk_pipeline.engine.plan.refusals import refuse
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
from talk_pipeline_tests.flow_files import copied_flows, flows_in

SHOP, BC = Side.SHOP, Side.BC

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


def test_what_a_line_was_told_holds_all_of_its_record(book: Book) -> None:
    """A late one would undo what the line is told next, and what is worked out from it."""
    sent(book, part="customer.none")
    assert [row[:2] for row in waiting(book)] == [("1", Side.BC)]


def test_the_latest_of_several_is_told(book: Book) -> None:
    sent(book, left=2)
    sent(book, left=1)
    sent(book, left=3)
    assert [row[2][-6:] for row in waiting(book)] == ["left 1"]


@pytest.mark.parametrize(
    "otherwise",
    [
        {"flow": "product"},
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
        ({"operation": "update"}, 1),  # what it was matched with meanwhile is not told of it either
        ({"operation": "update", "target": Side.SHOP}, 1),
        ({"operation": "update", "shop_id": "1/3"}, 0),
        ({"operation": "delete"}, 0),
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


@pytest.fixture
def doubtful(tmp_path: Path) -> Iterator[Book]:
    """What became of the create of a customer `C1` in Business Central a person has to say; there are two there."""
    both = ("create: always", "create: both")
    with Book.opened(tmp_path / "state", flows_in(copied_flows(tmp_path / "flows", customer=both))) as book:
        told = {"company_name": "A", "active": ""}
        book.say("customer", SHOP, "s1", {"number": "C9", "company_name": "A", "active": "true"})
        for number in ("C1", "C2"):
            book.say("customer", BC, f"b{number}", {**told, "number": number})
        row = replace(SENT, intent_id="i", operation="create", shop_id="s1", bc_id=None, natural_key="C1")
        insert(book.db, [row])
        book.db.execute("update journal set outcome = 'refused'")
        main = Intended("customer", "create", "s1", None, {})
        intent = Intent("customer", BC, "s1", None, main, natural_key="C1")
        unknown = Outcome(Result.REFUSED, reason="no answer came", refusal=RefusalKind.OUTCOME_UNKNOWN)
        refuse(book.db, book.flows["customer"], [(intent, unknown)])
        yield book


def copied_back(book: Book) -> list[str]:
    """What the plan makes in the shop, by the id that it has in Business Central."""
    book.plan("customer")
    made = (
        "select distinct bc_id from change where target = 'customwebshop' and operation = 'create' order by 1"
    )
    return [bc_id for (bc_id,) in book.rows(made)]


def test_what_a_lost_create_may_have_become_is_not_copied_back(doubtful: Book) -> None:
    assert copied_back(doubtful) == ["bC2"]


@pytest.mark.parametrize(
    "otherwise",
    [
        "update journal set part = 'product'",
        "update journal set operation = 'update'",
        "update journal set target = 'customwebshop', bc_id = shop_id",  # it was made here
        "update journal set shop_id = 's2', bc_id = 's1'",  # of another record
        "update journal set natural_key = 'C3'",
        "update journal set natural_key = null",  # sent long after they came
        "update refusal set part = 'product'",
        "update refusal set refusal_kind = 'refused'",
        "update refusal set record_id = 's2'",
    ],
)
def test_any_other_record_is_copied_back(doubtful: Book, otherwise: str) -> None:
    doubtful.db.execute(otherwise)
    assert copied_back(doubtful) == ["bC1", "bC2"]


def test_without_a_number_whatever_came_since_is_not_copied_back(doubtful: Book) -> None:
    doubtful.db.execute("update journal set natural_key = null, intent_at = timestamp '2026-01-01'")
    assert copied_back(doubtful) == []


def test_what_is_being_created_is_neither_created_again_nor_copied_back(doubtful: Book) -> None:
    """Under the number that was sent, whatever the record is called by now; and all others are."""
    doubtful.say("customer", SHOP, "s2", {"number": "C8", "company_name": "B", "active": "true"})
    doubtful.db.execute("delete from refusal")
    doubtful.db.execute(
        "update journal set outcome = null, left_at = $1, open_until = $2",
        [now(), now() + timedelta(minutes=5)],
    )
    assert copied_back(doubtful) == ["bC2"]
    made = "select distinct shop_id from change where target = 'businesscentral' and operation = 'create'"
    assert doubtful.rows(made) == [("s2",)]
    assert doubtful.rows("select shop_id from status where state = 'waiting'") == [("s1",)]


def test_what_is_not_created_anyway_keeps_its_own_reason(doubtful: Book) -> None:
    """And a record of the shop that is called so is no record of Business Central."""
    doubtful.say("customer", SHOP, "s3", {"number": "C1", "company_name": "B", "active": "true"})
    doubtful.tell("customer", BC, [replace(doubtful.record("customer", BC, "bC1", {}), deleted=True)])
    assert copied_back(doubtful) == ["bC2"]
    reasons = "select id, state, reason from unlinked where id = 'bC1' or id = 's3' order by 1"
    assert doubtful.db.execute(reasons).fetchall() == [
        ("bC1", "excluded", "deleted, and not linked"),
        ("s3", None, None),
    ]
