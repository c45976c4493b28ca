"""Two words that cross each other again and again are withheld; anything less is not."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from talk_pipeline.engine.kinds import HoldKind
from talk_pipeline.engine.model import SEND_WITH
from talk_pipeline.engine.plan.flapping import TURNS, withhold_flapping
from talk_pipeline.engine.state.connection import now
from talk_pipeline.flows.sides import Side
from talk_pipeline_tests.engine.book import Book
from talk_pipeline_tests.engine.given import of_record, planned, written

NEXT = replace(of_record("update", "1", "b1"), before="no", after="yes")
"""What is to be told next: the word that was told before, and came back."""


def crossed(book: Book, turns: int = TURNS, *, since: int = 1, **how: Any) -> None:
    """So many writes in turn, the last of them `since` minutes ago."""
    for n in range(turns):
        target, word = ((Side.SHOP, "no"), (Side.BC, "yes"))[n % 2]
        written(book, replace(NEXT, target=target, **how.get("of", {})), source=word, minutes_ago=since + n)


def withheld(book: Book, *changes: Any) -> list[tuple[Any, ...]]:
    """What of these is withheld: shop id, property and how."""
    planned(book, *(changes or (NEXT,)))
    withhold_flapping(book.db, book.flows["customer"])
    return book.rows(
        "select shop_id, property, hold_kind from change where hold_kind is not null order by all"
    )


FLAPS = [("1", "website", str(HoldKind.FLAPPING))]


def test_the_next_turn_is_withheld(book: Book) -> None:
    crossed(book)
    assert withheld(book) == FLAPS
    [(reason,)] = book.rows("select hold_reason from change")
    assert "between 'no' and 'yes', 6 times of late" in reason


def test_each_of_several_is_judged_by_its_own_turns(book: Book) -> None:
    crossed(book)
    crossed(book, TURNS - 1, of={"property": "phone"})
    crossed(book, of={"shop_id": "2", "root_shop_id": "2", "bc_id": "b2"})
    second = replace(NEXT, shop_id="2", root_shop_id="2", bc_id="b2", root_bc_id="b2")
    assert withheld(book, NEXT, replace(NEXT, property="phone"), second) == [
        *FLAPS,
        ("2", "website", str(HoldKind.FLAPPING)),
    ]


def test_one_turn_less_is_not(book: Book) -> None:
    crossed(book, TURNS - 1)
    assert withheld(book) == []


@pytest.mark.parametrize(
    "of",
    [
        {"flow": "product"},
        {"part": "customer.none"},
        {"shop_id": "2"},
        {"property": "phone"},
        {"operation": "create"},
        {"root_shop_id": "2"},
    ],
)
def test_turns_of_something_else_do_not_count(book: Book, of: dict[str, Any]) -> None:
    crossed(book, TURNS - 1)
    crossed(book, since=10, of=of)
    assert withheld(book) == []


@pytest.mark.parametrize("how", [{"outcome": "refused"}, {"rule": SEND_WITH}, {"minutes_ago": 24 * 60 + 10}])
def test_a_turn_that_was_not_taken_told_along_or_long_ago_does_not_count(
    book: Book, how: dict[str, Any]
) -> None:
    crossed(book, TURNS - 1)
    told: dict[str, Any] = {"source": "yes", "minutes_ago": 9} | how
    written(book, replace(NEXT, target=Side.BC), **told)
    crossed(book, since=10, of={"property": "phone"})
    assert withheld(book) == []


def test_a_person_who_says_to_try_again_starts_anew(book: Book) -> None:
    crossed(book)
    decided = "insert into decision (flow, shop_id, action, done_at) values (?, ?, ?, ?)"
    for flow, shop_id, action in (
        ("product", "1", "retried"),
        ("customer", "2", "retried"),
        ("customer", "1", "linked"),
    ):
        book.db.execute(decided, [flow, shop_id, action, now()])
    book.db.execute(decided, ["customer", "1", "retried", now() - timedelta(days=1)])
    assert withheld(book) == FLAPS, "what was said before the turns is over"
    book.db.execute("delete from change")
    book.db.execute(decided, ["customer", "1", "retried", now()])
    assert withheld(book) == []


def test_a_third_word_is_no_return(book: Book) -> None:
    crossed(book)
    assert withheld(book, replace(NEXT, after="maybe")) == []


def test_only_what_goes_back_and_forth_is_withheld(book: Book) -> None:
    crossed(book)
    others = [
        replace(NEXT, property="phone"),
        replace(NEXT, shop_id="2"),
        replace(NEXT, part="order"),
        replace(NEXT, flow="product", part="product"),
    ]
    held = replace(NEXT, before="held before", hold_kind=HoldKind.REFUSED)
    found = withheld(book, NEXT, held, *others[:2])
    assert found == [*FLAPS, ("1", "website", str(HoldKind.REFUSED))]


@pytest.mark.parametrize("more", [{"operation": "create"}, {"hold_kind": HoldKind.REFUSED}])
def test_what_is_no_update_or_waits_anyway_is_left(book: Book, more: dict[str, Any]) -> None:
    crossed(book)
    assert [row[2] for row in withheld(book, replace(NEXT, **more))] != [str(HoldKind.FLAPPING)]


def test_a_property_of_two_words_returns_with_every_second_edit(book: Book) -> None:
    crossed(book, of={"property": "active"})
    assert withheld(book, replace(NEXT, property="active")) == []


def test_what_knows_two_words_does_not_keep_others_from_being_withheld(book: Book) -> None:
    names = ("active", "website", "phone", "email")
    for name in names:
        crossed(book, of={"property": name})
    found = withheld(book, *(replace(NEXT, property=name) for name in names))
    assert {name for _, name, _ in found} == {*names} - {"active"}
