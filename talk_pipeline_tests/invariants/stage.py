"""A scenario played between two fresh sandboxes."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import dagster as dg
import pytest

from talk_pipeline import installation
from talk_pipeline.settings import Settings
from talk_pipeline.systems.http import client
from talk_pipeline_tests.invariants.judge import verdict
from talk_pipeline_tests.invariants.scenario import Step
from talk_pipeline_tests.invariants.show import Show
from talk_pipeline_tests.world import opened_world


def played(steps: Sequence[Step], *, instance: dg.DagsterInstance) -> list[str]:
    """What came out otherwise than it must."""
    with (
        pytest.MonkeyPatch.context() as patch,
        tempfile.TemporaryDirectory() as folder,
        opened_world(Path(folder), instance=instance) as world,
    ):
        patch.setattr(client, "BACKOFF_SECONDS", 0.01)
        files = installation.checked_files(Settings.load())  # reading them costs as much as a run
        patch.setattr(installation, "checked_files", lambda _settings: files)
        players = Show(world)
        try:
            for step in steps:
                players.play(step)
            return verdict(players)
        finally:
            players.close()
