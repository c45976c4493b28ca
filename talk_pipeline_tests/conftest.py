"""Fixtures every test may use. No test sees the developer's own environment."""

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from hypothesis import settings

from talk_pipeline.engine.state import connection
from talk_pipeline.systems.http import again
from talk_pipeline_tests.memory import memory
from talk_pipeline_tests.proof import plugin
from talk_pipeline_tests.world import World, opened_world

os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost"  # what leads out leads to no test
os.environ.pop("COLUMNS", None)  # workers are given 80, in which tables wrap

AS_IT_IS = connection.OPENED
AT_ONCE = f"{AS_IT_IS}; set enable_optimizer = false"
"""A quarter of what tests of a few records take is spent on thinking over how statements are best run."""

RARE = [
    Path(__file__).parent / folder
    for folder in ("pains", "pipeline/decisions", "pipeline/orders", "pipeline/troubles")
]
"""Whole runs of every other day: as long again as all others, so that they have a target of their own."""

settings.register_profile("any_machine", deadline=None)  # a busy one is no reason to fail
settings.load_profile("any_machine")


def pytest_configure(config: pytest.Config) -> None:
    """What is counted is told at the end, and databases lie in memory."""
    config.pluginmanager.register(plugin)
    if folder := memory():
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", folder)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whole runs of every other day are marked; what takes long begins first: nobody waits for it at the end."""
    for item in items:
        if item.path.parent in RARE and item.get_closest_marker("reaches") is None:
            item.add_marker("rare")
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def pytest_collection_finish() -> None:
    """What is imported stays to the end: nobody need look for garbage among it."""
    gc.freeze()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """A few records are asked for at once, large books and whole stories as users ask: both must find the same."""
    connection.OPENED = AS_IT_IS if item.get_closest_marker("optimized") else AT_ONCE


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
