"""`make` and its environment, with a Python that only notes what it is asked: what is tested is the set-up."""

import os
import re
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
PYTHON = """\
#!/usr/bin/env bash
echo "$*" >> "$CALLS"
case "$1 ${2:-}" in
  "--version "*) echo "Python ${VERSION:-3.12.1}" ;;
  "-c "*) [ "${VERSION:-3.12.1}" != 3.10.4 ] ;;
  "-m venv")
    mkdir -p .venv/bin
    [ "${HANG:-}" != venv ] || exec sleep 60
    cp "$0" .venv/bin/python ;;
  "-m pip")
    [ "${HANG:-}" != pip ] || [ "$3" = --version ] || exec sleep 60
    [ "$3" = --version ] || touch .venv/bin/talk-pipeline ;;
esac
"""


class Clone:
    """A clone in which nothing was made yet."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.calls = folder / "calls"
        (folder / "scripts").mkdir()
        for name in ("Makefile", "pyproject.toml", "constraints.txt", "scripts/set-up"):
            shutil.copy(ROOT / name, folder / name)
        self.python = folder / "python"
        self.python.write_text(PYTHON)
        self.python.chmod(0o755)

    def make(self, **environment: str) -> subprocess.Popen[str]:
        plain = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
        return subprocess.Popen(
            ["make", f"PYTHON={self.python}", ".venv/installed"],
            cwd=self.folder,
            env=plain | {"CALLS": str(self.calls)} | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def made(self, **environment: str) -> tuple[int, str, list[str]]:
        """The exit status, what was told, and what was installed: `venv`, `pip`."""
        self.calls.write_text("")
        with self.make(**environment) as process:
            told, _ = process.communicate(timeout=60)
        calls = [call.split() for call in self.calls.read_text().splitlines()]
        done = [call[1] for call in calls if call[0] == "-m" and call[2] != "--version"]
        return process.returncode, told, done

    def interrupted(self, *, at: str) -> None:
        """Everything is killed in the middle of it."""
        self.calls.write_text("")
        with self.make(HANG=at) as process:
            while f"-m {at} " not in self.calls.read_text().replace("pip --version", ""):
                time.sleep(0.02)
            time.sleep(0.2)
            os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path)


def test_it_is_set_up_once_and_says_what_it_does(clone: Clone) -> None:
    status, told, done = clone.made()
    assert (status, done) == (0, ["venv", "pip"])
    assert "making .venv with Python 3.12.1" in told
    assert "a few minutes the first time" in told
    assert clone.made()[2] == []
    os.utime(clone.folder / "constraints.txt", (time.time() + 1,) * 2)
    assert clone.made()[2] == ["pip"], "what is there is brought up to date"


@pytest.mark.parametrize("at", ["venv", "pip"])
def test_an_interrupted_set_up_is_made_anew(clone: Clone, at: str) -> None:
    clone.interrupted(at=at)
    assert (clone.folder / ".venv").exists()
    assert not (clone.folder / ".venv" / "installed").exists()
    (clone.folder / ".venv" / "half").touch()
    status, told, done = clone.made()
    assert (status, done) == (0, ["venv", "pip"]), told
    assert not (clone.folder / ".venv" / "half").exists()
    assert (clone.folder / ".venv" / "bin" / "talk-pipeline").exists()
    assert clone.made()[2] == []


def test_a_failed_installation_is_tried_again(clone: Clone) -> None:
    clone.python.write_text(
        PYTHON.replace('    [ "$3" = --version ] || touch', '    [ "$3" = --version ] || exit 1; touch')
    )
    assert clone.made()[0] != 0
    clone.python.write_text(PYTHON)
    assert clone.made()[::2] == (0, ["venv", "pip"])


def test_an_environment_without_a_stamp_is_kept_and_installed_into_once(clone: Clone) -> None:
    clone.made()
    (clone.folder / ".venv" / "installed").unlink()
    assert clone.made()[2] == ["pip"]
    assert clone.made()[2] == []


def test_an_old_python_is_named_in_one_line_and_leaves_nothing(clone: Clone) -> None:
    status, told, done = clone.made(VERSION="3.10.4")
    assert status != 0
    assert not done
    (line,) = [row for row in told.splitlines() if not row.startswith("make: ")]
    assert line.startswith("error: Python 3.11 or newer is needed, and ")
    assert "is Python 3.10.4; name another: make PYTHON=" in line
    assert not (clone.folder / ".venv").exists()
    assert clone.made()[0] == 0


def test_a_python_that_is_not_there_is_named(clone: Clone) -> None:
    clone.python.unlink()
    status, told, _ = clone.made()
    assert status != 0
    assert "is not there; name another" in told


def test_code_servers_that_come_and_go_are_no_warning() -> None:
    """The daemon takes a new one every minute, and each that it leaves warns twenty seconds later."""
    script = (ROOT / "scripts" / "up").read_text()
    assert re.findall(r"--code-server-log-level (\w+)", script) == ["error", "error"]


def test_a_port_that_is_taken_is_named_before_anything_starts() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        done = subprocess.run(
            [ROOT / "scripts" / "up"],
            env={**os.environ, "PORT": str(port)},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    assert (done.returncode, done.stdout) == (2, "")
    assert f"port {port} is taken" in done.stderr
    assert f"PORT={port + 1} make up" in done.stderr
