"""Books that SQL made of one pair hold what would be read: what is measured on them is measured on real ones."""

import json
from dataclasses import replace
from pathlib import Path

from talk_pipeline.flows.sides import Side
from talk_pipeline_tests.bench import books, many

SIZE = 200
_HELD = "select part, side, id, raw, canon, problems from record order by all"


def test_books_made_by_sql_hold_what_would_be_read(tmp_path: Path) -> None:
    book = many.met(tmp_path, SIZE)
    shop, bc = books.pairs(books.customer, range(SIZE))
    said = {one.id: one.payload for one in shop} | {
        many.central_id(at): one.payload.replace(one.id, many.central_id(at)) for at, one in enumerate(bc)
    }
    told = dict(book.db.execute("select id, payload from snapshot").fetchall())
    assert {key: json.loads(one) for key, one in told.items()} == {
        key: json.loads(one) for key, one in said.items()
    }
    made = book.db.execute(_HELD).fetchall()
    book.take(many.FLOW, Side.SHOP, shop)
    book.take(
        many.FLOW,
        Side.BC,
        [replace(one, id=key, payload=said[key]) for one, key in zip(bc, list(said)[SIZE:], strict=True)],
    )
    assert book.db.execute(_HELD).fetchall() == made
    book.plan(many.FLOW)
    assert book.planned() == 0
    agreed = book.db.execute("select count(*), count(distinct shop_id) from base").fetchone()
    assert agreed == (SIZE * len({prop for _, _, _, raw, _, _ in made for prop in raw}), SIZE)
