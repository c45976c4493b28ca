"""Pairs one of which is another record by now, as far as their keys tell; without any system."""

from collections.abc import Iterator

import pytest

from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.values import Value
from talk_pipeline_tests.engine.book import Book

SHOP, BC = Side.SHOP, Side.BC


@pytest.fixture(scope="module")
def met(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Book]:
    """Three customers that both sides have; only to be copied."""
    with Book.opened(tmp_path_factory.mktemp("met")) as book:
        book.pairs("customer", ["C1", "C2", "C3"])
        yield book


@pytest.fixture
def pairs(book: Book, met: Book) -> Book:
    """The same in a state of its own."""
    book.go_on_from(met)
    return book


def renumbered(book: Book, side: Side, **numbers: Value) -> list[str]:
    """A side shows these under other numbers, and with something new; returns which pairs are held then."""
    for key, number in numbers.items():
        book.say("customer", side, key, {"number": number, "website": "www.new.example"})
    book.plan("customer")
    held = book.rows("select shop_id, rule from link where part = 'customer' and state = 'held' order by 1")
    return [shop_id for shop_id, rule in held if rule == "crossed"]


def planned(book: Book) -> set[str]:
    return {shop_id for _, _, shop_id, *_ in book.changes("customer")}


def change(book: Book, statement: str, *parameters: object) -> None:
    book.alone()
    book.db.execute(statement, list(parameters))


def test_two_that_are_shown_under_each_others_numbers_are_held_and_no_other(pairs: Book) -> None:
    pairs.say("order", BC, "bO", {"number": "C9", "status": "Draft"})
    assert renumbered(pairs, SHOP, sC1="C2", sC2="C1", sC3="C9") == ["sC1", "sC2"]
    assert planned(pairs) == {"sC3"}, "a number that no other customer has was renamed"
    assert pairs.rows("select shop_id, state from status order by 1") == [("sC1", "held"), ("sC2", "held")]
    assert {root for (root,) in pairs.db.execute("select root_shop_id from touched").fetchall()} == {"sC3"}


@pytest.mark.parametrize(
    ("side", "key", "number"), [(SHOP, "sC1", "C2"), (BC, "bC1", "C2"), (SHOP, "sC1", "c2 ")]
)
def test_one_that_is_shown_under_the_number_of_another_is_enough(
    pairs: Book, side: Side, key: str, number: str
) -> None:
    assert renumbered(pairs, side, **{key: number}) == ["sC1"]


@pytest.mark.parametrize(
    "otherwise",
    [
        "update snapshot set gone = 'deleted' where id = 'bC2'",  # nobody has it any more
        "update link set rule = 'by hand' where shop_id = 'sC1'",  # a person knew
        "insert into apart values ('customer', 'sC1', 'bC2', true, now(), 'a person', true)",
        "update base set bc_value = 'C7' where property = 'number' and shop_id = 'sC1'",  # they never agreed
    ],
)
def test_what_is_another_number_all_the_same(pairs: Book, otherwise: str) -> None:
    change(pairs, otherwise)
    assert renumbered(pairs, SHOP, sC1="C2") == []


@pytest.mark.parametrize(
    ("apart", "held"), [(("sC2", "bC1"), []), (("sC1", "bC2"), ["sC1"]), (("sC2", "bC3"), ["sC1"])]
)
def test_who_is_kept_apart_from_it_is_not_the_other(
    pairs: Book, apart: tuple[str, str], held: list[str]
) -> None:
    change(pairs, "insert into apart values ('customer', ?, ?, true, now(), 'a person', true)", *apart)
    assert renumbered(pairs, BC, bC1="C2") == held


def test_by_how_it_is_spelled_two_never_disagreed(pairs: Book) -> None:
    change(pairs, "update base set bc_value = ' c1' where property = 'number' and shop_id = 'sC1'")
    assert renumbered(pairs, SHOP, sC1="C2") == ["sC1"]


def test_it_goes_on_when_the_two_say_the_same_again_and_what_is_held_otherwise_stays_so(pairs: Book) -> None:
    change(pairs, "update link set state = 'held', rule = 'by hand' where shop_id = 'sC3'")
    assert renumbered(pairs, SHOP, sC1="C2", sC2="C1") == ["sC1", "sC2"]
    assert renumbered(pairs, SHOP, sC1="C1") == ["sC2"]
    links = "select shop_id, state, rule from link where part = 'customer' order by 1"
    assert pairs.rows(links) == [
        ("sC1", "active", "returned"),
        ("sC2", "held", "crossed"),
        ("sC3", "held", "by hand"),
    ]
    assert planned(pairs) == {"sC1"}
