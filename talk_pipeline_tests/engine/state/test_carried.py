"""A state that is carried from machine to machine: what one has written another reads, and nobody's end is lost.

Each machine is a folder of its own, and where it matters a process with a host name of its own.
"""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from talk_pipeline.engine.manual.remembering import restore
from talk_pipeline.engine.state.backup import back_up
from talk_pipeline.engine.state.carried import CarriedState
from talk_pipeline.engine.state.connection import StateBrokenError
from talk_pipeline.engine.state.database import State
from talk_pipeline.engine.state.lease import LeaseHeldError, LeaseLostError
from talk_pipeline.engine.state.meta import get_meta, set_meta

LEASE_SECONDS, LONGEST_SECONDS = 1.0, 1.5

HOLDER = """
import sys
from pathlib import Path
from talk_pipeline.engine.state.carried import CarriedState
from talk_pipeline.engine.state.lease import LeaseLostError
from talk_pipeline.engine.state.meta import set_meta

shared, work, lease_seconds, longest = Path(sys.argv[1]), Path(sys.argv[2]), *map(float, sys.argv[3:5])
state = CarriedState(
    shared, file=work / "talk.duckdb", wait_seconds=5, lease_seconds=lease_seconds, longest_seconds=longest
)
try:
    with state.leased(("customer",), by=work.name):
        with state.once() as db:
            set_meta(db, "written by", work.name)
            db.execute("insert into watermark (flow, side, full_at) values ('customer', 'customwebshop', now())")
        if "opened" in sys.argv:
            with state.open() as db:
                set_meta(db, "written by", f"{work.name}, and not in its file")
        print("written", flush=True)
        sys.stdin.read()
    print("left", flush=True)
except LeaseLostError:
    print("lost", flush=True)
"""


