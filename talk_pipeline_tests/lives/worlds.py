"""Many lives in several worlds, so many side by side, each in a process of its own."""

import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context

import dagster as dg

from talk_pipeline_tests.invariants.several import quietly
from talk_pipeline_tests.lives.stage import Lived, lived


@dataclass(frozen=True, slots=True)
class Came:
    """What came of the world of a seed, how many lives it had, and how long that took."""

    seed: int
    lives: int
    lived: Lived
    seconds: float


def side_by_side(lives: int, *, seed: int, a_world: int, at_once: int) -> Iterator[Came]:
    """Plays them, and tells of each world as it ends.

    Args:
        lives: how many in all.
        seed: of the first world; the next have the next.
        a_world: how many share one.
        at_once: how many processes there are.
    """
    with ProcessPoolExecutor(at_once, get_context("spawn"), quietly, max_tasks_per_child=1) as processes:
        worlds = [
            processes.submit(_one, min(a_world, lives - before), seed + at)
            for at, before in enumerate(range(0, lives, a_world))
        ]
        yield from (done.result() for done in as_completed(worlds))


def _one(lives: int, seed: int) -> Came:
    started = time.monotonic()
    with dg.DagsterInstance.ephemeral() as instance:
        came = lived(lives, seed=seed, instance=instance)
    return Came(seed, lives, came, time.monotonic() - started)
