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
@pytest.mark.parametrize("seed", [2, 3])
def test_many_orders_come_out_so(seed: int, instance: dg.DagsterInstance) -> None:
    with COUNTS.proving("scenarios"):
        assert lived(25, seed=seed, instance=instance).wrong == []
