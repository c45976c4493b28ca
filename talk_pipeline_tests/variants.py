"""Tests of many variants: the first of them run always, the others before a release (`make variants`)."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from talk_pipeline_tests.users import Row

MORE = (pytest.mark.slow, pytest.mark.variant)
"""One more of a question of which one is asked always."""


def variants(
    names: str | tuple[str, ...],
    values: Sequence[Any],
    *,
    first: int = 1,
    ids: Sequence[str] | Callable[[Row], str] | None = None,
) -> pytest.MarkDecorator:
    """A test for each value; those after the first are a target of their own."""
    rest = [
        pytest.param(*(value if isinstance(names, tuple) else (value,)), marks=MORE)
        for value in values[first:]
    ]
    return pytest.mark.parametrize(names, [*values[:first], *rest], ids=ids)
