"""What SQLite says of a file that somebody has, or that is damaged, is not told as a full disk."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from talk_pipeline.cli.exits import Exit, told_in_a_line


def test_a_file_in_use_or_damaged_is_not_called_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file, garbage = tmp_path / "some.db", tmp_path / "garbage.db"
    garbage.write_bytes(b"no database of anything" * 100)
    with closing(sqlite3.connect(file, isolation_level=None)) as somebody:
        somebody.execute("create table some (one)")
        somebody.execute("begin exclusive")
        for one, says in (
            (file, "wait until the process that has that file is done"),
            (garbage, "a mistake"),
        ):
            with closing(sqlite3.connect(one, timeout=0)) as opened, pytest.raises(sqlite3.Error) as caught:
                opened.execute("create table other (one)")
            status, text = told_in_a_line(caught.value)
            assert status is Exit.INCOMPLETE
            assert says in text
            assert "make room" not in text
