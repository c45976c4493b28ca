"""A state that is not as it was left is not taken for it, whoever wrote to its file and however it came there."""

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import duckdb
import pytest

from talk_pipeline.engine.state.backup import back_up
from talk_pipeline.engine.state.connection import Connection
from talk_pipeline.engine.state.content import FOUND
from talk_pipeline.engine.state.copies import compact
from talk_pipeline.engine.state.database import State
from talk_pipeline.engine.state.left import NOTE, Left
from talk_pipeline.engine.state.meta import get_meta, set_meta

KEY = f"{FOUND}customer"


@pytest.fixture
def state(tmp_path: Path) -> State:
    """One of which something is known that holds."""
    made = State(tmp_path / "state", threads=1)
    with made.once():
        pass
    keep(made)
    return made


def keep(state: State) -> None:
    with state.once() as db:
        set_meta(db, KEY, "kept")


def is_kept(state: State) -> bool:
    with State(state.folder, threads=1).once() as db:
        return get_meta(db, KEY) == "kept"


def by_another_program(file: Path, *statements: str) -> None:
    with duckdb.connect(str(file)) as db:
        for statement in statements:
            db.execute(statement)


def killed(file: Path, program: str) -> None:
    """Another program at work on a file, ended between two of its instructions."""
    lines = ["import os, signal, sys", "file = sys.argv[1]", program, "os.kill(os.getpid(), signal.SIGKILL)"]
    done = subprocess.run([sys.executable, "-c", "\n".join(lines), str(file)], check=False)
    assert done.returncode == -signal.SIGKILL


WRITE = "insert into link (part, shop_id, bc_id, state) values ('customer', 's', 'b', 'active')"


def test_it_is_kept_from_one_opening_to_the_next(state: State) -> None:
    for run in range(3):
        assert is_kept(state)
        with state.once() as db:
            set_meta(db, "told", f"of run {run}")
        with state.once():
            pass


def test_an_edit_by_another_program_is_noticed(state: State) -> None:
    by_another_program(state.file, WRITE)
    assert not is_kept(state)


def test_another_program_that_only_reads_changes_nothing(state: State) -> None:
    by_another_program(state.file, "from link")
    assert is_kept(state)


def test_an_edit_that_another_program_left_in_the_journal_is_noticed(state: State) -> None:
    killed(state.file, f"import duckdb; db = duckdb.connect(file); db.execute({WRITE!r})")
    assert not is_kept(state)


def test_an_edit_after_the_journal_was_read_by_another_program_is_noticed(state: State) -> None:
    killed(state.file, f"import duckdb; db = duckdb.connect(file); db.execute({WRITE!r})")
    by_another_program(state.file, "checkpoint")
    assert not is_kept(state)


def test_an_older_copy_is_noticed(state: State, tmp_path: Path) -> None:
    older = shutil.copy2(state.file, tmp_path / "older")
    with state.once() as db:
        set_meta(db, "told", "of a run")
    shutil.copy2(older, state.file)
    assert not is_kept(state)


def test_an_older_copy_that_was_written_as_often_since_is_noticed(state: State, tmp_path: Path) -> None:
    older = Path(shutil.copy2(state.file, tmp_path / "older"))
    for run in range(3):
        with state.once() as db:
            set_meta(db, "told", f"of run {run}")
    for at in range(3):
        by_another_program(older, WRITE.replace("'s', 'b'", f"'{at}', '{at}'"))
    assert _count(older) == _count(state.file)
    shutil.copy2(older, state.file)
    assert not is_kept(state)


def test_a_file_that_was_made_anew_is_noticed(state: State, tmp_path: Path) -> None:
    other = tmp_path / "other"
    by_another_program(
        other, f"attach '{state.file}' as s", "copy from database s to other", WRITE, "detach s"
    )
    while _count(other) < _count(state.file):
        by_another_program(other, "update link set bc_id = bc_id || 'b'")
    assert _count(other) == _count(state.file)
    shutil.copy2(other, state.file)
    assert not is_kept(state)


