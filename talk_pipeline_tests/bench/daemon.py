"""The daemon by itself: how soon an edit is visible on the other side, and what it costs while there is none.

The daemon and its sensors run as `make up` starts them, with the settings as they are delivered. An edit is made at
a moment of its own between two looks of a sensor, once all runs are over; it is visible when the other system shows
it. What an idle daemon costs is the CPU of all its processes, and what it asks of Business Central.
"""

import os
import random
import time
from pathlib import Path
from statistics import median, quantiles

import dagster as dg

from talk_pipeline.dagster.sensors import INTERVAL_SECONDS
from talk_pipeline.settings import Settings
from talk_pipeline_tests.automation import Automation
from talk_pipeline_tests.bench.result import Result
from talk_pipeline_tests.world import opened_world

EDITS = 20
IDLE_SECONDS = 300.0
TICKS = os.sysconf("SC_CLK_TCK")


def run(folder: Path) -> dict[str, Result]:
    """Edits in the shop and in Business Central in turn, and then nothing for a while."""
    with (
        dg.DagsterInstance.ephemeral() as instance,
        opened_world(folder, instance=instance) as world,
    ):
        automation = Automation(world)
        with automation.daemon() as process:
            automation.wait("the first sync", lambda: automation.arrived("www.c1.example"))
            took = [_seconds(automation, at) for at in range(2 * EDITS)]
            automation.wait("quiet", automation.quiet)
            time.sleep(2 * INTERVAL_SECONDS)
            world.forget_requests()
            before = _spent(process.pid)
            time.sleep(IDLE_SECONDS)
            core = (_spent(process.pid) - before) / IDLE_SECONDS
            asked = world.bc.requests()["total"] / IDLE_SECONDS
        automation.instance.dispose()
    settings = Settings()
    allowed = settings.businesscentral_requests / settings.businesscentral_window_seconds
    cuts = quantiles(took, n=20)
    print(
        f"{len(took)} edits: {min(took):.1f} to {max(took):.1f} s, median {median(took):.1f}, p95 {cuts[-1]:.1f}"
    )
    print(f"idle: {core:.3f} of a core, {asked:.2f} requests a second to Business Central")
    return {
        "edit_visible_p50": Result(median(took), 6, "lower", "s"),
        "edit_visible_p95": Result(cuts[-1], 12, "lower", "s"),
        "idle_core": Result(core, 0.03, "lower", "of a core"),
        "idle_requests": Result(asked / allowed, 0.05, "lower", "of Business Central's limit"),
    }


def _seconds(automation: Automation, number: int) -> float:
    """How long an edit takes to the other side."""
    automation.wait("quiet", automation.quiet)
    time.sleep(random.Random(number).uniform(0, 2 * INTERVAL_SECONDS))
    website = f"www.{number}.example"
    if number % 2:
        (there,) = automation.world.bc.all("customers")
        automation.world.bc.patch("customers", there, {"website": website})
        return automation.wait(website, lambda: automation.shown(website))
    automation.edit(website)
    return automation.wait(website, lambda: automation.arrived(website))


def _spent(session: int) -> float:
    """CPU seconds of all processes of a session, those included that have ended."""
    total = 0
    for place in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = place.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has just ended: whoever started it has its seconds
        if int(fields[3]) == session:
            total += sum(map(int, fields[11:15]))
    return total / TICKS
