"""Servers that a test has for itself."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from talk_pipeline_tests.scale.servers import Redis
from talk_pipeline_tests.systems.http.conftest import opens, server

__all__ = ["opens", "redis", "server"]


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    running = Redis(tmp_path / "redis")
    running.start()
    yield running
    running.stop()
