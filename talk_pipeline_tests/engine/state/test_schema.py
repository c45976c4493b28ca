"""A database of every earlier version becomes what a new one is, with what it held."""

import json
import re
import subprocess
import sys
from dataclasses import fields
from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from talk_pipeline.engine.kinds import RefusalKind
from talk_pipeline.engine.model import SEND_WITH, Intended, Sent
from talk_pipeline.engine.snapshot.projection import Projected
from talk_pipeline.engine.state import tables
from talk_pipeline.engine.state.connection import StateMismatchError
from talk_pipeline.engine.state.database import FILE, State
from talk_pipeline.engine.state.journal import open_intents
from talk_pipeline.engine.state.migrations import RENAMED, SCHEMA_VERSION
from talk_pipeline.engine.state.rows import Row, insert, insert_columns, select
from talk_pipeline.engine.state.tables import RecalculationRow, RefusalRow
from talk_pipeline.flows.sides import Side

EARLIER = sorted((Path(__file__).parent / "schemas").glob("*.sql"), key=lambda file: int(file.stem))

_COLUMNS = """
select table_name, column_name, data_type from information_schema.columns
where table_catalog = 'state' order by table_name, ordinal_position
"""


def columns(folder: Path) -> list[tuple[str, ...]]:
    with State(folder).once() as db:
        return db.execute(_COLUMNS).fetchall()


REQUEST = {
    "root_bc_id": "B1",
    "part": "order",
    "operation": "update",
    "shop_id": "o1",
    "bc_id": "B1",
    "sent": {
        "note": {"source": "a", "sent": "A", "before": None, "rule": "edit", "conflict": True},
        "currency": {"source": None, "sent": "EUR", "before": "EUR", "rule": "companion", "conflict": False},
    },
    "children": [
        {"part": "order.lines", "operation": "delete", "shop_id": "o1/1", "bc_id": "B1/9", "sent": {}},
        {
            "part": "order.lines",
            "operation": "create",
            "shop_id": "o1/2",
            "bc_id": None,
            "sent": {
                "quantity": {"source": "2", "sent": "2", "before": None, "rule": "create", "conflict": False}
            },
        },
    ],
    "recalculates": [["order.lines", "o1/1", "unit_price"]],
}

_REQUESTED = """
insert into journal (intent_id, flow, part, target, operation, shop_id, bc_id, root_shop_id, intent_at, outcome)
values ('i1', 'order', 'order', 'businesscentral', 'update', 'o1', 'B1', 'o1', now(), 'unknown')
"""
# the same in rows, as it is kept since version 4
REQUEST_IN_ROWS = [
    "insert into journal_child values ('i1', 1, 'order.lines', 'delete', 'o1/1', 'B1/9'),"
    " ('i1', 2, 'order.lines', 'create', 'o1/2', null)",
    "insert into journal_value values ('i1', 0, 'note', 'a', 'A', null, 'edit', true),"
    " ('i1', 0, 'currency', null, 'EUR', 'EUR', 'send_with', false),"
    " ('i1', 2, 'quantity', '2', '2', null, 'create', false)",
    "insert into recalculation values ('i1', 'order.lines', 'o1/1', 'unit_price')",
]

# what each version added to those before
HELD = {
    "2": [
        "insert into link (part, shop_id, bc_id, root_shop_id, rule, state, linked_at)"
        " select 'customer', 'c' || i, 'b' || i, 'c' || i, 'number', 'active', now() from range(3) t(i)",
        "insert into mark (flow, side, id, marked_at) values ('customer', 'customwebshop', 'c1', now())",
        "insert into sighting (part, shop_id, property, side) values ('customer', 'c1', 'email', 'customwebshop')",
        "insert into standing (flow, shop_id, state) values ('customer', 'c4', 'waiting')",
        "insert into verdict (run_id, flow, name, passed) values ('r1', 'customer', 'links_unique', true)",
        "insert into base (part, shop_id, property, bounces) values ('customer', 'c1', 'email', 2)",
        "insert into conflict (flow, property, decided_by, decided_at) values"
        " ('customer', 'email', 'Ann', timestamp '2026-01-02 03:04:05'), ('customer', 'phone', null, null)",
    ],
    "3": [
        "update link set met_at = linked_at",
        "insert into deed (flow, action, shop_id) values ('customer', 'unlinked', 'c1')",
        "insert into change (flow, part, target, operation, property, hold_kind, hold_reason) values"
        " ('customer', 'customer', 'businesscentral', 'update', 'email', 'manual', 'both sides changed it'),"
        " ('customer', 'customer', 'businesscentral', 'update', 'phone', null, null)",
        "insert into refusal (flow, reason, refusal_kind) values"
        " ('customer', 'outcome unknown: 2 records carry C1', 'outcome_unknown'),"
        " ('customer', 'it is blocked', 'refused')",
    ],
    "5": [
        "update conflict set acknowledged_by = decided_by, acknowledged_at = decided_at"
        " where decided_by is not null",
    ],
}
RENAMED_IN = "4"
BEFORE_KINDS = [
    "insert into change (flow, part, target, operation, property, withheld) values"
    " ('customer', 'customer', 'businesscentral', 'update', 'email', 'manual: both sides changed it'),"
    " ('customer', 'customer', 'businesscentral', 'update', 'phone', null)",
    "insert into refusal (flow, reason) values"
    " ('customer', 'outcome unknown: 2 records carry C1'), ('customer', 'it is blocked')",
]


