"""A few records land as many do, by which of two ways they ever are compared with what is held."""

import random
from dataclasses import replace
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from talk_pipeline.engine.model import Record
from talk_pipeline.engine.snapshot import landing
from talk_pipeline.engine.snapshot.projection import FORGOTTEN
from talk_pipeline.flows.sides import Side
from talk_pipeline_tests.engine.book import START, Book

IDS = ("1", "10", "2", "É", "é")
KINDS: tuple[dict[str, Any], ...] = (
    {"full": True},
    {"lagging": True},
    {"own": True, "fetched": False},
    {"suspected": True},
)
LINK = {"1": "closed", "2": "closed", "10": "active"}


def told(book: Book, side: Side, chance: random.Random) -> list[Record]:
    """Up to eight records as a system may tell them: again, as they were, of no time, deleted, with nothing."""
    records = []
    for _ in range(chance.randrange(1, 9)):
        said = {"email": chance.choice(["a@shop.example", "b@shop.example"]), "number": "C1", "no": "C1"}
        one = book.record("customer", side, chance.choice(IDS), said)
        moment = chance.choice([None, *(START + timedelta(minutes=at) for at in (0, 30, 60))])
        one = replace(one, modified_at=moment, version=chance.choice([None, "v1", "v2"]))
        if chance.random() < 0.25:
            one = replace(one, deleted=True, payload=chance.choice(["", one.payload, FORGOTTEN]))
        records.append(one if chance.random() < 0.9 else replace(one, payload=""))
    return records


def landed(folder: Path, side: Side, seed: int) -> list[Any]:
    """What lies in the state after five landings, and what each did."""
    chance, found = random.Random(seed), list[Any]()
    with Book.opened(folder) as book:
        for bc_id, state in LINK.items():
            book.db.execute(
                "insert into link (part, shop_id, bc_id, root_shop_id, state) values ('customer', $1, $1, $1, $2)",
                [bc_id, state],
            )
        for how in (KINDS[0], *chance.choices(KINDS, k=4)):
            if chance.random() < 0.3:
                book.db.execute("update snapshot set payload = ? where id = '1'", [FORGOTTEN])
            came = book.tell("customer", side, told(book, side, chance), **how)
            found.append((came.read, came.changed, came.outside, came.reversals, came.moved_on))
        for query in (
            "select * exclude (fetched_at) from snapshot order by id",
            "select * from record order by part, id",
            "select side, id from dirty order by all",
            "select side, id, kind, known_at, shown_at from reversal order by all",
            "select part, shop_id, state from link order by all",
            "select modified_at, complete from watermark order by all",
        ):
            found.append(book.rows(query))
    return found


@pytest.mark.parametrize(("side", "seed"), list(product(Side, range(12))))
def test_both_ways_find_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, side: Side, seed: int
) -> None:
    few = landed(tmp_path / "few", side, seed)
    monkeypatch.setattr(landing, "FEW", 0)
    assert landed(tmp_path / "many", side, seed) == few
