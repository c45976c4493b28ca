"""The plan of a dry run as a file: every change that is planned, for spreadsheets or for scripts."""

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO
from itertools import chain
from pathlib import Path
from typing import Any

from talk_pipeline.disks import written_to
from talk_pipeline.engine.state.connection import Connection
from talk_pipeline.pieces import whole
from talk_pipeline.spreadsheets import as_text

_PAGE_ROWS = 10_000
_Pages = Iterable[Sequence[Sequence[Any]]]

_PLAN_COLUMNS = (
    *("flow", "part", "target", "operation", "shop_id", "bc_id"),
    *("property", "before", "after", "base", "rule", "withheld"),
)


def write_plan(db: Connection, flows: Sequence[str], *, file: Path) -> None:
    """Every planned change of these flows as CSV or JSON by the file's name; the columns are `_PLAN_COLUMNS`.

    Withheld ones have the reason in `withheld`.

    JSON holds the values as they are. CSV is opened in spreadsheets: what would be a formula there is made text.

    Raises:
        OSError: the file could not be written, and is as it was. DuckDB, which may write one too, would leave half
            of it, and call the state damaged for want of room there.
    """
    planned = db.execute(
        f"select {', '.join(_PLAN_COLUMNS)}"
        " from (select *, withheld(hold_kind, hold_reason) as withheld from change)"
        " where list_contains($flows::varchar[], flow) order by all",
        {"flows": list(flows)},
    )
    pages = iter(lambda: planned.fetchmany(_PAGE_ROWS), [])
    with written_to(file), whole(file) as out:
        for text in _as_json(pages) if file.suffix == ".json" else _as_csv(pages):
            out.write(text.encode())


def _as_csv(pages: _Pages) -> Iterator[str]:
    for page in chain([[_PLAN_COLUMNS]], pages):
        text = StringIO()
        cells = ([value and as_text(value) for value in row] for row in page)
        csv.writer(text, lineterminator="\n").writerows(cells)
        yield text.getvalue()


def _as_json(pages: _Pages) -> Iterator[str]:
    before = "[\n\t"
    for page in pages:
        rows = (dict(zip(_PLAN_COLUMNS, row, strict=True)) for row in page)
        yield before + ",\n\t".join(json.dumps(row, ensure_ascii=False) for row in rows)
        before = ",\n\t"
    yield "\n]\n" if before.startswith(",") else "[]\n"