def test_a_compacted_one_is_another(state: State) -> None:
    compact(state)
    assert not is_kept(state)


def test_nothing_is_kept_in_a_backup(state: State, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    back_up(state, backup, overwrite=False)
    with closing(Connection(str(backup), read_only=True)) as db:
        assert get_meta(db, KEY) is None


def test_a_folder_that_was_moved_as_a_whole_is_as_it_was(state: State, tmp_path: Path) -> None:
    moved = State(Path(shutil.copytree(state.folder, tmp_path / "moved")), threads=1)
    assert is_kept(moved)
    by_another_program(moved.file, WRITE)
    assert not is_kept(moved)
    assert is_kept(state)


@pytest.mark.parametrize("said", [b"", b"\xff"])
def test_with_half_a_note_it_is_looked_for_again(state: State, said: bytes) -> None:
    state.file.with_name(state.file.name + NOTE).write_bytes(said)
    assert not is_kept(state)


def test_without_a_note_it_is_looked_for_again(state: State) -> None:
    state.file.with_name(state.file.name + NOTE).unlink()
    assert not is_kept(state)
    keep(state)
    assert is_kept(state)


def test_one_who_is_killed_at_work_leaves_nothing_that_holds(state: State) -> None:
    work = (
        "from pathlib import Path",
        "from talk_pipeline.engine.state.database import State",
        "from talk_pipeline.engine.state.meta import set_meta",
        "db = State(Path(file).parent).open().__enter__()",
        "set_meta(db, 'told', 'of a run')",
    )
    killed(state.file, "\n".join(work))
    assert not is_kept(state)


LEAVING = """
from pathlib import Path
from talk_pipeline.engine.state.connection import Connection
from talk_pipeline.engine.state.left import Left
left, db = Left(Path(file)), Connection()
left.look()
db.execute(f"attach '{file}' as state")
db.execute("use state")
left.opened(db)
db.execute("update meta set value = 'other' where key = 'told'")
left.leave(db)
"""


def test_one_who_is_killed_while_it_leaves_does_not_cover_what_another_program_does_next(
    state: State,
) -> None:
    with state.once() as db:
        set_meta(db, "told", "of a run")
    before = _count(state.file)
    killed(state.file, LEAVING)
    by_another_program(state.file, WRITE)
    assert _count(state.file) == before + 1  # as the one that was killed would have left it
    assert not is_kept(state)


def test_one_who_is_killed_before_it_notes_so_leaves_nothing_that_holds(state: State) -> None:
    with state.once() as db:
        set_meta(db, "told", "of a run")
    killed(state.file, f"{LEAVING}db.execute('use memory')\ndb.execute('detach state')")
    assert not is_kept(state)


def test_what_is_written_between_looking_and_opening_is_noticed(state: State) -> None:
    left, db = Left(state.file), Connection()
    left.look()
    by_another_program(state.file, WRITE)
    with _attached(db, state.file):
        left.opened(db)
        assert get_meta(db, KEY) is None


def test_what_is_left_in_the_journal_between_looking_and_opening_is_noticed(state: State) -> None:
    left, db = Left(state.file), Connection()
    left.look()
    killed(state.file, f"import duckdb; db = duckdb.connect(file); db.execute({WRITE!r})")
    with _attached(db, state.file):
        left.opened(db)
        assert get_meta(db, KEY) is None


@contextmanager
def _attached(db: Connection, file: Path) -> Iterator[None]:
    db.execute(f"attach '{file}' as state")
    db.execute("use state")
    yield
    db.execute("use memory")
    db.execute("detach state")


def _count(file: Path) -> int:
    """How often something was written into a file."""
    with file.open("rb") as opened:
        begins = opened.read(3 * 4096)
    return max(int.from_bytes(begins[at : at + 8], "little") for at in (4096 + 8, 2 * 4096 + 8))
