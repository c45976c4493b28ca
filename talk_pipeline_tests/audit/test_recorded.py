"""The state as the audit finds it: what is none, or damaged, is refused by name, and nothing is fetched for it."""

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from talk_pipeline.audit import NotAuditableError
from talk_pipeline.audit.recorded import recorded
from talk_pipeline.cli.exits import Exit, told_in_a_line
from talk_pipeline.engine.state.database import FILE, State
from talk_pipeline.settings import Settings
from talk_pipeline_tests.damage import cut, overwritten


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state of some size, all of it in the file."""
    monkeypatch.setenv("TALK_DATA_DIR", str(tmp_path))
    with State(tmp_path).once() as db:
        db.execute(
            "insert into base (part, shop_id, property, shop_value, bc_value)"
            " select 'customer', i, 'email', md5(i::varchar), md5((-i)::varchar) from range(100000) t(i)"
        )
    return tmp_path / FILE


def _of_sqlite(file: Path) -> None:
    file.unlink()
    with sqlite3.connect(file) as db:
        db.execute("create table status (flow text)")
    db.close()


def _emptied(file: Path) -> None:
    os.truncate(file, 0)


def _of_a_foreign_journal(file: Path) -> None:
    file.with_name(f"{FILE}.wal").write_bytes(b"what was done last should be in it")


@pytest.mark.parametrize("damage", [cut, overwritten, _of_sqlite, _emptied, _of_a_foreign_journal])
def test_a_damaged_state_is_named_with_the_way_out(file: Path, damage: Callable[[Path], None]) -> None:
    damage(file)
    with pytest.raises(NotAuditableError, match="put a backup in its place") as caught:
        recorded(Settings.load())
    assert str(file) in str(caught.value)
    assert "extension" not in str(caught.value)
    assert told_in_a_line(caught.value)[0] is Exit.USAGE


def test_a_whole_one_is_copied(file: Path) -> None:
    assert recorded(Settings.load()).execute("select count(*) from base").fetchall() == [(100_000,)]
    assert file.exists()
