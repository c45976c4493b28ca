"""A signal while the program is loading, or deep in a query: one line, the status of its kind, and no trace."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from importlib.metadata import entry_points
from typing import cast

import duckdb
import pytest
import typer

from talk_pipeline.acting import Company
from talk_pipeline.cli import status
from talk_pipeline.cli.exits import Exit, one_line_errors
from talk_pipeline.companies import Companies
from talk_pipeline.stopping import stop_requested

# sends itself a signal where a module is looked for, so that no time has to be met
SENDING = """
import os, sys
class Sending:
    sent = False
    def find_spec(self, name, path=None, target=None):
        if name == {module!r} and not self.sent:
            self.sent = True
            os.kill(os.getpid(), {number})
sending = Sending()
sys.meta_path.insert(0, sending)
sys.argv = ["talk-pipeline", "--version"]
from talk_pipeline.cli.entry import run
try:
    run()
finally:
    assert sending.sent, "{module} is not among what is loaded"
"""

ENDING = """
import atexit, os, sys
class Held:
    def __del__(self, write=os.write):
        write(1, b"put away\\n")
class Registering:
    def find_spec(self, name, path=None, target=None):
        if name == "typer":
            atexit.register(print, "what is to be done at the end is done")
sys.meta_path.insert(0, Registering())
held = Held()
sys.argv = ["talk-pipeline", *{arguments}]
from talk_pipeline.cli.entry import run
run()
"""


OPENING = """
import os, sys
import talk_pipeline.cli.main as main
from talk_pipeline.cli.entry import run
main.run = lambda: sys.exit(open(os.devnull).fileno())
run()
"""


@pytest.mark.parametrize(("arguments", "status"), [(["--version"], 0), (["--help"], 0), (["explain"], 2)])
def test_whoever_reads_no_more_changes_no_status(arguments: list[str], status: int) -> None:
    """Such as `head`; 1 would say that a check failed."""
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as nobody:
        command = [sys.executable, "-m", "talk_pipeline", *arguments]
        done = subprocess.run(command, stdout=nobody, stderr=nobody, check=False)
    assert done.returncode == status


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_closed_streams_change_no_status_and_no_file_takes_their_place(closed: str) -> None:
    def ended(*arguments: str) -> int:
        shell = ["bash", "-c", f'"$@" {closed}', "bash", sys.executable, *arguments]
        return subprocess.run(shell, capture_output=True, check=False).returncode

    assert ended("-m", "talk_pipeline", "--version") == 0
    assert ended("-m", "talk_pipeline", "explain") == 2
    assert ended("-c", OPENING) > 2


def started(module: str, number: signal.Signals, disposition: signal.Handlers) -> tuple[int, str, str]:
    """Whatever the tests themselves were told to do with the signal, the program begins with this disposition."""

    def prepared() -> None:
        signal.signal(number, disposition)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [number])

    done = subprocess.run(
        [sys.executable, "-c", SENDING.format(module=module, number=int(number))],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=prepared,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("module", ["talk_pipeline.cli.main", "typer", "duckdb", "talk_pipeline.settings"])
def test_it_ends_with_a_line(module: str, number: signal.Signals) -> None:
    told = "error: stopped while it was loading; nothing was begun\n"
    assert started(module, number, signal.SIG_DFL) == (128 + number, "", told)


def test_what_is_ignored_by_whoever_starts_it_stays_so() -> None:
    status, out, err = started("typer", signal.SIGINT, signal.SIG_IGN)
    assert (status, err) == (0, "")
    assert out


def test_nothing_else_is_loaded_before_signals_are_taken() -> None:
    ours = ("import sys; before = set(sys.modules); import talk_pipeline.cli.entry",)
    told = "print(*sorted(n for n in set(sys.modules) - before if n.split('.')[0] not in sys.stdlib_module_names))"
    done = subprocess.run(
        [sys.executable, "-c", "; ".join((*ours, told))], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["talk_pipeline", "talk_pipeline.cli", "talk_pipeline.cli.entry"]


def test_it_is_what_is_installed() -> None:
    [script] = entry_points(group="console_scripts", name="talk-pipeline")
    assert script.value == "talk_pipeline.cli.entry:run", "make sync installs it anew"


@pytest.mark.parametrize(("arguments", "status"), [(["--version"], 0), (["no such command"], 2)])
def test_at_the_end_nothing_is_put_away_piece_by_piece(arguments: list[str], status: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ENDING.format(arguments=arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status
    assert done.stdout.endswith("what is to be done at the end is done\n")


def test_who_does_not_end_by_itself_is_told_of_by_python() -> None:
    ending = ENDING.format(arguments=[]).replace(
        "run()", "import talk_pipeline.cli.main as main; main.app = 1; run()"
    )
    done = subprocess.run([sys.executable, "-c", ending], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "TypeError" in done.stderr


@pytest.fixture
def stopping() -> Iterator[Callable[[], None]]:
    """A query in whose middle a signal comes: DuckDB makes an error of its own of it."""

    def stop(number: int) -> int:
        os.kill(os.getpid(), number)
        return number

    with closing(duckdb.connect()) as db:
        db.create_function("stop", stop)
        yield lambda: db.execute("select stop($1)", [int(signal.SIGTERM)]).close()


def test_a_signal_in_the_middle_of_a_query_is_no_mistake_of_the_program(
    stopping: Callable[[], None], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit) as ended, one_line_errors():
        stopping()
    assert ended.value.exit_code == Exit.INCOMPLETE
    assert capsys.readouterr().err.startswith("error: stopped before it was done")
    assert not stop_requested(), "who goes on in this process is not concerned"


def test_a_signal_in_a_query_of_one_company_is_no_reason_to_go_on_with_the_next(
    stopping: Callable[[], None], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    begun = []

    def standing(_settings: object) -> None:
        begun.append(1)
        stopping()

    monkeypatch.setattr(status, "standing_of", standing)
    known = cast(Companies, {name: Company(name, {}, {}) for name in ("berlin", "oslo")})
    with pytest.raises(typer.Exit) as ended, one_line_errors():
        status._print_all(known, as_json=False)
    assert (begun, ended.value.exit_code) == ([1], Exit.INCOMPLETE)
    assert capsys.readouterr().err.startswith("error: stopped before it was done")
