"""Disks that take no more, really full ones: a line that says so, nothing lost, and on it goes with room."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import dagster as dg
import duckdb
import pytest
from dagster._core.launcher import WorkerStatus
from dagster._grpc.types import ExecuteRunArgs
from dagster._serdes import serialize_value

from talk_pipeline.cli.exits import Exit, told_in_a_line
from talk_pipeline.dagster import presence
from talk_pipeline.dagster.instance import open_home
from talk_pipeline.engine.state.connection import StateBrokenError
from talk_pipeline.engine.state.database import State
from talk_pipeline_tests.cli.command_line import run
from talk_pipeline_tests.pains.test_broken_files import filled
from talk_pipeline_tests.pipeline.records import customer
from talk_pipeline_tests.world import World

pytestmark = pytest.mark.optimized  # files as users have them


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Callable[[int], None]]:
    """A disk of 48 MB at `tmp_path / "small"`; called, it is filled but for so many bytes."""
    disk = tmp_path / "small"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=48m", "small", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no disk may be mounted here")

    def fill(left: int) -> None:
        room = os.statvfs(disk)
        (disk / "filling").write_bytes(bytes(max(room.f_bavail * room.f_frsize - left, 0)))

    try:
        yield fill
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


@dg.op(config_schema={"disk": str})
def fill(context: dg.OpExecutionContext) -> None:
    """Leaves no room for what is to be told of the run."""
    with suppress(OSError), (Path(context.op_config["disk"]) / "filling").open("wb", buffering=0) as filling:
        while filling.write(bytes(4096)):
            pass


@dg.job(executor_def=dg.in_process_executor)
def filling() -> None:
    fill()


AS_A_FORK = "import sys; from talk_pipeline.dagster.warm import _run; _run(*sys.argv[1:])"


def test_a_run_that_had_no_room_to_say_how_it_ended_is_over(
    tmp_path: Path, small: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody else could say it, and no other run could begin."""
    disk = tmp_path / "small"
    with open_home(disk) as instance:
        run = instance.create_run_for_job(
            filling,
            run_config={"ops": {"fill": {"config": {"disk": str(disk)}}}},
            job_code_origin=dg.reconstructable(filling).get_python_origin(),
        )
        assert run.job_code_origin
        arguments = serialize_value(ExecuteRunArgs(run.job_code_origin, run.run_id, instance.get_ref()))
        home = instance.root_directory
        subprocess.run([sys.executable, "-c", AS_A_FORK, home, run.run_id, arguments], check=False)
        (disk / "filling").unlink()
        left = instance.get_run_by_id(run.run_id)
        assert left
        assert left.status is dg.DagsterRunStatus.STARTED
        health = instance.run_launcher.check_run_worker_health
        assert health(left).status is WorkerStatus.RUNNING, "it may just be saying it"
        monkeypatch.setattr(presence, "ENDED_SECONDS", 0.0)
        assert health(left).status is WorkerStatus.FAILED
        assert "no room" in str(health(left).msg)


def _write_without_end(folder: Path) -> None:
    with State(folder).once() as db:
        for n in range(2000):
            db.execute("insert into meta select $1 || ' ' || i, repeat('x', 1000) from range(100) t(i)", [n])


@pytest.mark.parametrize("left", [0, 40_000, 2_000_000, 20_000_000])
def test_a_full_disk_is_told_as_one_and_what_was_on_it_stays(
    tmp_path: Path, small: Callable[[int], None], left: int
) -> None:
    """Whether it is the journal that finds no room, or the file it goes into; the process may go on."""
    disk = tmp_path / "small"
    filled(disk)
    small(left)
    with pytest.raises((OSError, duckdb.TransactionException)) as caught:
        _write_without_end(disk)
    status, text = told_in_a_line(caught.value)
    assert status is Exit.INCOMPLETE
    assert "make room" in text
    assert "backup" not in text
    (disk / "filling").unlink()
    with State(disk).once() as db:
        assert db.execute("select count(*) >= 100000 from bc_status").fetchall() == [(True,)]
        db.execute("insert into meta values ('with', 'room')")


