"""What of a run can be put back, from what the journal and both sides say; without any system."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from talk_pipeline.engine.model import UNDO, ByHandError
from talk_pipeline.engine.plan.undo import Case, examine, flows_written, outcome
from talk_pipeline.engine.report.runs import named_run
from talk_pipeline.flows.sides import Side
from talk_pipeline_tests.engine.book import COMPANY, Book
from talk_pipeline_tests.engine.given import of_record, written
from talk_pipeline_tests.engine.plan.trade import CUSTOMER

SHOP, BC = Side.SHOP, Side.BC
RIGHT, WRONG, NEWER = "www.a.example", "www.wrong.example", "www.newer.example"


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Book]:
    """Two customers whose websites were edited in the shop; the run `wrong` told both; only to be copied."""
    with Book.opened(tmp_path_factory.mktemp("told")) as book:
        book.pairs("customer", ["C1", "C2"], {"website": RIGHT})
        for number in ("C1", "C2"):
            book.say("customer", SHOP, f"s{number}", {"website": WRONG})
        run(book, "wrong")
        yield book


@pytest.fixture
def wrong(book: Book, told: Book) -> Book:
    """The same in a state of its own."""
    book.go_on_from(told)
    return book


def run(book: Book, run_id: str, side: Side = BC, flow: str = "customer") -> None:
    book.plan(flow)
    book.write(flow, side, run_id=run_id)
    book.plan(flow)
    book.in_step(flow)


def cases(book: Book, run_id: str = "wrong", *, by: str | None = None) -> list[Case]:
    """Those of the first customer, among the namesakes."""
    book.crowded()
    found = examine(book.db, book.flows["customer"], run_id, company=COMPANY, by=by)
    book.alone()
    return [case for case in found if case.shop_id == "sC1"]


def only(book: Book, run_id: str = "wrong", *, by: str | None = None) -> Case:
    """That of the website, which was told once."""
    [case] = [case for case in cases(book, run_id, by=by) if case.property == "website"]
    return case


def test_what_stands_as_it_was_left_can_be_put_back(wrong: Book) -> None:
    assert only(wrong) == Case(
        "customer", "customer", "sC1", "bC1", "sC1", "bC1", BC, "website", WRONG, RIGHT, None
    )


@pytest.mark.parametrize(("side", "key"), [(SHOP, "sC1"), (BC, "bC1")])
def test_an_edit_on_either_side_since_that_no_run_has_told_is_seen(wrong: Book, side: Side, key: str) -> None:
    wrong.say("customer", side, key, {"website": NEWER})
    assert only(wrong).reason == f"edited since: {side} says '{NEWER}'"


@pytest.mark.parametrize(("side", "key"), [(SHOP, "sC1"), (BC, "bC1")])
def test_the_same_in_other_letters_is_no_edit(wrong: Book, side: Side, key: str) -> None:
    wrong.say("customer", side, key, {"website": f"{WRONG} "})
    assert only(wrong).reason is None


def test_what_holds_what_it_held_before_is_no_case(wrong: Book) -> None:
    for side, key in ((SHOP, "sC1"), (BC, "bC1")):
        wrong.say("customer", side, key, {"website": RIGHT})
    assert [case.reason for case in cases(wrong)] == [f"edited since: {SHOP} says '{RIGHT}'"]
    again = "update journal_value set sent = $1, source = $1 where property = 'website'"
    wrong.db.execute(again, [RIGHT])
    assert cases(wrong) == []


def test_what_another_run_told_since_is_its_affair_and_of_others_nothing_follows(wrong: Book) -> None:
    wrong.say("customer", SHOP, "sC2", {"website": NEWER})
    run(wrong, "later")
    assert only(wrong).reason is None, "another record"
    wrong.say("customer", SHOP, "sC1", {"phone": "+45 11 11 11 11"})
    run(wrong, "later")
    assert only(wrong).reason is None, "another property"
    wrong.say("customer", SHOP, "sC1", {"website": NEWER})
    run(wrong, "later")
    assert only(wrong).reason == "written again since, by run later"
    assert only(wrong, "later").before == WRONG


def test_what_was_told_before_is_no_obstacle(wrong: Book) -> None:
    wrong.say("customer", SHOP, "sC1", {"website": NEWER})
    run(wrong, "later")
    assert (only(wrong, "later").before, only(wrong, "later").reason) == (WRONG, None)


def test_a_refused_write_is_none(wrong: Book) -> None:
    wrong.db.execute("update journal set outcome = 'refused' where root_shop_id = 'sC1'")
    assert cases(wrong) == []
    assert flows_written(wrong.db, wrong.flows, "wrong") == ("customer",)
    wrong.db.execute("update journal set outcome = 'refused'")
    assert flows_written(wrong.db, wrong.flows, "wrong") == ()
    assert flows_written(wrong.db, wrong.flows, "another") == ()


def test_two_writes_of_a_run_are_one_from_the_first_to_the_last(wrong: Book) -> None:
    wrong.say("customer", SHOP, "sC1", {"website": NEWER})
    run(wrong, "wrong")
    case = only(wrong)
    assert (case.now, case.before, case.reason) == (NEWER, RIGHT, None)


def test_what_was_put_back_is_done_for_the_run_that_did_it_and_over_for_others(wrong: Book) -> None:
    wrong.plan("customer", undo="wrong")
    wrong.write("customer", BC, run_id="undoing")
    run(wrong, "undoing", SHOP)
    assert wrong.rows("select distinct rule from written where run_id = 'undoing' and target = ?", BC) == [
        (UNDO,)
    ]
    case = only(wrong, by="undoing")
    assert (case.done, case.reason, case.now, case.before) == (True, None, WRONG, RIGHT)
    assert only(wrong, by="another").reason == "written again since, by run undoing"
    again = only(wrong, "undoing")
    assert (again.target, again.now, again.before, again.reason) == (BC, RIGHT, WRONG, None)
    assert wrong.said["customer", SHOP, "sC1"]["values"]["website"] == RIGHT


def test_what_waits_to_be_told_anyway_is_not_planned_twice(wrong: Book) -> None:
    wrong.say("customer", SHOP, "sC1", {"website": NEWER})
    planned = wrong.plan("customer", undo="wrong")
    assert [(row[2], row[4]) for row in planned] == [("sC1", NEWER), ("sC2", RIGHT)]


def test_a_record_that_the_run_made_is_told_once_with_what_it_said(book: Book) -> None:
    book.say("customer", SHOP, "sC1", {**CUSTOMER, "website": RIGHT})
    run(book, "wrong")
    [case] = cases(book)
    assert (case.property, case.reason) == (
        None,
        "the record was created by that run: whole records are not undone",
    )


def test_a_pair_that_was_unlinked_or_left_is_told(wrong: Book) -> None:
    wrong.db.execute("update snapshot set gone = 'deleted' where id in ('sC1', 'bC1')")
    assert only(wrong).reason == "it is not there any more on both sides"
    wrong.db.execute("delete from link where shop_id = 'sC1'")
    assert only(wrong).reason == "the two are not linked any more"


@pytest.mark.parametrize("gone", ["sC1", "bC1"])
def test_either_that_is_gone_is_enough(wrong: Book, gone: str) -> None:
    wrong.db.execute("update snapshot set gone = 'deleted' where id = ?", [gone])
    assert only(wrong).reason == "it is not there any more on both sides"
    wrong.db.execute("update snapshot set gone = null")
    wrong.db.execute("delete from record where id = ?", [gone])
    assert only(wrong).reason == "it is not there any more on both sides"


def test_a_closed_link_is_none(wrong: Book) -> None:
    wrong.db.execute("update link set state = 'closed' where shop_id = 'sC1'")
    assert only(wrong).reason == "the two are not linked any more"


def test_a_run_is_named_by_a_beginning_that_only_it_has(wrong: Book) -> None:
    assert named_run(wrong.db, " wron ") == "wrong"
    with pytest.raises(
        ByHandError, match="'w' is too little of a run's id: .*; the latest that wrote:\n  wrong "
    ):
        named_run(wrong.db, "w")
    wrong.db.execute("update journal set run_id = 'wrongly' where root_shop_id = 'sC2'")
    assert named_run(wrong.db, "wrong") == "wrong"
    with pytest.raises(
        ByHandError, match="several runs are known as 'wron'; the latest that wrote"
    ) as caught:
        named_run(wrong.db, "wron")
    assert str(caught.value).count("1 write") == 2
    with pytest.raises(ByHandError, match="no run is known as ''"):
        named_run(wrong.db, " ")
    wrong.db.execute("update journal set outcome = 'refused'")
    with pytest.raises(ByHandError, match="none has written anything yet"):
        named_run(wrong.db, "nothing")


PHONE = replace(of_record("update", "sC1", "bC1"), property="phone")


def test_what_only_went_along_was_not_told_by_that_run(wrong: Book) -> None:
    for name, minutes in (("phone", 2), ("website", 1)):
        told = replace(PHONE, property=name)
        written(wrong, told, source="told", minutes_ago=minutes, run_id="other", along=["email"])
    wrong.say("customer", SHOP, "sC1", {"email": "new@a.example"})
    assert [case.property for case in cases(wrong, "other")] == ["phone", "website"]


def test_what_went_along_with_a_later_write_was_not_written_again(wrong: Book) -> None:
    written(wrong, PHONE, source="+45 11 11 11 11", minutes_ago=-1, run_id="later", along=["website"])
    assert only(wrong).reason is None
    again = replace(PHONE, property="website")
    written(wrong, again, source=RIGHT, minutes_ago=-2, run_id="later")
    assert only(wrong).reason == "written again since, by run later"


def test_what_a_new_record_says_of_itself_belongs_to_its_creation(book: Book) -> None:
    """Not what two sides may say; and of a record that was there before, both are told."""
    new = replace(of_record("create", "s1"), flow="product", part="product", property="name")
    written(book, new, source="One", minutes_ago=4, run_id="wrong")
    for minutes, (key, name) in enumerate((("s2", "stock"), ("s1", "name"), ("s1", "stock"))):
        update = replace(of_record("update", key, f"b{key}"), target=SHOP)
        told = replace(update, flow="product", part="product", property=name)
        written(book, told, source="1", minutes_ago=minutes, run_id="wrong")
    found = examine(book.db, book.flows["product"], "wrong", company=COMPANY)
    assert [(case.shop_id, case.property) for case in found] == [
        ("s1", None),
        ("s1", "name"),
        ("s2", "stock"),
    ]


def put_back(book: Book, *, dry_run: bool) -> tuple[list[str | None], dict[str | None, str | None]]:
    """Whose websites were put back, and why the others were not."""
    book.crowded()
    back, left = outcome(
        book.db, book.flows["customer"], "wrong", company=COMPANY, by="undoing", dry_run=dry_run
    )
    book.alone()
    return [case.shop_id for case in back], {case.shop_id: case.reason for case in left}


def test_what_would_be_put_back_is_told_by_what_is_planned_and_not_withheld(wrong: Book) -> None:
    wrong.say("customer", BC, "bC2", {"website": NEWER})
    seen = {"sC2": f"edited since: businesscentral says '{NEWER}'"}
    unplanned = {"sC1": "not carried out"}
    assert put_back(wrong, dry_run=True) == ([], seen | unplanned), "of no plan nothing would be"
    wrong.plan("customer", undo="wrong")
    assert put_back(wrong, dry_run=True) == (["sC1"], seen)
    assert put_back(wrong, dry_run=False) == ([], seen | unplanned)
    wrong.db.execute(
        "update change set hold_kind = 'waiting', hold_reason = 'on its way' where shop_id = 'sC1'"
    )
    assert put_back(wrong, dry_run=True) == ([], seen | {"sC1": "waiting: on its way"})
    wrong.plan("customer", undo="wrong")
    wrong.write("customer", BC, run_id="undoing")
    wrong.plan("customer")
    assert put_back(wrong, dry_run=False) == (["sC1"], seen)
