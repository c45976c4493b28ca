"""Of many pairs that are looked at again those are compared that are not as they were agreed, piece by piece."""

import random
from pathlib import Path

import pytest

from talk_pipeline.engine.plan import pairs
from talk_pipeline.engine.plan.workspace import Unsettled
from talk_pipeline.engine.snapshot.dirty import mark_found
from talk_pipeline.flows.sides import Side
from talk_pipeline_tests.engine.book import Book
from talk_pipeline_tests.engine.plan.test_oracle import POLICIES, PROPERTIES, Compared, flows_of
from talk_pipeline_tests.flow_files import copied_flows

SHOP, BC = Side.SHOP, Side.BC
SAID = {"website": "www.a.example", "address.line1": "Alpha", "address.line2": "Beta"}
UNSETTLED = f"select shop_id from {Unsettled.NAME} order by all"
ROUNDS = 4
HELD = {
    "change": "*",
    "base": "* exclude (agreed_at), agreed_at is null",
    "edit": "*",
    "status": "* exclude (since)",
    "link": "* exclude (linked_at, met_at), met_at is null",
    "dirty": "flow, side, id",
}


@pytest.fixture
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairs, "PIECE", 2)


@pytest.fixture
def met(book: Book, few_at_once: None) -> Book:
    """Five pairs in step, all to be looked at again."""
    book.pairs("customer", [f"C{number}" for number in range(5)], SAID)
    mark_found(book.db, "customer", SHOP, "select shop_id as id from link where part = 'customer'")
    return book


def _unsettled(book: Book) -> list[str]:
    book.plan("customer")
    return [shop_id for (shop_id,) in book.db.execute(UNSETTLED).fetchall()]


def test_pairs_that_are_as_they_were_agreed_are_not_compared(met: Book) -> None:
    assert _unsettled(met) == []
    assert met.changes("customer") == []


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize(
    "edit",
    [
        {"website": "www.b.example"},
        {"website": None},
        {"address.line1": "Beta", "address.line2": "Alpha"},
    ],
    ids=str,
)
def test_a_pair_that_either_side_edited_is_compared(
    met: Book, side: Side, edit: dict[str, str | None]
) -> None:
    met.say("customer", side, f"{side.short[0]}C3", edit)

    assert _unsettled(met) == ["sC3"]
    assert {(target, name, after) for target, _, _, name, after, _ in met.changes("customer")} == {
        (side.other, name, after) for name, after in edit.items()
    }


@pytest.mark.parametrize(
    "stirred",
    [
        "update base set resend = 'businesscentral' where shop_id = 'sC3' and property = 'website'",
        "update base set mismatches = 1 where shop_id = 'sC3' and property = 'website'",
        "update base set agreed_at = null where shop_id = 'sC3' and property = 'website'",
        "delete from base where shop_id = 'sC3' and property = 'website'",
        "update record set problems = map {'website': 'none'} where part = 'customer' and id = 'sC3'",
        "update record set problems = map {'website': 'none'} where part = 'customer' and id = 'bC3'",
        "insert into edit (part, shop_id, property, side) values ('customer', 'sC3', 'website', 'customwebshop')",
    ],
)
def test_a_pair_of_which_something_else_is_to_be_told_is_compared(met: Book, stirred: str) -> None:
    met.alone()
    met.db.execute(stirred)
    assert _unsettled(met) == ["sC3"]


def test_more_than_a_piece_is_laid_out_and_counted_through(met: Book) -> None:
    for number in range(5):
        met.say("customer", SHOP, f"sC{number}", {"website": f"www.new-{number}.example"})
    assert len(_unsettled(met)) == 5
    laid_out = met.db.execute("select nth, shop_id, property from pair order by all").fetchall()
    assert laid_out == [(number + 1, f"sC{number}", "website") for number in range(5)]
    assert len(met.changes("customer")) == 5


def test_who_never_agreed_is_compared_at_once(book: Book, few_at_once: None) -> None:
    for number in range(5):
        for side in Side:
            book.say(
                "customer", side, f"{side.short[0]}C{number}", {"number": f"C{number}", "company_name": "A"}
            )
    book.db.execute(f"drop table if exists {Unsettled.NAME}")
    book.plan("customer")
    assert (
        book.db.execute("select 1 from duckdb_tables() where table_name = ?", [Unsettled.NAME]).fetchone()
        is None
    )
    assert book.rows("select count(distinct shop_id) from base where part = 'customer'") == [(5,)]


def _held(book: Book) -> dict[str, list[tuple[object, ...]]]:
    return {name: book.rows(f"select {columns} from {name} order by all") for name, columns in HELD.items()}


@pytest.mark.parametrize("flow", PROPERTIES)
def test_what_comes_of_pieces_is_what_comes_of_all_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flow: str
) -> None:
    def lived(name: str, piece: int) -> list[dict[str, list[tuple[object, ...]]]]:
        monkeypatch.setattr(pairs, "PIECE", piece)
        chance = random.Random(flow)  # noqa: S311 (a test's edits)
        policy = POLICIES[0]
        folder = copied_flows(tmp_path / f"{name} flows")
        seen = []
        with Book.opened(tmp_path / name, flows_of(folder, policy)) as book:
            compared = Compared(book, flow, policy, chance)
            for at in range(ROUNDS):
                compared.edit(first=at == 0)
                every = f"select shop_id as id from link where part = '{flow}' and state = 'active'"
                mark_found(book.db, flow, SHOP, every)
                compared.check()
                seen.append(_held(book))
                if at % 2:
                    compared.carry_out()
                    compared.check()
                    seen.append(_held(book))
        return seen

    assert lived("pieces", 7) == lived("at once", 1000)
