"""A database of every earlier version becomes what a new one is, with what it held."""

from pathlib import Path

import duckdb
import pytest

from talk_pipeline.engine.state.database import FILE, SCHEMA_VERSION, State

EARLIER = sorted((Path(__file__).parent / "schemas").glob("*.sql"), key=lambda file: int(file.stem))

_COLUMNS = """
select table_name, column_name, data_type from information_schema.columns
where table_catalog = 'state' order by table_name, ordinal_position
"""


def columns(folder: Path) -> list[tuple[str, ...]]:
    with State(folder).once() as db:
        return db.execute(_COLUMNS).fetchall()


@pytest.fixture(params=EARLIER, ids=lambda file: f"version {file.stem}")
def earlier(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A data folder of that version."""
    file: Path = request.param
    folder = tmp_path / "earlier"
    folder.mkdir()
    with duckdb.connect(str(folder / FILE)) as db:
        db.execute(file.read_text(encoding="utf-8"))
        db.execute("insert into meta values ('schema', ?)", [file.stem])
        db.execute(
            "insert into link select 'customer', 'c' || i, 'b' || i, 'c' || i, 'number', 'active', now()"
            " from range(3) t(i)"
        )
        db.execute(
            "insert into change (flow, part, target, operation, property, withheld) values"
            " ('customer', 'customer', 'businesscentral', 'update', 'email', 'manual: both sides changed it'),"
            " ('customer', 'customer', 'businesscentral', 'update', 'phone', null)"
        )
        db.execute(
            "insert into refusal (flow, reason) values"
            " ('customer', 'outcome unknown: 2 records carry C1'), ('customer', 'it is blocked')"
        )
    return folder


def test_it_has_the_columns_of_a_new_one(earlier: Path, tmp_path: Path) -> None:
    new = columns(tmp_path / "new")
    assert ("change", "hold_kind", "VARCHAR") in new
    assert columns(earlier) == new
    with State(earlier).once() as db:
        assert db.execute("select value from meta where key = 'schema'").fetchall() == [(SCHEMA_VERSION,)]


def test_what_it_held_is_there_and_told_by_kind(earlier: Path) -> None:
    with State(earlier).once() as db:
        assert db.execute("select count(*) from link where met_at is not null").fetchall() == [(3,)]
        held = db.execute("select property, hold_kind, hold_reason from change order by 1").fetchall()
        refused = db.execute("select refusal_kind, reason from refusal order by 2").fetchall()
    assert held == [("email", "manual", "both sides changed it"), ("phone", None, None)]
    assert refused == [
        ("refused", "it is blocked"),
        ("outcome_unknown", "outcome unknown: 2 records carry C1"),
    ]


def test_the_version_before_this_one_is_among_them() -> None:
    assert [int(file.stem) for file in EARLIER][-1] == int(SCHEMA_VERSION) - 1
