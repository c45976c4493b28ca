"""Tests of many variants: the first of them run always, the others where there is time."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from talk_pipeline_tests.users import Row


def variants(
    names: str | tuple[str, ...],
    values: Sequence[Any],
    *,
    first: int = 1,
    ids: Sequence[str] | Callable[[Row], str] | None = None,
) -> pytest.MarkDecorator:
    """A test for each value; those after the first are slow ones."""
    rest = [
        pytest.param(*(value if isinstance(names, tuple) else (value,)), marks=pytest.mark.slow)
        for value in values[first:]
    ]
    return pytest.mark.parametrize(names, [*values[:first], *rest], ids=ids)
