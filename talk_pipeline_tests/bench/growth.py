"""How each stage of a run grows from 100 to 1,000 customers and products, with twice as many orders.

The figure is the time at 1,000 over ten times the time at 100: 1 is linear, below it costs that do not grow.
"""

from collections.abc import Callable
from pathlib import Path

import dagster as dg

from talk_pipeline_tests.bench.result import Result
from talk_pipeline_tests.world import World, opened_world

SMALL, LARGE = 100, 1000
FLOOR_SECONDS = 0.05  # below it a stage is nothing but what every stage costs

Stages = dict[tuple[str, str], float]


def run(folder: Path) -> dict[str, Result]:
    """Times a first sync, and then one with nothing to do, at both sizes."""
    first: dict[int, Stages] = {}
    idle: dict[int, Stages] = {}
    for size in (SMALL, LARGE):
        place = folder / str(size)
        place.mkdir()
        with (
            dg.DagsterInstance.ephemeral() as instance,
            opened_world(place, empty=False, size=size, instance=instance) as world,
        ):
            first[size] = _timed(world, world.sync)
            world.sync()
            idle[size] = _timed(world, world.sync)
    results: dict[str, Result] = {}
    for name, measured in (("first sync", first), ("nothing to do", idle)):
        worst = _print(name, measured[SMALL], measured[LARGE])
        key = name.replace(" ", "_")
        results[f"{key}_worst_stage_growth"] = Result(worst, 1.0, "lower", "x linear")
        results[f"{key}_{LARGE}_seconds"] = Result(
            sum(measured[LARGE].values()), 60 if name == "first sync" else 10, "lower", "s"
        )
    return results


def _timed(world: World, sync: Callable[[], object]) -> Stages:
    sync()
    rows = world.sql(
        "select flow, name, seconds from stage where run_id ="
        " (select run_id from stage order by rowid desc limit 1) order by rowid"
    )
    return {(flow, name): seconds for flow, name, seconds in rows}


def _print(title: str, small: Stages, large: Stages) -> float:
    print(f"{title:34}{SMALL:>10}{LARGE:>10}{'x linear':>10}")
    worst = 0.0
    for stage, seconds in large.items():
        growth = seconds / max(small[stage], FLOOR_SECONDS) / (LARGE / SMALL)
        worst = max(worst, growth)
        print(f"  {' '.join(stage):32}{small[stage]:>9.2f}s{seconds:>9.2f}s{growth:>10.2f}")
    totals = sum(small.values()), sum(large.values())
    print(f"  {'all':32}{totals[0]:>9.2f}s{totals[1]:>9.2f}s")
    return worst
