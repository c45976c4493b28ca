"""A company's state for every test of a room."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from talk_pipeline_tests.engine.book import Book


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    """A new one."""
    with Book.opened(tmp_path / "state") as opened:
        yield opened
