"""What a person decides, and that the state is as if it had been so all along."""

import pytest

from talk_pipeline.engine.manual import links, resolutions
from talk_pipeline.engine.manual.lookup import find
from talk_pipeline.engine.model import ByHandError
from talk_pipeline.flows.sides import Side
from talk_pipeline_tests.engine.book import Book


@pytest.mark.parametrize("known", ["sC1", "bC1", "C1", "customwebshop:sC1", "a@a.example"])
def test_a_record_is_found_by_whatever_a_person_has(book: Book, known: str) -> None:
    book.pair("customer", "C1", {"email": "a@a.example"})
    assert find(book.db, book.flows["customer"], known).shop_id == "sC1"


def test_what_is_not_there_and_what_is_there_twice_is_said(book: Book) -> None:
    with pytest.raises(ByHandError, match="'C9'"):
        find(book.db, book.flows["customer"], "C9")
    for number in ("C1", "C2"):
        book.say("customer", Side.SHOP, f"s{number}", {"number": number, "email": "a@a.example"})
    with pytest.raises(ByHandError, match="sC1"):
        find(book.db, book.flows["customer"], "a@a.example")


def test_linked_by_hand_whatever_the_keys_say(book: Book) -> None:
    book.say("customer", Side.SHOP, "s1", {"number": "C1"})
    book.say("customer", Side.BC, "b1", {"number": "C9"})
    done = links.link(book.hand("customer"), "s1", "b1")
    assert done.action == "linked"
    book.plan("customer")
    assert book.rows("select shop_id, bc_id, rule from link") == [("s1", "b1", "by hand")]
    assert book.rows("select action, done_by from decision") == [("linked", "a person")]


def test_unlinked_they_stay_apart(book: Book) -> None:
    book.pair("customer", "C1")
    links.unlink(book.hand("customer"), "C1")
    assert book.plan("customer") == []
    assert book.rows("select bc_id, state from link") == [(None, "held")]
    assert book.rows("select state from status") == [("held",)]


def test_a_person_ends_an_open_conflict(book: Book) -> None:
    book.db.execute("select 1")
    shop, bc = book.pair("customer", "C1", {"website": "www.a.example"})
    with pytest.raises(ByHandError, match="no open conflict"):
        resolutions.resolve(book.hand("customer"), shop, take=Side.SHOP)
    assert bc == "bC1"
