"""Fixtures every test may use. No test sees the developer's own environment."""

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from hypothesis import settings

from talk_pipeline.systems.http import again
from talk_pipeline_tests.memory import memory
from talk_pipeline_tests.proof import plugin
from talk_pipeline_tests.world import World, opened_world

settings.register_profile("any_machine", deadline=None)  # a busy one is no reason to fail
settings.load_profile("any_machine")


def pytest_configure(config: pytest.Config) -> None:
    """What is counted is told at the end, and databases lie in memory."""
    config.pluginmanager.register(plugin)
    if folder := memory():
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", folder)


def pytest_collection_finish() -> None:
    """What is imported stays to the end: nobody need look for garbage among it."""
    gc.freeze()


@pytest.fixture(scope="session")
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between attempts hundredths of seconds instead of seconds."""
    monkeypatch.setattr(again, "BACKOFF_SECONDS", 0.01)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--shop-profile", default="reference", help="wire shape of the sandbox shop")


@pytest.fixture
def profile(request: pytest.FixtureRequest) -> str:
    """The wire shape under which the pipeline is tested."""
    return str(request.config.getoption("--shop-profile"))


@pytest.fixture
def world(
    tmp_path: Path, instance: dg.DagsterInstance, profile: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    """Two systems without records."""
    with opened_world(tmp_path, instance=instance, profile=profile, patch=monkeypatch) as opened:
        yield opened
