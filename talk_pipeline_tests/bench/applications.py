"""What several applications do together: customer updates against limits that hold for each of them.

Business Central allows an application 6,000 requests in five minutes; here as many a second in a window of one
minute. Each number of applications writes what three windows of all of them allow. The figure is the rate they
reach over that of as many single ones; `throughput` has the share that one reaches of its limit.
"""

import asyncio
import time
from pathlib import Path

import dagster as dg
import pytest

from talk_pipeline.sandbox.businesscentral.tokens import registrations
from talk_pipeline_tests.bench.result import Result
from talk_pipeline_tests.bench.throughput import LATENCY, write
from talk_pipeline_tests.world import World, opened_world

NUMBERS = (1, 2, 4, 7)
REQUESTS, WINDOW_SECONDS = 1_200, 60
WINDOWS = 3


def run(folder: Path) -> dict[str, Result]:
    """Each number of applications in a world of its own."""
    results: dict[str, Result] = {}
    rates: dict[int, float] = {}
    for number in NUMBERS:
        place = folder / str(number)
        place.mkdir()
        with (
            dg.DagsterInstance.ephemeral() as instance,
            pytest.MonkeyPatch.context() as patch,
            opened_world(place, empty=False, size=1_000, instance=instance, patch=patch) as world,
        ):
            _register(patch, number)
            rates[number], turned_away = _measure(world, number)
        together = rates[number] / (number * rates[NUMBERS[0]])
        results |= {
            f"applications_{number}_rate": Result(together, 0.95, "higher", f"of {number} single ones"),
            f"applications_{number}_turned_away": Result(turned_away, 0, "lower", "requests"),
        }
    return results


def _register(patch: pytest.MonkeyPatch, number: int) -> None:
    patch.setenv("BUSINESSCENTRAL_REQUESTS", str(REQUESTS))
    patch.setenv("BUSINESSCENTRAL_WINDOW_SECONDS", str(WINDOW_SECONDS))
    for name, value in registrations(number).items():
        patch.setenv(name, value)


def _measure(world: World, number: int) -> tuple[float, int]:
    """Updates a second, and how many requests were turned away."""
    ids = list(world.bc.all("customers"))
    world.bc.control("limits", {"rate": REQUESTS, "window": WINDOW_SECONDS, "latency": LATENCY})
    world.forget_requests()
    updates = REQUESTS * WINDOWS * number
    started, used = time.monotonic(), time.process_time()
    done = asyncio.run(write(ids, updates))
    seconds, used = time.monotonic() - started, time.process_time() - used
    turned_away = world.bc.requests()["throttled"]
    rate, allowed = done / seconds, number * REQUESTS / WINDOW_SECONDS
    print(
        f"{number} applications: {done} of {updates} updates in {seconds:.1f} s, {rate:.1f} a second where"
        f" {allowed:.0f} are allowed for good; {turned_away} turned away; {used:.1f} CPU s with the server"
    )
    return rate, turned_away
