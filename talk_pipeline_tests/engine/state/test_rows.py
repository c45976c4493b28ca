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


ODD = ["a.b", "it's", "sp ace", 'q"u', "b\\c", "$1", "æ", "{}", "true"]
TEXTS = [
    "a",
    "",
    None,
    "nul\x00x",
    "q'\"\\",
    "\U0001f600é",
    "\u2028",
    "\ufffd",
    "1.10",
    "null",
    "{}",
    "a=b,c",
    "\x1f",
]


@pytest.mark.parametrize(
    "maps",
    [
        [{name: TEXTS[(row + at) % len(TEXTS)] for at, name in enumerate(ODD)} for row in range(len(TEXTS))],
        [{"x": "1", "X": "2"}] * 2,  # two names, though DuckDB knows one
        [{"a": "1", "b": "2"}, {"a": "1"}],
        [{"a": "1"}, {"a": "1", "b": "2"}],
        [{"a": "1", "b": "2"}, {"b": "3", "a": None}],
        [{}, {"a": "1"}],
        [{"a": "1"}, None],
    ],
    ids=["odd names and texts", "case", "fewer", "more", "another order", "none", "nothing"],
)
def test_a_map_is_read_as_it_was_written(book: Book, maps: list[dict[str, str | None] | None]) -> None:
    ids = [f"{at:02}" for at in range(len(maps))]
    insert_columns(book.db, "record", {"part": ["p"] * len(ids), "id": ids, "canon": maps})
    assert [row[0] for row in book.rows("select canon from record where part = 'p' order by id")] == maps
