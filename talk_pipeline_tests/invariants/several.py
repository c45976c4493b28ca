"""Many scenarios, so many side by side, each in one of a few processes."""

import logging
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from itertools import islice
from multiprocessing import get_context

import dagster as dg

from talk_pipeline_tests.invariants.scenario import Step, generate
from talk_pipeline_tests.invariants.stage import Played, played

SCENARIOS_A_PROCESS = 50
"""What a process has learned, such as the tokens that no text may hold, goes with it."""


@dataclass(frozen=True, slots=True)
class Came:
    """What came of the scenario of a seed, and how long that took."""

    seed: int
    wrong: list[str]
    took: timedelta
    seconds: float


def side_by_side(
    seeds: Iterator[int], *, length: int, at_once: int, goes_on: Callable[[], bool]
) -> Iterator[Came]:
    """Plays the scenarios of seeds; those that are under way when it does not go on are told yet.

    Args:
        seeds: one for each scenario.
        length: how many steps one has.
        at_once: how many processes there are.
        goes_on: asked before another one is begun.
    """
    running: set[Future[Came]] = set()
    with ProcessPoolExecutor(
        at_once, get_context("spawn"), quietly, max_tasks_per_child=SCENARIOS_A_PROCESS
    ) as processes:
        while True:
            for seed in islice(seeds, at_once - len(running) if goes_on() else 0):
                running.add(processes.submit(_one, seed, length))
            if not running:
                return
            ended, running = wait(running, return_when=FIRST_COMPLETED)
            yield from (one.result() for one in ended)


def quietly() -> None:
    """What goes wrong is told by the verdict alone."""
    warnings.simplefilter("ignore")
    logging.disable()


def played_or_crashed(steps: Sequence[Step]) -> Played:
    """What came of a scenario; a crash is a finding as any other."""
    try:
        return played(steps, instance=_instance())
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        told = f"crashed: {type(error).__name__}: {error} at {where.filename}:{where.lineno}"
        return Played([told], timedelta())


def _one(seed: int, length: int) -> Came:
    started = time.monotonic()
    came = played_or_crashed(generate(seed, length=length))
    return Came(seed, came.wrong, came.took, time.monotonic() - started)


@cache
def _instance() -> dg.DagsterInstance:
    return dg.DagsterInstance.ephemeral()
