"""The kill matrix: a run is killed at every point, and normal runs go on as if nothing had been.

Each cell once within one process, where what is cut leaves everything and the next run opens everything anew; and
three times with a process of its own that is killed, which `make kills` does too.
"""

import multiprocessing
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from talk_pipeline_tests.proof.counts import COUNTS
from talk_pipeline_tests.proof.dying import run_to_death
from talk_pipeline_tests.proof.killing import POINTS, cut, surviving
from talk_pipeline_tests.proof.matrix import IMPOSSIBLE, ROWS, Row, cells, opened_row
from talk_pipeline_tests.world import World

PEOPLE = "ambiguous", "quarantined", "held", "broken", "waiting"
SECONDS = 300
Kill = Callable[[Row, str], None]


def test_there_are_as_many_cells_as_points_times_operations() -> None:
    listed = list(cells())
    assert len(listed) >= 72
    assert len(listed) + len(ROWS) * len(IMPOSSIBLE) / 2 == len(POINTS) * 3 * len(ROWS)


@pytest.mark.parametrize("name", ROWS)
def test_a_run_that_is_cut_at_any_point(
    world: World, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _prove(opened_row(name, world, tmp_path, monkeypatch), _cut)


@pytest.mark.slow
@pytest.mark.parametrize("time", [1, 2, 3])
@pytest.mark.parametrize("name", ROWS)
def test_a_process_that_is_killed_at_any_point(
    world: World, name: str, time: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _prove(opened_row(name, world, tmp_path, monkeypatch), _kill)


def _prove(row: Row, kill: Kill) -> None:
    for point in POINTS:
        counted = [one for one in row.operations if (point, one) not in IMPOSSIBLE]
        with COUNTS.proving("cells", len(counted)):
            row.edit()
            runs = _runs(row)
            kill(row, point)
            _was_there(row, point, runs)
            _goes_on(row, point)


def _cut(row: Row, point: str) -> None:
    with POINTS[point].reached(row.together, nth=row.nth, by=cut), surviving():
        row.world.pass_over(row.flow, full=row.full)


def _kill(row: Row, point: str) -> None:
    """A process is begun that has read all of the pipeline already, since that takes longer than a run."""
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload([run_to_death.__module__])
    how = (dict(os.environ), row.flow, row.full, point, row.together, row.nth)
    process = processes.Process(target=run_to_death, args=how)
    process.start()
    process.join(SECONDS)
    assert process.exitcode == -signal.SIGKILL, f"{point}: ended with {process.exitcode}"


def _runs(row: Row) -> set[str]:
    return {run for (run,) in row.world.sql("select distinct run_id from run")}


def _was_there(row: Row, point: str, before: set[str]) -> None:
    """The journal of the run that was killed holds what it can hold at that point."""
    many, expected = len(row.operations), POINTS[point]
    (run,) = _runs(row) - before
    found = row.world.sql(
        "select count(*) filter (outcome is null), count(*) filter (outcome = 'done') from journal"
        " where run_id = ?",
        run,
    )
    done = (1 if expected.singly else many) if expected.done else 0
    assert found == [(many if expected.open else 0, done)], f"not killed {point}: {found}"


def _goes_on(row: Row, point: str) -> None:
    """One normal run, after which everything is as people said; and one that has nothing to write."""
    world = row.world
    for api in (world.shop, world.bc):
        api.no_faults()  # what was held is carried out, though nobody waits for the answer any more
    assert world.pass_over(row.flow, full=row.full) == [], point
    assert row.wrong() == [], point
    helpless = world.sql(f"select shop_id, state, reason from status where state in {PEOPLE}")
    assert helpless == [], f"{point}: a person has to help"
    world.forget_requests()
    assert world.pass_over(row.flow, full=row.full) == [], point
    assert not any(world.writes().values()), f"{point}: {world.writes()} in a run with nothing to do"