def test_a_state_that_must_not_be_written_is_not_called_damaged(
    tmp_path: Path, small: Callable[[int], None]
) -> None:
    disk = tmp_path / "small"
    file = filled(disk)
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    with pytest.raises(StateBrokenError, match="Read-only file system: let whoever runs this") as caught:
        State(disk).identify({})
    assert str(file) in str(caught.value)
    assert "move" not in str(caught.value)


def _told(*arguments: str, to: Path, error: Path | int = subprocess.PIPE) -> tuple[int, str]:
    """The exit status of a command that prints into one file, and its errors."""
    # as most people run it: Python keeps what is printed until there is enough of it
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with ExitStack() as opened:
        out = opened.enter_context(to.open("w"))
        err = opened.enter_context(error.open("w")) if isinstance(error, Path) else error
        done = subprocess.run(
            [sys.executable, "-m", "talk_pipeline", *arguments],
            stdout=out,
            stderr=err,
            text=True,
            check=False,
            env=buffered,
        )
    return done.returncode, done.stderr or ""


def test_want_of_room_for_what_is_told_is_said_in_one_line(
    tmp_path: Path, small: Callable[[int], None]
) -> None:
    """Of a document, of a log, of the help; where there is none for the line either, the status says it."""
    disk, page = tmp_path / "small", ("checklist", "--without-results", "--format", "html")
    small(0)
    for arguments, place in (
        (page, "what is printed"),
        (("--help",), "what is printed"),
        ((*page, "--out", f"{disk}/page.html"), f"{disk}/page.html"),
    ):
        line = (
            f"error: {place}: No space left on device: make room there, and run it again; nothing is lost\n"
        )
        assert _told(*arguments, to=disk / "log") == (Exit.INCOMPLETE, line)
    assert _told(*page, to=disk / "log", error=disk / "errors") == (Exit.INCOMPLETE, "")
    assert (disk / "errors").read_bytes() == b""


@pytest.mark.parametrize("left", [0, 20_000, 1_500_000])
def test_a_backup_that_finds_no_room_is_none_and_says_where(
    tmp_path: Path, world: World, small: Callable[[int], None], left: int
) -> None:
    """Whether it is the first page that finds none, or the end of it; the state is well, and is not to be moved."""
    world.shop.post("customers", customer())
    assert world.step("customer").success
    disk = tmp_path / "small"
    earlier = disk / "backup.duckdb"
    earlier.write_bytes(b"an earlier one")
    small(left)
    refused = run("backup", str(earlier), "--overwrite")
    assert refused.returncode == Exit.INCOMPLETE
    where = f"error: {earlier}: No space left on device: make room there"
    assert refused.stderr.startswith(where), refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    assert sorted(file.name for file in disk.iterdir()) == ["backup.duckdb", "filling"]
    assert earlier.read_bytes() == b"an earlier one"
    (disk / "filling").unlink()
    assert run("backup", str(earlier), "--overwrite").returncode == Exit.OK


def test_what_is_written_for_people_is_there_whole_or_as_it_was(
    tmp_path: Path, world: World, small: Callable[[int], None]
) -> None:
    world.shop.post("customers", customer())
    assert world.sync("customer").success
    disk = tmp_path / "small"
    page = ("checklist", "--without-results", "--format", "html", "--out", f"{disk}/page.html")
    audit = ("audit", "customer", "--csv", f"{disk}/audit.csv")
    for command, left in ((page, 20_000), (audit, 0)):
        file = Path(command[-1])
        file.write_text("an earlier one", encoding="utf-8")
        small(left)
        refused = run(*command)
        assert (refused.returncode, f"{file}: No space left" in refused.stderr) == (Exit.INCOMPLETE, True)
        assert file.read_text(encoding="utf-8") == "an earlier one"
        assert {one.name for one in disk.iterdir()} == {"filling", file.name}
        (disk / "filling").unlink()
        assert run(*command).returncode == Exit.OK
        assert file.read_text(encoding="utf-8") != "an earlier one"
        file.unlink()


