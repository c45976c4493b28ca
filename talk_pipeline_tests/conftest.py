"""Fixtures every test may use. No test sees the developer's own environment."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from talk_pipeline.systems.http import client
from talk_pipeline_tests.world import World, opened_world


@pytest.fixture(scope="session")
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between attempts hundredths of seconds instead of seconds."""
    monkeypatch.setattr(client, "BACKOFF_SECONDS", 0.01)


@pytest.fixture
def world(tmp_path: Path, instance: dg.DagsterInstance) -> Iterator[World]:
    """Two systems without records."""
    with opened_world(tmp_path, instance=instance) as opened:
        yield opened
