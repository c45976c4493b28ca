"""A few lives with the tests; `.ci/run` plays a thousand by the command, `make lives` as many as are wanted."""

import dagster as dg

from talk_pipeline_tests.lives.stage import EVENTS, lived
from talk_pipeline_tests.proof.counts import COUNTS


def test_every_order_comes_out_line_by_line_or_is_named(instance: dg.DagsterInstance) -> None:
    with COUNTS.proving("scenarios"):
        came = lived(4, seed=1, instance=instance)
        assert came.wrong == []
    assert came.fewest >= EVENTS
