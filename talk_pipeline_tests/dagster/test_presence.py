"""A run shows that it has a process, and a killed one shows that no more."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from talk_pipeline.dagster import presence
from talk_pipeline.dagster.presence import is_gone, present, process_of

HOLD = """
import sys, time
from pathlib import Path
from talk_pipeline.dagster.presence import present
with present(Path(sys.argv[1]), "r1"):
    print("held", flush=True)
    time.sleep(60)
"""


def _aged(folder: Path) -> None:
    past = time.time() - 60
    os.utime(folder / "alive" / "r1", (past, past))


def test_a_killed_run_is_gone_and_a_working_one_is_not(tmp_path: Path) -> None:
    assert not is_gone(tmp_path, "r1"), "it has not come so far yet"
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        _aged(tmp_path)
        assert not is_gone(tmp_path, "r1")
        assert process_of(tmp_path, "r1") == holder.pid
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        assert is_gone(tmp_path, "r1")
        assert is_gone(tmp_path, "r1"), "as often as it is asked"


def test_a_process_that_shows_it_twice_does_not_wait_for_itself(tmp_path: Path) -> None:
    with present(tmp_path, "r1"):
        with present(tmp_path, "r1"):
            pass
        assert process_of(tmp_path, "r1") == os.getpid(), "what began it ends it"
    assert process_of(tmp_path, "r1") is None


def test_a_run_that_ended_by_itself_has_a_minute_to_say_so(tmp_path: Path) -> None:
    def fail() -> None:
        with present(tmp_path, "r1"):
            raise ValueError

    pytest.raises(ValueError, fail)
    assert not is_gone(tmp_path, "r1")
    past = time.time() - presence.ENDED_SECONDS
    os.utime(tmp_path / "alive" / "r1", (past, past + 5))
    assert not is_gone(tmp_path, "r1")
    os.utime(tmp_path / "alive" / "r1", (past, past))
    assert is_gone(tmp_path, "r1")


def test_a_clock_that_was_set_back_keeps_no_killed_run(tmp_path: Path) -> None:
    (tmp_path / "alive").mkdir()
    (tmp_path / "alive" / "r1").write_text("7")
    later = time.time() + 3600
    os.utime(tmp_path / "alive" / "r1", (later, later))
    assert is_gone(tmp_path, "r1")


def test_who_waits_to_show_it_takes_nothing_from_who_does(tmp_path: Path) -> None:
    with present(tmp_path, "r1"):
        command = [sys.executable, "-c", HOLD, str(tmp_path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as waiting:
            _until_open(waiting.pid, tmp_path / "alive" / "r1")
            assert process_of(tmp_path, "r1") == os.getpid()
            waiting.kill()


def _until_open(process: int, file: Path) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if any(one.readlink() == file for one in Path(f"/proc/{process}/fd").iterdir()):
            time.sleep(0.1)
            return
        time.sleep(0.05)
    raise AssertionError(f"{file} was not opened")


def test_a_file_just_made_says_nothing_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between making it and locking it."""
    (tmp_path / "alive").mkdir()
    (tmp_path / "alive" / "r1").touch()
    assert not is_gone(tmp_path, "r1")
    (tmp_path / "alive" / "r1").write_text("7")
    assert not is_gone(tmp_path, "r1")
    monkeypatch.setattr(presence, "MADE_SECONDS", 0.0)
    assert is_gone(tmp_path, "r1")
