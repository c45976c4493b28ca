"""A day at one edit a second, a run every two minutes, and a tenth of all calls that go wrong.

Hours pass in seconds for everybody. What must not grow: what a run takes, the memory of the process (both sandboxes
are in it), and what is left on disk once all of it is too old to keep. A run that stopped leaves its edits to the
next one, until they are more than is plausible at once: then somebody looks, and approves them for the next run.
"""

import gc
import os
import random
import statistics
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import time_machine

from talk_pipeline import installation
from talk_pipeline.audit.audit import audit
from talk_pipeline.engine.report.checklist import VOLUME
from talk_pipeline.settings import Settings
from talk_pipeline.systems.http import again
from talk_pipeline_tests.bench.result import Result
from talk_pipeline_tests.invariants.office import Office
from talk_pipeline_tests.world import World, opened_world

HOURS = int(os.environ.get("DAY_HOURS", "24"))
EVERY = timedelta(minutes=2)
SIZE = 600
FAULTS: tuple[dict[str, Any], ...] = (
    {"status": 503},
    {"status": 500, "when": "after"},
    {"status": 429},
    {"status": 412},
    {"drop": "after"},
    {"drop": "before"},
    {"truncate": True},
    {"stale_page": "same"},
    {"expired_token": True},
)
TRIES = 3


def run(folder: Path) -> dict[str, Result]:
    """Lives through the day; everything is in step at its end."""
    with (
        pytest.MonkeyPatch.context() as patch,
        dg.DagsterInstance.ephemeral() as instance,
        time_machine.travel(datetime.now(UTC), tick=True) as clock,
        opened_world(folder, empty=False, size=SIZE, instance=instance) as world,
    ):
        patch.setattr(again, "BACKOFF_SECONDS", 0.01)
        world.pass_over()
        return _Day(world, clock).lived()


class _Day:
    def __init__(self, world: World, clock: time_machine.Traveller) -> None:
        self.world, self.clock = world, clock
        self.chance = random.Random(24)  # noqa: S311 (a test's edits)
        bc_root = world.environment["BUSINESSCENTRAL_URL"].split("/v2.0/")[0]
        self.offices = {"shop": Office(world.environment["CUSTOMWEBSHOP_URL"]), "bc": Office(bc_root)}
        sets = {"shop": ("customers", "products"), "bc": ("customers", "items")}
        self.places = [
            (side, name, str(row["id"]))
            for side, names in sets.items()
            for name in names
            for row in self.offices[side].all(name)
        ]
        self.edits = 0
        self.stopped = self.longest = 0
        """Runs that were stopped: one after another until now, and at most."""

    def lived(self) -> dict[str, Result]:
        """Hour by hour, and what is left of it a day later."""
        print(f"{'hour':>4}{'run':>10}{'memory':>12}{'on disk':>12}{'edits':>9}{'stopped':>9}")
        hours = [self._hour(at) for at in range(HOURS)]
        for office in self.offices.values():
            office.call("DELETE", "faults")
        for _ in range(TRIES):
            self.clock.shift(timedelta(minutes=20))
            self.world.pass_over(full=True)
        unexplained = sum(len(one.unexplained) for one in audit(Settings.load()))
        for office in self.offices.values():
            office.close()
        self.clock.shift(timedelta(days=Settings.load().talk_keep_days + 1))
        self.world.pass_over(full=True)
        installation.prune(Settings.load())
        left = _on_disk(self.world.data)
        print(f"a time later, pruned: {left / 1e6:.1f} MB; not explained by the audit: {unexplained}")
        quarter = max(1, len(hours) // 4)
        early, late = hours[:quarter], hours[-quarter:]
        run, memory = (_growth(early, late, at) for at in (0, 1))
        return {
            "day_run_growth": Result(run, 1.2, "lower", "x of the first hours"),
            "day_memory_growth": Result(memory, 1.2, "lower", "x of the first hours"),
            "day_left_on_disk": Result(left / hours[0][2], 1.5, "lower", "x of the first hour"),
            "day_stopped": Result(self.longest, 5, "lower", "runs, one after another, that were stopped"),
            "day_unexplained": Result(unexplained, 0, "lower", "values"),
        }

    def _hour(self, at: int) -> tuple[float, float, float]:
        for office in self.offices.values():
            office.call("DELETE", "faults")
            rules = [
                {"match": {}, "fault": fault, "times": None, "share": 0.1 / len(FAULTS)} for fault in FAULTS
            ]
            office.call("POST", "faults", rules)
        self.world.forget_requests()
        seconds, stopped = zip(*self._runs(), strict=True)
        gc.collect()
        figures = statistics.median(seconds), _memory(), _on_disk(self.world.data)
        print(
            f"{at + 1:>4}{figures[0]:>9.2f}s{figures[1] / 1e6:>9.0f} MB{figures[2] / 1e6:>9.1f} MB"
            f"{self.edits:>9}{sum(stopped):>9}",
            flush=True,
        )
        return figures

    def _runs(self) -> Iterator[tuple[float, bool]]:
        for _ in range(timedelta(hours=1) // EVERY):
            for _ in range(int(EVERY.total_seconds())):
                self._edit()
                self.clock.shift(1)
            approve = self._is_asked()
            started = time.process_time()
            problems = self.world.pass_over(approve=approve)
            for problem in problems:
                print(f"    stopped after {self.edits} edits: {problem}", flush=True)
            self.stopped = self.stopped + 1 if problems else 0
            self.longest = max(self.longest, self.stopped)
            yield time.process_time() - started, bool(problems)

    def _is_asked(self) -> bool:
        """Whether the last run stopped at more edits than are plausible at once, for somebody to approve."""
        return bool(
            self.world.sql(
                "select 1 from run where started_at = (select max(started_at) from run) and stopped_by = ?",
                VOLUME.name,
            )
        )

    def _edit(self) -> None:
        side, name, key = self.chance.choice(self.places)
        self.edits += 1
        text = f"Name {self.edits % 1000}"
        values = {"company_name": text} if name == "customers" else {"name": text}
        self.offices[side].update(name, key, {"displayName": text} if side == "bc" else values)


def _growth(
    early: list[tuple[float, float, float]], late: list[tuple[float, float, float]], at: int
) -> float:
    return statistics.median(one[at] for one in late) / statistics.median(one[at] for one in early)


def _memory() -> float:
    """What this process holds, in bytes (proc(5))."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _on_disk(folder: Path) -> float:
    return float(sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()))
