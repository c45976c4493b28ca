"""A few lives with every build; `make lives LIVES=1000` plays many."""

import dagster as dg
import pytest

from talk_pipeline_tests.lives.stage import EVENTS, lived
from talk_pipeline_tests.proof.counts import COUNTS


def test_every_order_comes_out_line_by_line_or_is_named(instance: dg.DagsterInstance) -> None:
    with COUNTS.proving("scenarios"):
        came = lived(4, seed=1, instance=instance)
        assert came.wrong == []
    assert came.fewest >= EVENTS


@pytest.mark.slow
def test_some_more_come_out_so(instance: dg.DagsterInstance) -> None:
    with COUNTS.proving("scenarios"):
        assert lived(12, seed=2, instance=instance).wrong == []
