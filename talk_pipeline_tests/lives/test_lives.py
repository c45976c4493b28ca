"""A few lives with the tests; `.ci/run` plays some hundred by the command, `make lives` as many as are wanted."""

import dagster as dg
import pytest

from talk_pipeline_tests.lives.stage import EVENTS, lived
from talk_pipeline_tests.proof.counts import COUNTS


@pytest.mark.parametrize("seed", [1, 2], ids=["lines alone", "with charges"])
def test_every_order_comes_out_line_by_line_or_is_named(instance: dg.DagsterInstance, seed: int) -> None:
    with COUNTS.proving("scenarios"):
        came = lived(2, seed=seed, instance=instance)
        assert came.wrong == []
    assert came.fewest >= EVENTS
