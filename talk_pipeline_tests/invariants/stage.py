"""A scenario played between two fresh sandboxes, in a time of its own."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
import time_machine

from talk_pipeline.systems.http import again
from talk_pipeline_tests.flow_files import copied_flows
from talk_pipeline_tests.invariants.disasters import FLOWS
from talk_pipeline_tests.invariants.fields import SETS
from talk_pipeline_tests.invariants.judge import verdict
from talk_pipeline_tests.invariants.scenario import Step
from talk_pipeline_tests.invariants.show import Show
from talk_pipeline_tests.memory import memory
from talk_pipeline_tests.slowness import longest
from talk_pipeline_tests.world import opened_world


@dataclass(frozen=True, slots=True)
class Played:
    """What came of a scenario.

    Attributes:
        wrong: what came out otherwise than it must.
        took: how long it was for everybody in it.
    """

    wrong: list[str]
    took: timedelta


def played(steps: Sequence[Step], *, instance: dg.DagsterInstance) -> Played:
    """Plays it; its first step may say in what world (`do: world`)."""
    world_step: Step = steps[0] if steps and steps[0]["do"] == "world" else {"do": "world"}
    with (
        pytest.MonkeyPatch.context() as patch,
        tempfile.TemporaryDirectory(dir=memory()) as name,
        time_machine.travel(datetime.now(UTC), tick=True) as clock,
        opened_world(
            Path(name), instance=instance, profile=world_step.get("profile", "reference"), patch=patch
        ) as world,
    ):
        folder, began = Path(name), datetime.now(UTC)
        patch.setattr(again, "BACKOFF_SECONDS", 0.01)
        patch.setenv("TALK_FLOWS_DIR", str(copied_flows(folder / FLOWS)))
        longest(patch, folder, seconds=world_step.get("longest", 0))
        players = Show(world, clock)
        players.blind |= {(flow, name) for flow in SETS for name in world.shop_lacks(flow)}
        try:
            for step in steps:
                players.play(step)
            wrong = verdict(players)
        finally:
            players.close()
        return Played(wrong, datetime.now(UTC) - began)
