"""Many lives: `python -m talk_pipeline_tests.lives [--lives N] [--seed S] [--a-world N] [--at-once N]`.

Ends with 1 when any is wrong.
"""

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context

import dagster as dg

from talk_pipeline_tests.invariants.several import quietly
from talk_pipeline_tests.lives.stage import Lived, lived


def main() -> int:
    """Plays; returns the exit status."""
    parser = argparse.ArgumentParser(prog="lives", description=__doc__)
    parser.add_argument("--lives", type=int, default=1000, help="how many")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of the first world")
    parser.add_argument("--a-world", type=int, default=250, help="how many share a world")
    parser.add_argument(
        "--at-once", type=int, default=os.cpu_count() or 1, help="how many worlds side by side"
    )
    asked = parser.parse_args()
    events, over, named, failed = Counter[str](), 0, 0, 0
    for seed, number, seconds, came in _worlds(asked):
        over, named, failed = over + number, named + came.named, failed + len(came.wrong)
        events += came.events
        told = f"{over:>6} seed {seed}: {len(came.wrong)} wrong, {came.named} named, {seconds:.0f} s"
        print("\n  ".join([f"{told}, {came.fewest} events and more", *came.wrong]), flush=True)
    print(f"{over} lives, {events.total()} events, {named} differences named, {failed} wrong")
    print(", ".join(f"{name} {count}" for name, count in events.most_common()))
    return 1 if failed else 0


def _worlds(asked: argparse.Namespace) -> Iterator[tuple[int, int, float, Lived]]:
    """Seed, lives and seconds of each world, and what came of it, as they end."""
    with ProcessPoolExecutor(
        asked.at_once, get_context("spawn"), quietly, max_tasks_per_child=1
    ) as processes:
        worlds = (
            processes.submit(_world, min(asked.a_world, asked.lives - before), asked.seed + at)
            for at, before in enumerate(range(0, asked.lives, asked.a_world))
        )
        yield from (done.result() for done in as_completed(list(worlds)))


def _world(number: int, seed: int) -> tuple[int, int, float, Lived]:
    started = time.monotonic()
    with dg.DagsterInstance.ephemeral() as instance:
        came = lived(number, seed=seed, instance=instance)
    return seed, number, time.monotonic() - started, came


if __name__ == "__main__":
    sys.exit(main())