def test_want_of_room_for_small_files_is_told_as_such(
    tmp_path: Path, world: World, monkeypatch: pytest.MonkeyPatch, small: Callable[[int], None]
) -> None:
    """The count of requests, leases and Dagster's records: nothing of them is to be moved away for want of room."""
    disk = tmp_path / "small"
    monkeypatch.setenv("TALK_DATA_DIR", str(disk))
    world.shop.post("customers", customer())
    assert world.step("customer").success
    with open_home(disk):
        pass
    backup = tmp_path / "earlier.duckdb"
    assert run("backup", str(backup)).returncode == Exit.OK
    small(0)
    assert run("status").returncode == Exit.OK
    for command in (
        ["sync"],
        ["prune"],
        ["backup", str(tmp_path / "b.duckdb")],
        ["forget", "customer", "C1"],
    ):
        refused = run(*command)
        assert (refused.returncode, "make room" in refused.stderr) == (Exit.INCOMPLETE, True), refused.stderr
    refused = run("restore", str(backup))
    assert refused.returncode == Exit.INCOMPLETE
    assert str(disk) in refused.stderr
    assert str(backup) not in refused.stderr, "that one is whole, and on another disk"
    (disk / "filling").unlink()
    began = time.monotonic()
    assert world.step("customer").success
    assert time.monotonic() - began < 20, "a lease that could not be written holds nobody up"


@pytest.mark.parametrize("name", ["plan.csv", "plan.json"])
def test_a_plan_that_finds_no_room_is_none_and_says_where(
    tmp_path: Path, world: World, small: Callable[[int], None], name: str
) -> None:
    """Whether there is room for nothing of it or for a part; one of before stays as it was."""
    for number in range(400):
        world.shop.post("customers", customer(f"C{number}"))
    plan = tmp_path / "small" / name
    command = ("sync", "--flow", "customer", "--dry-run", "--plan", str(plan))
    for earlier in (None, b"an earlier one"):
        for left in (0, 40_000):
            if earlier:
                plan.write_bytes(earlier)
            small(left)
            refused = run(*command)
            assert refused.returncode == Exit.INCOMPLETE
            where = f"error: {plan}: No space left on device: make room there, and run it again; nothing is lost\n"
            assert refused.stderr == where
            assert (plan.read_bytes() if plan.exists() else None) == earlier
            assert {one.name for one in plan.parent.iterdir()} <= {"filling", name}
            (plan.parent / "filling").unlink()
    assert run(*command).returncode == Exit.OK
    assert "C399" in plan.read_text(encoding="utf-8")


def test_a_description_that_finds_no_room_is_none_and_can_be_said_again(
    tmp_path: Path, world: World, monkeypatch: pytest.MonkeyPatch, small: Callable[[int], None]
) -> None:
    disk = tmp_path / "small"
    monkeypatch.chdir(disk)
    monkeypatch.setenv("BUSINESSCENTRAL_ENTITIES_DIR", str(disk))
    page = ("new-entity", "loyaltyMembers", "--api", "sample/loyalty/v1.0")
    for command, file in ((("new-connector", "myshop"), "myshop.yaml"), (page, "loyaltyMembers.yaml")):
        small(0)
        refused = run(*command)
        assert (refused.returncode, f"{file}: No space left" in refused.stderr) == (Exit.INCOMPLETE, True)
        assert [one.name for one in disk.iterdir()] == ["filling"]
        (disk / "filling").unlink()
        done = run(*command)
        assert done.returncode == Exit.OK, done.stderr
        (disk / file).unlink()