class Machines:
    """A folder that all see, and one for each."""

    def __init__(self, folder: Path) -> None:
        self.shared, self._folder = folder / "shared", folder
        self.started: list[subprocess.Popen[str]] = []

    def state(self, name: str) -> CarriedState:
        return CarriedState(
            self.shared,
            file=self._folder / name / "talk.duckdb",
            wait_seconds=5,
            lease_seconds=LEASE_SECONDS,
            longest_seconds=LONGEST_SECONDS,
        )

    def writes(self, name: str, value: str) -> None:
        """A whole run there."""
        state = self.state(name)
        with state.leased(("customer",), by=name), state.once() as db:
            set_meta(db, "written by", value)

    def reads(self, name: str) -> str | None:
        """What a command there says that only looks."""
        state = self.state(name)
        state.refresh()
        with state.once() as db:
            return get_meta(db, "written by")

    def begins(
        self, name: str, *, longest_seconds: float = LONGEST_SECONDS, opened: bool = False
    ) -> subprocess.Popen[str]:
        """A run in a process of its own, on a machine of that name, that has written and is not at its end.

        With the file `opened` it has what it wrote last beside it.
        """
        command = [sys.executable, "-c", HOLDER, str(self.shared), str(self._folder / name)]
        command += [str(LEASE_SECONDS), str(longest_seconds), *(["opened"] if opened else [])]
        elsewhere = ["unshare", "--map-root-user", "--uts", "sh", "-c", 'hostname "$0" && exec "$@"', name]
        started = subprocess.Popen(
            elsewhere + command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.started.append(started)
        assert started.stdout
        assert started.stdout.readline() == "written\n"
        return started

    def is_at_rest(self) -> bool:
        """One snapshot is kept, and nothing is under way."""
        return [file.suffix for file in (self.shared / "snapshots").iterdir()] == [".duckdb"]


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[Machines]:
    machines = Machines(tmp_path)
    yield machines
    for one in machines.started:
        with one:
            one.kill()


def ended(one: subprocess.Popen[str]) -> str:
    assert one.stdin
    assert one.stdout
    one.stdin.close()
    return one.stdout.readline().strip()


def killed(one: subprocess.Popen[str]) -> None:
    one.kill()
    one.wait()


def test_what_one_machine_has_written_the_next_one_reads(machines: Machines) -> None:
    for name in ("north", "south", "north", "north", "south"):
        before = machines.reads(name) if machines.shared.exists() else None
        machines.writes(name, f"{before or ''}{name[0]}")
    assert [machines.reads(name) for name in ("north", "south", "new")] == ["nsnns"] * 3
    assert machines.is_at_rest()


def test_what_was_kept_on_one_machine_is_the_first_snapshot(machines: Machines, tmp_path: Path) -> None:
    """Whoever begins to carry a state has one already."""
    before = machines.state("north")
    with before.once() as db:
        set_meta(db, "written by", "long ago")
    assert machines.reads("north") == "long ago"
    with before.leased(("customer",), by="north"):
        pass
    assert machines.reads("south") == "long ago"


def test_a_second_run_of_any_flow_is_refused_meanwhile(machines: Machines) -> None:
    machines.begins("north")
    impatient = machines.state("south")
    impatient.wait_seconds = 0
    with (
        pytest.raises(LeaseHeldError, match="'all flows' is held by run north"),
        impatient.leased(("order",), by="s"),
    ):
        pass


def test_after_a_kill_its_own_machine_goes_on_with_what_it_had(machines: Machines) -> None:
    machines.writes("north", "before")
    killed(machines.begins("north"))
    state = machines.state("north")
    with state.leased(("customer",), by="again"), state.once() as db:
        assert get_meta(db, "written by") == "north"
        assert db.execute("select count(full_at) from watermark").fetchall() == [(1,)]
    assert machines.reads("south") == "north"
    assert machines.is_at_rest()


def test_another_machine_waits_and_takes_the_last_snapshot_for_a_backup(machines: Machines) -> None:
    machines.writes("south", "before")
    assert ended(machines.begins("north")) == "left"
    progress = machines.shared / "progress" / "customer.json"
    progress.parent.mkdir()
    progress.write_text("{}")
    killed(machines.begins("lost"))
    refused_at = time.monotonic()
    with pytest.raises(LeaseHeldError, match=r"run lost on lost ended without leaving a snapshot.*until 20"):
        machines.writes("south", "too soon")
    assert machines.reads("south") == "north", "looking is not forbidden"
    assert progress.exists()
    while True:
        state = machines.state("south")
        try:
            with state.leased(("customer",), by="south"), state.once() as db:
                assert time.monotonic() - refused_at > LONGEST_SECONDS * 0.9
                assert get_meta(db, "written by") == "north"
                assert db.execute("select count(full_at) from watermark").fetchall() == [(0,)], "read in full"
                break
        except LeaseHeldError:
            time.sleep(0.1)
    assert not progress.exists(), "a run of each flow is made"
    assert machines.is_at_rest()


def until_it_may(work: Callable[[], None]) -> None:
    """Works as soon as it may."""
    while True:
        try:
            return work()
        except LeaseLostError:
            raise
        except LeaseHeldError:
            time.sleep(0.1)


def restored(state: CarriedState, file: Path, systems: Mapping[str, str]) -> None:
    with state.leased(("customer",), by="a restore"):
        restore(state, file, systems=systems)


def test_who_goes_on_with_what_was_killed_shortens_no_wait(machines: Machines) -> None:
    """A decision by hand asks for nothing itself."""
    machines.writes("north", "before")
    killed(machines.begins("north"))
    killed(machines.begins("north", longest_seconds=0))
    refused_at = time.monotonic()
    with pytest.raises(LeaseHeldError, match="may be under way until"):
        machines.writes("south", "too soon")
    until_it_may(lambda: machines.writes("south", "after"))
    assert time.monotonic() - refused_at > LONGEST_SECONDS * 0.9


def test_what_is_restored_on_the_machine_that_took_over_is_left_to_all(
    machines: Machines, tmp_path: Path
) -> None:
    systems, file = {"Customwebshop": "shop.example"}, tmp_path / "backup.duckdb"
    before = machines.state("north")
    with before.leased(("customer",), by="north"):
        before.identify(systems)
        with before.once() as db:
            set_meta(db, "written by", "the backup")
        back_up(before, file, overwrite=False)
    killed(machines.begins("north"))
    state = machines.state("south")
    until_it_may(lambda: restored(state, file, systems))
    assert machines.reads("north") == "the backup"
    assert machines.is_at_rest()


def test_what_is_kept_since_it_is_nowhere_else_is_kept_whole(machines: Machines, tmp_path: Path) -> None:
    machines.writes("north", "before")
    killed(machines.begins("north", opened=True))
    time.sleep(LEASE_SECONDS)
    with pytest.raises(LeaseHeldError):
        machines.writes("south", "too soon")
    time.sleep(LONGEST_SECONDS)
    killed(machines.begins("south"))
    until_it_may(lambda: machines.writes("north", "after"))
    (kept,) = (one for one in (tmp_path / "north").glob("*.replaced-*") if one.suffix != ".wal")
    with State(kept.parent, file=kept).once() as db:
        assert get_meta(db, "written by") == "north, and not in its file"


def test_one_that_comes_back_late_changes_nothing(machines: Machines, tmp_path: Path) -> None:
    machines.writes("south", "before")
    paused = machines.begins("north")
    paused.send_signal(signal.SIGSTOP)
    while True:
        try:
            machines.writes("south", "successor")
            break
        except LeaseHeldError:
            time.sleep(0.1)
    paused.send_signal(signal.SIGCONT)
    assert ended(paused) == "lost"
    assert machines.reads("north") == "successor"
    machines.writes("north", "at last")
    assert machines.reads("south") == "at last"
    assert machines.is_at_rest()


def test_a_share_that_is_not_there_is_taken_for_no_loss(machines: Machines) -> None:
    """Where it is to be mounted lies an empty folder."""
    machines.writes("north", "whole")
    machines.shared.rename(machines.shared.with_name("away"))
    with pytest.raises(StateBrokenError, match=r"is snapshot \d+, and the last one in .* is none: is that"):
        machines.writes("north", "alone")
    assert machines.reads("north") == "whole"


def test_a_run_that_fails_leaves_what_it_did(machines: Machines) -> None:
    state = machines.state("north")

    def fails() -> None:
        with state.leased(("customer",), by="north"):
            with state.once() as db:
                set_meta(db, "written by", "north, before it failed")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert machines.reads("south") == "north, before it failed"


def test_a_snapshot_that_was_being_copied_is_none(machines: Machines) -> None:
    machines.writes("north", "whole")
    (machines.shared / "snapshots" / "9.duckdb.new").write_bytes(b"half of one")
    assert machines.reads("south") == "whole"
    machines.writes("south", "next")
    assert machines.reads("north") == "next"
