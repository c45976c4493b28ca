"""A file is replaced whole, and nothing else in its folder is anybody's to take."""

import os
from collections.abc import Callable
from pathlib import Path
from stat import S_IMODE

import pytest

from talk_pipeline.engine.state.copies import copy_whole, replace_by_copy
from talk_pipeline.engine.state.database import State
from talk_pipeline.pieces import left_beside, put, whole

OTHERS = b"of somebody else"


@pytest.fixture
def state(tmp_path: Path) -> State:
    """One that holds something."""
    (tmp_path / "data").mkdir()
    state = State(tmp_path / "data")
    with state.once() as db:
        db.execute("insert into meta values ('a', 'b')")
    return state


def test_a_neighbour_stays_whatever_it_is_called(tmp_path: Path, state: State) -> None:
    pointed_at = tmp_path / "pointed-at"
    pointed_at.write_bytes(OTHERS)
    writes: dict[str, Callable[[Path], None]] = {
        "p.csv": lambda file: put(file, b"ours"),
        "b.duckdb": lambda file: replace_by_copy(state, file),
    }
    for name, write in writes.items():
        for neighbour in (tmp_path / f"{name}.new", tmp_path / f".{name}.new"):
            neighbour.write_bytes(OTHERS)
        link = tmp_path / f"linked-{name}.new"
        link.symlink_to(pointed_at)
        for file in (tmp_path / name, tmp_path / f"linked-{name}"):
            write(file)
            assert file.read_bytes() != OTHERS
        assert (tmp_path / f"{name}.new").read_bytes() == OTHERS
        assert (tmp_path / f".{name}.new").read_bytes() == OTHERS
        assert link.is_symlink()
    assert pointed_at.read_bytes() == OTHERS


def test_two_who_write_one_file_each_write_their_own(tmp_path: Path) -> None:
    file = tmp_path / "plan.csv"
    with whole(file) as first, whole(file) as second:
        first.write(b"first " * 9)
        second.write(b"second")
    assert file.read_bytes() == b"first " * 9
    assert [one.name for one in tmp_path.iterdir()] == ["plan.csv"]


def test_a_copy_that_was_being_written_when_all_ended_is_cleared_by_the_next(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(_self: Path, _to: Path) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", killed)
        patch.setattr("talk_pipeline.engine.state.copies._remove", lambda _file: None)
        with pytest.raises(ZeroDivisionError):
            replace_by_copy(state, state.file)
    assert len(left_beside(state.file)) == 1
    replace_by_copy(state, state.file)
    assert left_beside(state.file) == []
    with state.once() as db:
        assert db.execute("select value from meta where key = 'a'").fetchall() == [("b",)]


def test_who_may_read_a_file_is_who_might_before_it_was_replaced(tmp_path: Path, state: State) -> None:
    """Its owner as well, where we may give it away."""
    text, copy = tmp_path / "run.log", tmp_path / "copy.duckdb"
    owner = 65534 if os.geteuid() == 0 else os.geteuid()
    text.write_bytes(OTHERS)
    copy_whole(state.file, copy)
    for file, mode in ((text, 0o600), (state.file, 0o640), (copy, 0o604)):
        os.chown(file, owner, -1)
        file.chmod(mode)
    put(text, b"ours")
    replace_by_copy(state, state.file)
    replace_by_copy(state, copy)
    copy_whole(copy, tmp_path / "second.duckdb")
    assert text.read_bytes() == b"ours"
    files = (text, state.file, copy, tmp_path / "second.duckdb")
    found = [(S_IMODE(one.stat().st_mode), one.stat().st_uid) for one in files]
    assert found == [(0o600, owner), (0o640, owner), (0o604, owner), (0o604, owner)]


def test_a_new_file_is_as_open_as_the_process_has_it(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        put(tmp_path / "plan.csv", b"")
    finally:
        os.umask(before)
    assert S_IMODE((tmp_path / "plan.csv").stat().st_mode) == 0o640


def test_what_cannot_be_written_is_told_by_the_name_that_was_asked_for(tmp_path: Path) -> None:
    """And not by the one under which it would be written first."""
    for file in (tmp_path / "nowhere" / "plan.csv", tmp_path / ("x" * 255)):
        with pytest.raises(OSError, match=r".") as told:
            put(file, b"")
        assert told.value.filename == str(file)


def test_a_whole_copy_takes_nobody_elses_name(tmp_path: Path) -> None:
    file, place = tmp_path / "state.duckdb", tmp_path / "there.duckdb"
    file.write_bytes(b"all of it")
    others = place.with_name("there.duckdb.new")
    others.write_bytes(OTHERS)
    copy_whole(file, place)
    assert place.read_bytes() == b"all of it"
    assert others.read_bytes() == OTHERS
    assert sorted(tmp_path.iterdir()) == sorted([file, place, others])
