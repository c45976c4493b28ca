"""One run at a time works on a flow: processes of one machine and of two, killed, paused and too late.

A second machine is a process with a host name of its own, so that what the kernel knows of locks does not count.
"""

import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from talk_pipeline.engine.state.database import State
from talk_pipeline.engine.state.lease import LeaseHeldError, LeaseLostError
from talk_pipeline.engine.state.meta import get_meta, set_meta

SECONDS = 1.0

HOLDER = """
import sys
from pathlib import Path
from talk_pipeline.engine.state.database import State
from talk_pipeline.engine.state.lease import LeaseLostError
from talk_pipeline.engine.state.meta import set_meta

folder, run, wait, seconds = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3]), float(sys.argv[4])
state = State(folder, wait_seconds=wait, lease_seconds=seconds)
with state.leased(("customer",), by=run):
    with state.once() as db:
        set_meta(db, "written by", run)
    print("held", flush=True)
    for line in sys.stdin:
        try:
            if line.strip() == "send":
                state.require()
            else:
                with state.once() as db:
                    set_meta(db, "written by", run + " again")
            print("done", flush=True)
        except LeaseLostError:
            print("lost", flush=True)
print("given back", flush=True)
"""


class Holder:
    """A process that holds the flow, on this machine or another."""

    def __init__(self, folder: Path, run: str, *, host: str, wait: float) -> None:
        command = [sys.executable, "-c", HOLDER, str(folder), run, str(wait), str(SECONDS)]
        if host:
            named = 'hostname "$0" && exec "$@"'
            command = ["unshare", "--map-root-user", "--uts", "sh", "-c", named, host, *command]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )

    def says(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline().strip()

    def is_to(self, do: str) -> str:
        assert self.process.stdin
        self.process.stdin.write(f"{do}\n")
        self.process.stdin.flush()
        return self.says()

    def end(self) -> str:
        assert self.process.stdin
        self.process.stdin.close()
        return self.says()


Starts = Callable[..., Holder]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Starts]:
    started: list[Holder] = []

    def start(run: str, *, host: str = "", wait: float = 0) -> Holder:
        started.append(Holder(tmp_path, run, host=host, wait=wait))
        return started[-1]

    yield start
    for one in started:
        with one.process:
            one.process.kill()


def leased_here(folder: Path, *, wait: float) -> float:
    """How long it took to get the flow."""
    began = time.monotonic()
    with State(folder, wait_seconds=wait, lease_seconds=SECONDS).leased(("customer",), by="here"):
        return time.monotonic() - began


@pytest.mark.parametrize("host", ["", "elsewhere"])
def test_a_second_run_is_refused_and_told_who_has_it(start: Starts, tmp_path: Path, host: str) -> None:
    holder = start("first", host=host)
    assert holder.says() == "held"
    with pytest.raises(LeaseHeldError, match="'customer' is held by run first"):
        leased_here(tmp_path, wait=0)
    assert holder.is_to("write") == "done"
    assert holder.end() == "given back"
    assert leased_here(tmp_path, wait=0) < SECONDS


def test_a_killed_owner_on_this_machine_is_known_at_once(start: Starts, tmp_path: Path) -> None:
    holder = start("first")
    assert holder.says() == "held"
    holder.process.kill()
    holder.process.wait()
    assert leased_here(tmp_path, wait=0) < SECONDS / 2


def test_a_killed_owner_on_another_machine_is_waited_for_until_it_expires(
    start: Starts, tmp_path: Path
) -> None:
    holder = start("first", host="elsewhere")
    assert holder.says() == "held"
    holder.process.kill()
    holder.process.wait()
    assert SECONDS <= leased_here(tmp_path, wait=0) < SECONDS * 2


def test_an_owner_that_works_for_long_keeps_it(start: Starts, tmp_path: Path) -> None:
    holder = start("first", host="elsewhere")
    assert holder.says() == "held"
    with pytest.raises(LeaseHeldError):
        leased_here(tmp_path, wait=SECONDS * 3)
    assert holder.is_to("send") == "done"


