"""What is told of records that a restored system lost; without any system."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from talk_pipeline.engine.kinds import GIVEN_OUT_ANEW
from talk_pipeline.engine.plan import losses
from talk_pipeline.engine.plan.losses import Loss, loss_of, strike_regained
from talk_pipeline.flows.sides import Side
from talk_pipeline_tests.engine.book import Book
from talk_pipeline_tests.engine.given import linked

SHOP, BC = Side.SHOP, Side.BC
KEPT = "select shop_id, bc_id, shop_lost, bc_lost, acknowledged_at is not null from loss order by all"


@pytest.fixture(scope="module")
def met(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Book]:
    """Two customers that both sides have; only to be copied."""
    with Book.opened(tmp_path_factory.mktemp("met")) as book:
        book.pairs("customer", ["C1", "C2"], {"website": None})
        yield book


@pytest.fixture
def pairs(book: Book, met: Book) -> Book:
    """The same in a state of its own."""
    book.go_on_from(met)
    return book


def note(book: Book, side: Side, *ids: str, others: Sequence[str] = ()) -> list[tuple[Any, ...]]:
    """A side lost these; returns all that is kept."""
    book.crowded()
    losses.note(book.db, book.flows["customer"], side, ids, others=others)
    return book.rows(KEPT)


def told(book: Book) -> list[Loss]:
    book.crowded()
    found = losses.losses(book.db, book.flows["customer"])
    book.alone()
    return found


def reasons(book: Book) -> list[tuple[str, str]]:
    return [(one.shop_id, one.reason) for one in told(book)]


def change(book: Book, statement: str, *parameters: object) -> None:
    book.alone()
    book.db.execute(statement, list(parameters))


def test_it_is_kept_once_whatever_side_lost_it_and_of_both_that_both_did(pairs: Book) -> None:
    assert note(pairs, SHOP, "sC1") == [("sC1", "bC1", True, False, False)]
    change(pairs, "update loss set acknowledged_by = 'a person', acknowledged_at = now()")
    assert note(pairs, SHOP, "sC1") == [("sC1", "bC1", True, False, True)], "that is known already"
    change(pairs, "delete from snapshot where id = 'bC2'")
    second = ("sC2", "bC2", False, True, False)
    assert note(pairs, BC, "bC2") == [("sC1", "bC1", True, False, True), second]
    assert note(pairs, BC, "bC1") == [("sC1", "bC1", True, True, False), second], "more than was acknowledged"


@pytest.mark.parametrize(
    ("state", "rule", "gone", "side", "kept"),
    [
        ("held", "by hand", None, SHOP, None),
        ("held", GIVEN_OUT_ANEW, None, SHOP, (True, False)),
        ("held", GIVEN_OUT_ANEW, None, BC, (True, True)),  # the shop shows another one under its id
        ("closed", "number", None, BC, (False, True)),
        ("closed", "number", None, SHOP, None),
        ("closed", "number", "deleted", SHOP, None),
        ("closed", "number", "posted", SHOP, (True, False)),
        ("closed", GIVEN_OUT_ANEW, None, SHOP, None),
    ],
)
def test_of_what_was_no_pair_any_more_only_what_is_missed_is_kept(
    pairs: Book, state: str, rule: str, gone: str | None, side: Side, kept: tuple[bool, bool] | None
) -> None:
    change(pairs, "update link set state = ?, rule = ? where shop_id = 'sC1'", state, rule)
    change(pairs, "update snapshot set gone = ? where id = 'bC1'", gone)
    found = note(pairs, side, "sC1" if side is SHOP else "bC1")
    assert [row[2:4] for row in found] == ([kept] if kept else [])


def test_what_shares_a_record_of_another_has_lost_none(pairs: Book) -> None:
    change(pairs, "update link set bc_id = null, shared_id = 'bC2', state = 'attached' where shop_id = 'sC1'")
    assert note(pairs, SHOP, "sC1") == []
    change(pairs, "update link set state = 'active' where shop_id = 'sC1'")
    assert note(pairs, SHOP, "sC1") == [], "it has none of its own"


@pytest.mark.parametrize(
    ("number", "gone", "lost"), [("C9", None, True), ("c1", None, False), ("C9", "deleted", False)]
)
def test_whoever_is_shown_under_the_id_of_what_was_lost_there_is_another(
    pairs: Book, number: str, gone: str | None, lost: bool
) -> None:
    pairs.say("customer", BC, "sC1", {"number": "C8", "company_name": "B"})  # another id than the shop's
    note(pairs, BC, "bC1", "bC2")
    pairs.say("customer", SHOP, "sC1", {"number": number})
    change(pairs, "update snapshot set gone = ? where id = 'sC1' and side = 'customwebshop'", gone)
    assert [row[2] for row in note(pairs, BC)] == [False, False], "the shop was not restored"
    assert [row[2] for row in note(pairs, SHOP)] == [lost, False]


def test_who_is_told_to_be_another_is_one(pairs: Book) -> None:
    note(pairs, BC, "bC1", "bC2")
    assert [row[2] for row in note(pairs, SHOP, others=["sC2"])] == [False, True]
    change(pairs, "delete from loss")
    assert note(pairs, SHOP, others=["sC2"]) == [], "and none that was lost"


LOST = "{} lost it when it was restored"
BY_SHOP, BY_BC = LOST.format(SHOP), LOST.format(BC)


@pytest.mark.parametrize(
    ("gone", "reason"),
    [
        (None, f"{BY_SHOP}; {BC} still has it"),
        ("posted", f"{BY_SHOP}; in {BC} it is posted"),
        ("out_of_scope", f"gone from both systems: {BY_SHOP}, and in {BC} it is out of scope"),
    ],
)
def test_what_the_shop_lost_is_told_with_what_the_other_has(
    pairs: Book, gone: str | None, reason: str
) -> None:
    note(pairs, SHOP, "sC1")
    change(pairs, "update snapshot set gone = ? where id = 'bC1'", gone)
    change(pairs, "insert into status values ('customer', 'sC1', 'excluded', 'over', now())")
    assert reasons(pairs) == [("sC1", reason)]


@pytest.mark.parametrize(
    ("gone", "state", "reason"),
    [
        (None, None, None),  # its own state tells
        (None, "waiting", None),
        (None, "excluded", f"{BY_BC}; {SHOP} still has it, and it is left alone: over"),
        ("deleted", "excluded", None),  # that was meant
        ("vanished", None, f"gone from both systems: {BY_BC}, and in {SHOP} it is vanished"),
    ],
)
def test_what_business_central_lost_is_told_where_nothing_else_does(
    pairs: Book, gone: str | None, state: str | None, reason: str | None
) -> None:
    note(pairs, BC, "bC1")
    change(pairs, "update snapshot set gone = ? where id = 'sC1'", gone)
    for shop_id, excluded in (("sC1", state), ("sC2", "excluded")):
        if excluded:
            change(pairs, "insert into status values ('customer', ?, ?, 'over', now())", shop_id, excluded)
    assert reasons(pairs) == ([("sC1", reason)] if reason else [])


def test_what_both_lost_is_told_the_oldest_first_until_it_is_acknowledged(pairs: Book) -> None:
    for side in (SHOP, BC):
        note(pairs, side, *(f"{side.short[0]}C{number}" for number in (1, 2)))
    change(
        pairs,
        "update loss set lost_at = if(shop_id = 'sC2', '2026-01-01'::timestamp, '2026-01-02'::timestamp)",
    )
    change(pairs, "update snapshot set gone = 'vanished' where id = 'sC2'")
    assert [(one.shop_id, one.is_others) for one in told(pairs)] == [("sC2", False), ("sC1", True)]
    one = told(pairs)[0]
    assert (one.bc_id, one.number, one.name) == ("bC2", "C2", "A")
    assert one.reason == "gone from both systems: each lost it when it was restored"
    assert (one.held["company_name"], "website" in one.held) == ("A", False), "blanks are left out"
    change(pairs, "update loss set acknowledged_at = now() where shop_id = 'sC2'")
    assert [one.shop_id for one in told(pairs)] == ["sC1"]
    change(pairs, "delete from snapshot")
    change(pairs, "delete from record")
    assert [(one.number, one.held) for one in told(pairs)] == [(None, {})], "of what nothing is held any more"


def test_it_is_found_by_what_it_was_called_unless_another_is_called_so(pairs: Book) -> None:
    def of(shop_id: str | None, bc_id: str | None) -> str | None:
        pairs.crowded()
        found = loss_of(pairs.db, pairs.flows["customer"], shop_id=shop_id, bc_id=bc_id)
        pairs.alone()
        return found.shop_id if found else None

    assert of("sC1", "bC1") is None
    note(pairs, SHOP, "sC1", "sC2")
    change(pairs, "update snapshot set gone = 'vanished' where id = 'sC1'")
    assert [of("sC1", None), of(None, "bC1"), of("sC9", "b9")] == ["sC1", "sC1", None]
    assert [of("sC2", None), of("sC2", "bC2"), of("sC2", "b9")] == [None, "sC2", None]


@pytest.mark.parametrize(
    ("lost", "pair", "struck"),
    [
        ("shop", ("s9", "bC1"), True),
        ("bc", ("sC1", "b9"), True),
        ("shop", ("sC1", "b9"), False),  # somebody else under its id
        ("bc", ("s9", "bC1"), False),
        ("both", ("s9", "bC1"), False),
        ("shop", ("s9", "b9"), False),
    ],
)
@pytest.mark.parametrize("state", ["active", "closed"])
def test_what_is_left_and_one_of_a_pair_again_is_no_loss(
    pairs: Book, lost: str, pair: tuple[str, str], struck: bool, state: str
) -> None:
    for side in (SHOP, BC):
        note(pairs, side, *([f"{side.short[0]}C1"] if lost in (side.short, "both") else []))
    change(pairs, "delete from link")
    linked(pairs, "customer", *pair)
    change(pairs, "update link set state = ?", state)
    pairs.crowded()
    strike_regained(pairs.db, pairs.flows["customer"])
    assert (pairs.rows(KEPT) == []) is (struck and state == "active")
