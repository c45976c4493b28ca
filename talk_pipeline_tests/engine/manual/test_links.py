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


def test_what_was_made_anew_is_known_by_the_key_of_what_is_gone(book: Book) -> None:
    """Else it could not be named by its number again; what a pair lost, or alone had the key, stays known."""
    shop, bc = book.pair("customer", "C1")
    book.tell("customer", Side.BC, [], gone={bc: "vanished"})
    assert find(book.db, book.flows["customer"], "C1").bc_id == bc, "of the pair as long as it is one"
    links.unlink(book.hand("customer"), "C1", recreate=True)
    assert find(book.db, book.flows["customer"], "C1").shop_id == shop
    assert find(book.db, book.flows["customer"], bc).bc_id == bc, "by its id it can be asked for"
    with pytest.raises(ByHandError, match="2 records"):
        find(book.db, book.flows["customer"], "C1", gone_too=True)
    book.say("customer", Side.BC, "bNEW", {"number": "C1"})
    done = links.link(book.hand("customer"), "C1", "C1")
    assert (done.shop_id, done.bc_id) == (shop, "bNEW")
    book.tell("customer", Side.SHOP, [], gone={shop: "deleted"})
    book.tell("customer", Side.BC, [], gone={"bNEW": "vanished"})
    assert find(book.db, book.flows["customer"], "C1").bc_id == "bNEW"


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