@pytest.fixture(params=EARLIER, ids=lambda file: f"version {file.stem}")
def earlier(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A data folder of that version."""
    file: Path = request.param
    folder = tmp_path / "earlier"
    folder.mkdir()
    with duckdb.connect(str(folder / FILE)) as db:
        db.execute(file.read_text(encoding="utf-8"))
        db.execute("insert into meta values ('schema', ?)", [file.stem])
        for version, statements in HELD.items():
            for statement in statements if version <= file.stem else ():
                db.execute(_as_of(statement, file.stem))
        for statement in BEFORE_KINDS if file.stem == "2" else ():
            db.execute(statement)
        db.execute(_REQUESTED)
        if file.stem < RENAMED_IN:
            db.execute("update journal set details = ?", [json.dumps(REQUEST)])
        else:
            db.execute("update journal set root_bc_id = 'B1'")
            for statement in REQUEST_IN_ROWS:
                db.execute(statement)
    return folder


def _as_of(statement: str, version: str) -> str:
    """With the names that the tables and columns had in that version."""
    if version >= RENAMED_IN:
        for old, new in (RENAMED | {"bounces": "mismatches"}).items():
            statement = re.sub(rf"\b{old}\b", new, statement)
    return statement


def test_it_has_the_columns_of_a_new_one(earlier: Path, tmp_path: Path) -> None:
    new = columns(tmp_path / "new")
    assert ("change", "hold_kind", "VARCHAR") in new
    assert columns(earlier) == new
    with State(earlier).once() as db:
        assert db.execute("select value from meta where key = 'schema'").fetchall() == [(SCHEMA_VERSION,)]


def test_whoever_has_no_counterpart_is_looked_at_again(earlier: Path) -> None:
    """Why it has none was not kept; one that is linked, or gone, has a counterpart or needs none."""
    with duckdb.connect(str(earlier / FILE)) as db:
        for row in (
            ("businesscentral", "b1", None),
            ("businesscentral", "b8", None),
            ("businesscentral", "b9", "deleted"),
            ("customwebshop", "c8", None),
        ):
            snapshot = "insert into snapshot (flow, side, id, gone) values ('customer', ?, ?, ?)"
            db.execute(snapshot, row)
        db.execute("insert into meta values ('planned:customer', 'as it was')")
    with State(earlier).once() as db:
        assert db.execute("select id from dirty where id <> 'c1'").fetchall() == [("b8",)]
        assert not db.execute("from meta where key = 'planned:customer'").fetchall()


def test_what_it_held_is_there_and_told_by_kind(earlier: Path) -> None:
    with State(earlier).once() as db:
        assert db.execute("select count(*) from link where met_at is not null").fetchall() == [(3,)]
        held = db.execute("select property, hold_kind, hold_reason from change order by 1").fetchall()
        refused = db.execute("select refusal_kind, reason from refusal order by 2").fetchall()
        renamed = [
            db.execute(f"select count(*) from {table}").fetchall()
            for table in ("dirty", "edit", "status", "check_result")
        ]
        mismatches = db.execute("select mismatches from base").fetchall()
    assert renamed == [[(1,)]] * 4
    assert mismatches == [(2,)]
    assert held == [("email", "manual", "both sides changed it"), ("phone", None, None)]
    assert refused == [
        ("refused", "it is blocked"),
        ("outcome_unknown", "outcome unknown: 2 records carry C1"),
    ]


def test_whoever_decided_a_conflict_knows_of_it(earlier: Path) -> None:
    with State(earlier).once() as db:
        known = db.execute(
            "select property, acknowledged_by, acknowledged_at = decided_at from conflict order by property"
        ).fetchall()
    assert known == [("email", "Ann", True), ("phone", None, None)]


def test_a_request_under_way_is_what_it_was(earlier: Path) -> None:
    with State(earlier).once() as db:
        [intent] = open_intents(db, "order", Side.BC)
        recalculated = select(db, RecalculationRow)
    assert (intent.root_shop_id, intent.root_bc_id) == ("o1", "B1")
    assert intent.main == Intended(
        "order",
        "update",
        "o1",
        "B1",
        {"note": Sent("a", "A", None, "edit", True), "currency": Sent(None, "EUR", "EUR", SEND_WITH)},
    )
    assert intent.children == (
        Intended("order.lines", "delete", "o1/1", "B1/9", {}),
        Intended("order.lines", "create", "o1/2", None, {"quantity": Sent("2", "2", None, "create")}),
    )
    assert recalculated == [
        RecalculationRow(intent_id="i1", part="order.lines", shop_id="o1/1", property="unit_price")
    ]


# a process that ends without a word at the so many'th statement, again and again, until one comes to its end
_KILLED = """
import os, shutil, sys
from pathlib import Path
from talk_pipeline.engine.state.connection import Connection
from talk_pipeline.engine.state.database import State
folder, execute, said = Path(sys.argv[1]), Connection.execute, 0
def counted(*told):
    global said
    said += 1
    if said == last:
        os._exit(9)
    return execute(*told)
Connection.execute = counted
for last in range(2, 1000, 9):
    at = folder.with_name(f"killed-{last}")
    shutil.copytree(folder, at)
    child = os.fork()
    if child == 0:
        with State(at).once():
            os._exit(0)
    if os.waitpid(child, 0)[1] == 0:
        break
"""


def held(folder: Path) -> dict[str, list[tuple[object, ...]]]:
    with State(folder).once() as db:
        names = db.execute("select table_name from duckdb_tables() where database_name = 'state'").fetchall()
        return {name: db.execute(f"select * from {name} order by all").fetchall() for (name,) in names}


def test_one_that_was_killed_on_the_way_comes_to_the_same(earlier: Path, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", _KILLED, str(earlier)], check=True, timeout=300)
    wanted = held(earlier)
    killed = sorted(tmp_path.glob("killed-*"))
    assert len(killed) >= 3
    assert {
        folder.name: name for folder in killed for name, rows in held(folder).items() if rows != wanted[name]
    } == {}


def test_one_of_a_later_release_is_left_as_it_is(tmp_path: Path) -> None:
    with State(tmp_path).once() as db:
        db.execute("update meta set value = '999' where key = 'schema'")
    before = (tmp_path / FILE).read_bytes()
    with pytest.raises(StateMismatchError, match="has schema version 999") as caught, State(tmp_path).once():
        pass
    assert str(tmp_path / FILE) in str(caught.value)
    assert (tmp_path / FILE).read_bytes() == before


DECLARED = [
    one for one in vars(tables).values() if isinstance(one, type) and issubclass(one, Row) and one is not Row
]
WRITTEN_LATER = {
    "journal": {"outcome", "reason", "outcome_at", "left_at", "open_until", "skew_seconds"},
    "written": {"nth"},
}


@pytest.mark.parametrize("kind", [*DECLARED, Projected], ids=lambda kind: kind.TABLE)
def test_a_declaration_has_the_columns_of_its_table(kind: type[Row], tmp_path: Path) -> None:
    with State(tmp_path).once() as db:
        found = db.execute("select name from pragma_table_info(?)", [kind.TABLE]).fetchall()
    declared = {field.name for field in fields(kind)}
    assert declared == {name for (name,) in found} - WRITTEN_LATER.get(kind.TABLE, set())


def test_a_row_is_read_as_it_was_written(tmp_path: Path) -> None:
    """By name, whatever the order of the columns, with its nested values and kinds."""
    refusal = RefusalRow(
        flow="customer",
        part="customer",
        target=Side.BC,
        root_shop_id="c1",
        record_id="c1",
        properties=["email", "phone"],
        fingerprint="f",
        reason="it is blocked",
        refused_at=datetime(2026, 1, 2, 3, 4, 5),  # noqa: DTZ001
        about_another=True,
        refusal_kind=RefusalKind.OUTCOME_UNKNOWN,
    )
    with State(tmp_path).once() as db:
        names = [name for (name,) in db.execute("select name from pragma_table_info('refusal')").fetchall()]
        turned = ", ".join(f"{name} as {name}" for name in reversed(names))
        db.execute(f"create or replace table refusal as select {turned} from refusal")
        insert(db, [refusal])
        [read] = select(db, RefusalRow, "where flow = $flow", {"flow": "customer"})
    assert read == refusal
    assert isinstance(read.refusal_kind, RefusalKind)
    assert read.target is Side.BC


def test_a_column_that_is_not_there_is_named(tmp_path: Path) -> None:
    with State(tmp_path).once() as db, pytest.raises(KeyError, match="link has no column colour"):
        insert_columns(db, "link", {"part": ["customer"], "colour": ["red"]})


def test_the_version_before_this_one_is_among_them() -> None:
    assert [int(file.stem) for file in EARLIER][-1] == int(SCHEMA_VERSION) - 1
