"""Rows written by column: whatever they have in common, each is there as it was given."""

from typing import Any

import pytest

from talk_pipeline.engine.state.rows import insert_columns
from talk_pipeline_tests.engine.book import Book


@pytest.mark.parametrize("sides", [["a", "a", "a"], ["a", "b", "a"]], ids=["the same", "different"])
@pytest.mark.parametrize("values", [[{"x": "1"}] * 3, [{"x": "1"}, {}, {"x": None}]])
def test_a_column_that_says_the_same_in_every_row(
    book: Book, sides: list[str], values: list[dict[str, str | None]]
) -> None:
    ids = ["1", "2", "3"]
    columns: dict[str, list[Any]] = {
        "part": ["p"] * 3,
        "side": sides,
        "id": ids,
        "raw": values,
        "row_hash": [None] * 3,
    }
    insert_columns(book.db, "record", columns)
    found = book.rows("select side, id, raw, row_hash, root_id from record where part = 'p' order by id")
    assert found == [(*one, None, None) for one in zip(sides, ids, values, strict=True)]
