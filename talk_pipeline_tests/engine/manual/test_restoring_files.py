"""A state that is replaced is kept whole, with what was not written into its file yet, wherever that ends."""

import errno
import subprocess
import sys
import threading
import time
from pathlib import Path

import duckdb
import pytest

from talk_pipeline.engine.manual import remembering
from talk_pipeline.engine.state.backup import back_up
from talk_pipeline.engine.state.connection import StateBrokenError, StateBusyError
from talk_pipeline.engine.state.database import FILE, State
from talk_pipeline.engine.state.meta import get_meta, set_meta

pytestmark = pytest.mark.optimized  # files as users have them

A_SECOND = 1.0
"""After which what is put aside is called otherwise."""
SYSTEMS = {"Customwebshop": "shop.example", "Businesscentral": "central.example"}

_ENDS_SUDDENLY = """
import os, sys
from pathlib import Path
from talk_pipeline.engine.state.database import State
from talk_pipeline.engine.state.meta import set_meta
with State(Path(sys.argv[1])).open() as db:
    set_meta(db, "word", sys.argv[2])
    os._exit(9)
"""

_IS_KILLED = """
import sys
from pathlib import Path
from talk_pipeline.engine.manual import remembering
from talk_pipeline.engine.state.database import State
from talk_pipeline_tests.proof.killing import Place, interrupted, killed
folder, file, name, nth, when = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]), sys.argv[5]
systems = {"Customwebshop": "shop.example", "Businesscentral": "central.example"}
with interrupted(Place(Path, name, after=when == "after"), nth, by=killed):
    remembering.restore(State(folder), file, systems=systems)
"""

_LOOKS = """
import sys
from pathlib import Path
from talk_pipeline.engine.state.database import State
with State(Path(sys.argv[1])).once() as db:
    print("open", flush=True)
    sys.stdin.readline()
"""


def written(folder: Path, word: str) -> State:
    """A state whose file holds all of it."""
    state = State(folder, wait_seconds=20)
    state.identify(SYSTEMS)
    with state.once() as db:
        set_meta(db, "word", word)
    return state


def said_last(folder: Path, word: str) -> None:
    """A process that ends suddenly has written it beside the file."""
    subprocess.run([sys.executable, "-c", _ENDS_SUDDENLY, str(folder), word], check=False, timeout=60)
    assert (folder / f"{FILE}.wal").stat().st_size


def word_of(file: Path) -> str | None:
    with State(file.parent, file=file).once() as db:
        return get_meta(db, "word")


def restored(state: State, file: Path) -> Path:
    replaced = remembering.restore(state, file, systems=SYSTEMS).replaced
    assert replaced
    return replaced


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    """A state that said something else after its backup, in its file and beside it."""
    file = tmp_path / "backup.duckdb"
    back_up(written(tmp_path / "data", "kept"), file, overwrite=False)
    written(tmp_path / "data", "newer")
    said_last(tmp_path / "data", "last")
    return file


def test_what_was_put_aside_is_put_back_with_all_it_held(tmp_path: Path, backup: Path) -> None:
    state = State(tmp_path / "data")
    aside = restored(state, backup)
    assert word_of(state.file) == "kept"
    assert aside.with_name(f"{aside.name}.wal").stat().st_size
    held = {one: one.read_bytes() for one in aside.parent.glob(f"{aside.name}*")}
    time.sleep(A_SECOND)
    restored(state, aside)
    assert word_of(state.file) == "last"
    assert {one: one.read_bytes() for one in held} == held, "what was restored stays as it is"


@pytest.mark.parametrize(
    ("name", "nth", "when"),
    [
        ("hardlink_to", 1, "after"),
        ("hardlink_to", 2, "after"),
        ("unlink", 1, "before"),
        ("unlink", 1, "after"),
    ],
)
def test_a_restore_that_is_killed_leaves_either_state_whole(
    tmp_path: Path, backup: Path, name: str, nth: int, when: str
) -> None:
    state = State(tmp_path / "data")
    command = [sys.executable, "-c", _IS_KILLED, str(state.folder), str(backup), name, str(nth), when]
    assert subprocess.run(command, check=False, timeout=60).returncode == -9
    if name == "hardlink_to":
        assert word_of(state.file) == "last"
    elif when == "before":  # the journal that is left is of another file, and nobody takes it for one of this
        with pytest.raises(StateBrokenError, match=r"\.wal"):
            word_of(state.file)
    else:
        assert word_of(state.file) == "kept"
    time.sleep(A_SECOND)
    restored(state, backup)
    assert word_of(state.file) == "kept"


def test_where_a_file_has_one_name_alone_a_copy_is_kept(
    tmp_path: Path, backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_self: Path, _target: Path) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refused)
    aside = restored(State(tmp_path / "data"), backup)
    assert word_of(tmp_path / "data" / FILE) == "kept"
    assert word_of(aside) == "last"


def test_a_restore_that_fails_leaves_the_state_as_it_was(tmp_path: Path, backup: Path) -> None:
    state = State(tmp_path / "data")
    files = {one.name: one.read_bytes() for one in state.folder.iterdir() if one.is_file()}

    def full(_self: Path, _target: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "replace", full)
        with pytest.raises(OSError, match="No space left"):
            restored(state, backup)
    assert {one.name: one.read_bytes() for one in state.folder.iterdir() if one.is_file()} == files
    assert word_of(state.file) == "last"


def test_a_journal_without_its_file_is_put_aside_too(tmp_path: Path, backup: Path) -> None:
    state = State(tmp_path / "data")
    state.file.unlink()
    done = remembering.restore(state, backup, systems=SYSTEMS)
    assert word_of(state.file) == "kept"
    assert done.replaced
    assert done.replaced.name.endswith(".wal")
    assert done.known_again is None, "whoever that state had forgotten is not known"


def test_a_backup_takes_no_journal_over_from_what_it_overwrites(tmp_path: Path, backup: Path) -> None:
    said_last(tmp_path / "other", "of another")
    backup.with_name(f"{backup.name}.wal").write_bytes((tmp_path / "other" / f"{FILE}.wal").read_bytes())
    back_up(State(tmp_path / "data"), backup, overwrite=True)
    assert word_of(backup) == "last"


def test_a_state_in_use_is_waited_for(tmp_path: Path, backup: Path) -> None:
    """A look at it meanwhile: what it had forgotten is known once that is over, and nobody opens either file."""
    state = written(tmp_path / "data", "newer")
    with state.once() as db:
        db.execute("insert into decision (flow, action, shop_id) values ('customer', 'forgotten', 's1')")
    with duckdb.connect(str(backup)) as db:
        db.execute(
            "insert into snapshot (flow, side, id, payload) values ('customer', 'customwebshop', 's1', 'x')"
        )
    command = [sys.executable, "-c", _LOOKS, str(state.folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as somebody:
        assert somebody.stdin
        assert somebody.stdout
        assert somebody.stdout.readline() == "open\n"
        impatient = State(state.folder, wait_seconds=0)
        with pytest.raises(StateBusyError, match=f"process {somebody.pid}"):
            restored(impatient, backup)
        assert not list(state.folder.glob("*.replaced-*"))
        threading.Timer(A_SECOND, somebody.stdin.close).start()
        done = remembering.restore(state, backup, systems=SYSTEMS)
    assert done.known_again
    assert [one.shop_id for one in done.known_again] == ["s1"]
