"""What does not fit into the memory lies with the state while it is worked on, and nowhere else."""

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from talk_pipeline import installation
from talk_pipeline.cli.exits import Exit, told_in_a_line
from talk_pipeline.engine.state.database import State
from talk_pipeline.settings import Settings

pytestmark = pytest.mark.optimized

MEMORY = "40MB"
LARGER = "create temp table larger as select i, repeat(md5(i::varchar), 8) as text from range(400000) t(i)"

KILLED = f"""
import os, signal, sys
from pathlib import Path
from talk_pipeline.engine.state.database import State
with State(Path(sys.argv[1]), memory="{MEMORY}").open() as db:
    db.execute("{LARGER}")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that whoever runs it stands in, with a data folder below that is not made yet."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_what_does_not_fit_into_the_memory_lies_with_the_state(elsewhere: Path) -> None:
    state = State(elsewhere / "data", memory=MEMORY)
    with state.open() as db:
        db.execute(LARGER)
        spilled = sum(file.stat().st_size for file in state.spilled.iterdir())
        found = db.execute("select count(*) from larger where text = repeat(md5(i::varchar), 8)").fetchone()
    state.beside.close()

    assert spilled > 10_000_000
    assert found == (400_000,)
    assert [file.name for file in elsewhere.iterdir()] == ["data"]
    assert not state.spilled.exists()


def test_too_little_memory_to_open_a_state_is_no_damage(elsewhere: Path) -> None:
    """Else whoever reads it would put a backup in its place."""
    data = elsewhere / "data"
    with State(data).once() as db:
        db.execute("insert into meta values ('a', 'b')")
    with pytest.raises(duckdb.OutOfMemoryException) as told, State(data, memory="0MB").open():
        pass
    assert told_in_a_line(told.value)[0] == Exit.INCOMPLETE
    assert told_in_a_line(told.value)[1].endswith("give it more by TALK_MEMORY; nothing is lost")


def test_too_few_files_to_open_a_state_are_no_damage(elsewhere: Path) -> None:
    data = elsewhere / "data"
    with State(data).once() as db:
        db.execute("insert into meta values ('a', 'b')")
    state, allowed = State(data), resource.getrlimit(resource.RLIMIT_NOFILE)
    with state.once():
        pass  # what it keeps open beside the file is open now
    next_one = os.dup(0)
    os.close(next_one)
    resource.setrlimit(resource.RLIMIT_NOFILE, (next_one + 1, allowed[1]))
    try:
        with pytest.raises(OSError, match="Too many open files") as told, state.open():
            pass
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, allowed)
    status, line = told_in_a_line(told.value)
    assert (status, "ulimit -n" in line) == (Exit.INCOMPLETE, True)
    with state.once() as db:
        assert db.facts["a"] == "b"


def test_what_a_killed_run_left_of_it_is_pruned(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = elsewhere / "data"
    killed = subprocess.run([sys.executable, "-c", KILLED, str(data)], check=False, env=os.environ)
    assert killed.returncode == -signal.SIGKILL
    assert list((data / "spilled").iterdir())

    monkeypatch.setenv("TALK_DATA_DIR", str(data))
    installation.prune(Settings.load())

    assert not (data / "spilled").exists()