@pytest.mark.parametrize("do", ["send", "write"])
def test_a_paused_owner_that_was_replaced_neither_sends_nor_writes(
    start: Starts, tmp_path: Path, do: str
) -> None:
    paused = start("paused", host="elsewhere")
    assert paused.says() == "held"
    paused.process.send_signal(signal.SIGSTOP)
    successor = start("successor", host="another")
    assert successor.says() == "held"
    paused.process.send_signal(signal.SIGCONT)
    assert paused.is_to(do) == "lost"
    assert successor.is_to("write") == "done"
    with State(tmp_path).once() as db:
        assert get_meta(db, "written by") == "successor again"


def test_it_is_not_let_in_after_its_successor_has_ended_either(start: Starts, tmp_path: Path) -> None:
    paused = start("paused", host="elsewhere")
    assert paused.says() == "held"
    paused.process.send_signal(signal.SIGSTOP)
    successor = start("successor", host="another")
    assert successor.says() == "held"
    assert successor.end() == "given back"
    paused.process.send_signal(signal.SIGCONT)
    assert paused.is_to("send") == "lost"
    assert paused.is_to("write") == "lost"


def test_a_paused_owner_that_nobody_replaced_goes_on(start: Starts, tmp_path: Path) -> None:
    paused = start("paused", host="elsewhere")
    assert paused.says() == "held"
    paused.process.send_signal(signal.SIGSTOP)
    time.sleep(SECONDS * 1.5)
    paused.process.send_signal(signal.SIGCONT)
    assert paused.is_to("send") == "done"
    assert paused.is_to("write") == "done"
    with pytest.raises(LeaseHeldError):
        leased_here(tmp_path, wait=0)


def test_a_paused_owner_on_this_machine_is_not_replaced(start: Starts, tmp_path: Path) -> None:
    """Where the kernel tells who lives, nobody is taken for dead: a laptop that slept goes on."""
    paused = start("paused")
    assert paused.says() == "held"
    paused.process.send_signal(signal.SIGSTOP)
    with pytest.raises(LeaseHeldError):
        leased_here(tmp_path, wait=SECONDS * 2)
    paused.process.send_signal(signal.SIGCONT)
    assert paused.is_to("write") == "done"


def test_of_many_that_want_it_one_at_a_time_has_it(start: Starts, tmp_path: Path) -> None:
    holders = [start(f"run {at}", host=f"host{at % 3}", wait=60) for at in range(6)]
    waiting = {one.process.stdout: one for one in holders if one.process.stdout}
    while waiting:
        first, _, _ = select.select(list(waiting), [], [], 60)
        time.sleep(0.2)  # in which another could take it as well
        assert select.select(list(waiting), [], [], 0)[0] == first
        holder = waiting.pop(first[0])
        assert holder.says() == "held"
        assert holder.is_to("write") == "done"
        assert holder.end() == "given back"
    left = list((tmp_path / "leases").iterdir())
    assert [file.suffix for file in left] == [".free"]


def test_a_machine_that_slept_without_its_clock_finds_its_file_gone(tmp_path: Path) -> None:
    """The clock that counts stands still while a virtual machine does."""
    state = State(tmp_path)
    with state.leased(("customer",), by="first"):
        (tmp_path / "leases" / "customer.1").rename(tmp_path / "leases" / "customer.2")
        with pytest.raises(LeaseLostError):
            state.require()


def test_a_state_that_another_holder_opened_is_closed_to_the_first(tmp_path: Path) -> None:
    """Even if the files of the leases are lost, or lie where they are not seen."""
    first, second = State(tmp_path), State(tmp_path)
    with first.leased(("customer",), by="first"):
        with first.once() as db:
            set_meta(db, "written by", "first")
        for file in (tmp_path / "leases").iterdir():
            file.rename(tmp_path / file.name)
        with second.leased(("customer",), by="second"), second.once():
            pass
        (tmp_path / "customer.1").rename(tmp_path / "leases" / "customer.1")
        first.require()
        with pytest.raises(LeaseLostError), first.once():
            pass
