"""Runs that begin as forks of a warm process: what is forked, what is not, and how they end."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from talk_pipeline.dagster.fork import ANSWER_SECONDS, Forks
from talk_pipeline.dagster.presence import present, process_of
from talk_pipeline_tests.automation import Automation
from talk_pipeline_tests.world import World

NOTHING_TO_RUN = "{}"


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of what a warm process has in memory; empty."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    file = tmp_path / "had_in_memory.py"
    file.touch()
    return file


@pytest.fixture
def forks(module: Path) -> Iterator[Forks]:
    opened = Forks([module.stem])
    yield opened
    opened.close()


def _begun(forks: Forks, home: Path) -> bool:
    return forks.begin(home, "r1", NOTHING_TO_RUN)


def test_all_but_the_first_are_forked(forks: Forks, tmp_path: Path) -> None:
    assert [_begun(forks, tmp_path) for _ in range(3)] == [False, True, True]


def test_what_was_loaded_is_another_one_since(forks: Forks, module: Path, tmp_path: Path) -> None:
    """An upgrade: what is old in memory and what is new on disk do not go together."""
    _begun(forks, tmp_path)
    assert _begun(forks, tmp_path)
    module.write_text("NEW = True")
    assert not _begun(forks, tmp_path)
    assert _begun(forks, tmp_path), "by one that has loaded it anew"
    module.unlink()
    assert not _begun(forks, tmp_path)


def test_a_process_with_threads_is_not_forked(forks: Forks, module: Path, tmp_path: Path) -> None:
    """A lock that another thread holds would be held for ever in the fork."""
    module.write_text(
        "import threading, time; threading.Thread(target=time.sleep, args=(60,), daemon=True).start()"
    )
    assert not any(_begun(forks, tmp_path) for _ in range(3))


def test_a_warm_process_that_is_gone_is_started_anew(forks: Forks, tmp_path: Path) -> None:
    _begun(forks, tmp_path)
    assert _begun(forks, tmp_path)
    assert forks._warm
    forks._warm[0].kill()
    forks._warm[0].wait()
    assert [_begun(forks, tmp_path) for _ in range(2)] == [False, True]


def test_who_asked_is_gone_and_so_is_the_warm_process(forks: Forks, tmp_path: Path) -> None:
    _begun(forks, tmp_path)
    assert _begun(forks, tmp_path)
    assert forks._warm
    process, channel = forks._warm
    channel.close()
    assert process.wait(10) == 0


def test_that_it_is_gone_is_seen_though_a_run_of_it_lives(forks: Forks, tmp_path: Path) -> None:
    _begun(forks, tmp_path)
    with present(tmp_path, "r1"):  # for which the fork waits
        assert _begun(forks, tmp_path)
        assert forks._warm
        forks._warm[0].kill()
        forks._warm[0].wait()
        asked = time.monotonic()
        assert not _begun(forks, tmp_path)
        assert time.monotonic() - asked < ANSWER_SECONDS / 2


@pytest.mark.slow
@pytest.mark.long
def test_the_daemons_runs_are_forks_that_end_when_they_are_asked_to(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TALK_POLL_SECONDS", "1")
    automation = Automation(world)
    with automation.daemon():
        automation.wait("the first sync", lambda: automation.arrived("www.c1.example"))
        automation.wait("quiet", automation.quiet)
        process = automation.stuck(at="www.one.example")
        assert b"talk_pipeline.dagster.warm" in Path(f"/proc/{process}/cmdline").read_bytes()
        assert len(list(Path(f"/proc/{process}/task").iterdir())) > 1, "it is at work"
        (run,) = automation.runs(dg.DagsterRunStatus.STARTED)
        assert process_of(automation.home, run) == process

        assert automation.instance.run_launcher.terminate(run)
        automation.wait("canceled", lambda: run in automation.runs(dg.DagsterRunStatus.CANCELED), seconds=30)
        automation.wait("gone", lambda: process_of(automation.home, run) is None)  # just after it has said so
        automation.world.bc.no_faults()
        automation.wait("the edit", lambda: automation.arrived("www.one.example"))
        automation.wait("quiet", automation.quiet)

        warm = int(Path(f"/proc/{automation.stuck(at='www.two.example')}/stat").read_text().split()[3])
        os.kill(warm, signal.SIGKILL)
        automation.world.bc.no_faults()
        automation.wait("the edit of the run that goes on", lambda: automation.arrived("www.two.example"))
        automation.wait("quiet", automation.quiet)
        automation.edit("www.three.example")
        automation.wait("the edit of one that is no fork", lambda: automation.arrived("www.three.example"))
    automation.instance.dispose()
